"""What the house holds of its sources of intelligence: who reviewed which, until when, accepted or rejected.

Inline in `case.yaml` as `intel`, or a file beside it: CSV (a header line) or YAML (a list of entries).
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from playbooks.errors import CaseError


class VettedSource(BaseModel):
    """A source of intelligence, or single items of it, that somebody has reviewed; `item` is a pattern with `*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str = Field(default="*", min_length=1)
    item: str = Field(default="*", min_length=1)
    vetted_by: str = Field(min_length=1)
    vetted_on: dt.date
    expires: dt.date | None = None
    verdict: Literal["accepted", "rejected"] = "accepted"

    @model_validator(mode="after")
    def _speaks_of_something(self) -> VettedSource:
        if self.source == "*" and not self.item.strip("*?"):
            raise ValueError("name a source, an item, or both: this entry would speak of everything")
        if self.expires is not None and self.expires < self.vetted_on:
            raise ValueError("expires must not lie before vetted_on")
        return self

    def covers(self, source: str, item: str) -> bool:
        """Whether it speaks of an item of that source; the source by its exact name."""
        return self.source in ("*", source) and (self.item == "*" or fnmatchcase(item.lower(), self.item.lower()))

    @property
    def narrowness(self) -> int:
        """How much it names: of several entries the one that names most counts."""
        return 2 * (self.item != "*") + (self.source != "*")


def vetting_of(entries: Iterable[VettedSource], source: str, item: str, on: dt.date) -> VettedSource | None:
    """The entry that counts for an item on a day: the one that names most, of equal ones the latest, a rejection first.

    Parameters
    ----------
    entries
        `intel` of the case.
    source, item
        Who states the item, and its value.
    on
        The day; what expired before it does not count.
    """
    fitting = [one for one in entries if one.covers(source, item) and (one.expires is None or on <= one.expires)]
    order = [(one.narrowness, one.vetted_on, one.verdict == "rejected", at) for at, one in enumerate(fitting)]
    return fitting[max(order)[-1]] if order else None


def read_vetting(file: Path) -> list[VettedSource]:
    """Read the entries of a CSV or YAML file.

    Raises
    ------
    CaseError
        The file is not there, or an entry is not valid; the entry and its field are named.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = yaml.safe_load(text) if file.suffix.lower() in (".yaml", ".yml") else list(_csv_rows(text.splitlines()))
        return TypeAdapter(list[VettedSource]).validate_python(rows or [])
    except (OSError, ValueError, yaml.YAMLError, csv.Error) as error:
        if isinstance(error, ValidationError):
            raise CaseError(_faults(file, error)) from error
        raise CaseError(
            f"{file}: the vetting of intelligence cannot be read ({error}). "
            "Expected CSV or YAML in UTF-8 beside case.yaml; see docs/how-to/intelligence.md."
        ) from error


def _faults(file: Path, error: ValidationError) -> str:
    faults = (
        f"  entry {'.'.join(str(part) for part in fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
        f"; found {fault['input']!r:.80}"
        for fault in error.errors(include_url=False)
    )
    return "\n".join([f"{file}: the vetting is not valid (entries count from 0):", *faults, "Correct it."])


def _csv_rows(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for row in csv.DictReader(lines):
        yield {
            str(name).strip(): value.strip() if isinstance(value, str) else value
            for name, value in row.items()
            if not isinstance(value, str) or value.strip()
        }
