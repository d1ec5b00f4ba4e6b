"""A case on disk: its folders and files, made, opened and written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks.case_file import CASE_ID, PRIVATE_RANGES, Allowed, CaseFile, Window, check_zone, read_case_file
from playbooks.errors import CaseError
from playbooks.inventory import Owned

CASE_FILE = "case.yaml"


@dataclass(frozen=True)
class Case:
    """A case folder and its validated `case.yaml`."""

    path: Path
    config: CaseFile

    @property
    def evidence(self) -> Path:
        return self.path / "evidence"

    @property
    def custody(self) -> Path:
        return self.path / "custody.jsonl"

    @property
    def events(self) -> Path:
        return self.path / "events"

    @property
    def unread(self) -> Path:
        return self.path / "unread"

    @property
    def results(self) -> Path:
        return self.path / "results"

    @property
    def notebooks(self) -> Path:
        return self.path / "notebooks"

    @property
    def report(self) -> Path:
        return self.path / "report"

    @property
    def decisions(self) -> Path:
        return self.path / "decisions.jsonl"

    @property
    def run_record(self) -> Path:
        return self.path / "run.json"


def open_case(path: Path) -> Case:
    """Open the case in folder `path`.

    Raises
    ------
    CaseError
        No `case.yaml` there, or one that is not valid (line and field are named).
    """
    file = path / CASE_FILE
    if not file.is_file():
        raise CaseError(
            f"{path}: no {CASE_FILE} here. Expected the folder of a case. "
            f"Make one with: playbooks new {path} --case-id ID"
        )
    return Case(path.resolve(), read_case_file(file))


NEW_CASE = """\
case_id: {case_id}
title: {title}
analyst: ""
tlp: AMBER

# The span in question and the quiet span before it, with zone. Without a window all evidence counts;
# without a baseline nothing can be called new.
window: null        # {{start: 2026-03-10T00:00:00Z, end: 2026-03-12T00:00:00Z}}
baseline: null      # {{start: 2026-03-03T00:00:00Z, end: 2026-03-10T00:00:00Z}}
clock: null         # zone of log stamps that carry none, e.g. Europe/Berlin; never guessed

estate:
  internal_ranges: [{ranges}]
  own: {{aws_accounts: [], azure_tenants: [], gcp_projects: [], cloudflare_accounts: [], zones: [], brands: []}}

inventory: []       # - {{resource: my-function, service: aws-lambda-url, owner: Team, approved: true}}
inventory_files: [] # - functions.json: lists and exports in this folder; - {{file: a.json, owner: Team}}
allow_list: []      # - {{kind: destination, value: "*.acme.workers.dev", owner: Team, expires: 2026-12-31}}
intel: []           # - {{source: Our CERT, vetted_by: Name, vetted_on: 2026-03-01}}, or a file: vetting.csv
address_ranges: []  # - {{evidence: E007, provider: Cloudflare}}: whose ranges a plain list holds
collectors: []      # - {{principal: ir-reader, user_agent: "aws-cli/*", owner: Name}}: our own reads, set apart
retention: []       # - {{source: "proxy*", days: 90, owner: Team}}: name, format or table, as its owner states it
sigma_rules: []     # - ../rules/cloud: files or folders of Sigma rules, seen from this folder
change_list: []     # - {{id: CHG-1, from: 2026-03-10T08:00:00Z, until: 2026-03-10T10:00:00Z, resource: "billing-*"}}
options: {{online_lookups: false, redact_secrets: true}}
"""


def new_case(path: Path, case_id: str, title: str = "") -> Case:
    """Make the folder of a new case with a commented `case.yaml`.

    Raises
    ------
    CaseError
        The folder holds a case already, or `case_id` is not valid.
    """
    file = path / CASE_FILE
    if file.exists():
        raise CaseError(f"{file} exists already. Open that case, or choose another folder.")
    text = NEW_CASE.format(case_id=json.dumps(case_id), title=json.dumps(title), ranges=", ".join(PRIVATE_RANGES))
    if not CASE_ID.fullmatch(case_id):
        raise CaseError(f"--case-id {case_id!r}: expected letters, digits, dot, dash or underscore, at most 64.")
    path.mkdir(parents=True, exist_ok=True)
    write_text(file, text)
    return open_case(path)


def write_text(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    write_bytes(file, text.encode("utf-8"))


def write_bytes(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    staged = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        staged.write_bytes(content)
        staged.replace(file)
    finally:
        staged.unlink(missing_ok=True)


def write_json(file: Path, data: Any) -> None:
    """Write JSON with sorted keys, so that equal data gives equal bytes."""
    write_text(file, json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


__all__ = [
    "CASE_FILE",
    "PRIVATE_RANGES",
    "Allowed",
    "Case",
    "CaseFile",
    "Owned",
    "Window",
    "check_zone",
    "new_case",
    "open_case",
    "read_case_file",
    "write_bytes",
    "write_json",
    "write_text",
]
