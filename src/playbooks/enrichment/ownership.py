"""Ownership: is a destination ours, ours and changed, somebody else's, or not to be told?

Two sources decide, both of the house itself: the inventory in `case.yaml`, and hosts that our own control
plane produced (function URLs, APIs), as its audit records show. The provider's name decides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain

import pandas as pd

from playbooks.case import CaseFile, Owned

APPROVED, UNAPPROVED, MODIFIED = "owned-approved", "owned-unapproved", "owned-recently-modified"
EXTERNAL, UNKNOWN = "external", "unknown"
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
    judge = _Judge(resources, activity, config)
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
        ownership_refs=pd.Series([list(o.refs) for o in judged], index=pairs.index, dtype=object),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class _Judge:
    """Holds what the house knows, indexed by host, resource and tenant."""

    def __init__(self, resources: pd.DataFrame, activity: pd.DataFrame, config: CaseFile) -> None:
        self.config = config
        self.made_by_us = {
            str(host).lower(): str(resource)
            for resource, hosts in zip(resources.resource, resources.endpoints, strict=True)
            for host in (hosts if hosts is not None else ())
        }
        unexpected = activity[
            activity.phase.isin(CHANGES) & (activity.outcome == "success") & activity.allowed_by.isna()
        ]
        self.changed: dict[str, pd.DataFrame] = {str(name): rows for name, rows in unexpected.groupby("resource")}

    def of(self, dst: str, tenant: str | None, entry: str | None, on: dt.date) -> Ownership:
        """Judge one destination, last seen on that day."""
        resource = self.made_by_us.get(dst.lower())
        owned = _inventoried(self.config.inventory, dst, tenant, entry, resource)
        name = resource or (owned.resource if owned else None)
        if name in self.changed:
            return self._modified(dst, str(name))
        if owned:
            return _by_inventory(owned, on)
        if resource:
            return Ownership(
                UNAPPROVED, f"made by our own control plane for {resource}, which no inventory entry names"
            )
        if zone := next((z for z in self.config.estate.own.zones if dst == z or dst.endswith(f".{z}")), None):
            return Ownership(UNAPPROVED, f"a name in our own zone {zone}, which no inventory entry names")
        if entry is not None and tenant is None:
            return Ownership(UNKNOWN, "the host serves every customer of the provider, and the log shows no path")
        if not self.config.inventory:
            return Ownership(UNKNOWN, "the case has no inventory to compare with")
        return Ownership(EXTERNAL, "neither in the inventory nor made by an own control plane in evidence")

    def _modified(self, dst: str, resource: str) -> Ownership:
        rows = self.changed[resource]
        last = rows.iloc[-1]
        when = last.time.strftime("%Y-%m-%d %H:%M UTC")
        return Ownership(
            MODIFIED,
            f"ours ({resource}), and changed by {last.principal} at {when} without an allow-list entry",
            tuple(rows.ref.head(20)),
        )


def _by_inventory(owned: Owned, on: dt.date) -> Ownership:
    told = f"in the inventory, owner {owned.owner}"
    if owned.expires is None:
        return Ownership(APPROVED if owned.approved else UNAPPROVED, told)
    if owned.approved and on > owned.expires:
        return Ownership(UNAPPROVED, f"{told}, approved until {owned.expires.isoformat()} only")
    return Ownership(APPROVED if owned.approved else UNAPPROVED, f"{told}, until {owned.expires.isoformat()}")


def _inventoried(
    inventory: Iterable[Owned], dst: str, tenant: str | None, entry: str | None, resource: str | None
) -> Owned | None:
    """The entry that names the host, else the one for the resource behind it, else the tenant's."""
    entries = list(inventory)
    by_host = (o for o in entries if o.host is not None and fnmatchcase(dst.lower(), o.host.lower()))
    by_resource = (o for o in entries if resource is not None and o.resource == resource)
    by_tenant = (
        o for o in entries if tenant is not None and o.tenant == tenant and o.service in (None, entry) and entry
    )
    return next(chain(by_host, by_resource, by_tenant), None)
