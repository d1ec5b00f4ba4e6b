"""Coverage: what was looked at, computed from the evidence, and what each gap forbids to conclude.

Nothing here is typed in by hand: spans, gaps, fields present and blind spots follow from the records. Counting is done
by the engine in a few passes over the records; what leaves it is bounded by hours, not by records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from playbooks import schema
from playbooks.case import Case
from playbooks.coverage.audit_logging import audit_logging
from playbooks.coverage.blind_spot import BlindSpot
from playbooks.coverage.blind_spots import blind_spots
from playbooks.coverage.clock_skew import clock_skew
from playbooks.coverage.fields import fields, proxy_addresses
from playbooks.coverage.holes import holes
from playbooks.coverage.matrix import matrix
from playbooks.coverage.phases import phases
from playbooks.coverage.questions import Asked, answerable, table_facts
from playbooks.coverage.retention import retention
from playbooks.coverage.seen import Seen, look
from playbooks.engine import Tables
from playbooks.normalise import Reading

if TYPE_CHECKING:
    import pandas as pd


def coverage(
    case: Case,
    readings: list[Reading],
    tables: Tables,
    questions: Iterable[Asked],
    blind_to_runs: str | None = None,
    small_baseline: str | None = None,
    logging_changes: pd.DataFrame | None = None,
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
    logging_changes
        Changes of logs over all records (rows of `schema.LOGGING_CHANGES`), where scoping has judged them.

    Returns
    -------
    dict
        JSON-ready; docs/how-to/read-coverage.md explains each part: `window, baseline`, `items`, `sources`,
        `streams`, `matrix`, `gaps`, `clock_skew`, `fields`, `proxies`, `retention`, `tables`, `indicators`,
        `questions`, `audit_logging`, `phases`, `blind_spots`.
    """
    seen = look(case, readings, tables)
    facts = {name: table_facts(case, tables, name) for name in schema.EVENT_TABLES}
    seen.add_silence(facts)
    asked = [answerable(question, facts, case.config.window is not None) for question in questions]
    skew = clock_skew(tables, seen.sources, seen.streams, seen.counted)
    reach = retention(case, seen.streams, seen.minutes, seen.stamps)
    gaps, streams = seen.gaps(), seen.stream_rows()
    spots = blind_spots(case, facts, holes(gaps, streams, skew, reach), readings, tables, blind_to_runs, small_baseline)
    config = case.config
    return {
        "case_id": config.case_id,
        "window": config.window.model_dump(mode="json") if config.window else None,
        "baseline": config.baseline.model_dump(mode="json") if config.baseline else None,
        "items": [asdict(reading) for reading in readings],
        "sources": seen.source_rows(),
        "streams": streams,
        "matrix": matrix(seen.streams, seen.counted, seen.looked),
        "gaps": gaps,
        "clock_skew": skew,
        "fields": fields(tables, seen.sources, seen.streams, asked),
        "proxies": proxy_addresses(tables),
        "retention": reach,
        "tables": [{"table": name, **fact} for name, fact in facts.items()],
        "indicators": int(tables.indicators.count().execute()),
        "questions": asked,
        "audit_logging": audit_logging(case, tables, logging_changes),
        "phases": phases(tables),
        "blind_spots": [asdict(spot) for spot in spots],
    }


__all__ = ["Asked", "BlindSpot", "Seen", "coverage"]
