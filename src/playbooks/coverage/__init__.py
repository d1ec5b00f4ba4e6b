"""Coverage: what was looked at, computed from the evidence, and what each gap forbids to conclude.

Nothing here is typed in by hand: spans, gaps, fields present and blind spots follow from the records.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from playbooks import schema
from playbooks.case import Case, Window
from playbooks.coverage.audit_logging import audit_logging
from playbooks.coverage.blind_spot import BlindSpot
from playbooks.coverage.blind_spots import blind_spots
from playbooks.engine import Tables
from playbooks.normalise import Reading

if TYPE_CHECKING:
    import pandas as pd

HOUR = dt.timedelta(hours=1)
LARGEST_MATRIX_HOURS = 24 * 92  # a quarter; longer spans are drawn by day
SOURCES_PER_FORMAT = 6  # more files of one format than this are one source (hourly or random names)


class Asked(Protocol):
    """What coverage needs to know of a question (see `scoping.question`)."""

    @property
    def id(self) -> str: ...
    @property
    def hypothesis(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def needs(self) -> tuple[tuple[str, str], ...]: ...


def coverage(
    case: Case,
    readings: list[Reading],
    tables: Tables,
    questions: Iterable[Asked],
    blind_to_runs: str | None = None,
    small_baseline: str | None = None,
) -> dict[str, Any]:
    """State what the evidence of a case covers.

    Parameters
    ----------
    case, readings, tables
        The case, what `normalise` made of its evidence, and its events.
    questions
        What will be asked; each is answerable or blind.
    blind_to_runs
        Why runs of functions cannot be seen, where scoping found that they cannot.
    small_baseline
        Why the baseline is too small to lean on, where scoping found it so.

    Returns
    -------
    dict
        JSON-ready: `items`, `sources`, `tables`, `matrix`, `questions`, `audit_logging`, `blind_spots`,
        `window`.
    """
    facts = {name: _table_facts(tables, name) for name in schema.EVENT_TABLES}
    hours = _hours(tables)
    sources = _sources(readings, hours, case.config.window)
    spots = blind_spots(case, facts, sources, readings, tables, blind_to_runs, small_baseline)
    asked = [_answerable(question, facts) for question in questions]
    return {
        "case_id": case.config.case_id,
        "window": case.config.window.model_dump(mode="json") if case.config.window else None,
        "items": [asdict(reading) for reading in readings],
        "sources": [{k: v for k, v in source.items() if k != "silent_hours"} for source in sources],
        "tables": [{"table": name, **fact} for name, fact in facts.items()],
        "indicators": int(tables.indicators.count().execute()),
        "matrix": _matrix(sources),
        "questions": asked,
        "audit_logging": audit_logging(case, tables),
        "blind_spots": [asdict(spot) for spot in spots],
    }


def _table_facts(tables: Tables, name: str) -> dict[str, Any]:
    """Events, span and share of records with a value per column."""
    table = tables[name]
    columns = [c.name for c in schema.TABLES[name].columns if c not in schema.RECORD]
    counted = table.aggregate(
        events=table.count(), first=table.time.min(), last=table.time.max(), **{c: table[c].count() for c in columns}
    )
    row = counted.to_pyarrow().to_pylist()[0]
    events = row.pop("events")
    first, last = (_iso(row.pop(edge)) for edge in ("first", "last"))
    fields = {c: round(row[c] / events, 4) for c in columns} if events else {}
    return {"events": events, "first": first, "last": last, "fields": fields}


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _hours(tables: Tables) -> pd.DataFrame:
    """Events per evidence item and hour over all event tables."""
    import ibis

    parts = []
    for name in schema.EVENT_TABLES:
        table = tables[name]
        hour = table.time.truncate("h")
        parts.append(table.group_by(table.evidence_id, hour=hour).aggregate(n=table.count()))
    frame: pd.DataFrame = ibis.union(*parts).execute()
    frame["hour"] = frame.hour.dt.tz_localize("UTC") if frame.hour.dt.tz is None else frame.hour.dt.tz_convert("UTC")
    return frame


def _sources(readings: list[Reading], hours: pd.DataFrame, window: Window | None) -> list[dict[str, Any]]:
    """Evidence items grouped to sources: the same format and the same file name but for digits."""
    groups: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        if reading.format:
            groups.setdefault((reading.format, _stem(reading.name)), []).append(reading)
    formats = [form for form, _ in groups]
    merged: dict[tuple[str, str], list[Reading]] = {}
    for (form, stem), members in groups.items():
        key = (form, stem) if formats.count(form) <= SOURCES_PER_FORMAT else (form, "")
        merged.setdefault(key, []).extend(members)
    return [_source(form, stem, members, hours, window) for (form, stem), members in merged.items()]


def _stem(name: str) -> str:
    return re.sub(r"[\d_:T Z-]+", "-", name.partition("-")[2]).strip("-.")


def _source(form: str, stem: str, members: list[Reading], hours: pd.DataFrame, window: Window | None) -> dict[str, Any]:
    ids = [member.evidence_id for member in members]
    mine = hours[hours.evidence_id.isin(ids)].groupby("hour").n.sum()
    counts = {moment.to_pydatetime(): int(n) for moment, n in zip(mine.index, mine.to_list(), strict=True)}
    inside = sorted(h for h in counts if window is None or window.start - HOUR < h < window.end)
    first, last = (min(counts), max(counts)) if counts else (None, None)
    start = _floor(window.start) if window else first
    end = window.end if window else (last + HOUR if last else None)
    span = math.ceil((end - start) / HOUR) if start and end else 0
    tables = list(dict.fromkeys(table for member in members for table, count in member.tables.items() if count))
    unread = sum(member.unread for member in members)
    records = sum(member.records - member.blank for member in members)
    return {
        "name": f"{stem or form} ({len(members)} files)" if len(members) > 1 else members[0].name,
        "format": form,
        "table": ", ".join(tables) or None,
        "tables": tables,
        "evidence": ids,
        "records": records,
        "events": sum(member.events for member in members),
        "unread": unread,
        "unread_share": round(unread / records, 4) if records else 0.0,
        "first": min((m.first for m in members if m.first), default=None),
        "last": max((m.last for m in members if m.last), default=None),
        "hours": span,
        "hours_with_records": len(inside),
        "gaps": _gaps(inside, start, end),
        "silent_hours": _silent(inside, start, end),
        "counts": {moment.isoformat(): n for moment, n in sorted(counts.items())},
    }


def _floor(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _gaps(present: list[dt.datetime], start: dt.datetime | None, end: dt.datetime | None) -> list[dict[str, Any]]:
    """Runs of whole hours without any record between start and end."""
    if start is None or end is None:
        return []
    edges = [start - HOUR, *present, _floor(end - dt.timedelta(microseconds=1)) + HOUR]
    found = []
    for before, after in pairwise(edges):
        missing = int((after - before) / HOUR) - 1
        if missing > 0:
            found.append({"from": (before + HOUR).isoformat(), "to": after.isoformat(), "hours": missing})
    return found


def _silent(present: list[dt.datetime], start: dt.datetime | None, end: dt.datetime | None) -> list[str]:
    """The hours of all gaps, one by one."""
    return [
        (dt.datetime.fromisoformat(gap["from"]) + HOUR * step).isoformat()
        for gap in _gaps(present, start, end)
        for step in range(gap["hours"])
    ]


def _matrix(sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Source by hour (by day where the span is long), zeros included."""
    moments = _without_strays(
        sorted(dt.datetime.fromisoformat(hour) for source in sources for hour in source["counts"])
    )
    if not moments:
        return {"hours": [], "rows": []}
    step = HOUR if (moments[-1] - moments[0]) / HOUR < LARGEST_MATRIX_HOURS else dt.timedelta(days=1)
    start = moments[0] if step == HOUR else moments[0].replace(hour=0)
    ticks = [start + step * i for i in range(min(int((moments[-1] - start) / step) + 1, LARGEST_MATRIX_HOURS))]
    return {
        "hours": [tick.isoformat() for tick in ticks],
        "rows": [_matrix_row(s, start, step, len(ticks)) for s in sources],
    }


