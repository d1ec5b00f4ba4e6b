"""How many cores this process may keep busy: all that it is given, or its share where cases run side by side."""

from __future__ import annotations

import os

SHARE = "PLAYBOOKS_CORES"  # what a batch leaves to each of its cases


def cores() -> int:
    """At least one. A container's or a scheduler's choice of cores holds; of `SHARE`, only a number counts."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stated = os.environ.get(SHARE, "")
    return max(1, min(here, int(stated))) if stated.isdecimal() else here
