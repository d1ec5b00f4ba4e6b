"""Programs that read captures, for tests: the real ones of this machine, and stand-ins that misbehave.

A stand-in is a program on the path, run as the real one would be; nothing of the kit is replaced.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from playbooks.evidence.captures import Tool, choose, installed

REAL = ("tshark", "suricata")
ON_THE_WAY = ("unshare", "true")


def real(name: str) -> Tool:
    """A real tool; without it the test is skipped, or for tshark fails where CI=true promises it."""
    found = next((tool for tool in installed() if tool.name == name), None)
    if found is None:
        why = f"no {name} on this machine; on Debian: apt-get install {name}"
        if name == "tshark" and os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


class Programs:
    """A path on which only what a test puts there can be found."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ON_THE_WAY:
            if found := shutil.which(name):
                (folder / name).symlink_to(found)
        self.home = os.environ["PATH"]
        monkeypatch.setenv("PATH", str(folder))

    def link(self, name: str) -> None:
        """Put a real tool there."""
        found = shutil.which(name, path=self.home)
        if found is None:
            real(name)
        else:
            (self.folder / name).symlink_to(found)

    def stand_in(self, name: str, body: str, version: str = "9.9.9") -> None:
        """Put a Python program there that says its version when asked, and else does what `body` says."""
        program = self.folder / name
        program.write_text(
            f"#!{sys.executable}\n"
            "import os, sys, time\n"
            f"if sys.argv[1:] in (['--version'], ['-V']):\n    print('{name} version {version}')\n    sys.exit()\n"
            f"{body}\n",
            encoding="utf-8",
        )
        program.chmod(0o755)

    def remove(self, name: str) -> None:
        """Take a tool away again."""
        (self.folder / name).unlink()


def seen_by(name: str) -> Tool:
    """The tool of that name as the kit finds it."""
    tool = choose(name)
    assert tool is not None
    return tool
