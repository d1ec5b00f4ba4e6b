"""The programs that read packets for us, in the order in which they are chosen, and how they are called.

Zeek first: it joins question and answer, request and response, and knows most protocols. Then Suricata: names,
requests, TLS with JA3 and JA4, flows, from one small file of settings that is the same everywhere. Then tshark:
it sees each packet, the server name in QUIC too, and is in every Debian; the joining is ours.

Each is called inside of a private folder in which the capture lies as `capture`, so that no name of a file or
folder of this machine can become an option, and the command on record reads the same everywhere.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from playbooks.errors import NotFound, UsageError
from playbooks.evidence.captures.packets import SESSION_PACKETS, fields_of

CAPTURE, SETTINGS = "capture", "suricata.yaml"
ASKING_SECONDS = 30
ZEEK_LOGS = ("conn.log", "dns.log", "http.log", "ssl.log")
INSTALL = "apt install tshark (or suricata, or zeek)"


@dataclass(frozen=True)
class Tool:
    """A program of this machine that reads captures."""

    name: str
    path: str
    version: str

    @property
    def words(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def command(self) -> list[str]:
        """The call, to be made inside of the private folder."""
        asked = [part for field in fields_of(self.version) for part in ("-e", field)] if self.name == "tshark" else []
        return [self.path, *ARGUMENTS[self.name], *asked]

    def settings(self) -> dict[str, bytes]:
        """Files that the call needs beside the capture."""
        if self.name != "suricata":
            return {}
        return {SETTINGS: (resources.files("playbooks.evidence.captures") / SETTINGS).read_bytes()}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each of these files, for the record."""
        return {name: hashlib.sha256(text).hexdigest() for name, text in self.settings().items()}


# checksums are not looked at: a capture taken on the sending host holds packets before the card fills them in
ARGUMENTS: dict[str, list[str]] = {
    "zeek": ["-C", "-r", CAPTURE, "LogAscii::use_json=F"],
    "suricata": [
        *("-c", SETTINGS, "-r", CAPTURE, "-l", ".", "-S", "/dev/null"),
        *("-k", "none", "--runmode", "single"),
    ],
    "tshark": ["-n", "-r", CAPTURE, "-M", str(SESSION_PACKETS), "-T", "ek"],
}
VERSION_OF = {"zeek": "--version", "suricata": "-V", "tshark": "--version"}
TOOLS = tuple(ARGUMENTS)


def installed() -> list[Tool]:
    """The tools of this machine that answer when asked for their version, best first."""
    return [tool for name in TOOLS if (tool := _find(name))]


def choose(name: str | None = None) -> Tool | None:
    """The tool of that name, or the best one; None where no name was given and none is there.

    Raises
    ------
    UsageError
        No tool has this name.
    NotFound
        The tool is not on this machine, or does not answer.
    """
    if name is None:
        return next(iter(installed()), None)
    if name not in TOOLS:
        raise UsageError(f"--with {name!r}: expected one of {', '.join(TOOLS)}.")
    if tool := _find(name):
        return tool
    raise NotFound(f"{name}: not on this machine, or it does not say its version. Install it: apt install {name}")


def _find(name: str) -> Tool | None:
    path = shutil.which(name)
    if path is None:
        return None
    said = _asked([path, VERSION_OF[name]])
    version = re.search(r"\d+\.\d+(?:\.\d+)?[\w.+-]*", said)
    return Tool(name, str(Path(path).absolute()), version[0].rstrip(".")) if version else None


def _asked(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # found on the path, asked for its version
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=ASKING_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")
