"""The callback in real trainings by the Trainer of Hugging Face: it records what the trainer saw, whole or killed."""

import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lend

pytest.importorskip("transformers")

import huggingface_training as training  # noqa: E402
import torch  # noqa: E402
from seen import N, compare, digits, same, settings  # noqa: E402
from transformers import GPT2Config, GPT2ForSequenceClassification, Trainer  # noqa: E402

from lend.integrations.huggingface import LendCallback  # noqa: E402

pytestmark = [pytest.mark.integrations, pytest.mark.filterwarnings("default")]  # the library warns of its own


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, training.fit(folder)


def test_the_run_is_what_the_trainer_saw(whole):
    folder, trainer = whole
    run = lend.Run.open(folder / "run")
    compare(run, trainer.seen)
    logged = [entry["eval_accuracy"] for entry in trainer.state.log_history if "eval_accuracy" in entry]
    assert run.history["test_accuracy"].tolist() == pytest.approx(logged) and len(set(logged)) > 1


def test_the_model_is_left_without_the_recorder(whole):
    _, trainer = whole
    assert not any(layer._forward_hooks for layer in trainer.model.modules())
    assert isinstance(pickle.loads(pickle.dumps(trainer.model)), training.Model)
    assert trainer.evaluate()["eval_accuracy"] > 0  # the column of the test set is still dropped


def test_killed_and_resumed_is_as_if_nothing_had_been(whole, tmp_path):
    script = Path(training.__file__)
    killed = subprocess.run([sys.executable, script, tmp_path, "10"], cwd=script.parent, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert lend.Run.open(tmp_path / "run").epochs_done == 2
    training.fit(tmp_path, resume=True)
    same(lend.Run.open(tmp_path / "run"), lend.Run.open(whole[0] / "run"))


def test_an_older_checkpoint_removes_later_epochs(whole, tmp_path):
    training.fit(tmp_path)
    training.fit(tmp_path, resume=str(tmp_path / "checkpoints" / "checkpoint-4"))
    same(lend.Run.open(tmp_path / "run"), lend.Run.open(whole[0] / "run"))


@pytest.mark.parametrize(
    ("options", "logged", "scored"),
    [
        ({"logging_strategy": "steps", "logging_steps": 2, "eval_strategy": "no"}, True, False),
        ({"logging_strategy": "steps", "logging_steps": 500}, True, True),
        ({"logging_strategy": "no", "eval_strategy": "no", "save_strategy": "no"}, False, False),
    ],
    ids=["every second step", "seldom", "never"],
)
def test_strategies_of_the_trainer(tmp_path, options, logged, scored):
    trainer = training.fit(tmp_path, **options)
    run = lend.Run.open(tmp_path / "run")
    assert run.epochs_done == 3 and run.epochs == (1, 3)
    losses = [trainer.seen.loss(epoch) for epoch in (1, 2, 3)] if logged else [np.nan] * 3
    assert run.history["train_loss"].tolist() == pytest.approx(losses, rel=1e-4, nan_ok=True)
    assert run.history["test_accuracy"].notna().all() == scored


def test_a_trainer_that_starts_anew(tmp_path):
    training.fit(tmp_path, num_train_epochs=1)
    with pytest.raises(FileExistsError, match="already exists"):
        training.fit(tmp_path)
    trainer = training.fit(tmp_path, LendCallback(tmp_path / "run", **settings(resume=True)))
    compare(lend.Run.open(tmp_path / "run"), trainer.seen)


def test_a_decoder_classifies_by_one_token(tmp_path):
    """GPT-2 gives the logits of all tokens to its head, and returns those of the last that is no padding."""
    _, true, noisy = digits()
    draw = np.random.default_rng(0)
    texts = [draw.integers(1, 20, draw.integers(3, 9)) for _ in range(N)]
    padded = torch.tensor(np.stack([np.pad(text, (0, 8 - len(text))) for text in texts]))
    rows = [{"index": i, "input_ids": padded[i], "labels": int(noisy[i])} for i in range(N)]
    torch.manual_seed(0)
    sizes = {"vocab_size": 20, "n_positions": 8, "n_embd": 12, "n_layer": 1, "n_head": 2, "resid_pdrop": 0.0}
    config = GPT2Config(**sizes, embd_pdrop=0.0, attn_pdrop=0.0, num_labels=10, pad_token_id=0)
    model = GPT2ForSequenceClassification(config)
    with torch.no_grad():
        hidden = model.transformer(padded).last_hidden_state
    last = torch.tensor([len(text) - 1 for text in texts])
    expected = hidden[torch.arange(N), last].numpy()
    args = training.arguments(tmp_path, num_train_epochs=1, learning_rate=0.0, eval_strategy="no", save_strategy="no")
    Trainer(model, args, train_dataset=rows, callbacks=[LendCallback(tmp_path / "run", **settings())]).train()
    saved = lend.Run.open(tmp_path / "run").embeddings(1)
    assert np.allclose(saved, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("options", "fitting", "message"),
    [
        (
            {},
            {"columns": ("x", "labels")},
            r"index must be a column.*remove_unused_columns=False.*for a batch of x, labels",
        ),
        ({}, {"remove_unused_columns": True}, r"index must be a column.*remove_unused_columns=False"),
        (
            {"accuracy": "eval_f1"},
            {},
            r"accuracy must be one of the trainer's metrics \(.*eval_accuracy.*got 'eval_f1'",
        ),
        ({"head": "classifier"}, {}, "head must be the name of a layer"),
    ],
)
def test_errors_name_the_argument(tmp_path, monkeypatch, options, fitting, message):
    monkeypatch.setattr(training.Noting, "training_step", Trainer.training_step)
    with pytest.raises(ValueError, match=message):
        training.fit(tmp_path, LendCallback(tmp_path / "run", **settings(**options)), **fitting)
