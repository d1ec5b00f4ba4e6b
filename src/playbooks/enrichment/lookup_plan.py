"""What a look-up outside would tell to whom, before anything is told: each observable beside each provider."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

import pandas as pd

from playbooks.case import CaseFile
from playbooks.knowledge.public_suffixes import has_public_suffix
from playbooks.lookup_rules import may_be_told

KINDS = ("domain", "ip", "url", "sha256", "sha1", "md5")
INTERNAL = (".local", ".localhost", ".internal", ".intranet", ".lan", ".corp", ".home", ".private", ".arpa", ".test")
COLUMNS = ["observable", "observable_type", "provider", "leaves", "why_not"]


def lookup_plan(pairs: pd.DataFrame, intel: pd.DataFrame, config: CaseFile, rows: int) -> pd.DataFrame:
    """Each observable beside each provider of the case: would it leave the house, and if not, why.

    Parameters
    ----------
    pairs
        Rows of `schema.EGRESS_PAIRS`, most worth a look first; the destinations of the first ones are observables.
    intel
        Rows of `schema.ENRICHMENT`; what matched is an observable too, and its items' TLP says who may know.
    config
        `lookups` names the providers and the highest TLP; `estate` and `inventory` say what is ours.
    rows
        Destinations that are taken from the pairs.

    Returns
    -------
    pandas.DataFrame
        `observable, observable_type, provider, leaves` (truth) and `why_not` (null where it leaves).
    """
    ours = set(pairs.loc[pairs.ownership.astype("string").str.startswith("owned").fillna(False), "dst"])
    marked: dict[str, set[object]] = {}
    for observable, tlp in zip(intel.observable, intel.tlp, strict=True):
        marked.setdefault(str(observable), set()).add(tlp)
    told = [
        {"observable": value, "observable_type": kind, "why_not": _why_not(value, kind, marked, ours, config)}
        for value, kind in _observables(pairs, intel, rows).items()
    ]
    table = [row | {"provider": provider} for row in told for provider in config.lookups.providers]
    return pd.DataFrame(table, columns=[*COLUMNS[:3], "why_not"]).assign(leaves=lambda t: t.why_not.isna())[COLUMNS]


def _observables(pairs: pd.DataFrame, intel: pd.DataFrame, rows: int) -> dict[str, str]:
    first = pairs.drop_duplicates("dst").head(rows)
    found = {str(dst): "ip" if kind == "ip" else "domain" for dst, kind in zip(first.dst, first.kind, strict=True)}
    matched = intel[intel.observable_type.isin(KINDS)]
    return found | dict(zip(matched.observable.astype(str), matched.observable_type.astype(str), strict=True))


def _why_not(value: str, kind: str, marked: dict[str, set[object]], ours: set[str], config: CaseFile) -> str | None:
    known = marked.get(value)
    if known and not any(may_be_told(tlp, config.lookups.tlp_max) for tlp in known):
        return f"known only from items above TLP:{config.lookups.tlp_max}"
    if value in ours:
        return "ours"
    return next(_of_host(value, kind, config), None)


def _of_host(value: str, kind: str, config: CaseFile) -> Iterator[str]:
    if kind not in ("domain", "ip", "url"):
        return
    if kind == "url" and ("?" in value or "@" in value):
        yield "a URL with a query or a user: it may hold what is ours"
    host = _host_of(value) if kind == "url" else value
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        yield from _of_name(host, config)
        return
    if not address.is_global or any(_within(address, inside) for inside in config.estate.internal_ranges):
        yield "an address that is not public"


def _host_of(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, inside: str) -> bool:
    network = ipaddress.ip_network(inside)
    return address.version == network.version and address in network


def _of_name(name: str, config: CaseFile) -> Iterator[str]:
    name = name.lower().rstrip(".")
    owned = [*config.estate.own.zones, *(one.host for one in config.inventory if one.host)]
    zones = [zone.lower().strip(".").removeprefix("*.") for zone in owned]
    if any(name == zone or name.endswith(f".{zone}") for zone in zones):
        yield "ours"
    if "." not in name or name.endswith(INTERNAL) or not has_public_suffix(name):
        yield "no public name"
