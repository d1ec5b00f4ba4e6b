"""Which ways out of the estate do not show as one pair's check-ins?

Each kind is a file beside this one, with its thresholds and their reasons. All are silent where a quarter of
the clients does the same in the same way; none asks who provides a destination.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import ibis.expr.types as ir
import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.scoping.channel import Channel, Seen, whole_seconds
from playbooks.scoping.dns_channels import dns_channels
from playbooks.scoping.egress_events import egress_events, within
from playbooks.scoping.fronting import fronting
from playbooks.scoping.held_open import held_open
from playbooks.scoping.polling_pairs import polling_pairs
from playbooks.scoping.rotating_destinations import rotating_destinations
from playbooks.scoping.shared_rhythm import shared_rhythm
from playbooks.scoping.volume_channels import first_contact_burst, upload_asymmetry

KINDS = (
    *("long_connection", "tunnel", "dns_channel", "rotating_destinations", "shared_rhythm"),
    *("polling_pairs", "first_contact_burst", "upload_asymmetry", "fronting"),
)
_LOOKS: tuple[Callable[[Seen], list[Channel]], ...] = (
    *(held_open, dns_channels, rotating_destinations, shared_rhythm),
    *(polling_pairs, upload_asymmetry, fronting),
)


def egress_channels(tables: Tables, case: CaseFile, contacts: ir.Table | None = None) -> pd.DataFrame:
    """One row per channel that check-ins of a pair do not show, within the window of the case.

    Parameters
    ----------
    tables
        Event tables of the case.
    case
        Window and internal ranges are taken from it.
    contacts
        What `egress_events` gives, where the caller holds it already.

    Returns
    -------
    pandas.DataFrame
        The columns of `schema.EGRESS_CHANNELS`, the strongest first, at most `channel.MAX_ROWS` of a kind.
        What the telemetry cannot show is named by `channels_not_looked_for`.
    """
    contacts = egress_events(tables, case).cache() if contacts is None else contacts
    events = within(contacts, case.window)
    clients = events.filter(~events.by_proxy).src.nunique().to_pyarrow().as_py() or 0
    seen = Seen(events.mutate(at=whole_seconds(events.time)), tables, case, clients)
    found = [channel for look in _LOOKS for channel in look(seen)]
    found += first_contact_burst(seen, contacts)
    return _frame(found)


def _frame(found: list[Channel]) -> pd.DataFrame:
    frame = pd.DataFrame([asdict(one) for one in found], columns=list(schema.EGRESS_CHANNELS.names))
    for name in ("dsts", "refs"):
        frame[name] = pd.Series([list(several) for several in frame[name]], dtype=object)
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    kinds = {"BIGINT": "Int64", "DOUBLE": "float64"}
    typed = {c.name: kinds[c.type] for c in schema.EGRESS_CHANNELS.columns if c.type in kinds}
    by = ["strength", "kind", "src", "dst"]
    ordered = frame.astype(typed).sort_values(by, ascending=[False, True, True, True], kind="stable")
    return ordered.reset_index(drop=True)


# what each kind needs, by table: sets of columns, one of which must hold values in every column
_ANY_WIRE = (("http.dst_endpoint_hostname",), ("net.dst_endpoint_ip",), ("net.tls_sni",))
_NEEDS: dict[str, tuple[tuple[tuple[str, ...], ...], str]] = {
    "long_connection": (
        (("http.duration_ms",), ("net.duration_ms",)),
        "no record tells how long a connection lasted",
    ),
    "tunnel": (
        (("http.duration_ms",), ("net.duration_ms",), ("http.http_response_code",)),
        "no record tells how long a connection lasted, nor that one was upgraded",
    ),
    "dns_channel": ((("dns.query_hostname",),), "no DNS queries are in evidence"),
    "rotating_destinations": (
        (("net.tls_version",), ("net.tls_sni",), ("net.tls_ja3",), ("net.tls_ja4",), ("http.http_request_user_agent",)),
        "no record shows a TLS handshake or a user agent",
    ),
    "shared_rhythm": (_ANY_WIRE, "no web, TLS or flow records are in evidence"),
    "polling_pairs": (
        (("http.dst_endpoint_hostname",), ("net.tls_sni",)),
        "no web request and no server name is in evidence",
    ),
    "first_contact_burst": (
        (("http.traffic_bytes_in",), ("net.traffic_bytes_in",)),
        "no record counts bytes received",
    ),
    "upload_asymmetry": (
        (("http.traffic_bytes_out",), ("net.traffic_bytes_out",)),
        "no record counts bytes sent",
    ),
    "fronting": (
        (("http.tls_sni", "http.dst_endpoint_hostname"), ("http.metadata_uid", "net.metadata_uid", "net.tls_sni")),
        "no connection shows both the server name of its handshake and the host asked for",
    ),
}


def channels_not_looked_for(tables: Tables) -> list[tuple[str, str]]:
    """(kind, why) of every kind that these records cannot show; nothing found of it says nothing."""
    wanted = sorted({name for sets, _ in _NEEDS.values() for several in sets for name in several})
    held: set[str] = set()
    for short, table in (
        ("dns", tables.dns_activity),
        ("http", tables.http_activity),
        ("net", tables.network_activity),
    ):
        columns = [name.removeprefix(f"{short}.") for name in wanted if name.startswith(f"{short}.")]
        held |= {f"{short}.{name}" for name in _held(table, *columns)}
    return [(kind, why) for kind, (sets, why) in _NEEDS.items() if not any(held >= set(several) for several in sets)]


def _held(table: ir.Table, *columns: str) -> set[str]:
    """Those of the columns that hold a value anywhere."""
    told = table.agg(**{name: table[name].notnull().any() for name in columns}).to_pyarrow().to_pylist()[0]
    return {name for name, holds in told.items() if holds}
