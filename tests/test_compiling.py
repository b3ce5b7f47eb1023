"""Compiled networks: in training alone, and without where the compiler fails. (The compiler itself takes a minute.)"""

import numpy as np
import torch

from lend.training import train


def test_where_compiling_fails_one_line_says_so_and_the_run_is_the_same(tiny, tmp_path, monkeypatch, capsys):
    def fail(network, **options):
        def call(x):
            raise RuntimeError("no C compiler\nand a long story")

        return call

    monkeypatch.setattr(torch, "compile", fail)
    run = train(tiny(compile=True, method="coteaching"), progress=False)
    said = capsys.readouterr().err
    assert said == "torch.compile failed, going on without: RuntimeError: no C compiler\n"
    plain = train(tiny(runs=str(tmp_path / "plain"), method="coteaching"), progress=False)
    assert run.config.hash == plain.config.hash  # how fast it is made, not what it is
    assert run.history.drop(columns="seconds").equals(plain.history.drop(columns="seconds"))


def test_each_network_is_compiled_once_and_called_in_training_alone(tiny, monkeypatch):
    compiled, called = [], []

    def note(network, **options):
        compiled.append((network, options))
        return lambda x: called.append(network.training) or network(x)

    monkeypatch.setattr(torch, "compile", note)
    run = train(tiny(compile=True, method="coteaching"), progress=False)
    assert len(compiled) == 2 and all(options == {"dynamic": False, "mode": None} for _, options in compiled)
    assert called == [True] * (2 * 3 * run.config.epochs)  # two networks, three batches
    assert np.isfinite(run.history["train_loss"]).all()
