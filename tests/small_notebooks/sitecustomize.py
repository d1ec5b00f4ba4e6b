"""Puts the notebooks of SMALL_NOTEBOOKS in place of the kit's, in every program that a test starts with this path."""

import os
from pathlib import Path

import playbooks.notebook_files

folder = Path(os.environ["SMALL_NOTEBOOKS"])
playbooks.notebook_files._data_folder = lambda _packaged, _in_repository: folder
