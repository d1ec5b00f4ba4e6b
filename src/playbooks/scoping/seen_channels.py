"""Which kinds of telemetry report of a host around first contact: only these can be silent.

A kind counts where the host's own records of it are in evidence, and the log that holds them reports of the host in
the span that is looked at. That a product could log something is not enough: policies differ from host to host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from playbooks.scoping.watched import Key, Watched

AROUND, BEFORE = "around", "before"


def channels_seen(
    kinds: Iterable[Mapping[str, Any]], wire: Mapping[Key, set[str]], hosts: Iterable[Watched]
) -> dict[tuple[Key, str], set[str]]:
    """Ids of the channels that report of each host: ((finding, source), around or before) → ids.

    Parameters
    ----------
    kinds
        Records of each host by channel, format and family (`kinds_of_records`).
    wire
        Channels between the host and the world (`wire_channels`).
    hosts
        The hosts.
    """
    mine: dict[Key, list[Mapping[str, Any]]] = {}
    for row in kinds:
        mine.setdefault((row["finding"], row["who"]), []).append(row)
    return {
        (host.key, part): wire.get(host.key, set()) | _reporting(mine.get(host.key, []), part)
        for host in hosts
        for part in (AROUND, BEFORE)
    }


def _reporting(rows: list[Mapping[str, Any]], part: str) -> set[str]:
    """Channels with records of the host, in logs that report of it in that part of the span."""
    alive = {(row["format"], row["family"]) for row in rows if row[part]}
    return {row["channel"] for row in rows if row["channel"] and (row["format"], row["family"]) in alive}
