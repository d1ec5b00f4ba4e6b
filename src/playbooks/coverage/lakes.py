"""Blind spots of lakes that are read where they lie: days that were not listed, and rules that look at raw records."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.case import Case
from playbooks.coverage.blind_spot import BlindSpot
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
    for name, lake in found:
        if lake.days and (asked is None or asked[0] < lake.days[0] or asked[1] > lake.days[1]):
            first, end = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in lake.days)
            yield BlindSpot(
                f"lake-days-{name}",
                f"rows of {name} outside {first} to {end}",
                "anything before and after these days",
                "the lake was listed for another span than the case asks about now",
                "List it again: playbooks acquire lake CASE FOLDER",
                ("egress_rhythm", "known_indicators", "function_changes", "public_exposure", "logging_tampered"),
            )
