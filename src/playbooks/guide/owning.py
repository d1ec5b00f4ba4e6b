"""Verbs about whose things are: a draft of the inventory, and the lists gone over."""

from __future__ import annotations

from playbooks.case import Case
from playbooks.guide.opened import results_of
from playbooks.guide.owning_tables import DRAFT_FILE
from playbooks.report import Table, View, counted

DRAFT_COLUMNS = [
    *("ownership", "host", "resource", "owner", "seen_by", "exposure", "last_principal", "clients", "first_seen"),
    *("last_seen", "account", "refs"),
]
REVIEW_COLUMNS = ["list", "value", "owner", "expires", "faults", "reason", "covered", "written_in", "refs"]


def draft_inventory(case: Case, rows: int = 20) -> View:
    """Draft the inventory from what was observed: fill in owners, strike out what is not ours, name it in case.yaml.

    Example: `guide.draft_inventory(case)`
    """
    owning = results_of(case).owning
    table = owning.draft
    lacking = int(table.owner_missing.sum())
    words = [
        f"{counted(len(table), 'host or resource', 'hosts and resources')} seen, {lacking:,} without an owner: "
        f"results/{DRAFT_FILE}.",
        "A row is no claim that it is ours: the column ownership says what the records show.",
    ]
    if unseen := owning.unseen_clouds:
        words.append(
            f"No audit record of {', '.join(unseen)} is in evidence: what nobody of ours contacted there is not in the "
            "draft."
        )
    listed = Table("To answer for, ours first", table[DRAFT_COLUMNS].head(rows), f"results/{DRAFT_FILE}")
    return View(tuple(words), (listed,) if len(table) else (), data=table)


def review_allow_list(case: Case, rows: int = 50) -> View:
    """Go over every entry of allow-list and inventory: owner, end, breadth, use, overlap, and what it covers.

    Example: `guide.review_allow_list(case)`
    """
    table = results_of(case).owning.review
    if not len(table):
        return View(("The case has neither inventory nor allow-list: an unreviewed baseline.",), data=table)
    counts = table.faults.explode().value_counts()
    noticed = ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "nothing noticed"
    words = (
        f"{counted(len(table), 'entry', 'entries')} of allow-list and inventory: {noticed}.",
        "Nothing was changed: what to do with an entry, its owner decides.",
    )
    listed = Table("Entries to go over first", table[REVIEW_COLUMNS].head(rows), "results/allow_list_review.parquet")
    return View(words, (listed,), data=table)
