"""Hosts × tenants and the lifecycle: what they draw, bounded, in words, with hostile names inert."""

from __future__ import annotations

from typing import Any

import pandas as pd
from tests.report.fabricated import ATTACK

from playbooks import schema
from playbooks.report import hosts_and_tenants, lifecycle_timeline
from playbooks.report.figures.tenants import MAX_COLUMNS

FIRST = pd.Timestamp("2026-03-10T09:41:12Z")
STAGES = {"initial-access": "found", "execution": "blind", "persistence": "clear", "command-and-control": "found"}


def pairs(*rows: tuple[str, str, str | None, int]) -> pd.DataFrame:
    told = [{"src": s, "dst": d, "tenant": t, "connections": n, "priority": 0.1} for s, d, t, n in rows]
    return pd.DataFrame(told).reindex(columns=list(schema.EGRESS_PAIRS.names))


def told(src: str = "10.0.0.1", dst: str = "a.t1.workers.dev") -> dict[str, Any]:
    return {"findings": [{"subjects": {"src": [src], "dst": [dst]}}], "leads": []}


def related(*rows: tuple[str, int, bool, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"time": FIRST + pd.Timedelta(seconds=after), "finding": "A-1", "src": "10.0.0.1", "stage": stage,
             "sentence": words, "relative_s": after, "telling": telling, "ref": "E001:1", "matched_by": "address"}
            for stage, after, telling, words in rows
        ],
        columns=list(schema.RELATED_ACTIVITY.names),
    )  # fmt: skip


def stages(states: dict[str, str], left_out: int = 0) -> pd.DataFrame:
    rows = [
        {"finding": "A-1", "src": "10.0.0.1", "stage": stage, "state": state, "first_contact": FIRST,
         "events": 1, "left_out": left_out}
        for stage, state in states.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(schema.LIFECYCLE_STAGES.names))


def test_names_of_one_tenant_are_one_column_and_findings_have_a_shape_of_their_own() -> None:
    picture = hosts_and_tenants(
        pairs(("10.0.0.1", "a.t1.workers.dev", "t1", 50), ("10.0.0.1", "b.t1.workers.dev", "t1", 5),
              ("10.0.0.2", "c.example", None, 7)),
        told(),
    )  # fmt: skip
    assert picture.summary == (
        "2 sources and 2 tenants or destinations: those of findings and leads, then those most worth a look. Of "
        "findings: 10.0.0.1 → t1. A larger mark means more contacts."
    )
    assert picture.table.to_numpy().tolist() == [
        ["10.0.0.1", "t1", 55, "finding"],
        ["10.0.0.2", "c.example", 7, "neither"],
    ]
    marks = {trace.name: (list(trace.x), list(trace.y), trace.marker.symbol) for trace in picture.figure.data}
    assert marks == {
        "in a finding": ([0], [0], "square"), "in a lead": ([], [], "diamond"), "in neither": ([1], [1], "circle"),
    }  # fmt: skip


def test_columns_and_rows_beyond_the_bound_are_counted() -> None:
    many = [(f"10.0.{n // 200}.{n % 200}", f"h{n % 40}.example", None, n) for n in range(400)]
    findings = {"findings": [{"subjects": {"src": [src], "dst": [dst]}} for src, dst, _, _ in many[:30]], "leads": []}
    picture = hosts_and_tenants(pairs(*many), findings)
    assert len(picture.figure.layout.xaxis.tickvals) == MAX_COLUMNS
    assert picture.summary.endswith("Not drawn: 24 more destinations, 130 more sources.")


def test_the_lifecycle_says_in_words_what_is_found_clear_and_blind() -> None:
    picture = lifecycle_timeline(
        related(("initial-access", -430, True, "A download"), ("command-and-control", 0, True, "First contact")),
        stages(STAGES, left_out=3),
    )
    assert picture.summary == (
        "2 records around the first contact of 10.0.0.1 at 2026-03-10 09:41 UTC. Found: initial-access, "
        "command-and-control. Clear: persistence. Blind: execution. A mark is consistent with its stage, no more. "
        "Not drawn: 12 more records, less telling ones."
    )
    said = [note.text for note in picture.figure.layout.annotations]
    assert said == ["blind: no telemetry that could show it", "nothing in the records", "first contact"]
    assert len([shape for shape in picture.figure.layout.shapes if shape.type == "rect"]) == 1, "only blind is filled"
    assert list(picture.table.time) == ["2026-03-10 09:34:02", "2026-03-10 09:41:12"]


def test_marks_stand_in_order_of_time_and_on_their_lane() -> None:
    picture = lifecycle_timeline(
        related(("initial-access", -430, True, "a"), ("command-and-control", 0, True, "b"),
                ("command-and-control", 4000, True, "c")),
        stages(STAGES),
    )  # fmt: skip
    x, y = picture.figure.data[0].x, picture.figure.data[0].y
    assert x[0] < x[1] == 0 < x[2]
    assert [round(height) for height in y] == [0, 3, 3]


def test_without_a_first_contact_or_contacts_there_is_no_picture() -> None:
    for picture in (lifecycle_timeline(related(), stages({})), hosts_and_tenants(pairs(), told())):
        assert picture.figure is None
        assert picture.summary.startswith("No picture: ")
        assert picture.table.empty


def test_hostile_names_are_inert_in_labels_and_hover() -> None:
    drawn = [
        hosts_and_tenants(pairs((ATTACK, ATTACK, None, 3)), told(ATTACK, ATTACK)),
        lifecycle_timeline(related(("execution", -5, True, ATTACK)), stages({"execution": "found"})),
    ]
    for picture in drawn:
        markup = picture.figure.to_json()
        assert "<script" not in markup and "<img" not in markup
