"""Callbacks in real trainings of the libraries they are for: what they record is what those trainings saw."""

from pathlib import Path

import pytest

pytestmark = [pytest.mark.integrations, pytest.mark.filterwarnings("default")]  # the libraries warn of their own

ROOT = Path(__file__).parent.parent
N, C = 200, 10


def test_placeholder():
    pass
