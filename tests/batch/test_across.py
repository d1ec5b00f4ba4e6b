"""What several cases share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from playbooks.batch.across import in_several, marks_of
from playbooks.case import new_case


def entry(number: int, **subjects: list[str]) -> dict[str, Any]:
    return {"id": f"A-{number}", "subjects": subjects}


def shared(
    folder: Path, *found: tuple[list[dict[str, Any]], list[str]]
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    marks = []
    for number, (entries, shares) in enumerate(found, 1):
        case = new_case(folder / str(number), f"IR-{number}")
        case.results.mkdir()
        rows = {"finding": ["A-1", "A-1"], "is_subject": [True, False], "shares": [shares, ["fingerprint: ja4:other"]]}
        pq.write_table(pa.table(rows), case.results / "scope.parquet")
        marks += marks_of(case, {"findings": entries[:1], "leads": entries[1:]})
    return {
        (row["kind"], row["value"]): [(one["case_id"], one["finding"]) for one in row["where"]]
        for row in in_several(marks)
    }


def test_a_value_of_findings_and_leads_that_two_cases_have_is_told_with_each_of_them(tmp_path: Path) -> None:
    first = [
        entry(1, tenant=["acme-1"], dst=["x.workers.dev", "192.0.2.9"], src=["10.1.1.1"]),
        entry(2, principal=["j.doe"]),
    ]
    second = [entry(3, dst=["y.workers.dev"], tenant=["acme-1"], src=["10.1.1.1"]), entry(4, src=["198.51.100.7"])]
    third = [entry(5, principal=["j.doe"], src=["198.51.100.7"]), entry(6, dst=["192.0.2.9"])]
    found = shared(
        tmp_path, (first, ["fingerprint: ja4:t13d"]), (second, ["fingerprint: ja4:t13d", "rhythm: 75 s"]), (third, [])
    )
    assert found == {
        ("tenant", "acme-1"): [("IR-1", "A-1"), ("IR-2", "A-3")],
        ("fingerprint", "ja4:t13d"): [("IR-1", "A-1"), ("IR-2", "A-1")],
        ("principal", "j.doe"): [("IR-1", "A-2"), ("IR-3", "A-5")],
        ("address", "192.0.2.9"): [("IR-1", "A-1"), ("IR-3", "A-6")],
        ("address", "198.51.100.7"): [("IR-2", "A-4"), ("IR-3", "A-5")],
    }


def test_the_same_value_twice_in_one_case_is_in_one_case(tmp_path: Path) -> None:
    assert shared(tmp_path, ([entry(1, tenant=["a"]), entry(2, tenant=["a"])], []), ([], [])) == {}
