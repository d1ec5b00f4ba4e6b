"""Verbs of the egress and enrichment notebooks: who calls out, and whose it is."""

from __future__ import annotations

import pandas as pd

from playbooks.case import Case
from playbooks.enrichment import compared
from playbooks.guide.looking import show
from playbooks.guide.next_steps import after_pairs
from playbooks.guide.opened import results_of
from playbooks.guide.results import QUESTIONS, Results
from playbooks.report import Table, View, checkin_raster, counted, egress_timeline
from playbooks.scoping.egress_channels import KINDS, channels_not_looked_for
from playbooks.scoping.egress_pairs import BY_ADDRESS

PAIR_COLUMNS = [
    *("beacon_score", "rita_score", "beacon_period_s", "src", "dst", "clients", "new_in_window", "connections"),
    *("service", "matched_by", "tenant", "sources", "refs"),
]
RANKED_COLUMNS = ["priority", "src", "dst", "ownership", "priority_reasons", "refs"]
CHANNEL_COLUMNS = [
    *("kind", "strength", "src", "dst", "sentence", "clients", "period_s", "score"),
    *("bytes_out", "bytes_in", "first_seen", "last_seen", "refs"),
]
ANSWER_COLUMNS = ["name", "answer", "first_seen", "last_seen", "clients", "service", "tenant", "matched_by", "ref"]
INTEL_COLUMNS = [
    *("observable", "matched_on", "source", "confidence", "state", "lacks"),
    *("valid_until", "tlp", "description", "contradicted_by", "lookup", "ref"),
]


def egress(case: Case, rows: int = 20) -> View:
    """Pairs of source and destination over all telemetry, the clearest rhythm first.

    Example: `guide.egress(case, rows=30)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per pair, with rhythm, volume and telemetry.
    """
    results = results_of(case)
    pairs = results.scoped_pairs
    listed = int(pairs.catalogue_id.notna().sum())
    words = [
        f"{len(pairs):,} pairs, {pairs.src.nunique():,} clients, {pairs.dst.nunique():,} destinations; "
        f"{listed:,} pairs lead to hosts of the serverless catalogue, which says nothing against them."
    ]
    if by_address := int((pairs.matched_by == BY_ADDRESS).sum()):
        words.append(
            f"{counted(by_address, 'pair')} without a name: provider and service by a published range around the "
            "address alone, of low confidence."
        )
    ranked = pairs.sort_values(["beacon_score", "src", "dst"], ascending=[False, True, True], na_position="last")
    table = Table.first("Clearest rhythms", ranked[PAIR_COLUMNS], rows, "results/egress_pairs.parquet")
    return View(
        tuple(words),
        (table,),
        (egress_timeline(results.egress_hours),),
        data=pairs,
        next=after_pairs(ranked, "beacon_score"),
    )


def checkins(case: Case, src: str = "", dst: str = "") -> View:
    """Show the check-ins of one pair; without a pair, of the one most worth a look.

    Example: `guide.checkins(case, "10.20.3.17", "example.workers.dev")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    src : str
        Address or name of the client; empty, with `dst`: the pair most worth a look.
    dst : str
        Name or address of the destination.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per contact of the pair.
    """
    results = results_of(case)
    src, dst = (src, dst) if src and dst else worst_pair(results)
    events = results.checkins(src, dst) if src else pd.DataFrame(columns=["time", "src", "dst"])
    drawn = events.assign(src=src, dst=dst)
    if "source" in drawn and len(drawn):
        drawn = drawn[drawn.source == drawn.source.mode().iloc[0]]
    words = (f"{src} → {dst}",) if src else ("No pair had enough events for a rhythm.",)
    return View(words, pictures=(checkin_raster(drawn[["time", "src", "dst"]]),), data=events)


