"""Blind spots of lakes that are read where they lie: days that were not listed, and rules that look at raw records."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.case import Case
from playbooks.coverage.blind_spot import BlindSpot
from playbooks.engine.lake import Span
from playbooks.evidence.acquire.lake import lakes, span_of


def lakes_in_part(case: Case) -> Iterator[BlindSpot]:
    """What of the lakes of a case nobody has looked at."""
    asked = span_of(case.config)
    found = lakes(case).items()
    if found:
        yield BlindSpot(
            "lake-sigma",
            f"matches of Sigma rules in rows of {', '.join(name for name, _ in found)}",
            "that no Sigma rule fits these rows",
            "Sigma rules look at raw records in the case, and rows of a lake stay where they lie",
            "Run the rules where the lake is, or add the files of the days in question as evidence.",
        )
    for root in {lake.root: None for _, lake in found}:
        mine = {name: lake for name, lake in found if lake.root == root}
        if not any(_covers(lake.days, asked) for lake in mine.values()):
            names, days = ", ".join(mine), [lake.days for lake in mine.values() if lake.days]
            told = " and ".join(f"{first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" for first, end in days)
            yield BlindSpot(
                f"lake-days-{next(iter(mine))}",
                f"rows of the lake of {names} outside {told}",
                "anything before and after these days",
                "the lake was listed for another span than the case asks about now",
                "List it again: playbooks acquire lake CASE FOLDER",
                ("egress_rhythm", "known_indicators", "function_changes", "public_exposure", "logging_tampered"),
            )


def _covers(days: Span | None, asked: Span | None) -> bool:
    return days is None or (asked is not None and days[0] <= asked[0] and asked[1] <= days[1])
