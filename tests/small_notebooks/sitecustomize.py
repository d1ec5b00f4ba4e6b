"""Puts the notebooks of SMALL_NOTEBOOKS in place of the kit's, in every program that a test starts with this path."""

import os
from pathlib import Path

import playbooks.steps

folder = Path(os.environ["SMALL_NOTEBOOKS"])
playbooks.steps._data_folder = lambda _packaged, _in_repository: folder
