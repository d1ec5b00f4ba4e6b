"""Clock skew: by how much the stamps of two sources differ that saw the same connections.

The offset is the peak of all differences. Where they lie flat, have two peaks or come from too few connections,
nothing is said of these two sources. A whole number of half hours is a zone; anything else is a clock that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from playbooks.coverage.hours import Counted, long
from playbooks.coverage.same_connection import LARGEST_S, Differences, Whole, differences, sightings
from playbooks.coverage.sources import Source, Stream
from playbooks.engine import Tables
from playbooks.formats import FORMATS, Clock

MOST_STREAMS = 12  # those with most records are compared
MATCHES_TO_TELL = 12  # fewer agree by chance
SHARE_TO_TELL = 0.2  # of the records that could match, so many must agree on the offset
ABOVE_CHANCE = 4.0  # times what lies around the peak
AROUND_S = 1800
SECOND_PEAK = 0.5  # of the first: two answers are none (a rhythm compared with itself)
NEAR_S = 2  # a peak is so wide to both sides
SHOULDER_S = 10  # differences so near to the peak belong to it
SPREAD_S = 60  # how far from the peak its spread is measured
WIDE_S = 6  # middle half of a peak that is too wide to speak of seconds: records of whole minutes
AGREES_S = 3  # name resolution, handshakes and whole seconds explain so much
HALF_HOUR_S, ZONE_SLACK_S = 1800, 120  # a clock may be off beside its zone
ODD_ZONES_S = (20_700, 31_500, 45_900)  # Nepal, Eucla, Chatham: quarters of an hour
SHOWN = 3
WITH_CLIENTS = ("dns_activity", "http_activity", "network_activity")
AGREE, ZONE, DRIFT = "agree", "zone", "drift"


@dataclass(frozen=True)
class Peak:
    """What the differences of two streams agree on: seconds, records that match, of how many, middle half, examples."""

    offset: int
    matches: int
    of: int
    spread: int
    examples: tuple[tuple[int, int, int], ...]  # key, stamps of both

    @property
    def state(self) -> str:
        size = abs(self.offset)
        near = min(abs(size - zone) for zone in (round(size / HALF_HOUR_S) * HALF_HOUR_S, *ODD_ZONES_S))
        if size >= HALF_HOUR_S - ZONE_SLACK_S and near <= ZONE_SLACK_S:
            return ZONE
        return AGREE if size <= AGREES_S else DRIFT

    @property
    def zone(self) -> int:
        """The offset without what the clock is off beside it."""
        zones = (round(abs(self.offset) / HALF_HOUR_S) * HALF_HOUR_S, *ODD_ZONES_S)
        return int(np.sign(self.offset)) * min(zones, key=lambda zone: abs(abs(self.offset) - zone))


def clock_skew(tables: Tables, sources: list[Source], streams: list[Stream], counted: Counted) -> list[dict[str, Any]]:
    """Every two sources that saw the same connections, with their offset, the largest first.

    Returns
    -------
    list of dict
        `first, second` (labels of the sources), `tables, formats`, `state` (agree, zone, drift), `offset_s` (second
        minus first), `spread_s`, `matches, of`, `wrong` (label of the source whose clock it is; null where nobody
        can tell), `sentence`, `examples` (pairs of references). Pairs of which nothing can be said are left out.
    """
    asked = sorted((s for s in streams if s.table in WITH_CLIENTS), key=lambda s: (-counted.of(s)[1].sum(), s.number))
    compared = {stream.number: stream for stream in asked[:MOST_STREAMS]}
    if len({stream.source.number for stream in compared.values()}) < 2:
        return []
    records = sum(int(counted.of(stream)[1].sum()) for stream in compared.values())
    seen = sightings(tables, sources, records)
    seen = seen.filter(seen.stream.isin(list(compared))).cache()
    peaks = {
        (one, two): peak
        for (one, two), found in differences(seen).items()
        if compared[one].source is not compared[two].source and (peak := peak_of(found))
    }
    refs = _refs(seen, peaks)
    wrong = _wrong({(compared[one], compared[two]): peak.state for (one, two), peak in peaks.items()})
    rows = [_row(compared[one], compared[two], peak, wrong, refs) for (one, two), peak in peaks.items()]
    return sorted(rows, key=lambda row: (-abs(row["offset_s"]), row["first"], row["second"], row["tables"]))


def peak_of(found: Differences) -> Peak | None:
    """What most differences agree on; null where nothing can be said."""
    peaks = [_peak(found, found.of(begun)) for begun in (False, True)]
    told = [peak for peak in peaks if peak]
    return max(told, key=lambda peak: peak.matches, default=None)


def _peak(found: Differences, offsets: Whole) -> Peak | None:
    counts = np.bincount(offsets + 2 * LARGEST_S, minlength=4 * LARGEST_S + 1)  # a duration may shift it further
    near = np.convolve(counts, np.ones(2 * NEAR_S + 1, dtype="int64"), "same")
    top = int(near.argmax())
    offset = top - 2 * LARGEST_S
    hit = np.abs(offsets - offset) <= NEAR_S
    ones, twos = (_distinct(found.key, side) for side in (found.one, found.two))
    matches = _distinct(found.key[hit], found.one[hit])
    if matches < MATCHES_TO_TELL or matches < SHARE_TO_TELL * min(ones, twos):
        return None
    elsewhere = near.copy()
    elsewhere[max(top - SHOULDER_S, 0) : top + SHOULDER_S + 1] = 0
    around = elsewhere[max(top - AROUND_S, 0) : top + AROUND_S]
    if near[top] < ABOVE_CHANCE * around.mean() or elsewhere.max() > SECOND_PEAK * near[top]:
        return None
    close = np.sort(offsets[np.abs(offsets - offset) <= SPREAD_S])
    low, high = (int(close[int(len(close) * part)]) for part in (0.25, 0.75))
    if high - low > WIDE_S:
        return None
    exact = int(np.median(offsets[hit]))
    at = np.flatnonzero(hit & (offsets == exact))
    examples = tuple(
        (int(found.key[i]), int(found.one[i]), int(found.two[i])) for i in at[:: max(len(at) // SHOWN, 1)][:SHOWN]
    )
    return Peak(exact, matches, min(ones, twos), high - low, examples)


def _distinct(keys: Whole, seconds: Whole) -> int:
    """How many records: a key and a second, each once."""
    pairs = pa.table({"key": keys, "second": seconds})
    return int(pairs.group_by(["key", "second"], use_threads=False).aggregate([]).num_rows)


def _wrong(states: dict[tuple[Stream, Stream], str]) -> set[int]:
    """Numbers of the sources that disagree with others which agree among themselves, or whose stamps had no zone."""
    agrees = {source for (one, two), state in states.items() if state == AGREE for source in _numbers(one, two)}
    found = set()
    for (one, two), state in states.items():
        if state == AGREE:
            continue
        lonely = [s.source.number for s in (one, two) if s.source.number not in agrees]
        asked = [s.source.number for s in (one, two) if _needs_zone(s.source.format)]
        suspects = lonely if len(lonely) == 1 else asked if state == ZONE and len(asked) == 1 else []
        found.update(suspects)
    return found


def _numbers(*streams: Stream) -> tuple[int, ...]:
    return tuple(stream.source.number for stream in streams)


def _needs_zone(name: str) -> bool:
    return any(form.name == name and form.clock is Clock.ASK for form in FORMATS)


Example = tuple[int, int, int]  # stream, key, second


def _refs(seen: Any, peaks: dict[tuple[int, int], Peak]) -> dict[Example, str]:
    """The first record of each stamp that an example names."""
    import ibis

    wanted = sorted(
        {
            (stream, key, second)
            for (one, two), peak in peaks.items()
            for key, first, last in peak.examples
            for stream, second in ((one, first), (two, last))
        }
    )
    shape = pa.schema([(name, pa.int64()) for name in ("stream", "key", "second")])
    columns = [list(column) for column in zip(*wanted, strict=True)] or [[], [], []]
    named = ibis.memtable(pa.table(columns, schema=shape))
    rows = seen.semi_join(named, ["stream", "key", "second"]).order_by("evidence_id", "record_no")
    found: dict[Example, str] = {}
    for row in rows.to_pyarrow().to_pylist():
        found.setdefault((row["stream"], row["key"], row["second"]), f"{row['evidence_id']}:{row['record_no']}")
    return found


def _row(one: Stream, two: Stream, peak: Peak, wrong: set[int], refs: dict[Example, str]) -> dict[str, Any]:
    blamed = [stream for stream in (one, two) if stream.source.number in wrong]
    suspect = blamed[0] if len(blamed) == 1 and peak.state != AGREE else None
    return {
        "first": one.source.label,
        "second": two.source.label,
        "tables": [one.table, two.table],
        "formats": [one.source.format, two.source.format],
        "state": peak.state,
        "offset_s": peak.offset,
        "spread_s": peak.spread,
        "matches": peak.matches,
        "of": peak.of,
        "wrong": suspect.source.label if suspect else None,
        "sentence": _sentence(one, two, peak, suspect),
        "examples": [[refs[one.number, key, first], refs[two.number, key, last]] for key, first, last in peak.examples],
    }


def _sentence(one: Stream, two: Stream, peak: Peak, suspect: Stream | None) -> str:
    found = f"{peak.matches:,} of {peak.of:,} connections that both saw (middle half within {peak.spread} s)"
    if peak.state == AGREE:
        return f"{one.says} and {two.says} agree within {AGREES_S} s in {found}."
    ahead, behind = (two, one) if peak.offset > 0 else (one, two)
    said = f"{ahead.says} is {long(abs(peak.offset))} ahead of {behind.says} in {found}. "
    if peak.state == DRIFT:
        who = f"It is {suspect.source.label} that differs from the others. " if suspect else ""
        return f"{said}{who}No zone differs by that: a clock is wrong, or one of them writes later."
    zone = abs(peak.zone)
    if suspect is None:
        either = f"{ahead.source.label} is in UTC+{_hours(zone)} or {behind.source.label} in UTC-{_hours(zone)}"
    else:
        either = f"{suspect.source.label} is in UTC{'+' if suspect is ahead else '-'}{_hours(zone)}"
    return (
        f"{said}It looks as if {either}, and its stamps were read as UTC. Ask its owner for the zone; state it as "
        "`clock:` in case.yaml where the stamps carry none, else export again in UTC."
    )


def _hours(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}" if rest else f"{hours}"
