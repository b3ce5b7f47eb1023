"""The device of these tests: a CUDA card, or the CPU where LEND_CUDA_TESTS_ON=cpu, to try their code there."""

import os

import pytest
import torch


@pytest.fixture
def device():
    name = os.environ.get("LEND_CUDA_TESTS_ON", "cuda")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return torch.device(name)


@pytest.fixture
def deterministic():
    """The same kernels every time: cuDNN may choose between some that sum in any order."""
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    yield
    torch.backends.cudnn.deterministic = before
