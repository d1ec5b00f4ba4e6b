"""Run a tool on hostile input: no network, no home, no more time, memory or disk than stated, and no shell.

What the tool is allowed stands in the custody chain beside its command.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import IO

MEMORY_BYTES = 4 << 30
LEAST_SECONDS = 600
SECONDS_PER_GIB = 3600
LEAST_OUTPUT_BYTES = 1 << 30
OUTPUT_PER_INPUT = 4
SAID_BYTES = 4096
SAID_CHARS = 500
STOPPING_SECONDS = 10
ALONE = ("unshare", "--map-root-user", "--net", "--")
SAID = "said.txt"
NOISE = re.compile("This could be dangerous|^resetting session")


@dataclass(frozen=True)
class Limits:
    """What a tool may use: seconds, bytes of memory, bytes of each file that it writes."""

    seconds: int
    memory: int
    output: int

    def as_json(self) -> dict[str, object]:
        """For the custody chain."""
        network = "none" if alone() else "not cut off: this machine gives no network namespace"
        return {**asdict(self), "network": network}


def limits_for(size: int) -> Limits:
    """The limits for a capture of so many bytes."""
    seconds = LEAST_SECONDS + size * SECONDS_PER_GIB // (1 << 30)
    return Limits(seconds, MEMORY_BYTES, max(LEAST_OUTPUT_BYTES, OUTPUT_PER_INPUT * size))


@dataclass(frozen=True)
class Ran:
    """How a tool ended: empty `fault` where it ended well; `said` is the end of what it told a person."""

    fault: str
    said: str


def run(
    command: list[str],
    folder: Path,
    limits: Limits,
    take: Callable[[IO[bytes]], str] | None = None,
) -> Ran:
    """Run a command inside of a folder that is its home too.

    Parameters
    ----------
    command
        Program and arguments.
    folder
        Where it works; what it writes stays there.
    limits
        See `limits_for`.
    take
        Reads the standard output to its end; what it returns, if not empty, is why it stopped before. Without
        it the output belongs to what the tool says to a person.

    Returns
    -------
    Ran
        However the tool ends, and whether or not it could be started.
    """
    with (folder / SAID).open("wb") as said:
        try:
            child = subprocess.Popen(  # noqa: S603  # no shell; nothing of the command comes from evidence
                [*alone(), *command],
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if take else said,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            return Ran(f"could not be started: {error.strerror}", "")
        with _stopped_at_last(child, limits) as late:
            refused = take(child.stdout) if take and child.stdout else ""
            if refused:
                _kill(child)
            child.wait()
    words = _said(folder / SAID)
    return Ran(refused or _fault(child.returncode, late.is_set(), limits, words), words)


@contextmanager
def _stopped_at_last(child: subprocess.Popen[bytes], limits: Limits) -> Iterator[threading.Event]:
    """Kill the tool and all that it started when its time is over, or when nobody reads it any more."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(child)

    _limit(child.pid, limits)
    timer = threading.Timer(limits.seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        _kill(child)
        if child.stdout:
            child.stdout.close()
        with suppress(subprocess.TimeoutExpired):  # in a sleep of the kernel that no signal reaches
            child.wait(STOPPING_SECONDS)


def _kill(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has ended already
        os.killpg(child.pid, signal.SIGKILL)


def _limit(pid: int, limits: Limits) -> None:
    """Limits of a running child, so that nothing has to run between fork and exec in a program of many threads."""
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:
        return  # not Linux: time and output are watched all the same
    with suppress(ProcessLookupError, PermissionError):
        for kind, most in (
            (resource.RLIMIT_AS, limits.memory),
            (resource.RLIMIT_FSIZE, limits.output),
            (resource.RLIMIT_CORE, 0),
        ):
            prlimit(pid, kind, (most, most))


def _fault(code: int, late: bool, limits: Limits, said: str) -> str:
    if late:
        return f"took longer than {limits.seconds:,} seconds and was stopped"
    if code == -signal.SIGXFSZ:
        return f"wrote a file of more than {limits.output:,} bytes and was stopped"
    if code < 0:
        return f"was ended by signal {signal.Signals(-code).name}"
    first = said.partition("\n")[0]  # later ones follow from it
    return f"ended with code {code}{': ' + first if first else ''}" if code else ""


def _said(file: Path) -> str:
    with file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - SAID_BYTES))
        text = stream.read().decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not NOISE.search(line)]
    return "\n".join(lines)[-SAID_CHARS:]


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the person who runs this: no settings, no plugins, no key log, no proxy."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "WIRESHARK_CONFIG_DIR": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


@cache
def alone() -> tuple[str, ...]:
    """What stands before a command so that it has no network; empty where this machine cannot do that."""
    if shutil.which(ALONE[0]) is None:
        return ()
    try:
        done = subprocess.run([*ALONE, "true"], capture_output=True, timeout=STOPPING_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return ALONE if done.returncode == 0 else ()
