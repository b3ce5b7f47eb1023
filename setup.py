"""Metadata is in pyproject.toml. This adds the notebooks and the saved runs to a wheel, as lend/shipped."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("notebooks", "saved")


class BuildWithShipped(build_py):
    """Copy them beside the modules; an editable install finds them in the repository."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in SHIPPED:
            target = Path(self.build_lib) / "lend" / "shipped" / name
            shutil.copytree(name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))


setup(cmdclass={"build_py": BuildWithShipped})
