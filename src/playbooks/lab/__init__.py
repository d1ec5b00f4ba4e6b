"""JupyterLab on a case, or on a folder of cases: loopback, a token, its own configuration, evidence read-only.

The notebooks are prepared, the start page says what needs a person, and tables can be filtered. Nothing of this is
met by a headless run: it starts kernels without the profile that is written here.
"""

from __future__ import annotations

from playbooks.lab.cases import cases_below
from playbooks.lab.command import address_of, lab_command
from playbooks.lab.prepared import prepare_notebooks
from playbooks.lab.start_page import write_start_page

__all__ = ["address_of", "cases_below", "lab_command", "prepare_notebooks", "write_start_page"]
