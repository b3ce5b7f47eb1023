"""The examples that need a library beside lend run as they are, and leave a run that opens."""

import subprocess
import sys
from pathlib import Path

import pytest

import lend

pytestmark = pytest.mark.integrations

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["lightning_trainer", "huggingface_trainer", "timm_network"])
def test_an_example_runs(name, tmp_path):
    pytest.importorskip(name.partition("_")[0].replace("huggingface", "transformers"))
    done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "diluted_label_accuracy" in done.stdout
    (run,) = lend.runs(tmp_path / "runs")
    history = run.history
    assert len(run.epochs) == 2 and run.epochs[1] == run.epochs_done and history["train_loss"].notna().all()
    assert history["diluted_label_accuracy"].iloc[-1] > history["noisy_label_accuracy"].iloc[-1]
    assert history["test_accuracy"].iloc[-1] > 0.5
