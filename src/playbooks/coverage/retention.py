"""Retention: how far back each source goes, against the window, the baseline and what its owner states.

A log that begins exactly where the window begins was cut by whoever exported it; one that is exactly thirty days long
was cut by its retention. What was stated and is not there is said with the record that is the oldest.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.case_file import Retained
from playbooks.coverage.edges import Moment, refs_at
from playbooks.coverage.hours import DAY_S, EPOCH, HOUR_S, iso, long, words
from playbooks.coverage.sources import Stream

if TYPE_CHECKING:
    import ibis.expr.types as ir

CUT_WITHIN_S = 120  # of the window's start: an export with that filter
USUAL_RETENTIONS_DAYS = (1, 3, 7, 14, 30, 60, 90, 180, 365)
ROUND_WITHIN_S = 2 * HOUR_S
STRAY_YEARS = 3  # records further before the newest are an odd clock, not retention
COVERED, CUT, LATE, EMPTY = "covered", "cut", "late", "empty"
UNKNOWN = (
    "oldest", "oldest_ref", "newest", "observed_days", "window", "baseline", "expires", "table", "late_s", "early_s",
)  # fmt: skip
NO_NIGHT_S = DAY_S  # an edge without records for a day is no night


@dataclass(frozen=True)
class Reach:
    """Oldest and newest record of a stream, seconds since 1970; strays of an odd clock left out."""

    stream: Stream
    oldest: int
    newest: int

    @property
    def seconds(self) -> int:
        return self.newest - self.oldest


def retention(case: Case, streams: list[Stream], minutes: ir.Table, stamps: ir.Table) -> list[dict[str, Any]]:
    """How far back every stream goes, and every statement of `retention:` in case.yaml.

    Returns
    -------
    list of dict
        `source, name, format, table, oldest, oldest_ref, newest, observed_days, window` (covered: records before it;
        cut: begins where it begins; late: begins inside; empty: ends before, begins after; null without a window),
        `baseline` (the same), `late_s, early_s` (a day or more of the window before its first, after its last record),
        `stated_days, stated_by, expires` (day on which the first record of the window is
        deleted at the source), `short` (stated more than is there, and the window needs it), `alarm` (needed longer
        than it is kept), `sentence`.
    """
    reaches = {reach.stream.number: reach for reach in _reaches(streams, minutes)}
    refs = refs_at(stamps, [(number, reach.oldest) for number, reach in reaches.items()])
    rows = [_row(case, reaches[stream.number], refs) for stream in streams if stream.number in reaches]
    return rows + [_unmatched(stated) for stated in case.config.retention if not _matches(stated, streams)]


def _reaches(streams: list[Stream], minutes: ir.Table) -> list[Reach]:
    import ibis

    newest = minutes.group_by("stream").aggregate(newest=minutes["last"].max())
    joined = minutes.inner_join(newest, "stream")
    near = joined.filter(joined["first"] > joined.newest - STRAY_YEARS * 365 * DAY_S)
    found = near.group_by("stream").aggregate(oldest=near["first"].min(), newest=ibis._.newest.max())
    rows = {row["stream"]: row for row in found.to_pyarrow().to_pylist()}
    known = (stream for stream in streams if stream.number in rows)
    return [Reach(one, rows[one.number]["oldest"], rows[one.number]["newest"]) for one in known]


def _names(stream: Stream) -> tuple[str, ...]:
    source = stream.source
    items = [name for one in source.members for name in (one.evidence_id, one.name, one.name.partition("-")[2])]
    return (source.name, source.format, stream.table, *items)


def _matches(stated: Retained, streams: list[Stream]) -> bool:
    return any(stated.covers(*_names(stream)) for stream in streams)


def _row(case: Case, reach: Reach, refs: dict[Moment, tuple[str, str]]) -> dict[str, Any]:
    stream, config = reach.stream, case.config
    stated = next((one for one in config.retention if one.covers(*_names(stream))), None)
    begins = [_begins(reach, span.start, span.end) if span else None for span in (config.window, config.baseline)]
    needed = min((span.start for span in (config.window, config.baseline) if span), default=None)
    short = bool(stated and needed and _is_short(reach, stated, needed))
    expires = _expires(config.window.start if config.window else None, stated)
    alarm = bool(stated and expires and stated.needed_until and stated.needed_until >= expires)
    ref = refs.get((stream.number, reach.oldest), (None, None))[0]
    found = {
        "source": stream.source.label,
        "name": stream.name,
        "format": stream.source.format,
        "table": stream.table,
        "oldest": iso(reach.oldest),
        "oldest_ref": ref,
        "newest": iso(reach.newest),
        "observed_days": round(reach.seconds / DAY_S, 1),
        "window": begins[0],
        "baseline": begins[1],
        "stated_days": stated.days if stated else None,
        "stated_by": stated.owner if stated else None,
        "expires": expires.isoformat() if expires else None,
        "late_s": _edge(case, reach, begins[0], late=True),
        "early_s": _edge(case, reach, begins[0], late=False),
        "short": short,
        "alarm": alarm,
    }
    return {**found, "sentence": _sentence(case, reach, found, stated)}


def _begins(reach: Reach, start: dt.datetime, end: dt.datetime) -> str:
    first, last = ((moment - EPOCH).total_seconds() for moment in (start, end))
    if reach.newest < first or reach.oldest >= last:
        return EMPTY
    if 0 <= reach.oldest - first <= CUT_WITHIN_S:
        return CUT
    return COVERED if reach.oldest < first else LATE


def _edge(case: Case, reach: Reach, window: str | None, late: bool) -> int | None:
    """Seconds of the window before the first or after the last record, from a day on; else null."""
    span = case.config.window
    if span is None or window == EMPTY:
        return None
    start, end = ((moment - EPOCH).total_seconds() for moment in (span.start, span.end))
    seconds = int(reach.oldest - start if late else end - reach.newest)
    return seconds if seconds >= NO_NIGHT_S else None


def _is_short(reach: Reach, stated: Retained, needed: dt.datetime) -> bool:
    promised = reach.newest - stated.days * DAY_S
    wanted = max(promised, int((needed - EPOCH).total_seconds()))
    return reach.oldest > wanted + DAY_S


def _expires(start: dt.datetime | None, stated: Retained | None) -> dt.date | None:
    return (start + dt.timedelta(days=stated.days)).astimezone(dt.UTC).date() if start and stated else None


def _sentence(case: Case, reach: Reach, found: dict[str, Any], stated: Retained | None) -> str:
    parts = [f"{reach.stream.says} goes back to {words(reach.oldest)} ({found['oldest_ref']})."]
    spans = (("window", case.config.window), ("baseline", case.config.baseline))
    for name, span in spans:
        if span and found[name] == LATE:
            after = reach.oldest - (span.start - EPOCH).total_seconds()
            parts.append(f"That is {long(after)} after the {name} begins.")
        if found[name] == EMPTY:
            parts.append(f"It has no record in the {name}.")
        if found[name] == CUT:
            parts.append(
                f"It begins exactly where the {name} begins: the export was cut there, ask for what lies before."
            )
    if found["early_s"]:
        parts.append(f"It ends at {words(reach.newest)}, {long(found['early_s'])} before the window does.")
    if round_days := _round_days(reach):
        parts.append(f"It is as long as a retention of {round_days} days.")
    if stated and found["short"]:
        parts.append(f"{stated.owner} states {stated.days} days; {found['observed_days']:g} are there.")
    if stated and found["expires"]:
        parts.append(f"The first records of the window are deleted at the source on {found['expires']}.")
    if stated and found["alarm"]:
        parts.append(f"They are needed until {stated.needed_until}: export or hold them before.")
    return " ".join(parts)


def _round_days(reach: Reach) -> int | None:
    return next((d for d in USUAL_RETENTIONS_DAYS if d > 1 and abs(reach.seconds - d * DAY_S) <= ROUND_WITHIN_S), None)


def _unmatched(stated: Retained) -> dict[str, Any]:
    empty = dict.fromkeys(UNKNOWN)
    said = f"{stated.owner} states {stated.days} days for {stated.source!r}; no source in evidence goes by that name."
    named = {"source": stated.source, "name": stated.source, "format": None, "short": False, "alarm": False}
    return {**named, **empty, "stated_days": stated.days, "stated_by": stated.owner, "sentence": said}
