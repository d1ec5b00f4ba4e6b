"""What serverless and indicated names were answered with, and when: answers change, and nobody asks again.

Nothing is looked up. The history is that of the records in evidence, the classification that of the catalogue whose
version stands beside it, so that the same evidence gives the same rows years later.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from playbooks import schema
from playbooks.engine import Tables
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.scoping.destinations import Label, classify_names
from playbooks.scoping.pair_context import first_records

SHOWN = 20  # records of intelligence beside a name
NO_LABEL = dict.fromkeys(("catalogue_id", "provider", "service", "tenant", "matched_by"))


def resolutions(tables: Tables) -> pd.DataFrame:
    """The answers of every name that the catalogue or intelligence in evidence knows.

    Returns
    -------
    pandas.DataFrame
        The columns of `schema.RESOLUTIONS`, by name, first record and answer.
    """
    dns = tables.dns_activity.filter(tables.dns_activity.query_hostname.notnull())
    names = dns.select("query_hostname").distinct().to_pyarrow()["query_hostname"].to_pylist()
    labels = classify_names(names, dns)
    listed = _listed(names, tables.indicators)
    rows = [
        row | _label(labels.get(row["name"])) | {"indicator_refs": listed.get(row["name"], [])}
        for row in _answers(dns, sorted({*labels, *listed})).to_pyarrow().to_pylist()
    ]
    frame = pd.DataFrame(rows, columns=[name for name in schema.RESOLUTIONS.names if name != "catalogue_version"])
    frame = frame.assign(catalogue_version=load_catalogue().version)
    frame = frame.sort_values(["name", "first_seen", "answer"], ignore_index=True)
    return frame[list(schema.RESOLUTIONS.names)]


def _answers(dns: ir.Table, names: list[str]) -> ir.Table:
    """(name, answer, first_seen, last_seen, times, clients, ref) of these names."""
    wanted = pa.table({"name": pa.array(names, pa.string())})
    client = dns.src_endpoint_ip.fill_null(dns.src_endpoint_hostname)
    told = dns.select(
        "time", "evidence_id", "record_no", name="query_hostname", client=client, answer=dns.answers.unnest()
    )
    kept = told.filter(told.answer.notnull()).semi_join(ibis.memtable(wanted), "name")
    counted = kept.group_by("name", "answer").agg(
        first_seen=kept.time.min(), last_seen=kept.time.max(), clients=kept.client.nunique()
    )
    first = first_records(kept, "name", "answer")
    return counted.inner_join(first, ["name", "answer"]).select(*counted.columns, first.times, first.ref)


def _label(label: Label | None) -> dict[str, str | None]:
    if label is None:
        return dict(NO_LABEL)
    match = label.match
    told = (match.id, match.provider, match.service, match.tenant, label.matched_by)
    return dict(zip(NO_LABEL, told, strict=True))


def _listed(names: list[str], indicators: ir.Table) -> dict[str, list[str]]:
    """Names that intelligence names, or that lie below a domain it names: the records of the items."""
    domains = indicators.filter(indicators.indicator_type == "domain", indicators.indicator.notnull())
    ref = domains.evidence_id + ":" + domains.record_no.cast("string")
    held: dict[str, list[str]] = {}
    for row in domains.select("indicator", ref=ref).distinct().order_by("ref").to_pyarrow().to_pylist():
        held.setdefault(row["indicator"], []).append(row["ref"])
    if not held:
        return {}
    found = ((name, [ref for part in _above(name) for ref in held.get(part, ())]) for name in names)
    return {name: refs[:SHOWN] for name, refs in found if refs}


def _above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[at:]) for at in range(max(len(labels) - 1, 1))]
