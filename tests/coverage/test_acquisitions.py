"""An answer of a SIEM or a lake that is cut is a blind spot; a whole one is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from playbooks.case import new_case
from playbooks.coverage.acquisitions import cut_answers
from playbooks.evidence import items
from playbooks.evidence.acquire.query import acquire_query


class Lake:
    """Answers every query with so many rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def exec_query(self, _query: str) -> pd.DataFrame:
        return pd.DataFrame({"host": [f"h{n}.example.test" for n in range(self.rows)]})


ASKED: dict[str, tuple[Any, int | None, list[str]]] = {
    "as many rows as the service gives at most": (Lake(30), 30, ["only a part"]),
    "one row less": (Lake(29), 30, []),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_result_that_reached_its_limit_is_a_blind_spot(what: str, tmp_path: Path) -> None:
    source, limit, expected = ASKED[what]
    case = new_case(tmp_path / "case", "CUT-1")
    item = acquire_query(case, source, "Dns | take 100", language="kql", limit=limit)
    spots = list(cut_answers(case))
    known = [spot for spot in spots if not spot.missing.startswith("perhaps")]
    assert [spot.missing.partition(" of ")[0] for spot in known] == expected
    for spot in spots:
        assert spot.id == f"partial-{item.evidence_id}"
        assert spot.forbids == "that there was nothing else: rows that are not in the answer"
        assert item.evidence_id in spot.how_established
    assert len(items(case)) == 2
