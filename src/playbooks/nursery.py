"""A process that has imported what every notebook needs, and forks a kernel from itself when asked.

Starting Python and importing the guide is most of a small case, and each of six kernels would do it again. Orders
come as lines of JSON on standard input (`argv`, `cwd`, `env`); each is answered by a line with a process id. When
the input ends, however its writer ended, no kernel outlives it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
from contextlib import suppress
from typing import Any

from playbooks.spared import spare_imports

PRELOADED = (
    "playbooks.guide",
    "ibis.backends.duckdb",
    "ipykernel.kernelapp",
    "nbconvert.exporters.templateexporter",
    "sigma.collection",
)


def main() -> None:
    """Import, then fork a kernel per order until nobody is left to order one."""
    spare_imports()
    for name in PRELOADED:
        importlib.import_module(name)
    _learn()
    gc.collect()
    gc.freeze()  # what is shared with the kernels stays shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a kernel that ended leaves nothing to wait for
    answers = os.fdopen(os.dup(1), "w")
    born: list[int] = []
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _become_kernel(order)
        born.append(pid)
        answers.write(f"{pid}\n")
        answers.flush()
    for pid in born:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _learn() -> None:
    """Read the data files of the kit once, for all kernels."""
    from playbooks import kit, knowledge

    for found in pkgutil.iter_modules(knowledge.__path__, f"{knowledge.__name__}."):
        for name, load in vars(importlib.import_module(found.name)).items():
            if name.startswith("load_"):
                load()
    kit.fingerprint()


def _become_kernel(order: dict[str, Any]) -> None:
    """Serve one notebook, then end; the words of the process go nowhere, those of its cells go to the notebook."""
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv = ["ipykernel", *order["argv"]]
    try:
        # the nursery is watched, too: a kernel whose parent is gone ends within a second
        IPKernelApp.launch_instance([*order["argv"], f"--IPKernelApp.parent_handle={os.getppid()}"])
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
