"""The verb that writes queries to be copied: what to fetch from a SIEM or a lake for the sake of this case."""

from __future__ import annotations

import pandas as pd

from playbooks.case import Case
from playbooks.collection.queries import queries as written
from playbooks.collection.queries import want_of
from playbooks.errors import NotFound
from playbooks.guide.next_steps import call
from playbooks.guide.opened import results_of
from playbooks.report import Table, View, counted

ELSEWHERE = (
    f"Find the same behaviour on other hosts, as a file: {call('export', 'sigma')}",
    f"The same for Sentinel or Defender: {call('export', 'kql')}",
    f"The same for Splunk: {call('export', 'spl')}",
)
COLUMNS = ["language", "table", "about", "in_evidence"]


def queries(case: Case, finding: str = "", language: str = "") -> View:
    """Write queries that fetch what this case lacks, to be copied into a SIEM or a lake; the kit sends none of them.

    Tables and columns are those that the products come with; yours may be called otherwise.
    Example: `guide.queries(case, language="KQL")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding or lead whose hosts, names and people are asked for; empty: all of them.
    language : str
        KQL, SPL or SQL; empty: all.

    Returns
    -------
    View
        Shows itself. `data`: list of Query, each with its text.

    Raises
    ------
    NotFound
        No finding or lead has this id.
    """
    results = results_of(case)
    told = [*results.findings["findings"], *results.findings["leads"]]
    chosen = [entry for entry in told if finding in ("", entry["id"])]
    if finding and not chosen:
        known = ", ".join(entry["id"] for entry in told) or "none"
        raise NotFound(f"{finding!r}: no finding or lead of this case. Known: {known}.")
    want = want_of(chosen, results.coverage["window"])
    if want is None:
        return View(
            ("No finding and no lead names a host, a destination or a person: nothing to ask for yet.",), data=[]
        )
    made = [one for one in written(want) if one.language.upper().startswith(language.upper())]
    held = {one["table"]: int(one["in_window"]) for one in results.coverage["tables"]}
    rows = pd.DataFrame([{**vars(one), "in_evidence": held.get(one.table, 0)} for one in made], columns=COLUMNS)
    words = [
        f"{counted(len(made), 'query', 'queries')}. Keep an answer as evidence: guide.acquire_query, or guide.add."
    ]
    words += [f"{counted(want.left_out, 'name')} left out: too odd to stand in a query."] if want.left_out else []
    texts = tuple((f"{one.language}: {one.about} ({one.table})", one.text) for one in made)
    table = Table("What each asks, and how many records are here", rows)
    return View(tuple(words), (table,), data=made, queries=texts, next=ELSEWHERE)
