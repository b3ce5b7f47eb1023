"""Callbacks in real trainings of the libraries they are for: what they record is what those trainings saw."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy

import lend

pytestmark = [pytest.mark.integrations, pytest.mark.filterwarnings("default")]  # the libraries warn of their own

ROOT = Path(__file__).parent.parent
N, C = 200, 10


def test_placeholder():
    pass
