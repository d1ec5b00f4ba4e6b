"""Intelligence: which observed hosts, addresses, URLs, clients and rhythms does somebody hold to be malicious?

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

PROCESS_HASH = ("actor_process_file_hash",)
# type of an item → the tables and columns in which such a value would stand
SEEN_IN: dict[str, dict[str, tuple[str, ...]]] = {
    "url": {"http_activity": ("http_request_url_string",)},
    "user_agent": {"http_activity": ("http_request_user_agent",)},
    "ja3": {"network_activity": ("tls_ja3",), "http_activity": ("tls_ja3",)},
    "ja4": {"network_activity": ("tls_ja4",), "http_activity": ("tls_ja4",)},
    "sha256": {
        "dns_activity": PROCESS_HASH,
        "http_activity": PROCESS_HASH,
        "network_activity": PROCESS_HASH,
        "system_activity": (*PROCESS_HASH, "process_file_hash"),
    },
}
CASELESS = {"ja3", "ja4", "sha256"}
PATH = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?(/[^?#]*)"
INTERVAL_TOLERANCE = 0.05  # of the interval: what a source states is a setting, what is seen lies around it

VALID, EXPIRED, NOT_YET, UNVETTED, TOO_BROAD = "valid", "expired", "not yet valid", "unvetted", "too broad"
TRAIT = "trait"
TRAITS = {"uri", "interval"}  # anybody's program may have the same path or rhythm: shown, and no answer by itself


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
    parts = (_destinations(pairs), *_seen_values(tables, items), *_of_pairs(pairs, items))
    observed = _together([part for part in parts if len(part)] or [parts[0]])
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


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """What was observed, each value of a type once, however many tables and columns hold it."""
    whole = pd.concat([part.assign(says=part.get("says")) for part in parts], ignore_index=True)
    spans = whole.groupby(["observable", "observable_type", "says"], as_index=False, sort=False, dropna=False)
    return spans.agg(first_seen=("first_seen", "min"), last_seen=("last_seen", "max"))


def _seen_values(tables: Tables, items: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Values seen that an indicator names, with the span in which they were seen: of each type, wherever it stands."""
    for kind, places in SEEN_IN.items():
        wanted = [str(value) for value in items.loc[items.indicator_type == kind, "indicator"]]
        for name, columns in places.items() if wanted else ():
            table = getattr(tables, name)
            for column in (table[one] for one in columns):
                value = column.lower() if kind in CASELESS else column
                seen = table.filter(value.isin(wanted)).group_by(observable=value)
                frame = seen.aggregate(first_seen=table.time.min(), last_seen=table.time.max()).execute()
                yield frame.assign(observable_type=kind)
    yield from _paths(tables, [str(value) for value in items.loc[items.indicator_type == "uri", "indicator"]])


def _paths(tables: Tables, wanted: list[str]) -> Iterator[pd.DataFrame]:
    """Paths of URLs that an item names, or that lie below one that ends with a slash."""
    if not wanted:
        return
    web = tables.http_activity
    paths = web.mutate(path=web.http_request_url_string.re_extract(PATH, 1)).group_by("path")
    found = paths.aggregate(first_seen=web.time.min(), last_seen=web.time.max()).execute()
    named = set(wanted)
    kept = [any(value in named for value, _ in _spellings(str(path), "uri")) for path in found.path]
    yield found[kept].rename(columns={"path": "observable"}).assign(observable_type="uri")


def _of_pairs(pairs: pd.DataFrame, items: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Tenants that an item names, and rhythms that are as long as one says: what only the pairs show."""
    wanted = set(items.loc[items.indicator_type == "tenant", "indicator"])
    tenants = pairs[pairs.tenant.isin(wanted)].groupby("tenant", as_index=False)
    spans = tenants.agg(first_seen=("first_seen", "min"), last_seen=("last_seen", "max"))
    yield spans.rename(columns={"tenant": "observable"}).assign(observable_type="tenant")
    told = pairs[pairs.beacon_period_s.notna() & (pairs.beacon_score > 0)]
    for value in {str(value) for value in items.loc[items.indicator_type == "interval", "indicator"]}:
        near = told[(told.beacon_period_s - float(value)).abs() <= INTERVAL_TOLERANCE * float(value)]
        words = [f"{row.src} to {row.dst}, every {row.beacon_period_s:g} s" for row in near.itertuples()]
        spans = near[["first_seen", "last_seen"]].assign(observable=words, observable_type="interval", says=value)
        yield spans.reset_index(drop=True)


def _matches(observed: pd.DataFrame, items: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Every (observable, item) of the same type and value, and hosts below an indicated domain."""
    by_value: dict[tuple[str, str], list[Any]] = {}
    for item in items.itertuples(index=False):
        by_value.setdefault((str(item.indicator_type), str(item.indicator)), []).append(item)
    for seen in observed.itertuples(index=False):
        spelled = [(str(seen.says), "period")] if pd.notna(seen.says) else None
        for value, matched_on in spelled or _spellings(str(seen.observable), str(seen.observable_type)):
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
    if kind == "uri":
        folders = value.rstrip("/").split("/")
        for end in range(len(folders) - 1, 1, -1):
            yield "/".join(folders[:end]) + "/", "path above"


def _state(row: dict[str, Any]) -> str:
    """Whether the item may be leaned on for the span in which the observable was seen."""
    if row["observable_type"] == "domain" and _too_broad(str(row["observable"]), str(row["indicator"])):
        return TOO_BROAD
    if pd.notna(row["valid_until"]) and row["valid_until"] < row["first_seen"]:
        return EXPIRED
    if row["valid_from"] > row["last_seen"]:
        return NOT_YET
    if row["observable_type"] in TRAITS:
        return TRAIT
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
