"""On PYTHONPATH: no socket of this interpreter, or of one that it starts, reaches beyond this machine's files.

Every attempt is refused and written down in the file that NETWORK_LOG names, and so is every start, so that
a test can tell "nothing was tried" from "nobody looked". An audit hook cannot be taken off again.
"""

from __future__ import annotations

import os
import sys

LOG = os.environ["NETWORK_LOG"]
# what a program calls before a packet leaves: names to resolve, and addresses to reach
WATCHED = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}


def _write(line: str) -> None:
    with open(LOG, "a", encoding="utf-8") as log:  # noqa: PTH123  # pathlib is not loaded this early
        log.write(line + "\n")


def _refuse(event: str, given: tuple[object, ...]) -> None:
    if event not in WATCHED:
        return
    target = given[WATCHED[event]]
    if target is None or (isinstance(target, str | bytes) and WATCHED[event] == 1):
        return  # the path of a socket in the file system, or no address at all
    _write(f"tried {event} {target!r} in {sys.argv!r}")
    raise OSError(101, f"refused by the test: {event} {target!r}")


_write(f"started {sys.orig_argv!r}")
sys.addaudithook(_refuse)
