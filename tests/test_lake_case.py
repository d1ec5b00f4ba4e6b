"""A lake in OCSF as evidence of a case: its rows are asked where they lie, and every reference leads to one of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.conftest import Said
from tests.engine.ocsf_lake import DAYS, write_lake

from playbooks import guide
from playbooks.audit import State, audit
from playbooks.case import Case, new_case, open_case
from playbooks.errors import EvidenceChanged, UsageError
from playbooks.evidence import add, items
from playbooks.evidence.acquire.lake import LIST, acquire_lake, lakes
from playbooks.guide.results import Results
from playbooks.normalise import normalise, show

WINDOW = "window: {start: 2026-03-10T00:00:00Z, end: 2026-03-12T00:00:00Z}\n"
BASELINE = "baseline: {start: 2026-03-09T00:00:00Z, end: 2026-03-10T00:00:00Z}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_lake(tmp_path / "lake")


def a_case(folder: Path, *spans: str) -> Case:
    made = new_case(folder, "LAKE-1")
    file = made.path / "case.yaml"
    kept = [line for line in file.read_text().splitlines(True) if not line.startswith(("window:", "baseline:"))]
    file.write_text("".join([*kept, *spans]))
    return open_case(folder)


@pytest.fixture
def case(tmp_path: Path, root: Path) -> Case:
    made = a_case(tmp_path / "case", WINDOW, BASELINE)
    acquire_lake(made, root)
    return made


def told(results: Results) -> list[tuple[Any, ...]]:
    """What was found, without the names of records."""
    entries = [*results.findings["findings"], *results.findings["leads"]]
    return [(e["title"], [(s["kind"], s["sentence"], len(s["refs"])) for s in e["signals"]]) for e in entries]


def test_the_same_is_found_as_in_copies_of_the_same_files(case: Case, root: Path, tmp_path: Path) -> None:
    copied = a_case(tmp_path / "copied", WINDOW, BASELINE)
    for number, file in enumerate(sorted(root.rglob("*.parquet"))):
        if any(f"eventDay={day}" in str(file) for day in DAYS[1:5]):
            named = tmp_path / f"{number}.parquet"
            named.write_bytes(file.read_bytes())
            add(copied, [named])
    in_place, others = Results(case), Results(copied)
    assert told(in_place) == told(others)
    assert told(in_place)
    assert {q: o["outcome"] for q, o in in_place.findings["outcomes"].items()} == {
        q: o["outcome"] for q, o in others.findings["outcomes"].items()
    }


def test_nothing_is_copied_and_every_row_is_counted(case: Case) -> None:
    [_, lake] = normalise(case)
    assert (lake.format, lake.records, lake.events, lake.unread) == ("ocsf_lake", 48, 40, 8)
    assert lake.tables == {"api_activity": 16, "dns_activity": 8, "http_activity": 8, "network_activity": 8}
    assert not list((case.events).rglob(f"{lake.evidence_id}.parquet"))
    unread = pq.read_table(case.unread / f"{lake.evidence_id}.parquet").to_pylist()
    assert len(unread) == 8
    records = show(case, [f"{row['evidence_id']}:{row['record_no']}" for row in unread]).values()
    assert {json.loads(record.text)["class_uid"] for record in records} == {2004}
    assert normalise(case)[1] == lake  # and is not counted again


def test_days_of_the_window_and_its_baseline_are_listed(case: Case, root: Path) -> None:
    [lake] = lakes(case).values()
    assert {file.name.split("eventDay=")[1][:8] for file in lake.files} == set(DAYS[1:5])  # the end's day, too
    assert lake.root == root


def test_a_finding_leads_to_rows_of_the_lake(case: Case) -> None:
    results = Results(case)
    refs = [ref for e in results.findings["leads"] for s in e["signals"] for ref in s["refs"]]
    assert refs
    for record in show(case, refs).values():
        row = json.loads(record.text)
        assert row["class_uid"] == 6003
        assert row["resources"][0]["name"] == "relay"


def test_a_file_that_changed_is_not_shown_and_the_audit_says_so(case: Case, root: Path, tmp_path: Path) -> None:
    results = Results(case)
    guide.report(case)
    assert {c.name: c.state for c in audit(case).checks}["cited records"] == State.VERIFIED
    cited = next(ref for e in results.findings["leads"] for s in e["signals"] for ref in s["refs"])
    for file in root.rglob("*.parquet"):
        held = bytearray(file.read_bytes())
        held[len(held) // 2] ^= 1
        file.write_bytes(held)  # the same size
    with pytest.raises(EvidenceChanged, match="is not the file that was listed"):
        show(case, [cited])
    assert {c.name: c.state for c in audit(case).checks}["cited records"] == State.BROKEN
    (case.path / "results" / "cited_records.json").unlink()  # also where no record is shown
    [check] = [c for c in audit(case).checks if c.name == "cited records"]
    assert check.state == State.BROKEN
    assert all("is not the file that was listed" in fault.what for fault in check.faults)


def test_a_file_that_is_gone_or_of_another_size_stops_the_reading(case: Case, root: Path) -> None:
    file = next(root.rglob(f"eventDay={DAYS[2]}/*.parquet"))
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(EvidenceChanged, match="is not the file that was listed"):
        normalise(case)


def test_a_list_that_came_as_a_file_opens_nothing(case: Case, tmp_path: Path) -> None:
    """Whoever writes evidence would choose what is read on this machine."""
    [lake] = lakes(case).values()
    other = a_case(tmp_path / "other", WINDOW)
    given = tmp_path / LIST
    given.write_bytes(lake.item.file(case).read_bytes())
    add(other, [given])
    assert lakes(other) == {}
    [reading] = normalise(other)
    assert (reading.format, reading.events) == (None, 0)


def test_what_was_not_listed_is_a_blind_spot_and_so_are_rules(case: Case, tmp_path: Path) -> None:
    spots = {spot["id"] for spot in Results(case).coverage["blind_spots"]}
    assert "lake-sigma" in spots
    assert not any(spot.startswith("lake-days") for spot in spots)
    file = case.path / "case.yaml"
    file.write_text(file.read_text().replace("end: 2026-03-12", "end: 2026-03-20"))
    found = {spot["id"]: spot for spot in Results(open_case(case.path)).coverage["blind_spots"]}
    assert "2026-03-12" in found["lake-days-E002"]["missing"]


def test_a_lake_listed_again_adds_what_is_new_and_counts_no_row_twice(case: Case, root: Path, tmp_path: Path) -> None:
    before = Results(case).tables.api_activity.count().execute()
    file = case.path / "case.yaml"
    file.write_text(file.read_text().replace("end: 2026-03-12", "end: 2026-03-20").replace("03-09T", "03-01T"))
    wider = open_case(case.path)
    acquire_lake(wider, root)
    first, second = lakes(wider).values()
    assert {one.name for one in second.files}.isdisjoint(one.name for one in first.files)
    assert len(second.files) == 2  # one more day in both regions
    results = Results(wider)
    assert (before, results.tables.api_activity.count().execute()) == (12, 20)
    assert not any(spot["id"].startswith("lake-days") for spot in results.coverage["blind_spots"])
    acquire_lake(wider, root)
    acquire_lake(wider, root.parent)
    (tmp_path / "link").symlink_to(root)
    acquire_lake(wider, tmp_path / "link")
    assert [len(lake.files) for lake in lakes(wider).values()] == [8, 2, 0, 0, 0]
    assert Results(open_case(case.path)).tables.api_activity.count().execute() == 20
    next(root.rglob(f"eventDay={DAYS[2]}/*.parquet")).unlink()
    with pytest.raises(EvidenceChanged, match="is not the file that was listed"):
        acquire_lake(wider, root)


@pytest.mark.parametrize(
    ("spans", "spoil", "words"),
    [
        (["window: {start: 2027-03-10T00:00:00Z, end: 2027-03-12T00:00:00Z}\n"], None, "none of a day of the case"),
        ([WINDOW], "half", "no whole Parquet file"),
        ([WINDOW], "nothing", "no such folder"),
        ([WINDOW], "pattern", "take this name for a pattern"),
    ],
)
def test_what_cannot_be_listed_leaves_the_case_as_it_was(
    root: Path, tmp_path: Path, spans: list[str], spoil: str | None, words: str
) -> None:
    made = a_case(tmp_path / "case", *spans)
    if spoil == "half":
        file = next(root.rglob(f"eventDay={DAYS[2]}/*.parquet"))
        file.write_bytes(file.read_bytes()[:-20])
    if spoil == "pattern":  # it would stand for other files, and rows for rows of theirs
        file = next(root.rglob(f"eventDay={DAYS[2]}/*.parquet"))
        file.rename(file.with_name("part-*.parquet"))
    with pytest.raises(UsageError, match=words):
        acquire_lake(made, root if spoil != "nothing" else tmp_path / "nowhere")
    assert items(made) == []


def test_without_a_window_all_days_are_listed_and_it_is_said(
    root: Path, tmp_path: Path, playbooks: Callable[..., Said]
) -> None:
    made = a_case(tmp_path / "case")
    said = playbooks("acquire", "lake", made.path, root)
    assert (said.code, said.out) == (
        0,
        "E002  listed 10 new files with 60 rows, each with its SHA-256\n",
    )
    assert "all days were listed" in said.err
    assert Results(open_case(made.path)).tables.api_activity.count().execute() == 20


def test_a_lake_listed_by_hand_is_asked_beside_other_evidence(root: Path, tmp_path: Path) -> None:
    made = a_case(tmp_path / "case", WINDOW)
    more = tmp_path / "more.parquet"
    more.write_bytes(next(root.rglob(f"eventDay={DAYS[2]}/*.parquet")).read_bytes())
    add(made, [more])
    view = guide.acquire_lake(made, str(root))
    assert view.data.attachments[LIST] == "E003"
    rows = Results(made).tables.api_activity.select("evidence_id").execute()
    assert rows.evidence_id.value_counts().to_dict() == {"E003": 8, "E001": 2}
    span = Results(made).tables.api_activity.time.max().execute()
    assert span < dt.datetime(2026, 3, 12, tzinfo=dt.UTC)
