"""A cloud's incident and its quiet twin: raw records, what each tells, and the case that is made of them."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from playbooks.case import Case, new_case, open_case
from playbooks.evidence.preserve import add
from playbooks.guide.results import Results
from playbooks.normalise import normalise

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
BASELINE_DAYS, WINDOW_DAYS = 9, 2
HURRY, ORDINARY = dt.timedelta(minutes=1), dt.timedelta(minutes=65)  # between the steps of an incident, and of work
Told = tuple[str, str, str]  # phase, principal, resource


@dataclass
class Story:
    """Records in order of writing, and what those of the window tell.

    `told` is what the planted steps tell; `attacked` the resource of the incident; `own` what is of the house; `pace`
    lies between the steps of ordinary work.
    """

    seed: int
    records: list[dict[str, Any]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    attacked: str = ""
    own: Mapping[str, list[str]] = field(default_factory=dict)
    pace: dt.timedelta = ORDINARY

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def number(self, digits: int = 10) -> str:
        """A number of so many digits, as ids of records are."""
        return str(self.random.randrange(10 ** (digits - 1), 10**digits))

    def hexadecimal(self, digits: int = 32) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def working_hours(self, days: Iterable[int], a_day: int) -> list[dt.datetime]:
        """Times at which ordinary work begins: so many a day, between one and twelve UTC, in order."""
        times = [
            START + dt.timedelta(days=day, hours=1, seconds=self.random.randrange(11 * 3600))
            for day in days
            for _ in range(a_day)
        ]
        return sorted(times)

    def of_the_window(self) -> range:
        return range(BASELINE_DAYS, BASELINE_DAYS + WINDOW_DAYS)

    def night(self) -> dt.datetime:
        """When the incident begins: in the second night of the window, some minutes after two."""
        return START + dt.timedelta(days=BASELINE_DAYS + 1, hours=2, seconds=self.random.randrange(3600))


def case_of(story: Story, folder: Path) -> Case:
    """A case with the story's records as evidence, its baseline and its window."""
    case = new_case(folder / "case", "TWIN")
    file = folder / "case" / "case.yaml"
    held = yaml.safe_load(file.read_text(encoding="utf-8"))
    middle, end = START + dt.timedelta(days=BASELINE_DAYS), START + dt.timedelta(days=BASELINE_DAYS + WINDOW_DAYS)
    held["baseline"] = {"start": START.isoformat(), "end": middle.isoformat()}
    held["window"] = {"start": middle.isoformat(), "end": end.isoformat()}
    held.setdefault("estate", {})["own"] = dict(story.own)
    file.write_text(yaml.safe_dump(held), encoding="utf-8")
    log = folder / "audit.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in story.records), encoding="utf-8")
    case = open_case(folder / "case")
    add(case, [log])
    assert [(reading.unread, reading.events > 0) for reading in normalise(case)] == [(0, True)]
    return case


def told_in(results: Results) -> set[Told]:
    """Phase, principal and resource of every event of the window."""
    rows: pd.DataFrame = results.activity
    return set(rows[["phase", "principal", "resource"]].itertuples(index=False, name=None))


def resources_found(results: Results) -> list[str]:
    """Resources of the findings."""
    found = results.findings["findings"]
    return sorted({name for one in found for name in one["subjects"].get("resource", [])})