def channels(case: Case, kind: str = "", rows: int = 20) -> View:
    """Ways out that the check-ins of one pair do not show: held open, in DNS, over many hosts, by volume.

    Example: `guide.channels(case, kind="dns_channel")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    kind : str
        One kind, such as long_connection or dns_channel; empty: all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per channel.
    """
    results = results_of(case)
    table = results.channels
    shown = table[table.kind == kind] if kind else table
    seen = table.kind.value_counts()
    counts = ", ".join(f"{seen[name]:,} {name}" for name in KINDS if name in seen)
    blind = channels_not_looked_for(results.tables)
    words = [f"{counted(len(table), 'channel')}: {counts}." if counts else "No channel of the kinds looked for."]
    words += [f"Not looked for {name}: {why}." for name, why in blind]
    listed = Table.first(
        "Channels, the strongest first", shown[CHANNEL_COLUMNS], rows, "results/egress_channels.parquet"
    )
    return View(tuple(words), (listed,) if len(shown) else (), data=shown)


def worst_pair(results: Results) -> tuple[str, str]:
    """The pair that a finding or, without one, the ranking puts first; empty names when there is none."""
    pairs = results.pairs
    scored = pairs[pairs.beacon_score.notna()]
    if not len(scored):
        return "", ""
    return str(scored.iloc[0].src), str(scored.iloc[0].dst)


def records(case: Case, src: str = "", dst: str = "", rows: int = 6) -> View:
    """Show raw records of one pair, spread over its time; without a pair, of the one most worth a look.

    Example: `guide.records(case, "10.20.3.17", "example.workers.dev")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    src : str
        Address or name of the client; empty, with `dst`: the pair most worth a look.
    dst : str
        Name or address of the destination.
    rows : int
        How many records are shown, spread over the time of the pair.

    Returns
    -------
    View
        Shows itself. `data`: dict: reference → raw record.
    """
    results = results_of(case)
    src, dst = (src, dst) if src and dst else worst_pair(results)
    pairs = results.scoped_pairs
    mine = pairs[(pairs.src == src) & (pairs.dst == dst)]
    if not len(mine):
        return View((f"No contact of {src or 'any client'} with {dst or 'any destination'} is in the records.",))
    refs = list(mine.iloc[0].refs)
    rows = max(1, rows)
    step = max(1, len(refs) // rows)
    return show(case, *refs[::step][:rows])


def enrich(case: Case, rows: int = 20) -> View:
    """Whose each destination is, and what to look at first; nothing leaves the house.

    Example: `guide.enrich(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per pair, with ownership and priority.
    """
    pairs = results_of(case).pairs
    owned = pairs.ownership.value_counts()
    words = "Pairs by ownership: " + (", ".join(f"{n:,} {state}" for state, n in owned.items()) or "none") + "."
    table = Table.first("What to look at first", pairs[RANKED_COLUMNS], rows, "results/egress_pairs.parquet")
    return View((words,), (table,), data=pairs, next=after_pairs(pairs, "priority"))


def intelligence(case: Case, rows: int = 20) -> View:
    """What the lists of indicators in evidence say of what was seen, and what of them was compared with nothing.

    Example: `guide.intelligence(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per match.
    """
    results = results_of(case)
    intel = results.intel
    words = f"{counted(len(intel), 'match', 'matches')} with {counted(results.coverage['indicators'], 'indicator')}."
    shown = intel[INTEL_COLUMNS]
    tables = [Table.first("Intelligence", shown, rows, "results/enrichment.parquet")] if len(intel) else []
    if len(items := compared(results.tables)):
        tables.append(Table("What was compared", items))
    answers = results.resolutions
    names = counted(answers.name.nunique(), "serverless or listed name")
    told = f"Kept: {counted(len(answers), 'answer')} for {names}."
    if len(answers):
        tables.append(
            Table.first("What names resolved to", answers[ANSWER_COLUMNS], rows, "results/resolutions.parquet")
        )
    return View((words, told), tuple(tables), data=intel)


def questions() -> View:
    """List what the kit asks, with innocent readings and limits.

    Example: `guide.questions()`

    Returns
    -------
    View
        Shows itself. `data`: tuple of Question.
    """
    rows = [
        {
            "id": q.id,
            "hypothesis": q.hypothesis,
            "question": q.title,
            "innocent when": " ".join(q.innocent_when),
            "cannot see": " ".join(q.cannot_see),
        }
        for q in QUESTIONS
    ]
    return View((), (Table("Questions", pd.DataFrame(rows)),), data=QUESTIONS)
