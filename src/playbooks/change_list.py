"""The house's change list: what was announced, by whom, for when; inline in `case.yaml`, or a file beside it.

A file is CSV (a header line; several actions with spaces or semicolons between them) or YAML (a list of entries).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from playbooks.errors import CaseError


class Change(BaseModel):
    """One announced change; what it does not name, it does not narrow. Patterns may hold `*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(min_length=1)
    since: AwareDatetime | None = Field(default=None, validation_alias=AliasChoices("since", "from"))
    until: AwareDatetime | None = None
    principal: str = "*"
    resource: str = "*"
    actions: list[str] = []
    approved_by: str = ""

    def covers(self, principal: object, resource: object, phase: str, operation: object) -> bool:
        """Whether it speaks of a change by `principal` to `resource`; `actions` name phases or operations."""
        return (
            _fits(principal, self.principal)
            and _fits(resource, self.resource)
            and (not self.actions or any(_fits(what, one) for one in self.actions for what in (phase, operation)))
        )

    def words(self) -> str:
        """The entry in words, for tables."""
        return f"{self.id} (approved by {self.approved_by})" if self.approved_by else self.id


def _fits(text: object, pattern: str) -> bool:
    return pattern == "*" or (isinstance(text, str) and fnmatchcase(text.lower(), pattern.lower()))


def read_change_list(file: Path) -> list[Change]:
    """Read the entries of a CSV or YAML file.

    Raises
    ------
    CaseError
        The file is not there, or an entry is not valid; the entry and its field are named.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = yaml.safe_load(text) if file.suffix.lower() in (".yaml", ".yml") else list(_csv_rows(text.splitlines()))
        return TypeAdapter(list[Change]).validate_python(rows or [])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise CaseError(
            f"{file}: the change list cannot be read ({error}). Expected CSV or YAML in UTF-8 beside case.yaml."
        ) from error
    except ValidationError as error:
        faults = [
            f"  entry {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}; found {fault['input']!r:.80}"
            for fault in error.errors(include_url=False)
        ]
        raise CaseError(
            "\n".join([f"{file}: the change list is not valid (entries count from 0):", *faults, "Correct it."])
        ) from error


def _csv_rows(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for row in csv.DictReader(lines):
        told: dict[str, Any] = {str(name).strip(): value.strip() for name, value in row.items() if _is_text(value)}
        if "actions" in told:
            told["actions"] = re.split(r"[;\s]+", told["actions"])
        yield told


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
