"""Queries to be copied: right for their window and names, and no name of the adversary's is more than a value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from tests.conftest import SampleRun

from playbooks import guide
from playbooks.case import new_case
from playbooks.collection.queries import Query, queries, want_of
from playbooks.errors import NotFound

WINDOW = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-12T00:00:00Z"}
ATTACKS = (
    'x") or 1==1 //',
    "x') OR '1'='1",
    "a`b",
    "a b",
    "a\nb",
    'q"',
    "q'",
    "q\\",
    "{x}",
    "a|b",
    "[x]",
    "é",
    "a\u202eb",
)


def entry(**subjects: list[str]) -> dict[str, Any]:
    return {"subjects": subjects, "first_seen": "2026-03-10T09:00:00+00:00", "last_seen": "2026-03-10T10:30:00+00:00"}


def made(*entries: dict[str, Any], window: dict[str, str] | None = None) -> dict[tuple[str, str], str]:
    want = want_of(entries, window)
    assert want
    return {(one.language[:3], one.table): one.text for one in queries(want)}


def test_each_language_asks_for_window_and_names() -> None:
    texts = made(entry(src=["10.20.3.17"], dst=["a.workers.dev"], principal=["j.doe"]), window=WINDOW)
    assert len(texts) == 11
    assert texts["KQL", "dns_activity"] == (
        "DnsEvents\n"
        "| where TimeGenerated between (datetime(2026-03-10T00:00:00Z) .. datetime(2026-03-12T00:00:00Z))\n"
        '| where ClientIP in~ ("10.20.3.17") or Name in~ ("a.workers.dev")'
    )
    assert texts["SPL", "http_activity"] == (
        "search index=* tag=web earliest=1773100800 latest=1773273600 "
        '(src IN ("10.20.3.17") OR dest IN ("a.workers.dev"))'
    )
    assert "query_name IN ('a.workers.dev.')" in texts["SQL", "dns_activity"]
    assert "a.workers.dev" not in texts["SQL", "network_activity"], "a flow log knows no names"
    assert texts["SQL", "api_activity"].endswith("  AND (useridentity.username IN ('j.doe'))")


def test_without_a_window_the_span_is_that_of_the_findings() -> None:
    texts = made(entry(src=["10.0.0.1"]))
    assert "earliest=1773133200 latest=1773138600" in texts["SPL", "dns_activity"]
    assert ("KQL", "api_activity") not in texts, "nobody is named"


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_name_that_is_not_plain_stands_in_no_query_and_is_counted(attack: str) -> None:
    want = want_of([entry(src=["10.0.0.1"], dst=[attack, "plain.example"])], WINDOW)
    assert want and want.left_out == 1
    assert all(attack not in one.text for one in queries(want))
    assert want_of([entry(dst=[attack])], WINDOW) is None


def test_every_sql_text_is_one_statement_that_a_parser_reads() -> None:
    for (language, _), text in made(entry(src=["10.0.0.1"], dst=["x--y.example"], principal=["a/b@c"])).items():
        if language == "SQL":
            assert len(sqlglot.parse(text, read="athena")) == 1


def test_the_verb_shows_texts_to_copy_and_what_is_here_already(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    view = guide.queries(case, language="kql")
    assert {one.language[:3] for one in view.data} == {"KQL"} and len(view.queries) == 4
    assert isinstance(view.data[0], Query)
    assert dict(zip(view.tables[0].rows.table, view.tables[0].rows.in_evidence, strict=True))["dns_activity"] == 1099
    one = guide.queries(case, incident.found["findings"][0]["id"])
    assert re.search("assets-sync", one.data[0].text) and "intake.metrics" not in one.data[0].text
    with pytest.raises(NotFound, match="no finding or lead of this case"):
        guide.queries(case, "A-00000000")
    empty = guide.queries(new_case(tmp_path / "empty", "E-1"))
    assert empty.words[0].startswith("No finding and no lead names a host")
