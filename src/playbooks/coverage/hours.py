"""Records per stream and hour, and the span that is looked at: counted by the engine, small when they leave it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from playbooks.case import Case
from playbooks.coverage.sources import Stream

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
STRAY_DAYS = 550  # without a window: an odd clock further from the middle record than this widens no picture
LONGEST_DAYS = 1_100  # three years; of a longer span the end is looked at


@dataclass(frozen=True)
class Looked:
    """The span that is looked at: hour numbers since 1970, start included, end excluded. `stated`: by the case."""

    start: int
    end: int
    stated: bool

    @property
    def hours(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Counted:
    """Per stream and hour with records: events and minutes with events; per stream, the events without a stamp."""

    stream: np.ndarray[Any, np.dtype[np.int64]]
    hour: np.ndarray[Any, np.dtype[np.int64]]
    events: np.ndarray[Any, np.dtype[np.int64]]
    minutes: np.ndarray[Any, np.dtype[np.int64]]
    timeless: dict[int, int]

    def of(self, stream: Stream) -> tuple[Any, Any, Any]:
        """Hours, events and minutes of one stream, in order of time."""
        mine = slice(*np.searchsorted(self.stream, [stream.number, stream.number + 1]))
        return self.hour[mine], self.events[mine], self.minutes[mine]


def per_minute(stamps: ir.Table) -> ir.Table:
    """Events per stream and minute with their first and last second (`minute, events, first, last`)."""
    found = stamps.group_by("stream", minute=stamps.second // MINUTE_S).aggregate(
        events=stamps.count(), first=stamps.second.min(), last=stamps.second.max()
    )
    kept: ir.Table = found.cache()
    return kept


def per_hour(minutes: ir.Table, streams: list[Stream]) -> Counted:
    """Events per stream and hour; streams and hours in order."""
    grouped = minutes.group_by("stream", hour=minutes.minute * MINUTE_S // HOUR_S)
    rows = grouped.aggregate(events=minutes.events.sum(), minutes=minutes.count()).order_by("stream", "hour")
    found = {name: column.to_numpy().astype("int64") for name, column in _columns(rows.execute()).items()}
    counted = Counted(found["stream"], found["hour"], found["events"], found["minutes"], {})
    counted.timeless.update({stream.number: _timeless(stream, counted) for stream in streams})
    return counted


def _timeless(stream: Stream, counted: Counted) -> int:
    """Rows of a stream without a stamp: they were read, and no table holds them."""
    undated = sum(member.undated for member in stream.source.members)
    rows = sum(member.tables.get(stream.table, 0) for member in stream.source.members)
    return min(undated, max(rows - int(counted.of(stream)[1].sum()), 0))


def _columns(frame: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    return {name: frame[name] for name in ("stream", "hour", "events", "minutes")}


def looked_at(case: Case, counted: Counted) -> Looked | None:
    """Window and baseline of the case; without a window the records around the middle one. Null without records."""
    window, baseline = case.config.window, case.config.baseline
    if window is not None:
        spans = [window, *([baseline] if baseline else [])]
        start = min(hour_of(span.start) for span in spans)
        end = max(hour_after(span.end) for span in spans)
        return Looked(max(start, end - LONGEST_DAYS * 24), end, stated=True)
    if not len(counted.hour):
        return None
    order = np.argsort(counted.hour, kind="stable")
    hours, weights = counted.hour[order], np.cumsum(counted.events[order])
    middle = hours[np.searchsorted(weights, weights[-1] / 2)]
    near = hours[np.abs(hours - middle) < STRAY_DAYS * 24]
    return Looked(int(near[0]), int(near[-1]) + 1, stated=False)


def hour_of(moment: dt.datetime) -> int:
    """Number of the hour that holds a moment."""
    return int((moment - EPOCH).total_seconds() // HOUR_S)


def hour_after(moment: dt.datetime) -> int:
    """Number of the first hour that lies wholly behind a moment (itself, on the hour)."""
    return -int(-(moment - EPOCH).total_seconds() // HOUR_S)


def iso(second: float) -> str:
    """A second since 1970 as ISO text."""
    return (EPOCH + dt.timedelta(seconds=int(second))).isoformat()


def words(second: float) -> str:
    """A second since 1970 for a sentence."""
    return (EPOCH + dt.timedelta(seconds=int(second))).strftime("%Y-%m-%d %H:%M:%S UTC")


def long(seconds: float) -> str:
    """A length of time for a sentence: `45 s`, `19 min`, `5 h 30 min`, `2 d 4 h`."""
    whole = round(seconds)
    if whole < 2 * MINUTE_S:
        return f"{whole} s"
    if whole < 2 * HOUR_S:
        return f"{round(whole / MINUTE_S)} min"
    parts = (DAY_S, "d", HOUR_S, "h") if whole >= 2 * DAY_S else (HOUR_S, "h", MINUTE_S, "min")
    large, name, small, other = parts
    first, rest = divmod(whole, large)
    second = int(rest // small)
    return f"{first} {name}" + (f" {second} {other}" if second else "")
