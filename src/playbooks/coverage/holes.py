"""Blind spots in time: silences, sources that end or begin inside the window, clocks that differ, records without time.

Each says which records stand at its edges, and what nobody may conclude from the silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from playbooks.coverage.blind_spot import BlindSpot
from playbooks.coverage.clock_skew import AGREE, ZONE
from playbooks.coverage.hours import long

SHOWN = 3
OUTWARD = ("egress_rhythm", "known_indicators")
OF_TABLE = {
    "dns_activity": OUTWARD,
    "http_activity": OUTWARD,
    "network_activity": OUTWARD,
    "api_activity": ("function_changes", "public_exposure", "logging_tampered", "function_runs"),
}
ASK = "Ask the owner of the source whether it was silent or not recording, and look for its own restart messages."


def holes(
    gaps: list[dict[str, Any]],
    streams: list[dict[str, Any]],
    skew: list[dict[str, Any]],
    reach: list[dict[str, Any]],
) -> Iterator[BlindSpot]:
    """The blind spots of a case that lie in time.

    Parameters
    ----------
    gaps, streams, skew, reach
        `gaps`, `streams`, `clock_skew` and `retention` of `coverage.json`.
    """
    quiet = {(one["source"], one["table"]) for one in streams if one["quiet_in_window"]}
    told = [gap for gap in gaps if not (gap["edge"] and gap["others"])]
    window = [gap for gap in told if gap["in"] != "baseline" and (gap["source"], gap["table"]) not in quiet]
    yield from _gaps(window)
    yield from _ends(reach, {(gap["source"], gap["table"], gap["edge"]) for gap in window})
    yield from _baseline([gap for gap in told if gap["in"] == "baseline"])
    yield from _quiet(streams)
    yield from _too_few(streams)
    yield from _clocks(skew)
    yield from _retention(reach)
    yield from _timeless(streams)


def _gaps(gaps: list[dict[str, Any]]) -> Iterator[BlindSpot]:
    for form in dict.fromkeys(gap["format"] for gap in gaps):
        mine = [gap for gap in gaps if gap["format"] == form]
        longest = max(mine, key=lambda gap: (gap["seconds"], gap["from"]))
        tables = dict.fromkeys(gap["table"] for gap in mine)
        yield BlindSpot(
            f"gap-{form}",
            f"{_silences(mine)} of {form} that its own rhythm does not explain",
            "that nothing happened in this time in what this log sees",
            longest["sentence"] + _edges(longest) + (f" {len(mine) - 1:,} more." if len(mine) > 1 else ""),
            ASK,
            tuple(dict.fromkeys(question for table in tables for question in OF_TABLE.get(table, ()))),
        )


def _silences(gaps: list[dict[str, Any]]) -> str:
    total = long(sum(gap["seconds"] for gap in gaps))
    return f"a silence of {total}" if len(gaps) == 1 else f"{len(gaps):,} silences, together {total},"


def _edges(gap: Mapping[str, Any]) -> str:
    refs = [f"{word} {gap[side]}" for word, side in (("before it", "before"), ("after it", "after")) if gap[side]]
    return f" Records: {', '.join(refs)}." if refs else ""


def _baseline(gaps: list[dict[str, Any]]) -> Iterator[BlindSpot]:
    if gaps:
        longest = max(gaps, key=lambda gap: (gap["seconds"], gap["from"]))
        names = ", ".join(sorted({f"{gap['source']} ({gap['format']})" for gap in gaps})[:10])
        yield BlindSpot(
            "gap-in-baseline",
            f"records of the baseline: silences or a late start of {names}",
            "that something is new because the baseline does not hold it, where the baseline is silent",
            longest["sentence"] + _edges(longest),
            "Export the same sources over the whole baseline, or state a baseline that they cover.",
        )


def _ends(reach: list[dict[str, Any]], told: set[tuple[str, str, str]]) -> Iterator[BlindSpot]:
    """Kinds of log whose sources all begin after, or all end before, a day or more of the window."""
    for side, edge, word in (("late_s", "start", "begins"), ("early_s", "end", "ends")):
        for form, table in dict.fromkeys((row["format"], row["table"]) for row in reach if row[side]):
            mine = [row for row in reach if (row["format"], row["table"]) == (form, table)]
            if all(row[side] for row in mine) and not any((row["source"], table, edge) in told for row in mine):
                least = min(mine, key=lambda row: row[side])
                yield BlindSpot(
                    f"{word}-{form}-{table}",
                    f"{long(least[side])} of the window, in which no log of {form} has a record: it {word} inside",
                    "that nothing happened in this part of the window in what this log sees",
                    least["sentence"],
                    "Export the source for the whole window.",
                    OF_TABLE.get(table, ()),
                )


def _quiet(streams: list[dict[str, Any]]) -> Iterator[BlindSpot]:
    """Kinds of log of which no source has a record in the window."""
    kinds = dict.fromkeys((one["format"], one["table"]) for one in streams)
    for form, table in kinds:
        mine = [one for one in streams if (one["format"], one["table"]) == (form, table)]
        if all(one["quiet_in_window"] for one in mine):
            edges = f"{mine[0]['first'] or 'no time'} to {mine[0]['last'] or 'no time'}"
            yield BlindSpot(
                f"quiet-{form}-{table}",
                f"any record of {form} in the window",
                "anything about the window from this log",
                f"0 records in the window; {mine[0]['source']} holds {mine[0]['events']:,} from {edges}",
                "Export this source for the window.",
                OF_TABLE.get(table, ()),
            )


def _too_few(streams: list[dict[str, Any]]) -> Iterator[BlindSpot]:
    found = [one for one in streams if one["in_doubt"]]
    if found:
        listed = [f"{one['source']} ({one['format']}, {counted(one['quiet_hours'])})" for one in found[:10]]
        more = f" and {len(found) - 10:,} more" if len(found) > 10 else ""
        yield BlindSpot(
            "too-few-to-tell-gaps",
            f"a rhythm to tell a gap from quiet: {', '.join(listed)}{more}",
            "that these sources recorded all the time",
            "too few records, or no hours that they fill on several days",
            "Ask their owners for a statement of uptime, or bring more days of them.",
        )


def counted(hours: int) -> str:
    """`1 quiet hour`, `30 quiet hours`."""
    return f"{hours:,} quiet hour{'' if hours == 1 else 's'}"


def _clocks(skew: list[dict[str, Any]]) -> Iterator[BlindSpot]:
    wrong = [row for row in skew if row["state"] != AGREE]
    for name in dict.fromkeys(row["wrong"] or f"{row['first']}-{row['second']}" for row in wrong):
        mine = [row for row in wrong if (row["wrong"] or f"{row['first']}-{row['second']}") == name]
        worst = max(mine, key=lambda row: (row["state"] == ZONE, row["matches"]))
        pairs = ", ".join(" ~ ".join(pair) for pair in worst["examples"][:SHOWN])
        yield BlindSpot(
            f"clock-{name}",
            f"one clock: {worst['first']} and {worst['second']} differ by {long(abs(worst['offset_s']))}",
            "the order of events between them; names of addresses taken from answers of the other",
            f"{worst['sentence']} Same connection: {pairs}.",
            "Correct the zone or ask for the clock; until then compare times inside one source only.",
        )


def _retention(reach: list[dict[str, Any]]) -> Iterator[BlindSpot]:
    short = [row for row in reach if row["short"]]
    if short:
        yield BlindSpot(
            "retention-short",
            f"records that their owner states to keep: {', '.join(row['source'] for row in short[:10])}",
            "anything about the days that are stated and not there",
            " ".join(row["sentence"] for row in short[:SHOWN]),
            "Ask the owner where the rest is; a shorter retention than stated is a finding for the house.",
        )
    alarms = [row for row in reach if row["alarm"]]
    if alarms:
        yield BlindSpot(
            "retention-ends",
            f"records that are deleted before they are needed: {', '.join(row['source'] for row in alarms[:10])}",
            "that they can be asked again after that day",
            " ".join(row["sentence"] for row in alarms[:SHOWN]),
            "Export them now, or have their owner hold them.",
        )


def _timeless(streams: Iterable[Mapping[str, Any]]) -> Iterator[BlindSpot]:
    bare = [one for one in streams if one["timeless"]]
    if bare:
        listed = ", ".join(f"{one['source']} ({one['timeless']:,})" for one in bare[:10])
        yield BlindSpot(
            "no-time",
            f"the time of records without a stamp: {listed}",
            "when these events happened; they stand in no hour and in no window",
            "the records carry no stamp of their own",
            "Take their order from the records around them, or export with the stamp of the transport.",
        )
