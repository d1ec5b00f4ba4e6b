"""Case links: from each record that a finding cites to who did what to which entity, and to who decided.

Edges only say what a record shows: a query *resolved* a name, a request *contacted* a host, a call *modified* a
function. Nothing is concluded here, and nobody is named but by the records and the decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

RELATIONS = {
    "create": "created",
    "modify-code": "modified",
    "modify-config": "modified",
    "permission": "permitted",
    "trigger": "triggered",
    "invoke": "invoked",
    "identity": "changed identity",
    "defence-evasion": "changed what is recorded",
    "discovery": "looked at",
}
CITED = "cited"  # a record of which no table says more
TRIED = "tried: "  # before the relation of a call that failed
# Per table: relation, entity and its kind, who, user; of several columns the first with a value is taken.
SEEN_IN: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "dns_activity": (
        "resolved", "destination", ("query_hostname",), ("src_endpoint_ip", "src_endpoint_hostname"),
        ("actor_user_name", "actor_process_name"),
    ),
    "http_activity": (
        "contacted", "destination", ("dst_endpoint_hostname", "dst_endpoint_ip", "http_request_url_string"),
        ("src_endpoint_ip", "src_endpoint_hostname"), ("actor_user_name", "actor_process_name"),
    ),
    "network_activity": (
        "contacted", "destination", ("tls_sni", "dst_endpoint_hostname", "dst_endpoint_ip"),
        ("src_endpoint_ip", "src_endpoint_hostname"), ("actor_user_name", "actor_process_name"),
    ),
    "indicators": ("matched indicator", "indicator", ("indicator",), ("source",), ()),
}  # fmt: skip
LISTS = ("findings", "leads", "suppressed")


def links(found: Mapping[str, Any], tables: Tables, activity: pd.DataFrame, digests: Mapping[str, str]) -> pd.DataFrame:
    """The case link table.

    Parameters
    ----------
    found
        Content of `findings.json`.
    tables
        The events of the case.
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    digests
        Evidence id → SHA-256 of the item.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.LINKS`: findings in their order, then leads, then what is set aside; by time.
    """
    cited = list(_cited(found))
    edges = pd.concat([_calls(activity, cited), *_contacts(tables, cited)], ignore_index=True)
    rows = pd.DataFrame(cited, columns=["finding", "signal", "ref", "verdict", "analyst"]).merge(
        edges, on="ref", how="left"
    )
    place = rows["ref"].str.split(":", n=1, expand=True).reindex(columns=[0, 1])
    rows = rows.assign(
        relation=rows["relation"].fillna(CITED),
        evidence_id=place[0],
        record_no=place[1].astype("int64"),
        item_sha256=place[0].map(digests),
        time=pd.to_datetime(rows["time"], utc=True),
    )
    places = {one: place for place, one in enumerate(dict.fromkeys(finding for finding, *_ in cited))}
    rows = rows.assign(place=rows["finding"].map(places))
    rows = rows.sort_values(["place", "time", "evidence_id", "record_no", "signal"], kind="stable", ignore_index=True)
    return rows[list(schema.LINKS.names)]


def _cited(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str | None, str | None]]:
    """Finding, kind of signal, reference, verdict, analyst: each combination once."""
    seen: set[tuple[str, str, str]] = set()
    for entry in (entry for name in LISTS for entry in found[name]):
        decision = entry.get("decision") or {}
        for signal in entry["signals"]:
            for ref in signal["refs"]:
                key = (str(entry["id"]), str(signal["kind"]), str(ref))
                if key not in seen:
                    seen.add(key)
                    yield (*key, decision.get("verdict"), decision.get("analyst"))


def _calls(activity: pd.DataFrame, cited: Iterable[tuple[str, str, str, str | None, str | None]]) -> pd.DataFrame:
    """Edges of control-plane events."""
    rows = activity[activity.ref.isin({ref for _, _, ref, _, _ in cited})]
    relation = rows.phase.map(RELATIONS).fillna(rows.phase)
    return pd.DataFrame(
        {
            "ref": rows.ref,
            "time": rows.time,
            "who": rows.principal,
            "user": rows.via,
            "relation": relation.where(rows.outcome != "failure", TRIED + relation),
            "entity": rows.resource,
            "entity_kind": rows.resource_type,
        }
    )


def _contacts(tables: Tables, cited: Iterable[tuple[str, str, str, str | None, str | None]]) -> Iterator[pd.DataFrame]:
    """Edges of contacts and indicators, table by table."""
    import ibis

    places = [ref.partition(":") for ref in sorted({ref for _, _, ref, _, _ in cited})]
    if not places:
        return
    wanted = pd.DataFrame(
        {"evidence_id": [item for item, _, _ in places], "record_no": [int(number) for _, _, number in places]}
    )
    for name, (relation, kind, entity, who, user) in SEEN_IN.items():
        table = tables[name]
        rows = table.semi_join(ibis.memtable(wanted), ["evidence_id", "record_no"]).select(
            "evidence_id", "record_no", "time", entity=_first(table, entity), who=_first(table, who),
            user=_first(table, user),
        ).execute()  # fmt: skip
        ref = rows.evidence_id + ":" + rows.record_no.astype("int64").astype(str)
        yield rows.assign(ref=ref, relation=relation, entity_kind=kind).drop(columns=["evidence_id", "record_no"])


def _first(table: ir.Table, columns: tuple[str, ...]) -> ir.Value:
    """The first of some columns that holds a value; null without columns."""
    import ibis

    return ibis.coalesce(*(table[name] for name in columns)) if columns else ibis.null("string")
