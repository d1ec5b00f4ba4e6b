"""Places of audit records (provider, account, region), and the rows of checks about them, each with its proof."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
PLACE = ("cloud_provider", "cloud_account_uid", "cloud_region")
Place = tuple[str, str | None, str | None]  # provider, account, region
Span = dict[str, Any]  # events, first, last, refs


def row(service: str, place: Place, check: str, state: str, why: str, proof: Iterable[str]) -> dict[str, Any]:
    """One check, JSON-ready."""
    provider, account, region = place
    return {
        "provider": provider,
        "service": service,
        "account": account,
        "region": region,
        "check": check,
        "state": state,
        "why": why,
        "proof": list(proof),
    }


def spans(events: ir.Table, *more: str) -> dict[tuple[Any, ...], Span]:
    """Events per place (and `more` columns), first and last with their records, the same ones each time."""
    known = events.filter(events.cloud_provider.notnull())
    edge = ibis.struct({"time": known.time, "item": known.evidence_id, "number": known.record_no})
    dated, names = known.time.notnull(), (*PLACE, *more)
    counted = known.group_by(*names).aggregate(
        events=known.count(), first=edge.min(where=dated), last=edge.max(where=dated)
    )
    return {tuple(one[name] for name in names): _span(one) for one in counted.to_pyarrow().to_pylist()}


def _span(one: dict[str, Any]) -> Span:
    edges = [one[edge] for edge in ("first", "last") if one[edge]]
    return {
        "events": one["events"],
        "first": f"{edges[0]['time']:%Y-%m-%d %H:%M}" if edges else None,
        "last": f"{edges[-1]['time']:%Y-%m-%d %H:%M}" if edges else None,
        "refs": list(dict.fromkeys(f"{edge['item']}:{edge['number']}" for edge in edges)),
    }


def merged(several: Iterable[Span]) -> Span:
    """Several spans as one."""
    found = list(several)
    dated = [one for one in found if one["first"]]
    first = min(dated, key=lambda one: (one["first"], one["refs"]), default=None)
    last = max(dated, key=lambda one: (one["last"], one["refs"]), default=None)
    refs = [first["refs"][0], last["refs"][-1]] if first and last else []
    return {
        "events": sum(one["events"] for one in found),
        "first": first["first"] if first else None,
        "last": last["last"] if last else None,
        "refs": list(dict.fromkeys(refs)),
    }


def words(span: Span) -> str:
    """How many, from when to when."""
    if not span["first"]:
        return f"{span['events']:,} without a time"
    return f"{span['events']:,} from {span['first']} to {span['last']} UTC"
