"""Every entry of both lists gone over: each fault with the near miss beside it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks import schema
from playbooks.findings.allow_list_review import review_allow_list

NO_RESOURCES = t.table(schema.RESOURCES, [])
ENTRY = {"kind": "destination", "value": t.WORKER, "owner": "SRE", "expires": "2026-12-31"}
DEPLOYS = {
    "kind": "principal",
    "value": "ci-deployer",
    "owner": "SRE",
    "expires": "2026-12-31",
    "resource": "invoice-*",
}


def reviewed(
    *entries: dict[str, Any], inventory: tuple[dict[str, Any], ...] = (), pair: dict[str, Any] | None = None
) -> pd.DataFrame:
    """Both lists in the order of their entries."""
    config = t.config(allow_list=list(entries), inventory=list(inventory))
    rows = review_allow_list(t.pairs(pair or t.pair()), NO_RESOURCES, t.activity(t.act()), config)
    return rows.sort_values(["list", "entry"], kind="stable", ignore_index=True)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({}, []),
        ({"owner": "?"}, ["unknown_owner"]),
        ({"owner": "n/a"}, ["unknown_owner"]),
        ({"owner": "Team Web"}, []),
        ({"expires": "2026-03-10"}, []),
        ({"expires": "2026-03-09"}, ["expired", "unused"]),
        ({"value": "*.workers.dev"}, ["too_broad"]),
        ({"value": "*.stranger.workers.dev"}, []),
        ({"value": "other.example"}, ["unused"]),
        ({"source": "10.0.0.1"}, ["unused"]),
    ],
)
def test_an_entry_that_accepts_contacts(change: dict[str, Any], faults: list[str]) -> None:
    [row] = reviewed(ENTRY | change).itertuples()
    assert (list(row.faults), row.covered) == (faults, 0 if "unused" in faults else 1)
    assert list(row.refs) == ([] if "unused" in faults else ["E001:1", "E001:50", "E001:100"])


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({}, []),
        ({"resource": "*"}, ["too_broad"]),
        ({"resource": "*", "actions": ["modify-code"]}, []),
        ({"actions": ["create"]}, ["unused"]),
        ({"value": "j.doe"}, ["unused"]),
    ],
)
def test_an_entry_that_accepts_changes(change: dict[str, Any], faults: list[str]) -> None:
    [row] = reviewed(DEPLOYS | change).itertuples()
    assert (list(row.faults), list(row.refs)) == (faults, [] if "unused" in faults else ["E002:1"])


def test_what_covers_a_changed_thing_of_ours_cites_the_change() -> None:
    rows = reviewed(ENTRY, inventory=({"host": t.WORKER, "owner": "Web"},), pair=t.pair(**t.MODIFIED))
    assert [list(faults) for faults in rows.faults] == [["covers_modified"], ["covers_modified"]]
    assert [list(refs) for refs in rows.refs] == [["E002:7"], ["E002:7"]]


def test_of_entries_that_say_the_same_the_later_or_narrower_is_told() -> None:
    wider = ENTRY | {"value": "*.stranger.workers.dev"}
    rows = reviewed(ENTRY, wider)
    assert [list(faults) for faults in rows.faults] == [["overlapping"], []]
    assert rows.reason[0] == "entry 2 says the same or more"
    assert [list(f) for f in reviewed(ENTRY, ENTRY).faults] == [[], ["overlapping"]]
    assert [list(f) for f in reviewed(ENTRY, wider | {"expires": "2026-06-30"}).faults] == [[], []]
    assert [list(f) for f in reviewed(ENTRY | {"source": "10.0.0.9"}, ENTRY).faults] == [["overlapping"], []]
    # one that is not honoured covers nothing else
    assert [list(f) for f in reviewed(ENTRY, ENTRY | {"value": "*.workers.dev"}).faults] == [[], ["too_broad"]]


@pytest.mark.parametrize(
    ("entry", "faults"),
    [
        ({"host": t.WORKER, "owner": "Web"}, []),
        ({"tenant": "stranger", "service": "cf-workers", "owner": "Web"}, []),
        ({"host": t.WORKER, "owner": "todo"}, ["unknown_owner"]),
        ({"host": "*.workers.dev", "owner": "Web"}, ["too_broad", "unused"]),
        ({"host": "other.example", "owner": "Web", "expires": "2026-01-31"}, ["expired", "unused"]),
    ],
)
def test_an_inventory_entry(entry: dict[str, Any], faults: list[str]) -> None:
    [row] = reviewed(inventory=(entry,)).itertuples()
    assert list(row.faults) == faults


def test_a_thing_that_stands_in_the_inventory_twice_is_told_once() -> None:
    entry = {"host": t.WORKER, "owner": "Web"}
    rows = reviewed(inventory=(entry, entry | {"owner": "Ops"}, {"host": "b.example", "owner": "Ops"}))
    assert [list(faults) for faults in rows.faults] == [[], ["unused", "overlapping"], ["unused"]]


def test_entries_of_which_something_was_noticed_come_first_and_no_entry_is_left_out() -> None:
    config = t.config(allow_list=[ENTRY, ENTRY | {"value": "other.example"}])
    rows = review_allow_list(t.pairs(t.pair()), NO_RESOURCES, t.activity(), config)
    assert list(rows.value) == ["other.example", t.WORKER]
    empty = review_allow_list(t.pairs(), NO_RESOURCES, t.activity(), t.config())
    assert list(empty.columns) == list(schema.ALLOW_LIST_REVIEW.names) and len(empty) == 0
