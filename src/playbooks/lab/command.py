"""The command that opens JupyterLab: on loopback, with a token, with settings, kernels and extensions of its own."""

from __future__ import annotations

import os
import secrets
import sys
from importlib import resources
from pathlib import Path

from playbooks.case import Case, write_json, write_text
from playbooks.lab.start_page import START

# no question about news from outside; every output drawn, not only those in view; Markdown read, not edited
LAB_SETTINGS: dict[str, dict[str, object]] = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension/plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
}
# extensions that other packages bring along: they cost seconds at the start, and nothing here uses them
OTHERS_OF_SERVER = {"panel.io.jupyter_server_extension": False}
OTHERS_OF_PAGE = {"@pyviz/jupyterlab_pyviz": True}
TABLE_OF_CONTENTS = "@jupyterlab/toc:plugin"
# the file browser and the table of contents stand at the left, the latter open
WORKSPACE: dict[str, object] = {
    "data": {
        "layout-restorer:data": {
            "main": {"dock": None},
            "down": {"size": 0, "collapsed": True, "widgets": []},
            "left": {
                "collapsed": False,
                "visible": True,
                "current": TABLE_OF_CONTENTS,
                "widgets": ["filebrowser", "running-sessions", TABLE_OF_CONTENTS, "extensionmanager.main-view"],
                "widgetStates": {},
            },
            "right": {"collapsed": True, "visible": True, "widgets": [], "widgetStates": {}},
            "relativeSizes": [0.2, 0.8, 0],
            "top": {"simpleVisibility": True},
        }
    },
    "metadata": {"id": "default"},
}
WORKSPACE_FILE = "default-37a8.jupyterlab-workspace"  # how JupyterLab calls the file of its default workspace
# a kernel of the lab knows the guide and shows tables to be filtered; kernels of a run are started without this
KERNEL_SETTINGS = """\
c = get_config()
c.IPKernelApp.extensions = ["playbooks.lab.kernel"]
"""


def lab_command(at: Case | Path, port: int, browser: bool) -> tuple[list[str], dict[str, str]]:
    """The command and environment that open JupyterLab on a case or a folder of cases.

    Parameters
    ----------
    at
        The case, or the folder of several.
    port
        Port on loopback; 0 chooses a free one.
    browser
        Whether a browser is opened.

    Returns
    -------
    tuple
        The command, and its environment, which holds the token (`JUPYTER_TOKEN`): an argument could be read by
        every user of the machine.
    """
    folder = (at.path if isinstance(at, Case) else at).resolve()
    own, token = folder / ".jupyter", secrets.token_urlsafe(24)
    _write_settings(own, token)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "JUPYTER_PATH"},
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_TOKEN": token,
        "ITABLES_CONFIG": "",
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port or _free_port()}"),
        *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--ServerApp.allow_root=True"),
        "--ServerApp.contents_manager_class=playbooks.lab.contents.CaseContents",
        f"--AsyncFileCheckpoints.root_dir={own / 'checkpoints'}",  # never beside a file: that would be in the bag
        *(f"--ServerApp.extra_static_paths={_tables_script()}", f"--LabApp.extra_labextensions_path={_extensions()}"),
        *("--LabApp.news_url=none", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        *("--LabApp.extension_manager=readonly", f"--LabApp.default_url=/lab/tree/{START}"),
        *(() if browser else ("--no-browser",)),
    ]
    return command, environment


def address_of(command: list[str], environment: dict[str, str]) -> str:
    """The address to open, with its token: JupyterLab itself prints no token that it was given."""
    port = next(part for part in command if part.startswith("--port=")).partition("=")[2]
    return f"http://127.0.0.1:{port}/lab/tree/{START}?token={environment['JUPYTER_TOKEN']}"


def _write_settings(own: Path, token: str) -> None:
    for name, values in LAB_SETTINGS.items():
        write_json(own / "settings" / f"{name}.jupyterlab-settings", values)
    server = {"ServerApp": {"jpserver_extensions": OTHERS_OF_SERVER}, "IdentityProvider": {"token": token}}
    own.mkdir(parents=True, exist_ok=True)
    own.chmod(0o700)
    write_json(own / "config" / "jupyter_server_config.json", server)  # here no setting of the machine overrides it
    write_json(own / "config" / "labconfig" / "page_config.json", {"disabledExtensions": OTHERS_OF_PAGE})
    if not (own / "workspaces" / WORKSPACE_FILE).exists():  # afterwards it is the person's
        write_json(own / "workspaces" / WORKSPACE_FILE, WORKSPACE)
    write_text(own / "ipython" / "profile_default" / "ipython_kernel_config.py", KERNEL_SETTINGS)


def _free_port() -> int:
    from jupyter_client.connect import LocalPortCache

    return int(LocalPortCache().find_available_port("127.0.0.1"))


def _tables_script() -> Path:
    """The folder of the script that makes tables filterable, as it comes with itables."""
    return Path(str(resources.files("itables"))) / "html"


def _extensions() -> Path:
    return Path(__file__).resolve().parent / "extension"
