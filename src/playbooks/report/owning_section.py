"""The section on whose things are: the lists of the house gone over, and what was seen that nobody answers for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from playbooks.report.facts import OwningFacts
from playbooks.report.figures.picture import counted
from playbooks.report.parts import most, part, refs_in, some
from playbooks.report.words import utc_time

UNREVIEWED = "The case names neither inventory nor allow-list: an unreviewed baseline."


def owning_parts(owning: OwningFacts | None) -> list[dict[str, Any]]:
    """Entries to go over again, and what was seen without an owner."""
    return [] if owning is None else [_review(owning.review), _draft(owning.draft, owning.unseen)]


def refs_of_owning(owning: OwningFacts) -> list[str]:
    """The records that the section refers to, in its order."""
    return list(dict.fromkeys(ref for one in owning_parts(owning) for row in one["rows"] for ref in row[-1]))


def _review(table: pd.DataFrame) -> dict[str, Any]:
    noticed = table[table["faults"].str.len() > 0]
    rows = [
        [one["value"], one["owner"], one["expires"], _says(one), one["covered"], refs_in(one["refs"])]
        for one in most(noticed)
    ]
    words = [] if len(table) else [UNREVIEWED]
    if len(table) and not rows:
        words = [f"Nothing was noticed about {counted(len(table), 'entry', 'entries')}."]
    heads = ("Entry", "Owner", "Expires", "What speaks for going over it", "Covers", "Records")
    caption = "Entries of allow-list and inventory to go over; their owners decide"
    return part("Lists of the house", words, heads, rows, len(noticed), "allow_list_review", caption)


def _says(entry: dict[Any, Any]) -> str:
    """What was noticed, and in which list the entry stands."""
    return f"{entry['reason']} ({str(entry['list']).replace('_', '-')})"


def _draft(table: pd.DataFrame, unseen: tuple[str, ...]) -> dict[str, Any]:
    nobody = table[table["owner_missing"].astype(bool)]
    rows = [
        [one["host"] or one["resource"], one["ownership"], some(one["seen_by"]), one["exposure"], one["last_principal"],
         one["clients"], utc_time(one["last_seen"]), refs_in(one["refs"])]
        for one in most(nobody)
    ]  # fmt: skip
    heads = (
        "Host or resource",
        "Ownership",
        "Seen by",
        "Open to",
        "Changed by",
        "Clients",
        "Last seen (UTC)",
        "Records",
    )
    caption = "Serverless hosts and resources without an owner in the inventory, ours first"
    return part("Seen, and nobody answers for it", list(_words(table, nobody, unseen)), heads, rows, len(nobody),
                "draft_inventory.csv", caption)  # fmt: skip


def _words(table: pd.DataFrame, nobody: pd.DataFrame, unseen: tuple[str, ...]) -> Iterator[str]:
    if not len(table):
        yield "No serverless host or resource was seen in the records."
    elif not len(nobody):
        yield f"Each of {counted(len(table), 'host or resource', 'hosts and resources')} seen has an owner."
    if unseen:
        clouds = ", ".join(unseen)
        yield f"What nobody contacted there is not answerable because no audit record of {clouds} is in evidence."
