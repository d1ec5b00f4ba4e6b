"""Which questions the evidence can answer: columns with values, and records in the window."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

from playbooks import schema
from playbooks.case import Case
from playbooks.engine import Tables


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


def table_facts(case: Case, tables: Tables, name: str) -> dict[str, Any]:
    """Events, those in the window, span, and share of records with a value per column."""
    import ibis

    table, window = tables[name], case.config.window
    columns = [c.name for c in schema.TABLES[name].columns if c not in schema.RECORD]
    inside = ibis.literal(True)
    if window is not None:
        start, end = (
            ibis.literal(edge.astimezone(dt.UTC), type="timestamp('UTC')") for edge in (window.start, window.end)
        )
        inside = ((table.time >= start) & (table.time < end)).fill_null(False)
    counted = table.aggregate(
        events=table.count(),
        in_window=table.count(where=inside),
        first=table.time.min(),
        last=table.time.max(),
        **{c: table[c].count() for c in columns},
    )
    row = counted.to_pyarrow().to_pylist()[0]
    events, in_window = row.pop("events"), row.pop("in_window")
    first, last = (_iso(row.pop(edge)) for edge in ("first", "last"))
    fields = {c: round(row[c] / events, 4) for c in columns} if events else {}
    return {
        "events": events,
        "in_window": in_window,
        "first": first,
        "last": last,
        "fields": fields,
    }


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def answerable(question: Asked, facts: dict[str, dict[str, Any]], has_window: bool) -> dict[str, Any]:
    """A question is answerable when one of the columns it can work with carries values, and its table the window."""
    filled = [(t, c) for t, c in question.needs if facts[t]["events"] and facts[t]["fields"].get(c, 1.0) > 0]
    usable = [(t, c) for t, c in filled if facts[t]["in_window"] or not has_window]
    if usable:
        parts = [f"{facts[t]['events']:,} records of {t}" for t in dict.fromkeys(t for t, _ in usable)]
        reason = "looked at " + ", ".join(parts)
    elif filled:
        names = dict.fromkeys(t for t, _ in filled)
        spans = [
            f"{t} ({facts[t]['events']:,} from {_day(facts[t]['first'])} to {_day(facts[t]['last'])})" for t in names
        ]
        reason = f"no record lies in the window, only outside it: {', '.join(spans)}"
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


def _day(moment: str | None) -> str:
    return moment[:10] if moment else "no time"
