"""Intelligence: which observed hosts, addresses, URLs and user agents does somebody hold to be malicious?

The case's own indicator lists are evidence like any log. A join finds what they say of what was seen;
each observable that they know is then asked of msticpy's TILookup, with a provider of ours over the same
lists, so that a user's further providers can join by configuration. TILookup drops reserved addresses and
malformed names without a word: every observable handed to it comes back here, answered or refused.
Nothing contacts a suspect or a service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.enrichment.ti_provider import lookup
from playbooks.knowledge.catalogue import load_catalogue

VALID, EXPIRED, NOT_YET, UNVETTED, TOO_BROAD = "valid", "expired", "not yet valid", "unvetted", "too broad"


def intelligence(tables: Tables, pairs: pd.DataFrame, config: CaseFile) -> pd.DataFrame:
    """What the case's intelligence says of what was observed.

    Parameters
    ----------
    tables
        Events and indicators.
    pairs
        Rows of `schema.EGRESS_PAIRS`; their destinations and spans are the observables.
    config
        The case; `intel` names the vetted sources.

    Returns
    -------
    pandas.DataFrame
        Columns of `schema.ENRICHMENT`, ordered by observable and reference.
    """
    items: pd.DataFrame = tables.indicators.execute()
    parts = (_destinations(pairs), _web_values(tables, items))
    observed = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    matches = list(_matches(observed, items)) if len(items) else []
    answers = lookup({m["observable"]: m["observable_type"] for m in matches}, items)
    vetted = {entry.source: entry.vetted_by for entry in config.intel}
    rows = [{**m, "vetted_by": vetted.get(m["source"]), "lookup": answers[m["observable"]]} for m in matches]
    for row in rows:
        row["state"] = _state(row)
    table = pd.DataFrame(rows, columns=list(schema.ENRICHMENT.names))
    return table.sort_values(["observable", "ref"], ignore_index=True)


def _destinations(pairs: pd.DataFrame) -> pd.DataFrame:
    spans = pairs.groupby("dst", as_index=False).agg(
        kind=("kind", "first"), first_seen=("first_seen", "min"), last_seen=("last_seen", "max")
    )
    spans["observable_type"] = spans.kind.map({"ip": "ip"}).fillna("domain")
    return spans.rename(columns={"dst": "observable"}).drop(columns="kind")


def _web_values(tables: Tables, items: pd.DataFrame) -> pd.DataFrame:
    """URLs and user agents seen that an indicator names, with the span in which they were seen."""
    web = tables.http_activity
    parts = []
    for kind, column in (("url", web.http_request_url_string), ("user_agent", web.http_request_user_agent)):
        wanted = [str(value) for value in items.loc[items.indicator_type == kind, "indicator"]]
        if wanted:
            seen = web.filter(column.isin(wanted)).group_by(observable=column)
            frame = seen.aggregate(first_seen=web.time.min(), last_seen=web.time.max()).execute()
            parts.append(frame.assign(observable_type=kind))
    columns = ["observable", "first_seen", "last_seen", "observable_type"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _matches(observed: pd.DataFrame, items: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Every (observable, item) of the same type and value, and hosts below an indicated domain."""
    by_value: dict[tuple[str, str], list[Any]] = {}
    for item in items.itertuples(index=False):
        by_value.setdefault((str(item.indicator_type), str(item.indicator)), []).append(item)
    for seen in observed.itertuples(index=False):
        for value, matched_on in _spellings(str(seen.observable), str(seen.observable_type)):
            for item in by_value.get((str(seen.observable_type), value), ()):
                yield {
                    "observable": seen.observable,
                    "observable_type": seen.observable_type,
                    "matched_on": matched_on,
                    "first_seen": seen.first_seen,
                    "last_seen": seen.last_seen,
                    "indicator": item.indicator,
                    "ref": f"{item.evidence_id}:{item.record_no}",
                    "source": item.source if pd.notna(item.source) else item.evidence_id,
                    "confidence": item.confidence,
                    "valid_from": item.time,
                    "valid_until": item.valid_until,
                    "tlp": item.tlp,
                    "description": item.description if pd.notna(item.description) else "",
                }


def _spellings(value: str, kind: str) -> Iterator[tuple[str, str]]:
    yield value, "exact"
    if kind == "domain":
        labels = value.split(".")
        for start in range(1, len(labels) - 1):
            yield ".".join(labels[start:]), "parent domain"


def _state(row: dict[str, Any]) -> str:
    """Whether the item may be leaned on for the span in which the observable was seen."""
    if row["observable_type"] == "domain" and _too_broad(str(row["observable"]), str(row["indicator"])):
        return TOO_BROAD
    if pd.notna(row["valid_until"]) and row["valid_until"] < row["first_seen"]:
        return EXPIRED
    if row["valid_from"] > row["last_seen"]:
        return NOT_YET
    return VALID if row["vetted_by"] else UNVETTED


def _too_broad(host: str, indicator: str) -> bool:
    """Whether the item speaks of a provider's host or suffix, and so of all its customers, not of this one."""
    catalogue = load_catalogue()
    seen = catalogue.classify(host)
    if seen is not None and seen.shared:
        return True
    if indicator == host:
        return False
    if seen is not None and (seen.tenant is None or seen.tenant not in indicator):
        return True
    return catalogue.classify(indicator) is None and catalogue.classify(f"any-label.{indicator}") is not None
