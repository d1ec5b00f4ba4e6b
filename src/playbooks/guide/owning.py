"""Verbs about whose things are: a draft of the inventory, the lists gone over, and all that is known of a value."""

from __future__ import annotations

from playbooks.case import Case
from playbooks.guide.opened import results_of
from playbooks.guide.owning_tables import DRAFT_FILE
from playbooks.guide.scoping import worst_pair
from playbooks.lookup import Fact, as_frame, brands_of, facts_of, read_value
from playbooks.report import Table, View, counted

DRAFT_COLUMNS = [
    *("ownership", "host", "resource", "owner", "seen_by", "exposure", "last_principal", "clients", "first_seen"),
    *("last_seen", "account", "refs"),
]
FACT_COLUMNS = ["value", "fact", "says", "first_seen", "last_seen", "source", "refs"]
ADDRESS_COLUMNS = ["address", "asn", "as_organisation", "country", "network", "database", "built", "ref"]
NAME_COLUMNS = ["name", "fact", "reason", "brand", "known_since", "first_seen", "siblings", "refs"]
REVIEW_COLUMNS = ["list", "value", "owner", "expires", "faults", "reason", "covered", "written_in", "refs"]


def draft_inventory(case: Case, rows: int = 20) -> View:
    """Draft the inventory from what was observed: fill in owners, strike out what is not ours, name it in case.yaml.

    Example: `guide.draft_inventory(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per resource, as in the file.
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
    listed = Table.first("To answer for, ours first", table[DRAFT_COLUMNS], rows, f"results/{DRAFT_FILE}")
    return View(tuple(words), (listed,) if len(table) else (), data=table)


def review_allow_list(case: Case, rows: int = 50) -> View:
    """Go over every entry of allow-list and inventory: owner, end, breadth, use, overlap, and what it covers.

    Example: `guide.review_allow_list(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per entry.
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
    listed = Table.first("Entries to go over first", table[REVIEW_COLUMNS], rows, "results/allow_list_review.parquet")
    return View(words, (listed,), data=table)


def addresses(case: Case, rows: int = 50) -> View:
    """What databases of addresses in evidence say of addresses that were contacted or answered: context, no reason.

    Example: `guide.addresses(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per address and database.
    """
    table, databases = results_of(case).owning.addresses
    words = [f"{one.item.evidence_id} {one.item.name}: {one.words()}." for one in databases]
    if not databases:
        words.append(
            "No database of addresses is in evidence: network and country of an address are not answerable. Add a "
            "file in MaxMind's format (.mmdb) with guide.add."
        )
    words.append(f"{counted(table.address.nunique(), 'address', 'addresses')} known to one. None of it weighs.")
    listed = Table.first("Addresses by database", table[ADDRESS_COLUMNS], rows, "results/address_facts.parquet")
    return View(tuple(words), (listed,) if len(table) else (), data=table)


def names(case: Case, rows: int = 50) -> View:
    """What names of destinations say: look-alikes of ours, and what passive DNS and certificates in evidence hold.

    Example: `guide.names(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per name and fact.
    """
    results = results_of(case)
    table = results.owning.names
    brands = brands_of(case.config)
    held = int(results.tables.name_records.count().execute())
    counts = ", ".join(f"{count:,} {fact}" for fact, count in table.fact.value_counts().items()) or "nothing noticed"
    words = [f"{counts}. Context: no row is a finding by itself."]
    words.append(
        f"Compared with {counted(len(brands), 'name')} of ours: {', '.join(brands)}."
        if brands
        else "Not compared with names of ours: case.yaml states neither estate.own.brands nor zones."
    )
    if not held:
        words.append(
            "No passive DNS and no certificate log is in evidence: since when a name is known is not answerable."
        )
    listed = Table.first("Names that say something", table[NAME_COLUMNS], rows, "results/name_facts.parquet")
    return View(tuple(words), (listed,) if len(table) else (), data=table)


def enrich_value(case: Case, *values: str, rows: int = 50) -> View:
    """Tell everything the case knows of hosts, URLs, addresses or hashes, defanged or not; nothing is asked outside.

    Without a value, of the destination most worth a look.
    Example: `guide.enrich_value(case, "hxxps://example[.]workers[.]dev/a")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    *values : str
        Hosts, URLs, addresses or hashes, defanged or not; none: the worst destination.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per fact.

    Raises
    ------
    UsageError
        A value is none of these.
    """
    given = [value for value in values if value] or [dst for _, dst in [worst_pair(results_of(case))] if dst]
    if not given:
        return View(("No value was given, and no pair had enough events for a rhythm.",), data=as_frame(()))
    facts = value_facts(case, given)
    table = as_frame(facts)
    seen = sum(fact.fact == "sighting" and bool(fact.times) for fact in facts)
    words = f"{counted(len(facts), 'fact')} about {counted(len(given), 'value')}; {counted(seen, 'kind')} of sighting."
    return View((words,), (Table.first("What is known", table[FACT_COLUMNS], rows),), data=table)


def value_facts(case: Case | None, values: list[str]) -> list[Fact]:
    """The facts behind `enrich_value`; without a case, what the catalogue says alone.

    Example: `guide.owning.value_facts(None, ["example.workers.dev"])`
    """
    read = [read_value(value) for value in values]  # a fault stops before any work
    known = results_of(case).owning.known if case else None
    return [fact for value in dict.fromkeys(read) for fact in facts_of(value, known)]
