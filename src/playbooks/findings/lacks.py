"""Fields of a pair that logs may lack: what each would tell of it, whom that concerns, and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from playbooks.schema.arrow import holding, lengths

Told = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lack:
    """A field that is missing somewhere: what it is, what it would tell of a pair, and how to get it.

    `concerns` takes rows of `schema.EGRESS_PAIRS` and the addresses of proxies; one answer a row.
    """

    field: str
    tables: tuple[str, ...]
    label: str
    tells: str
    recommend: str
    concerns: Callable[[pd.DataFrame, frozenset[str]], Told]
    only_told: bool = True

    def sentence(self, src: object, dst: object) -> str:
        return self.tells.format(src=src, dst=dst)


def _is_named(pairs: pd.DataFrame) -> Told:
    return (pairs.kind == "fqdn").to_numpy(bool)


def _seen_in(pairs: pd.DataFrame, *telemetry: str) -> Told:
    return holding(pairs.sources, *telemetry)


LACKS = (
    Lack(
        "sni",
        ("network_activity",),
        "server name (SNI)",
        "which name, and so which tenant, stands behind {dst} that {src} contacted",
        "Log TLS handshakes at the egress (server name, JA4), or DNS answers per client.",
        lambda pairs, _: ~_is_named(pairs) & _seen_in(pairs, "tls", "flow"),
        only_told=False,
    ),
    Lack(
        "https_path",
        ("http_activity",),
        "URL path",
        "which customer's function at {dst} was asked by {src}",
        "Where policy allows, inspect TLS for this host, or collect URLs on the endpoint.",
        lambda pairs, _: (pairs.catalogue_id.notna() & pairs.tenant.isna()).to_numpy(bool) & _is_named(pairs),
        only_told=False,
    ),
    Lack(
        "client_behind_proxy",
        ("http_activity", "network_activity"),
        "client behind the proxy",
        "which host behind {src} contacted {dst}",
        "Export the log of the proxy itself, or have it log the client it serves.",
        lambda pairs, proxies: pairs.src.isin(proxies).to_numpy(bool),
        only_told=False,
    ),
    Lack(
        "process",
        ("network_activity", "http_activity", "dns_activity"),
        "process",
        "which program on {src} contacted {dst}",
        "Collect endpoint connection records (Sysmon 3 and 22, EDR) of this host.",
        lambda pairs, _: np.ones(len(pairs), bool),
    ),
    Lack(
        "user_agent",
        ("http_activity",),
        "user agent",
        "what kind of program on {src} sent the requests to {dst}",
        "Log the user agent at the proxy; in tunnels only the endpoint or inspection shows it.",
        lambda pairs, _: _seen_in(pairs, "http") & (lengths(pairs.user_agents) == 0),
    ),
    Lack(
        "bytes",
        ("http_activity", "network_activity"),
        "bytes both ways",
        "how much {src} sent to {dst}, and so whether data left",
        "Log bytes of both directions at proxy and firewall.",
        lambda pairs, _: (pairs.bytes_out.isna() | pairs.bytes_in.isna()).to_numpy(bool),
    ),
    Lack(
        "ja4",
        ("network_activity",),
        "JA4",
        "whether the TLS client on {src} that contacted {dst} is a browser",
        "Log JA4 (or JA3) at the egress sensor.",
        lambda pairs, _: _seen_in(pairs, "tls", "flow"),
    ),
    Lack(
        "connection",
        ("network_activity", "http_activity"),
        "record of the connection",
        "whether {src} reached {dst} or only asked for its name",
        "Export flow or proxy logs of the same clients and hours.",
        lambda pairs, _: _seen_in(pairs, "dns") & (lengths(pairs.sources) == 1),
    ),
)
