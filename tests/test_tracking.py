"""The numbers of each epoch arrive at a tracker; TensorBoard's files are read back."""

import numpy as np
import pytest

from lend.training import tracking, train


@pytest.mark.filterwarnings("ignore")  # TensorBoard and protobuf warn of their own matters
def test_tensorboard_holds_the_history(tiny):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(tiny(snapshots=(), tracker="tensorboard"), progress=False)
    assert run.config.hash == tiny(snapshots=()).hash
    (file,) = [path for path in (run.path / "tracking").rglob("events.*") if path.parent.name == run.path.name]
    events = EventAccumulator(str(file.parent))
    events.Reload()
    for name in ("train_loss", "test_accuracy", "kept_share"):
        values = [(event.step, event.value) for event in events.Scalars(name)]
        assert [step for step, _ in values] == [1, 2, 3, 4]
        assert np.allclose([value for _, value in values], run.history[name], atol=1e-6)


def test_an_unknown_tracker_writes_nothing(tiny):
    config = tiny(tracker="tensorbord")
    with pytest.raises(ValueError, match="tracker 'tensorbord' is not installed; .*did you mean 'tensorboard'"):
        train(config, progress=False)
    assert not config.folder.exists()
    tracking.check(None)
