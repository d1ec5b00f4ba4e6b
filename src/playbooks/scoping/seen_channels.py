"""Which kinds of telemetry report of a host around first contact: only these can be silent.

A kind counts where the host's own records of it are in evidence, and the log that holds them reports of the host in
the span that is looked at. That a product could log something is not enough: policies differ from host to host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ibis

from playbooks.knowledge.lifecycle import load_lifecycle
from playbooks.scoping.watched import Key, Watched, label

if TYPE_CHECKING:
    from playbooks.engine import Tables

AUTHENTICATION = 3002


def channels_seen(
    kinds: Iterable[Mapping[str, Any]], wire: Mapping[Key, set[str]], tables: Tables, hosts: Iterable[Watched]
) -> dict[Key, set[str]]:
    """Ids of the channels that report of each host: (finding, source) → ids.

    Parameters
    ----------
    kinds
        Records of each host by channel, format and family (`kinds_of_records`).
    wire
        Channels between the host and the world (`wire_channels`).
    tables, hosts
        Event tables, and the hosts.
    """
    mine: dict[Key, list[Mapping[str, Any]]] = {}
    for row in kinds:
        mine.setdefault((row["finding"], row["who"]), []).append(row)
    others = _of_other_machines(tables)
    audit = _span(tables)
    return {
        host.key: wire.get(host.key, set())
        | _own(mine.get(host.key, []))
        | _elsewhere(host, others)
        | _audited(host, mine.get(host.key, []), audit)
        for host in hosts
    }


def _own(rows: list[Mapping[str, Any]]) -> set[str]:
    """Channels of the host itself, and its URLs."""
    own = [row for row in rows if row["side"] in ("device", "wire")]
    alive = {(row["format"], row["family"]) for row in own if row["around"]}
    return {row["channel"] for row in own if row["channel"] and (row["format"], row["family"]) in alive}


def _of_other_machines(tables: Tables) -> list[dict[str, Any]]:
    """(channel, device, first, last) of logons and shares, for every machine that logs them."""
    table = tables.system_activity
    shares = load_lifecycle().channel("shares").activities or ""
    opened = table.activity_name.fill_null("").re_search(f"(?i){shares}")
    logon = (table.class_uid == AUTHENTICATION).fill_null(False)
    channel = ibis.cases((logon, "remote-logons"), (opened, "shares"), else_=ibis.null("string"))
    rows = table.mutate(channel=channel, device=label(table.device_hostname))
    rows = rows.filter(rows.channel.notnull())
    each = rows.group_by("channel", "device").agg(first=rows.time.min(), last=rows.time.max())
    found: list[dict[str, Any]] = each.to_pyarrow().to_pylist()
    return found


def _elsewhere(host: Watched, others: Iterable[Mapping[str, Any]]) -> set[str]:
    """What other machines log, while the span around first contact lasts."""
    own = {name.partition(".")[0] for name in host.names}
    return {
        row["channel"]
        for row in others
        if row["device"] not in own and row["first"] < host.until and row["last"] >= host.since
    }


def _span(tables: Tables) -> tuple[Any, Any]:
    times = tables.api_activity.aggregate(first=ibis._.time.min(), last=ibis._.time.max()).to_pyarrow().to_pylist()
    return times[0]["first"], times[0]["last"]


def _audited(host: Watched, rows: Iterable[Mapping[str, Any]], span: tuple[Any, Any]) -> set[str]:
    """Audit records, where one of them names the host's user or address, and they reach into the span."""
    first, last = span
    known = any(row["channel"] == "audit" for row in rows)
    reaches = first is not None and first < host.until and last >= host.since
    return {"audit"} if known and reaches else set()
