"""JupyterLab on a case: loopback, a token, its own configuration, the six notebooks at hand."""

from __future__ import annotations

import os
import secrets
import sys

from playbooks.case import Case, write_json
from playbooks.steps import STEPS, notebooks_folder

# no question about news from outside; every output drawn, not only those in view
LAB_SETTINGS: dict[str, dict[str, object]] = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}


def prepare_notebooks(case: Case) -> None:
    """Put the notebooks into the case for work by hand; one that is there already is left alone."""
    case.notebooks.mkdir(parents=True, exist_ok=True)
    for name in STEPS:
        target = case.notebooks / f"{name}.ipynb"
        if not target.exists():
            target.write_bytes((notebooks_folder() / f"{name}.ipynb").read_bytes())


def lab_command(case: Case, port: int, browser: bool) -> tuple[list[str], dict[str, str]]:
    """The command and environment that open JupyterLab on a case: loopback, token, own configuration."""
    own = case.path / ".jupyter"
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
    }
    for name, values in LAB_SETTINGS.items():
        write_json(own / "settings" / f"{name}.jupyterlab-settings", values)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}"),
        *(f"--ServerApp.root_dir={case.path}", f"--IdentityProvider.token={secrets.token_urlsafe(24)}"),
        *("--LabApp.news_url=none", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        *("--LabApp.default_url=/lab/tree/notebooks/1_preserve_evidence.ipynb", "--ServerApp.allow_root=True"),
        *(() if browser else ("--no-browser",)),
    ]
    return command, environment
