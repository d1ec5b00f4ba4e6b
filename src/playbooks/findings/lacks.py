"""Fields of a pair that logs may lack: what each would tell of it, whom that concerns, and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

OF_PAIR = (
    *("src", "dst", "kind", "catalogue_id", "tenant", "sources", "user_agents", "bytes_out", "bytes_in", "priority"),
    "refs",
)


@dataclass(frozen=True)
class Lack:
    """A field that is missing somewhere: what it is, what it would tell of a pair, and how to get it."""

    field: str
    tables: tuple[str, ...]
    label: str
    tells: str
    recommend: str
    concerns: Callable[[Any, frozenset[str]], bool]
    only_told: bool = True

    def sentence(self, src: object, dst: object) -> str:
        return self.tells.format(src=src, dst=dst)


def _is_named(row: Any) -> bool:
    return str(row.kind) == "fqdn"


def _seen_in(row: Any, *telemetry: str) -> bool:
    return bool(set(telemetry) & set(row.sources))


LACKS = (
    Lack(
        "sni",
        ("network_activity",),
        "server name (SNI)",
        "which name, and so which tenant, stands behind {dst} that {src} contacted",
        "Log TLS handshakes at the egress (server name, JA4), or DNS answers per client.",
        lambda row, _: not _is_named(row) and _seen_in(row, "tls", "flow"),
        only_told=False,
    ),
    Lack(
        "https_path",
        ("http_activity",),
        "URL path",
        "which customer's function at {dst} was asked by {src}",
        "Where policy allows, inspect TLS for this host, or collect URLs on the endpoint.",
        lambda row, _: isinstance(row.catalogue_id, str) and not isinstance(row.tenant, str) and _is_named(row),
        only_told=False,
    ),
    Lack(
        "client_behind_proxy",
        ("http_activity", "network_activity"),
        "client behind the proxy",
        "which host behind {src} contacted {dst}",
        "Export the log of the proxy itself, or have it log the client it serves.",
        lambda row, proxies: row.src in proxies,
        only_told=False,
    ),
    Lack(
        "process",
        ("network_activity", "http_activity", "dns_activity"),
        "process",
        "which program on {src} contacted {dst}",
        "Collect endpoint connection records (Sysmon 3 and 22, EDR) of this host.",
        lambda row, _: True,
    ),
    Lack(
        "user_agent",
        ("http_activity",),
        "user agent",
        "what kind of program on {src} sent the requests to {dst}",
        "Log the user agent at the proxy; in tunnels only the endpoint or inspection shows it.",
        lambda row, _: _seen_in(row, "http") and not len(row.user_agents),
    ),
    Lack(
        "bytes",
        ("http_activity", "network_activity"),
        "bytes both ways",
        "how much {src} sent to {dst}, and so whether data left",
        "Log bytes of both directions at proxy and firewall.",
        lambda row, _: pd.isna(row.bytes_out) or pd.isna(row.bytes_in),
    ),
    Lack(
        "ja4",
        ("network_activity",),
        "JA4",
        "whether the TLS client on {src} that contacted {dst} is a browser",
        "Log JA4 (or JA3) at the egress sensor.",
        lambda row, _: _seen_in(row, "tls", "flow"),
    ),
    Lack(
        "connection",
        ("network_activity", "http_activity"),
        "record of the connection",
        "whether {src} reached {dst} or only asked for its name",
        "Export flow or proxy logs of the same clients and hours.",
        lambda row, _: list(row.sources) == ["dns"],
    ),
)
