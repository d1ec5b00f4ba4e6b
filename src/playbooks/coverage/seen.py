"""What was seen when: streams with their hours, rhythms and gaps, put together for `coverage.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.case_file import Window
from playbooks.coverage.edges import refs_at
from playbooks.coverage.gaps import TOO_FEW, Gap, Rhythm, as_json, rhythms
from playbooks.coverage.hours import (
    HOUR_S,
    Counted,
    Looked,
    hour_after,
    hour_of,
    iso,
    looked_at,
    per_hour,
    per_minute,
)
from playbooks.coverage.matrix import hours_present, quiet_runs
from playbooks.coverage.sources import Source, Stream, sources_of, stamped, streams_of
from playbooks.engine import Tables
from playbooks.normalise import Reading

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_QUIET_RUNS = 50  # of one source that are listed, the longest


@dataclass(frozen=True)
class Seen:
    """Sources and streams of a case, counted: everything that needs a pass over all records."""

    case: Case
    sources: list[Source]
    streams: list[Stream]
    stamps: ir.Table
    minutes: ir.Table
    counted: Counted
    looked: Looked | None
    rhythms: list[Rhythm]

    @property
    def asked(self) -> tuple[int, int]:
        """Hours asked about: the window, else the span that is looked at."""
        window = self.case.config.window
        if window:
            return hour_of(window.start), hour_after(window.end)
        return (self.looked.start, self.looked.end) if self.looked else (0, 0)

    def gaps(self) -> list[dict[str, Any]]:
        """Every gap in window or baseline, with the records at its edges and whoever goes on meanwhile."""
        told = [(gap, rhythm) for rhythm in self.rhythms for gap in rhythm.gaps if self._place(gap)]
        moments = [(gap.stream.number, second) for gap, _ in told for second in (gap.start, gap.end)]
        refs = refs_at(self.stamps, moments)
        rows = []
        for gap, rhythm in told:
            before = refs.get((gap.stream.number, gap.start), (None, None))[1] if gap.edge != "start" else None
            after = refs.get((gap.stream.number, gap.end), (None, None))[0] if gap.edge != "end" else None
            more = {"in": self._place(gap), "others": self._others(gap)}
            rows.append(as_json(gap, rhythm, (before, after)) | more)
        return sorted(rows, key=lambda row: (row["from"], row["source"], row["table"]))

    def _place(self, gap: Gap) -> str:
        """window, baseline or both; empty where nobody asks."""
        config = self.case.config
        if config.window is None:
            return "window"
        spans = (("window", config.window), ("baseline", config.baseline))
        return " and ".join(name for name, span in spans if span and _meets(gap, span))

    def _others(self, gap: Gap) -> list[str]:
        """Sources of the same format and table with records in the hours of a gap."""
        first, last = gap.start // HOUR_S, -(-gap.end // HOUR_S)
        found = []
        for stream in self.streams:
            same = (stream.source.format, stream.table) == (gap.stream.source.format, gap.stream.table)
            if same and stream is not gap.stream:
                hours = self.counted.of(stream)[0]
                if ((hours >= first) & (hours < last)).any():
                    found.append(stream.source.label)
        return found

    def add_silence(self, facts: dict[str, dict[str, Any]]) -> None:
        """Per table, the share of the window in which every source of it is silent against its rhythm."""
        start, end = self.asked
        for name, fact in facts.items():
            mine = [rhythm for rhythm in self.rhythms if rhythm.stream.table == name]
            silent = [set().union(*(_hours_within(gap) for gap in one.gaps)) for one in mine] or [set()]
            hours = set.intersection(*silent) & set(range(start, end))
            fact["timeless"] = sum(self.counted.timeless[one.stream.number] for one in mine)
            fact["silent_share"] = round(len(hours) / (end - start), 4) if end > start else 0.0

    def stream_rows(self) -> list[dict[str, Any]]:
        """One row per source and table: hours, rhythm, quiet."""
        start, end = self.asked
        stated = self.case.config.window is not None
        rows = []
        for stream, rhythm in zip(self.streams, self.rhythms, strict=True):
            hours, events, _ = self.counted.of(stream)
            inside = (hours >= start) & (hours < end)
            timeless = self.counted.timeless.get(stream.number, 0)
            rows.append(
                {
                    "source": stream.source.label,
                    "name": stream.name,
                    "format": stream.source.format,
                    "table": stream.table,
                    "events": int(events.sum()) + timeless,
                    "events_in_window_hours": int(events[inside].sum()),
                    "timeless": timeless,
                    "first": iso(hours[0] * HOUR_S) if len(hours) else None,
                    "last": iso((hours[-1] + 1) * HOUR_S) if len(hours) else None,
                    "quiet_hours": int(end - start - inside.sum()),
                    "quiet_in_window": stated and not inside.any(),
                    "in_doubt": bool(stated and inside.any() and end - start > inside.sum() and rhythm.told == TOO_FEW),
                    "usual_gap_s": rhythm.usual_s,
                    "p99_gap_s": rhythm.p99_s,
                    "tells_gaps": rhythm.told != TOO_FEW,
                    "rhythm": rhythm.told,
                    "gaps": len([gap for gap in rhythm.gaps if self._place(gap)]),
                }
            )
        return rows

    def source_rows(self) -> list[dict[str, Any]]:
        """One row per source: its items, counts, and runs of whole hours without any record."""
        start, end = self.asked
        return [self._source(source, start, end) for source in self.sources]

    def _source(self, source: Source, start: int, end: int) -> dict[str, Any]:
        mine = [stream for stream in self.streams if stream.source is source]
        span = Looked(start, end, stated=self.case.config.window is not None)
        present = hours_present(mine, self.counted, span)
        quiet = quiet_runs(present, start, end) if mine else []
        unread = sum(member.unread for member in source.members)
        records = sum(member.records - member.blank for member in source.members)
        return {
            "name": source.name,
            "format": source.format,
            "table": ", ".join(source.tables) or None,
            "tables": source.tables,
            "evidence": source.evidence,
            "records": records,
            "events": sum(member.events for member in source.members),
            "unread": unread,
            "unread_share": round(unread / records, 4) if records else 0.0,
            "first": min((m.first for m in source.members if m.first), default=None),
            "last": max((m.last for m in source.members if m.last), default=None),
            "hours": end - start if mine else 0,
            "hours_with_records": len(present),
            "quiet": _longest(quiet),
            "quiet_total": len(quiet),
        }


def look(case: Case, readings: list[Reading], tables: Tables) -> Seen:
    """Count everything once."""
    sources = sources_of(readings)
    streams = streams_of(sources)
    stamps = stamped(tables, sources)
    minutes = per_minute(stamps)
    counted = per_hour(minutes, streams)
    looked = looked_at(case, counted)
    return Seen(case, sources, streams, stamps, minutes, counted, looked, rhythms(streams, minutes, counted, looked))


def _longest(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The longest runs, in order of time."""
    chosen = sorted(runs, key=lambda run: (-run["hours"], run["from"]))[:MOST_QUIET_RUNS]
    return sorted(chosen, key=lambda run: str(run["from"]))


def _meets(gap: Gap, span: Window) -> bool:
    return gap.start < span.end.timestamp() and gap.end > span.start.timestamp()


def _hours_within(gap: Gap) -> set[int]:
    """Whole hours that lie inside a gap; both ends of an edge are whole hours already."""
    return set(range(-(-gap.start // HOUR_S), gap.end // HOUR_S))
