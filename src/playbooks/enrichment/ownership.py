"""Ownership: is a destination ours, ours and changed, somebody else's, or not to be told?

Two sources decide, both of the house itself: the inventory (`case.yaml` and the files it names), and hosts that our
own control plane produced (function URLs, APIs), as its audit records show. A host of a customer (account, project,
app) that either shows to be ours is ours too, and approved by nobody. The provider's name decides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from playbooks.case import CaseFile, Owned
from playbooks.enrichment.inventory_index import Customer, InventoryIndex, customer_of
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.schema.arrow import LISTS

APPROVED, UNAPPROVED, MODIFIED = "owned-approved", "owned-unapproved", "owned-recently-modified"
EXTERNAL, UNKNOWN = "external", "unknown"
MAX_REFS = 20
DEEPEST = 4  # parts of a name that are told apart: account, app, function, slot
CLOUDS = {"AWS": "AWS", "Microsoft": "Azure", "Google": "GCP", "Cloudflare": "Cloudflare"}  # as audit records say
CHANGES = frozenset({"create", "modify-code", "modify-config", "permission", "trigger"})


@dataclass(frozen=True)
class Ownership:
    """The state of one destination, why, and the audit records behind it."""

    state: str
    reason: str
    refs: tuple[str, ...] = ()


def with_ownership(
    pairs: pd.DataFrame, resources: pd.DataFrame, activity: pd.DataFrame, config: CaseFile
) -> pd.DataFrame:
    """Fill `ownership`, `ownership_reason` and `ownership_refs` of egress pairs.

    Parameters
    ----------
    pairs, resources, activity
        Tables of `schema.EGRESS_PAIRS`, `RESOURCES` and `CLOUD_ACTIVITY`.
    config
        The case: inventory and own zones.

    Returns
    -------
    pandas.DataFrame
        A copy of `pairs`.
    """
    judge = Judge(resources, activity, config)
    keys = [
        (str(dst), _text(tenant), _text(entry))
        for dst, tenant, entry in zip(pairs.dst, pairs.tenant, pairs.catalogue_id, strict=True)
    ]
    last: dict[tuple[str, str | None, str | None], pd.Timestamp] = {}
    for key, seen in zip(keys, pairs.last_seen, strict=True):
        last[key] = max(last.get(key, seen), seen)
    found = {key: judge.of(*key, on=seen.date()) for key, seen in last.items()}
    judged = [found[key] for key in keys]
    return pairs.assign(
        ownership=pd.array([o.state for o in judged], dtype="string"),
        ownership_reason=pd.array([o.reason for o in judged], dtype="string"),
        ownership_refs=pd.Series([o.refs for o in judged], index=pairs.index, dtype=LISTS),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class _Resource:
    """A resource of ours as the audit records show it."""

    name: str
    refs: tuple[str, ...]


class Judge:
    """Holds what the house knows, indexed by host, resource and customer."""

    def __init__(self, resources: pd.DataFrame, activity: pd.DataFrame, config: CaseFile) -> None:
        self.config = config
        self.inventory = InventoryIndex(config.inventory)
        self.made_by_us = dict(_made(resources))
        self.customers = _customers(self.made_by_us, resources)
        self.changed: dict[str, list[pd.DataFrame]] = {}
        for name, rows in unexpected_changes(activity).groupby("resource"):
            for around in _with_parents(str(name)):
                self.changed.setdefault(around, []).append(rows)

    def of(self, dst: str, tenant: str | None, entry: str | None, on: dt.date) -> Ownership:
        """Judge one destination, last seen on that day."""
        made = self.made_by_us.get(dst.lower())
        owned = self.inventory.find(dst, tenant, entry, made.name if made else None)
        customer = self._customer(dst, tenant, entry)
        for name, cloud in self._names(dst, made, owned, customer):
            rows = self._changes(name, cloud, owned)
            if len(rows):
                return _modified(name, rows)
        if owned:
            return _by_inventory(owned, on)
        if made:
            told = f"made by our own control plane for {made.name}, which no inventory entry names"
            return Ownership(UNAPPROVED, told, made.refs)
        if customer:
            return customer
        return self._elsewhere(dst, tenant, entry)

    def of_resource(self, name: str, on: dt.date) -> Ownership:
        """Judge a resource of ours whose host nobody knows, last seen on that day."""
        owned = self.inventory.find("", None, None, name)
        rows = self._changes(name, None, owned)
        if len(rows):
            return _modified(name, rows)
        return _by_inventory(owned, on) if owned else Ownership(UNAPPROVED, "in our audit records; no entry names it")

    def _elsewhere(self, dst: str, tenant: str | None, entry: str | None) -> Ownership:
        if zone := next((z for z in self.config.estate.own.zones if dst == z or dst.endswith(f".{z}")), None):
            return Ownership(UNAPPROVED, f"a name in our own zone {zone}, which no inventory entry names")
        if entry is not None and tenant is None:
            return Ownership(UNKNOWN, "the host serves every customer of the provider, and the log shows no path")
        if not self.config.inventory:
            baseline = "" if self.config.allow_list else " (unreviewed baseline)"
            return Ownership(UNKNOWN, f"the case has no inventory to compare with{baseline}")
        return Ownership(EXTERNAL, "neither in the inventory nor made by an own control plane in evidence")

    def _customer(self, dst: str, tenant: str | None, entry: str | None) -> Ownership | None:
        """Ours by the customer that the host or its path names, approved by nobody."""
        if tenant is None or entry is None:
            return None
        customer = (entry, tenant)
        if known := self.inventory.of_customer(customer):
            told = f"{tenant} is ours: {known.names} of it is {known.words()}; no entry names this host"
            return Ownership(UNAPPROVED, told)
        if shown := self.customers.get(customer):
            told = (
                f"{tenant} is ours: our own control plane made {shown.name} of it; no inventory entry names this host"
            )
            return Ownership(UNAPPROVED, told, shown.refs)
        if tenant in _own_accounts(self.config, entry):
            return Ownership(UNAPPROVED, f"{tenant} is ours by estate.own; no inventory entry names this host")
        return None

    def _names(
        self, dst: str, made: _Resource | None, owned: Owned | None, customer: Ownership | None
    ) -> Iterator[tuple[str, str | None]]:
        """What the audit log may call the resource behind a destination of ours; by its host, that of one cloud."""
        if made:
            yield made.name, None
        if owned and owned.resource:
            yield owned.resource, None
        match = load_catalogue().classify(dst) if owned or customer else None
        if match and match.provider in CLOUDS:
            yield from ((name, CLOUDS[match.provider]) for name in (match.resource, match.tenant) if name)

    def _changes(self, name: str, cloud: str | None, owned: Owned | None) -> pd.DataFrame:
        """Unexpected changes of a resource and of what lies in it (`app/function`), in the account of its entry."""
        inside = self.changed.get(name)
        if not inside:
            return pd.DataFrame()
        rows = pd.concat(inside).sort_values("time", kind="stable")
        if cloud is not None:
            rows = rows[rows.provider == cloud]
        account = owned.account_uid if owned else None
        return rows if account is None else rows[rows.account.isna() | (rows.account == account)]


def _with_parents(name: str) -> list[str]:
    """`app/function` and `app`: what happens to a part happens to the whole."""
    parts = name.split("/", DEEPEST)
    return list(dict.fromkeys([name, *("/".join(parts[:end]) for end in range(1, len(parts)))]))


def unexpected_changes(activity: pd.DataFrame) -> pd.DataFrame:
    """Successful changes that no allow-list entry covers."""
    return activity[activity.phase.isin(CHANGES) & (activity.outcome == "success") & activity.allowed_by.isna()]


def _made(resources: pd.DataFrame) -> Iterator[tuple[str, _Resource]]:
    for name, hosts, refs in zip(resources.resource, resources.endpoints, resources.refs, strict=True):
        for host in hosts if hosts is not None else ():
            yield str(host).lower(), _Resource(str(name), tuple(refs[:MAX_REFS]) if refs is not None else ())


def _customers(made: dict[str, _Resource], resources: pd.DataFrame) -> dict[Customer, _Resource]:
    """Customers of services that our audit records show to be ours, each with a resource of it."""
    found = {customer: one for host, one in made.items() if (customer := customer_of(host))}
    columns = ("resource", "resource_type", "resource_uid", "account", "refs")
    for name, kind, uid, account, refs in zip(*(resources[column] for column in columns), strict=True):
        one = _Resource(str(name), tuple(refs[:MAX_REFS]) if refs is not None else ())
        if kind in ("function-app", "function") and "/subscriptions/" in str(uid).lower():
            found.setdefault(("az-functions", str(name).partition("/")[0]), one)
        if isinstance(account, str) and str(uid).startswith("projects/"):  # the project stands in hosts of functions
            found.setdefault(("g-gcf1", account), one)
    return found


def _own_accounts(config: CaseFile, entry: str) -> list[str]:
    """The accounts of `estate.own` at the provider of a service."""
    own = config.estate.own
    known = load_catalogue().by_id.get(entry)
    listed = {"Google": own.gcp_projects, "Cloudflare": own.cloudflare_accounts, "Microsoft": own.azure_tenants}
    return listed.get(known.provider, []) if known else []


def _modified(resource: str, rows: pd.DataFrame) -> Ownership:
    last = rows.iloc[-1]
    when = last.time.strftime("%Y-%m-%d %H:%M UTC")
    return Ownership(
        MODIFIED,
        f"ours ({resource}), and changed by {last.principal} at {when} without an allow-list entry",
        tuple(rows.ref.head(MAX_REFS)),
    )


def _by_inventory(owned: Owned, on: dt.date) -> Ownership:
    told = owned.words()
    approved = owned.approved and bool(owned.owner.strip())
    if owned.expires is None:
        return Ownership(APPROVED if approved else UNAPPROVED, told)
    if approved and on > owned.expires:
        return Ownership(UNAPPROVED, f"{told}, approved until {owned.expires.isoformat()} only")
    return Ownership(APPROVED if approved else UNAPPROVED, f"{told}, until {owned.expires.isoformat()}")
