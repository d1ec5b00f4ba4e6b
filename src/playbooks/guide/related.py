"""Verbs of the egress notebook that go beyond the contact: what else happened around it, and who else is in it."""

from __future__ import annotations

import pandas as pd

from playbooks.case import Case
from playbooks.guide.opened import results_of
from playbooks.report import Table, View, counted, hosts_and_tenants, lifecycle_timeline
from playbooks.scoping import related_activity, shared_traits
from playbooks.scoping.question import Question
from playbooks.scoping.watched import AFTER_HOURS, BEFORE_HOURS, Around

ACTIVITY_COLUMNS = ["time", "relative_s", "stage", "sentence", "matched_by", "user", "attack", "ref"]
STAGE_COLUMNS = ["finding", "src", "stage", "state", "events", "left_out", "refs", "missing"]
SCOPE_COLUMNS = [
    *("finding", "src", "is_subject", "hostnames", "users", "processes", "shares"),
    *("first_seen", "began", "last_seen", "connections", "bytes_out", "bytes_in", "counted_in", "refs"),
]


def lifecycle(
    case: Case,
    finding: str = "",
    rows: int = 50,
    before_hours: float = BEFORE_HOURS,
    after_hours: float = AFTER_HOURS,
) -> View:
    """Show what happened on host and user around first contact, and the stages nothing in evidence could show.

    Without a finding, of the one that comes first. Another span than a day either way is kept nowhere.
    Example: `guide.lifecycle(case, "A-1f3c9a02", before_hours=72)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding or lead, such as A-1f3c9a02; empty: the first, or all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.
    before_hours, after_hours : float
        How many hours around first contact are looked at.

    Returns
    -------
    View
        Shows itself. `data`: what happened: `activity` and `stages`, both DataFrames.
    """
    results, around = results_of(case), Around(before_hours, after_hours)
    related = results.related if around == Around() else results.look_around(around)
    told = [host.finding for host in related.hosts]
    if not told:
        return View(("No finding or lead of hypothesis A: there is no first contact to look around.",), data=related)
    chosen = finding or told[0]
    stages = related.stages[related.stages.finding == chosen]
    activity = related.activity[related.activity.finding == chosen]
    hosts = [host for host in related.hosts if host.finding == chosen]
    words = [f"{chosen}: {_answers(stages)}"] if len(stages) else [f"No host of {chosen} was looked at."]
    words += [f"{host.src}, first contact {host.first:%Y-%m-%d %H:%M:%S} UTC. {' '.join(host.notes)}" for host in hosts]
    if left := related.left_out:
        words.append(f"{counted(left, 'source')} of findings and leads beyond the bound were not looked at.")
    tables = (
        Table.first("Around first contact", activity[ACTIVITY_COLUMNS], rows, "results/related_activity.parquet"),
        Table("Each stage: found, clear or blind", stages[STAGE_COLUMNS], "results/lifecycle_stages.parquet"),
        *_readings(related_activity.QUESTION),
    )
    return View(tuple(words), tables, (lifecycle_timeline(activity, stages),), data=related)


def _answers(stages: pd.DataFrame) -> str:
    counts = stages.state.value_counts()
    parts = [f"{counts[state]} {state}" for state in ("found", "clear", "blind") if state in counts]
    return f"stages of its hosts: {', '.join(parts)}. A row is consistent with its stage."


def scope(case: Case, finding: str = "", rows: int = 50) -> View:
    """Show who else talks to the same tenant, path, fingerprint or in the same rhythm, since when, and what left.

    Without a finding, of all of them.
    Example: `guide.scope(case, "A-1f3c9a02")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding or lead, such as A-1f3c9a02; empty: the first, or all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per host or user and shared trait.
    """
    results = results_of(case)
    found = results.scope
    mine = found.rows[found.rows.finding == finding] if finding else found.rows
    more = mine[~mine.is_subject.astype(bool)]
    words = [
        f"{counted(mine.finding.nunique(), 'finding or lead', 'findings and leads')}, {mine.src.nunique():,} sources; "
        f"{counted(more.src.nunique(), 'source')} that no finding names share a trait.",
        "Bytes are those of the telemetry that saw most; TLS, CONNECT and packet heads are counted with the content.",
        *found.notes,
    ]
    if found.left_out or found.findings_left_out:
        words.append(f"Not listed: {found.left_out:,} more sources, {found.findings_left_out:,} more leads.")
    table = Table.first("Who shares what", mine[SCOPE_COLUMNS], rows, "results/scope.parquet")
    tables = (table, *_readings(shared_traits.QUESTION)) if len(mine) else ()
    return View(tuple(words), tables, (hosts_and_tenants(results.pairs, results.findings),), data=mine)


def _readings(question: Question) -> tuple[Table, ...]:
    rows = [("Innocent if", words) for words in question.innocent_when]
    rows += [("Cannot see", words) for words in question.cannot_see]
    return (Table("How to read it", pd.DataFrame(rows, columns=["", "what"])),)
