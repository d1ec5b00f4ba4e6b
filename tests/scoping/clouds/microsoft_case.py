"""A case made of raw log records, and what the tests of a story look at."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from playbooks.case import Case, new_case, open_case
from playbooks.evidence.preserve import add
from playbooks.guide.results import Results

BASELINE_DAYS = 14
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)  # of the baseline of the first seed


@dataclass(frozen=True)
class Story:
    """Raw records by the name of their file; who did what is in question, to what; which phase has which resource."""

    files: dict[str, list[dict[str, Any]]]
    begins: dt.datetime  # of the window, which lasts a day; the baseline is the fortnight before
    principal: str
    attacked: str
    phases: dict[str, set[str]]
    own: str = "{}"


def begins(seed: int) -> dt.datetime:
    """Start of the window of one seed: another week each time."""
    return START + dt.timedelta(days=BASELINE_DAYS + 7 * seed)


def case_of(folder: Path, story: Story) -> Case:
    """A case with the story's records as evidence, its window and its baseline."""
    made = new_case(folder / "case", "STORY-1")
    file = made.path / "case.yaml"
    held = yaml.safe_load(file.read_text(encoding="utf-8"))
    ends, before = story.begins + dt.timedelta(days=1), story.begins - dt.timedelta(days=BASELINE_DAYS)
    held["window"] = {"start": story.begins.isoformat(), "end": ends.isoformat()}
    held["baseline"] = {"start": before.isoformat(), "end": story.begins.isoformat()}
    held["estate"]["own"] |= yaml.safe_load(story.own)
    file.write_text(yaml.safe_dump(held), encoding="utf-8")
    add(made, list(_written(folder / "in", story.files)))
    return open_case(made.path)


def _written(folder: Path, files: dict[str, list[dict[str, Any]]]) -> Iterable[Path]:
    folder.mkdir()
    for name, records in files.items():
        file = folder / name
        file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        yield file


def by_phase(activity: pd.DataFrame, principal: str) -> dict[str, set[str]]:
    """Resources that one principal touched in each phase."""
    mine = activity[activity.principal == principal]
    return {str(phase): set(rows.resource) for phase, rows in mine.groupby("phase")}


def about(results: Results, kind: str = "findings") -> set[str]:
    """Resources that findings, or leads, are about."""
    return {name for one in results.findings[kind] for name in one["subjects"].get("resource", [])}
