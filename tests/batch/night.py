"""A folder of small cases, each with a behaviour of its own, and the command that runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.small import small_case, small_notebooks, write_notebooks

from playbooks.case import Case
from playbooks.evidence import custody

BEHAVE = """
from pathlib import Path
if Path("behaviour.py").exists(): exec(Path("behaviour.py").read_text())
"""


class Night:
    """A folder of cases and the command that runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cases"
        self.folder.mkdir()
        self.environment = {**os.environ, **small_notebooks(write_notebooks(folder / "notebooks", step2=BEHAVE))}

    def case(self, name: str, behaviour: str = "", found: dict[str, object] | None = None) -> Case:
        made = small_case(self.folder / name, f"IR-{name}", found=found)
        if behaviour:
            (made.path / "behaviour.py").write_text(behaviour)
        return made

    def start(self, *options: object) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "playbooks.cli",
            "batch",
            str(self.folder),
            "--workers",
            "2",
            "--back-off",
            "0.1",
        ]
        return subprocess.Popen(
            [*command, *map(str, options)], env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, *options: object) -> tuple[int, dict[str, Any]]:
        with self.start(*options) as batch:
            _, said = batch.communicate(timeout=500)
        assert b"Traceback" not in said, said.decode()
        return batch.returncode, self.book

    @property
    def book(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "batch.json").read_text())
        return found


def runs(case: Case) -> int:
    return sum(entry["activity"] == "ran" for entry in custody.entries(case.custody))
