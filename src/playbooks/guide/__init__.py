"""The verbs of the notebooks: each does one step, keeps its result in the case, and shows itself.

Every verb takes the case first and gives a `View`: words, tables, pictures, and `.data` for the next cell.
A verb computes what it needs, so each notebook also runs alone; what is there already is taken as it is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from playbooks import case as cases
from playbooks import evidence as preserved
from playbooks import findings as judged
from playbooks.case import CASE_FILE, Case
from playbooks.errors import CaseError, NotFound
from playbooks.guide.facts import case_facts
from playbooks.guide.results import QUESTIONS, Results
from playbooks.normalise import Reading
from playbooks.normalise import show as raw_of
from playbooks.report import (
    Table,
    View,
    checkin_raster,
    coverage_heatmap,
    egress_timeline,
    function_history,
    write_case_report,
)

PAIR_COLUMNS = [
    *("beacon_score", "beacon_period_s", "src", "dst", "clients", "new_in_window", "connections"),
    *("service", "tenant", "sources", "refs"),
]
RANKED_COLUMNS = ["priority", "src", "dst", "ownership", "priority_reasons", "refs"]
ACTIVITY_COLUMNS = [
    *("novelty", "time", "phase", "principal", "operation_base", "resource", "outcome", "ref"),
    *("reasons", "exposure", "allowed_by"),
]
FOUR_QUESTIONS = [
    "resource",
    "resource_type",
    "created_by",
    "modified_by",
    "permitted_by",
    "triggered_by",
    "invoked_by",
]


def open_case(case_dir: str = ".") -> Case:
    """Open the case in a folder, or in the nearest folder above it that holds one.

    Example: `case = guide.open_case(".")`

    Raises
    ------
    CaseError
        No case there, or a `case.yaml` that is not valid.
    """
    start = Path(case_dir).resolve()
    for folder in (start, *start.parents):
        if (folder / CASE_FILE).is_file():
            return cases.open_case(folder)
    raise CaseError(
        f"{start}: no {CASE_FILE} here or above. Expected a case; make one with: playbooks new FOLDER --case-id ID"
    )


@cache
def _results_of(path: Path, stamp: tuple[int, int], window_minutes: int) -> Results:
    return Results(cases.open_case(path), window_minutes)


def _results(case: Case, window_minutes: int = 60) -> Results:
    """The results of a case, kept while its file and its custody chain do not change."""
    changed = tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in (case.path / CASE_FILE, case.custody))
    return _results_of(case.path, (changed[0], changed[1]), window_minutes)


def add(case: Case, *files: str) -> View:
    """Preserve files or folders as evidence: copied, hashed while copying, recorded.

    Example: `guide.add(case, "/mnt/export/proxy")`
    """
    done = preserved.add(case, [Path(file) for file in files])
    rows = [
        {
            "input": preserved.printable(entry.source),
            "evidence": entry.item.evidence_id if entry.item else None,
            "outcome": entry.note or "added",
        }
        for entry in done
    ]
    added = sum(1 for entry in done if entry.item and not entry.note)
    return View(
        (f"{added} of {len(done)} files added.",), (Table("What became of each file", pd.DataFrame(rows)),), data=done
    )


def evidence(case: Case) -> View:
    """List the evidence and check every byte of it against what was recorded.

    Example: `guide.evidence(case)`
    """
    verdict = preserved.verify(case)
    rows = pd.DataFrame([vars(item) for item in preserved.items(case)])
    state = "intact: every byte is as it was when it was added" if verdict.intact else "NOT INTACT"
    words = [
        f"{verdict.files:,} items, {verdict.size:,} bytes; custody chain of {verdict.entries:,} entries.",
        f"Evidence is {state}.",
    ]
    words += [f"{fault.where}: {fault.what}" for fault in verdict.faults]
    if not verdict.files:
        words.append("No evidence yet. Add some with guide.add(case, …) or: playbooks add CASE FILE…")
    columns = ["evidence_id", "name", "source", "size", "sha256", "added"]
    tables = (Table("Evidence, in the order in which it was added", rows[columns]),) if len(rows) else ()
    return View(tuple(words), tables, data=verdict)


def require_intact(case: Case) -> View:
    """Stop here if any byte of the evidence differs.

    Example: `guide.require_intact(case)`
    """
    verdict = preserved.require_intact(case)
    return View((f"Intact. Chain head {verdict.head or '(no entry yet)'}.",), data=verdict)


def custody(case: Case, last: int = 10) -> View:
    """Show the last acts on record.

    Example: `guide.custody(case, last=20)`
    """
    entries = preserved.custody.entries(case.custody)
    rows = [
        {
            "seq": e["seq"],
            "time": e["time"],
            "activity": e["activity"],
            "by": e["actor"]["user"],
            "fingerprint": e["fingerprint"][:16],
        }
        for e in entries[-last:]
    ]
    return View(
        (f"{len(entries):,} acts on record.",), (Table("Custody chain, its end", pd.DataFrame(rows)),), data=entries
    )


def normalise(case: Case) -> View:
    """Read all evidence: every record becomes an event, or is unread with a reason, or is blank.

    Example: `guide.normalise(case)`
    """
    readings = _results(case).readings
    total = {name: sum(getattr(r, name) for r in readings) for name in ("records", "events", "unread", "blank")}
    law = "{records:,} records = {events:,} events + {unread:,} unread + {blank:,} blank".format(**total)
    return View((f"{law}.",), (Table("What became of each item", _reading_rows(readings)),), data=readings)


def _reading_rows(readings: list[Reading]) -> pd.DataFrame:
    columns = ["evidence_id", "name", "format", "records", "events", "unread", "blank", "first", "last", "note"]
    return _dated(pd.DataFrame([vars(r) for r in readings], columns=columns), "first", "last")


def _dated(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """ISO texts as times, so that they are shown as such."""
    return table.assign(**{column: pd.to_datetime(table[column], utc=True, format="ISO8601") for column in columns})


def unread(case: Case, rows: int = 20) -> View:
    """Show records that became no event, with their reasons.

    Example: `guide.unread(case)`
    """
    readings = _results(case).readings
    files = [case.unread / f"{r.evidence_id}.parquet" for r in readings if r.unread]
    parts = [pd.read_parquet(file) for file in files]
    table = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["evidence_id", "record_no", "kind", "reason", "raw"])
    )
    words = (f"{len(table):,} records are unread.",) if len(table) else ("Every record became an event.",)
    shown = (Table("Unread records", table.head(rows), "unread/"),) if len(table) else ()
    return View(words, shown, data=table)


def coverage(case: Case) -> View:
    """State what the evidence covers: source by hour, gaps, and the questions that can be asked.

    Example: `guide.coverage(case)`
    """
    found = _results(case).coverage
    sources = pd.DataFrame(found["sources"])
    columns = ["name", "format", "events", "unread_share", "first", "last", "hours", "hours_with_records"]
    asked = pd.DataFrame(found["questions"])[["hypothesis", "title", "answerable", "reason"]]
    able = int(asked.answerable.sum())
    words = (
        f"{able} of {len(asked)} questions can be asked of this evidence; {len(found['blind_spots'])} blind spots.",
    )
    tables = [Table("Questions", asked)]
    if len(sources):
        tables.insert(0, Table("Sources", _dated(sources[columns], "first", "last")))
    return View(words, tuple(tables), (coverage_heatmap(found),), data=found)


def blind_spots(case: Case) -> View:
    """List what could not be looked at, and what that forbids to conclude.

    Example: `guide.blind_spots(case)`
    """
    spots = _results(case).coverage["blind_spots"]
    columns = ["missing", "forbids", "how_established", "recommend"]
    table = pd.DataFrame(spots, columns=columns)
    words = (f"{len(spots)} blind spots, computed from the evidence.",)
    return View(words, (Table("Blind-spot register", table),), data=spots)


def egress(case: Case, rows: int = 20) -> View:
    """Pairs of source and destination over all telemetry, the clearest rhythm first.

    Example: `guide.egress(case, rows=30)`
    """
    results = _results(case)
    pairs = results.scoped_pairs
    listed = int(pairs.catalogue_id.notna().sum())
    words = (
        f"{len(pairs):,} pairs, {pairs.src.nunique():,} clients, {pairs.dst.nunique():,} destinations; "
        f"{listed:,} pairs lead to hosts of the serverless catalogue, which says nothing against them.",
    )
    ranked = pairs.sort_values("beacon_score", ascending=False, na_position="last", kind="stable")
    table = Table("Clearest rhythms", ranked[PAIR_COLUMNS].head(rows), "results/egress_pairs.parquet")
    return View(words, (table,), (egress_timeline(results.egress_hours),), data=pairs)


def checkins(case: Case, src: str = "", dst: str = "") -> View:
    """Show the check-ins of one pair; without a pair, of the one most worth a look.

    Example: `guide.checkins(case, "10.20.3.17", "example.workers.dev")`
    """
    results = _results(case)
    src, dst = (src, dst) if src and dst else _worst_pair(results)
    events = results.checkins(src, dst) if src else pd.DataFrame(columns=["time", "src", "dst"])
    drawn = events.assign(src=src, dst=dst)
    if "source" in drawn and len(drawn):
        drawn = drawn[drawn.source == drawn.source.mode().iloc[0]]
    words = (f"{src} → {dst}",) if src else ("No pair had enough events for a rhythm.",)
    return View(words, pictures=(checkin_raster(drawn[["time", "src", "dst"]]),), data=events)


def _worst_pair(results: Results) -> tuple[str, str]:
    """The pair that a finding or, without one, the ranking puts first; empty names when there is none."""
    pairs = results.pairs
    scored = pairs[pairs.beacon_score.notna()]
    if not len(scored):
        return "", ""
    return str(scored.iloc[0].src), str(scored.iloc[0].dst)


def cloud(case: Case, rows: int = 30) -> View:
    """Control-plane events that matter, in order of time, with who stands behind each.

    Example: `guide.cloud(case)`
    """
    activity = _results(case).activity
    telling = activity[~activity.phase.isin(["invoke", "discovery"])]
    words = (
        f"{len(activity):,} control-plane events in the window, by {activity.principal.nunique():,} principals; "
        f"{len(telling):,} of them change something.",
    )
    ranked = telling.sort_values(["novelty", "time"], ascending=[False, True], na_position="last", kind="stable")
    table = Table(
        "Changes, the most unusual first", ranked[ACTIVITY_COLUMNS].head(rows), "results/cloud_activity.parquet"
    )
    return View(words, (table,), data=activity)


def functions(case: Case, resource: str = "") -> View:
    """Who created, modified, permitted, triggered and ran each function; and the history as a picture.

    Example: `guide.functions(case, "invoice-export")`
    """
    results = _results(case)
    table = results.resources
    shown = table[table.resource == resource] if resource else table
    activity = results.activity
    history = activity if resource else activity[activity.resource.isin(_loudest(activity))]
    words = (f"{len(shown):,} functions and their like.",)
    tables = (Table("The four questions", shown[FOUR_QUESTIONS], "results/resources.parquet"),)
    return View(words, tables, (function_history(history, resource or None),), data=shown)


def _loudest(activity: pd.DataFrame) -> list[str]:
    """The resources whose changes are most unusual, for a picture that is not crowded."""
    changes = activity[activity.resource.notna() & ~activity.phase.isin(["invoke", "discovery"])]
    ranked = changes.groupby("resource").novelty.max().sort_values(ascending=False, kind="stable")
    return [str(name) for name in ranked.index[:6]]


def sequences(case: Case, window_minutes: int = 60) -> View:
    """Steps of one principal that follow each other: preparation, change, permission, run, evasion.

    Example: `guide.sequences(case, window_minutes=120)`
    """
    rows = _results(case, window_minutes).sequences
    words = (f"{len(rows)} sequences within {window_minutes} minutes.",)
    return View(words, (Table("Stages in order", rows),) if len(rows) else (), data=rows)


def enrich(case: Case, rows: int = 20) -> View:
    """Ownership and intelligence for every destination; nothing leaves the house.

    Example: `guide.enrich(case)`
    """
    results = _results(case)
    pairs, intel = results.pairs, results.intel
    owned = pairs.ownership.value_counts()
    words = (
        "Pairs by ownership: " + (", ".join(f"{n:,} {state}" for state, n in owned.items()) or "none") + ".",
        f"{len(intel)} matches with intelligence in evidence.",
    )
    tables = [Table("What to look at first", pairs[RANKED_COLUMNS].head(rows), "results/egress_pairs.parquet")]
    if len(intel):
        columns = [
            "observable",
            "matched_on",
            "source",
            "confidence",
            "state",
            "valid_until",
            "description",
            "lookup",
            "ref",
        ]
        tables.insert(0, Table("Intelligence", intel[columns], "results/enrichment.parquet"))
    return View(words, tuple(tables), data=pairs)


def findings(case: Case, window_minutes: int = 60) -> View:
    """Findings, leads and what was set aside, and every question answered found, clear or blind.

    Example: `guide.findings(case)`
    """
    found = _results(case, window_minutes).findings
    outcomes = pd.DataFrame(
        [{"question": o["title"], "outcome": o["outcome"], "reason": o["reason"]} for o in found["outcomes"].values()]
    )
    words = (f"{len(found['findings'])} findings, {found['leads_total']} leads, {len(found['suppressed'])} set aside.",)
    tables = [Table("Every question answered", outcomes)]
    tables += [
        Table(name, _finding_rows(found[key]))
        for name, key in (("Findings", "findings"), ("Leads", "leads"))
        if found[key]
    ]
    return View(words, tuple(tables), data=found)


def _finding_rows(found: list[dict[str, object]]) -> pd.DataFrame:
    rows = []
    for entry in found:
        signals = entry["signals"]
        assert isinstance(signals, list)
        kinds = ", ".join(dict.fromkeys(signal["kind"] for signal in signals))
        refs = [ref for signal in signals for ref in signal["refs"]]
        rows.append(
            {"id": entry["id"], "score": entry["score"], "title": entry["title"], "signals": kinds, "refs": refs}
        )
    return pd.DataFrame(rows)


def decide(case: Case, finding: str, verdict: str, reason: str, analyst: str) -> View:
    """Record what you decided of a finding or lead; every later run honours it.

    Verdict: benign, suspicious, confirmed or needs more.
    Example: `guide.decide(case, "A-1f3c9a02", "benign", "backup agent, ticket 4711", "J. Doe")`

    Raises
    ------
    NotFound
        No finding, lead or set-aside row has this id.
    """
    found = _results(case).findings
    known = {entry["id"] for key in ("findings", "leads", "suppressed") for entry in found[key]}
    if finding not in known:
        raise NotFound(f"{finding!r}: no such finding in this case. Known: {', '.join(sorted(known)) or 'none'}.")
    entry = judged.decide(case, finding, verdict, reason, analyst)
    return View(
        (f"{entry['finding']}: {entry['verdict']} – {entry['reason']} ({entry['analyst']}, {entry['time']}).",),
        data=entry,
    )


def decisions(case: Case) -> View:
    """List what has been decided of findings, by whom and why.

    Example: `guide.decisions(case)`
    """
    taken = judged.decisions(case)
    found = _results(case).findings
    open_ids = [entry["id"] for entry in found["findings"] if entry["id"] not in taken]
    words = f"{len(taken)} decisions on record. Undecided findings: {', '.join(open_ids) or 'none'}."
    tables = (Table("Decisions", pd.DataFrame(taken.values())),) if taken else ()
    return View((words,), tables, data=taken)


def records(case: Case, src: str = "", dst: str = "", rows: int = 6) -> View:
    """Show raw records of one pair, spread over its time; without a pair, of the one most worth a look.

    Example: `guide.records(case, "10.20.3.17", "example.workers.dev")`
    """
    results = _results(case)
    src, dst = (src, dst) if src and dst else _worst_pair(results)
    pairs = results.scoped_pairs
    mine = pairs[(pairs.src == src) & (pairs.dst == dst)]
    if not len(mine):
        return View((f"No contact of {src or 'any client'} with {dst or 'any destination'} is in the records.",))
    refs = list(mine.iloc[0].refs)
    step = max(1, len(refs) // rows)
    return show(case, *refs[::step][:rows])


def show(case: Case, *refs: str) -> View:
    """Show the raw records behind references.

    Example: `guide.show(case, "E003:4118")`
    """
    records = raw_of(case, refs)
    rows = pd.DataFrame([{"ref": r.ref, "file": r.file, "record": r.text} for r in records.values()])
    return View((), (Table("Records as they stand in the evidence", rows),), data=records)


def report(case: Case, window_minutes: int = 60) -> View:
    """Write the case report and say where it is.

    Example: `guide.report(case)`
    """
    results = _results(case, window_minutes)
    src, dst = _worst_pair(results)
    write_case_report(case_facts(results, src, dst), case.path)
    return View(("The report is report/report.html in the case folder: one file, readable offline.",))


def questions() -> View:
    """List what the kit asks, with innocent readings and limits.

    Example: `guide.questions()`
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
