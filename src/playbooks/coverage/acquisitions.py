"""What our own collection asked for and did not get, or got only in part."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.case import Case
from playbooks.coverage.blind_spot import BlindSpot
from playbooks.engine import Tables
from playbooks.evidence.acquire.query import partial_answers

SHOWN = 10  # calls and records that a sentence names


def refused_calls(tables: Tables) -> Iterator[BlindSpot]:
    """Questions of a collector that were never answered: a later answer to the same question settles it."""
    table = tables.acquired_answers
    question = ["source", "cloud_account_uid", "cloud_region", "api_service_name", "api_operation", "request"]
    rows = table.select(*question, "time", "status", "evidence_id", "record_no").execute()
    last = rows.sort_values(["time", "evidence_id", "record_no"]).drop_duplicates(question, keep="last")
    open_ = last[last.status.isin(["refused", "failed"])]
    for source, calls in open_.groupby("source", dropna=False):
        names = (calls.api_service_name.fillna("") + " " + calls.api_operation.fillna("")).value_counts()
        listed = ", ".join(f"{name.strip()} ({n:,})" for name, n in list(names.items())[:SHOWN])
        more = f" and {len(names) - SHOWN} more kinds" if len(names) > SHOWN else ""
        refs = [f"{e}:{n}" for e, n in zip(calls.evidence_id, calls.record_no, strict=True)][:SHOWN]
        yield BlindSpot(
            f"refused-{source}",
            f"answers to {len(calls):,} calls of our own collection: {listed}{more}",
            "that there is nothing where these calls would have looked",
            f"refused or failed, with the reason, in {', '.join(refs)}{', …' if len(calls) > SHOWN else ''}",
            "Give the collector these rights, or have somebody ask who holds them; then acquire again.",
        )


def cut_answers(case: Case) -> Iterator[BlindSpot]:
    """Results of queries that are, or may be, only a part of what there was."""
    for answer in partial_answers(case):
        what = "only a part of" if answer.partial else "perhaps only a part of"
        yield BlindSpot(
            f"partial-{answer.evidence_id}",
            f"{what} the answer of {answer.source} ({answer.rows:,} rows)",
            "that there was nothing else: rows that are not in the answer",
            f"{answer.reason}; the query stands with {answer.evidence_id} in the custody chain",
            "Ask again in smaller spans, or for fewer columns, until no answer is cut.",
        )
