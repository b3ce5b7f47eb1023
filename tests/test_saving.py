"""Saving beside the training: order, copies, errors."""

import threading

import pytest
import torch

from lend.recording import Saver, copied


class SlowRun:
    """Commits when it is allowed to."""

    def __init__(self):
        self.allowed, self.committed, self.error = threading.Event(), [], None

    def commit(self, epochs, state):
        assert self.allowed.wait(10)
        if self.error:
            raise self.error
        self.committed.append((epochs, state))


def test_the_training_goes_on_while_an_epoch_is_written():
    run, weights = SlowRun(), torch.zeros(2)
    with Saver(run.commit) as saver:
        assert not saver.busy
        saver.save([], {"weights": weights})
        weights += 1  # the next step of the training
        assert saver.busy and not run.committed
        run.allowed.set()
        saver.wait()
        assert not saver.busy and saver.cost > 0
        saver.save([], {"weights": weights})
    assert [state["weights"].tolist() for _, state in run.committed] == [[0, 0], [1, 1]]


@pytest.mark.parametrize("look", [lambda saver: saver.busy, lambda saver: saver.save([], {}), Saver.wait])
def test_a_failed_save_is_raised_by_the_next_call(look):
    run = SlowRun()
    run.allowed.set()
    run.error = OSError(28, "No space left on device", "labels/0001.npz")
    with pytest.raises(OSError, match="labels/0001.npz"), Saver(run.commit) as saver:
        saver.save([], {"epoch": 1})
        while not saver._writing.done():
            pass
        look(saver)
        raise AssertionError("the error was not raised")


def test_a_failed_save_is_raised_at_the_end_and_hides_no_other_error():
    run = SlowRun()
    run.allowed.set()
    run.error = OSError("disk")
    with pytest.raises(OSError, match="disk"), Saver(run.commit) as saver:
        saver.save([], {"epoch": 1})
    with pytest.raises(KeyboardInterrupt) as caught, Saver(run.commit) as saver:
        saver.save([], {"epoch": 1})
        raise KeyboardInterrupt
    assert caught.value.__notes__ == ["saving failed as well: disk"]


def test_an_interrupted_training_is_saved_up_to_what_was_handed_over():
    run = SlowRun()
    with pytest.raises(KeyboardInterrupt), Saver(run.commit) as saver:
        saver.save([], {"epoch": 1})
        threading.Timer(0.05, run.allowed.set).start()
        raise KeyboardInterrupt
    assert run.committed == [([], {"epoch": 1})]


def test_copied_reaches_every_tensor_and_keeps_the_rest():
    inner = torch.ones(1)
    state = {"a": inner, "groups": [{"lr": 0.1, "params": [0, 1]}], "state": {0: {"momentum": inner}}}
    copy = copied(state)
    assert copy == state and copy["a"] is not inner and copy["state"][0]["momentum"] is not inner
