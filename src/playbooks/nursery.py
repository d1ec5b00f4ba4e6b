"""A process that has imported what every notebook needs, and forks a kernel from itself when asked.

Starting Python and importing the guide is most of a small case, and each of six kernels would do it again. It serves
the runs that connect to a socket it was given: first it says of which kit it is, then orders come as lines of JSON
(`argv`, `cwd`, `env`) and each is answered by a line with a process id. No kernel outlives the run that ordered it,
however that ended, and none outlives this process, which ends with its standard input.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playbooks.kit import fingerprint
from playbooks.spared import spare_imports

# what every notebook needs, and then what those after the first need as well: the first kernel waits for less
PRELOADED = ("playbooks.guide", "playbooks.engine.rowless", "ipykernel.kernelapp")
LATER = (
    *("ibis.backends.duckdb.converter", "ibis.expr.types.groupby", "pyarrow.dataset", "pyarrow.pandas_compat"),
    *("sigma.collection", "nbconvert.exporters.templateexporter", "jinja2.ext", "nh3", "plotly.subplots"),
)
MOST_BYTES = 1 << 16
# an expression of Ibis is many small objects that live on: Python's own figures look for cycles among them all the time
COLLECT = (50_000, 20, 100)


@dataclass
class _Run:
    """A run that is connected: what it has said so far of its next order, and its kernels."""

    line: socket.socket
    said: bytes = b""
    born: list[int] = field(default_factory=list)


def main() -> None:
    """Import, then serve every run that connects until standard input ends."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    spare_imports()
    gc.set_threshold(*COLLECT)
    _load(PRELOADED)
    kit = fingerprint()
    for one in (signal.SIGINT, signal.SIGTERM):  # from here on it ends with its standard input, and its kernels first
        signal.signal(one, signal.SIG_IGN)
    learned = False
    with selectors.DefaultSelector() as several:
        several.register(0, selectors.EVENT_READ)
        several.register(listener, selectors.EVENT_READ)
        while _served(several, kit):  # one event after the other: a process that forks has one thread
            if not learned and any(run.born for run in _runs(several)):
                learned = True
                _load(LATER)
                _learn()


def _served(several: selectors.BaseSelector, kit: str) -> bool:
    """Serve what has come; False when standard input has ended, and every kernel with it."""
    for key, _ in several.select():
        if key.fd == 0:
            if not os.read(0, MOST_BYTES):
                for run in _runs(several):
                    _end(run)
                return False
        elif key.data is None:
            line, _ = key.fileobj.accept()  # type: ignore[union-attr]
            with suppress(OSError):
                line.sendall(f"{kit}\n".encode())
            several.register(line, selectors.EVENT_READ, _Run(line))
        elif not _heard(key.data, several):
            several.unregister(key.data.line)
            _end(key.data)
    return True


def _heard(run: _Run, several: selectors.BaseSelector) -> bool:
    """Fork what a run orders; False when it has hung up."""
    try:
        come = run.line.recv(MOST_BYTES)
        *orders, run.said = (run.said + come).split(b"\n")
        for order in orders:
            _reap(run)
            pid = os.fork()
            if not pid:
                _leave(several)
                _become_kernel(json.loads(order))
            run.born.append(pid)
            run.line.sendall(f"{pid}\n".encode())
    except OSError:
        return False
    return bool(come)


def _runs(several: selectors.BaseSelector) -> list[_Run]:
    return [key.data for key in several.get_map().values() if key.data]


def _reap(run: _Run) -> None:
    """Forget the kernels that have ended: until then the system gives their numbers to nobody else."""
    run.born = [pid for pid in run.born if os.waitpid(pid, os.WNOHANG) == (0, 0)]


def _end(run: _Run) -> None:
    """End the kernels that a run has left."""
    _reap(run)
    for pid in run.born:
        with suppress(ProcessLookupError):  # between its birth and its own session
            os.killpg(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    run.line.close()


def _leave(several: selectors.BaseSelector) -> None:
    """A kernel holds no line of this process."""
    for key in list(several.get_map().values()):
        if isinstance(key.fileobj, socket.socket):
            key.fileobj.close()
    several.close()


def _load(names: tuple[str, ...]) -> None:
    """Import these once, for all kernels."""
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the kernels stays shared


def _learn() -> None:
    """Read the data files of the kit and draw a figure once: a library loads much when it is first asked."""
    import plotly.graph_objects as go

    from playbooks import knowledge
    from playbooks.knowledge.public_suffixes import registrable

    for found in pkgutil.iter_modules(knowledge.__path__, f"{knowledge.__name__}."):
        for name, load in vars(importlib.import_module(found.name)).items():
            if name.startswith("load_"):
                load()
    registrable("example.com")
    axis = {"title": {"text": "", "font": {}}, "tickfont": {}}
    layout = {
        "font": {},
        "hoverlabel": {"font": {}},
        "legend": {"font": {}},
        "margin": {},
        "xaxis": axis,
        "yaxis": axis,
    }
    figure = go.Figure([go.Scatter(marker={}, line={}), go.Bar(marker={}), go.Heatmap()], layout)
    figure.add_vline(0, annotation_text="")
    figure.to_json()


def _become_kernel(order: dict[str, Any]) -> None:
    """Serve one notebook, then end; the words of the process go nowhere, those of its cells go to the notebook."""
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()  # the zone and the temporary folder of the run, not those of this process
    tempfile.tempdir = None
    os.chdir(order["cwd"])
    sys.argv = ["ipykernel", *order["argv"]]
    try:
        # the nursery is watched, too: a kernel whose parent is gone ends within a second
        IPKernelApp.launch_instance([*order["argv"], f"--IPKernelApp.parent_handle={os.getppid()}"])
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