def _without_strays(moments: list[dt.datetime]) -> list[dt.datetime]:
    """Hours around the middle one, as many as can be drawn: one odd clock must not push the others out."""
    if not moments:
        return []
    middle, reach = moments[len(moments) // 2], dt.timedelta(days=LARGEST_MATRIX_HOURS / 2)
    return [moment for moment in moments if abs(moment - middle) < reach]


def _matrix_row(source: dict[str, Any], start: dt.datetime, step: dt.timedelta, ticks: int) -> dict[str, Any]:
    counts = [0] * ticks
    for hour, n in source["counts"].items():
        place = int((dt.datetime.fromisoformat(hour) - start) / step)
        if 0 <= place < ticks:
            counts[place] += n
    ids = source["evidence"]
    return {
        "evidence_id": ids[0] if len(ids) == 1 else f"{ids[0]}–{ids[-1]}",
        "name": source["name"],
        "table": source["table"],
        "counts": counts,
    }


def _answerable(question: Asked, facts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A question is answerable when one of the columns it can work with carries values."""
    usable = [(t, c) for t, c in question.needs if facts[t]["events"] and facts[t]["fields"].get(c, 1.0) > 0]
    if usable:
        parts = [f"{facts[t]['events']:,} records of {t}" for t in dict.fromkeys(t for t, _ in usable)]
        reason = "looked at " + ", ".join(parts)
    else:
        reason = "no record carries " + " or ".join(f"{t}.{c}" for t, c in question.needs)
    return {
        "id": question.id,
        "hypothesis": question.hypothesis,
        "title": question.title,
        "answerable": bool(usable),
        "reason": reason,
        "needs": [f"{t}.{c}" for t, c in question.needs],
    }


__all__ = ["Asked", "BlindSpot", "coverage"]
