"""Real logs from elsewhere: each case runs to its end, its counts add up, and what is labelled is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import Said

SHARED = Path(__file__).resolve().parents[2] / "shared"
PLACES = {
    "stratus": "logs/stratus",
    "invictus": "logs/invictus",
    "zat": "logs/zat",
    "proxy_rolling": "beacons/proxy_rolling",
    "missing_host": "beacons/missing_host/2024-04-20",  # a day of three: some 350 hourly files
}

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real logs are not beside this repository")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Cases run so far, for the tests of what is in them."""
    yield {}


def law(line: str) -> tuple[int, ...]:
    number = r"([\d,]+)"
    found = re.search(rf"{number} records = {number} events \+ {number} unread \+ {number} blank", line)
    assert found, line
    return tuple(int(text.replace(",", "")) for text in found.groups())


@pytest.mark.parametrize("name", PLACES)
def test_a_real_case_runs_to_its_end_and_its_counts_add_up(
    name: str, playbooks: Callable[..., Said], finished: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    logs = SHARED / PLACES[name]
    if not logs.is_dir():
        pytest.skip(f"{PLACES[name]} is not here")
    case = tmp_path_factory.mktemp(name) / "case"
    playbooks("new", case, "--case-id", f"REAL-{name}")
    added = playbooks("add", case, logs, "--json")
    assert added.code == 0, added.err
    ran = playbooks("run", case)
    assert ran.code == 0, ran.err
    finished[name] = case

    items = [law(line) for line in ran.out.splitlines() if re.match(r"E\d{3,} ", line)]
    [total] = [law(line) for line in ran.out.splitlines() if line.startswith("All: ")]
    assert all(records == events + unread + blank for records, events, unread, blank in items)
    assert total == tuple(map(sum, zip(*items, strict=True)))
    distinct = {row["sha256"] for row in json.loads(added.out)}
    assert len(items) == len(distinct) > 0
    on_disk = {part: rows(case / part) for part in ("events", "unread")}
    assert (on_disk["events"], on_disk["unread"]) == total[1:3]
    assert (case / "report" / "report.html").stat().st_size > 10_000


def rows(folder: Path) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in folder.rglob("*.parquet"))


def labelled() -> list[dict[str, Any]]:
    file = SHARED / "logs" / "ground_truth.json"
    truth = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return [entry for entry in truth if entry["id"] in ("GT01", "GT02", "GT03", "GT04")]


PHASES = {"GT01": "permission", "GT02": "modify-code", "GT03": "permission", "GT04": "modify-code"}


@pytest.mark.parametrize("entry", labelled(), ids=lambda entry: str(entry["id"]))
def test_a_labelled_attack_stands_in_the_activity_with_its_phase_and_principal(
    entry: dict[str, Any], finished: dict[str, Path]
) -> None:
    case = finished.get(entry["file"].split("/")[0])
    if case is None and not (SHARED / "logs" / entry["file"]).is_file():
        pytest.skip(f"{entry['file']} is not here")
    assert case is not None, "its case did not run to its end: see the test above"
    records = [r for r in records_of(SHARED / "logs" / entry["file"]) if chosen(r, entry["select"])]
    assert records
    activity = pd.read_parquet(case / "results" / "cloud_activity.parquet")
    for record in records:
        mine = activity[
            (activity.operation == record["eventName"])
            & (activity.time == pd.Timestamp(record["eventTime"]))
            & (activity.source_ip == record["sourceIPAddress"])
        ]
        assert list(mine.phase) == [PHASES[entry["id"]]]
        assert list(mine.principal) == [who(record["userIdentity"])]
        if actor := entry.get("actor"):
            assert actor.endswith(f"/{mine.iloc[0].principal}")


def records_of(file: Path) -> list[dict[str, Any]]:
    content = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content = content.get("Records", [content])
    return list(content)


def chosen(record: dict[str, Any], select: dict[str, str]) -> bool:
    return all(record[name] == value for name, value in select.items())


def who(identity: dict[str, Any]) -> str:
    """The person: a user by name, a session by its own name."""
    return str(identity.get("userName") or identity["arn"].rsplit("/", 1)[1])
