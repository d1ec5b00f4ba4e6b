"""A draft of the inventory: what audit records and egress showed, to be owned or struck out by a person.

Cannot see: functions that nobody contacted in clouds without audit records; things older than the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.enrichment.ownership import CHANGES, MAX_REFS, Judge
from playbooks.knowledge.catalogue import load_catalogue

AUDIT, EGRESS = "audit", "egress"
CLOUDS = {"AWS": "aws_accounts", "Azure": "azure_tenants", "GCP": "gcp_projects", "Cloudflare": "cloudflare_accounts"}
CATALOGUE_NAMES = {"AWS": "AWS", "Azure": "Microsoft", "GCP": "Google", "Cloudflare": "Cloudflare"}


def draft_inventory(
    resources: pd.DataFrame, pairs: pd.DataFrame, activity: pd.DataFrame, config: CaseFile
) -> pd.DataFrame:
    """What to answer for, ours first, then what lacks an owner.

    Parameters
    ----------
    resources, pairs, activity
        Tables of `schema.RESOURCES`, `EGRESS_PAIRS` with ownership, and `CLOUD_ACTIVITY`.
    config
        The case: inventory and own accounts.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.DRAFT_INVENTORY`.
    """
    judge = Judge(resources, activity, config)
    contacts = {str(host).lower(): rows for host, rows in _serverless(pairs).groupby("dst", sort=True)}
    history = {str(name): rows for name, rows in activity[activity.resource.notna()].groupby("resource")}
    rows = list(_by_audit(resources, contacts, history, judge))
    known = {row["host"] for row in rows}
    rows += [_by_egress(host, seen, judge) for host, seen in contacts.items() if host not in known]
    frame = pd.DataFrame(rows, columns=list(schema.DRAFT_INVENTORY.names))
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["foreign"] = ~frame.ownership.astype("string").str.startswith("owned").fillna(False)
    order = ["foreign", "owner_missing", "host", "resource"]
    ordered = frame.sort_values(order, ascending=[True, False, True, True], kind="stable", ignore_index=True)
    return ordered[list(schema.DRAFT_INVENTORY.names)]


def clouds_without_records(providers: Iterable[str], pairs: pd.DataFrame, config: CaseFile) -> list[str]:
    """Clouds of which no audit record is in evidence, each with what nonetheless speaks of it, in words.

    Parameters
    ----------
    providers
        Values of `cloud_provider` in the audit records.
    pairs
        Table of `schema.EGRESS_PAIRS`.
    """
    seen = set(providers)
    told = []
    for cloud, listed in CLOUDS.items():
        if cloud in seen:
            continue
        hosts = pairs[pairs.provider == CATALOGUE_NAMES[cloud]].dst.nunique()
        why = [f"estate.own lists {len(getattr(config.estate.own, listed))} of ours"] if getattr(
            config.estate.own, listed
        ) else []  # fmt: skip
        why += [f"our clients contacted {hosts} hosts there"] if hosts else []
        told.append(f"{cloud} ({'; '.join(why)})" if why else cloud)
    return told


def _serverless(pairs: pd.DataFrame) -> pd.DataFrame:
    ours = pairs.ownership.astype("string").str.startswith("owned").fillna(False)
    return pairs[pairs.catalogue_id.notna() | ours]


def _by_audit(
    resources: pd.DataFrame, contacts: dict[str, pd.DataFrame], history: dict[str, pd.DataFrame], judge: Judge
) -> Iterator[dict[str, Any]]:
    listed: Iterator[Any] = resources.itertuples(index=False)
    for one in listed:
        rows = history.get(str(one.resource))
        for host in one.endpoints if one.endpoints is not None and len(one.endpoints) else (None,):
            yield _made(one, str(host).lower() if host else None, rows, contacts, judge)


def _made(
    one: Any, host: str | None, rows: pd.DataFrame | None, contacts: dict[str, pd.DataFrame], judge: Judge
) -> dict[str, Any]:
    seen = contacts.get(host or "")
    match = load_catalogue().classify(host) if host else None
    service, tenant = (match.id, match.tenant) if match else (None, None)
    last = one.last_seen if seen is None else max(one.last_seen, seen.last_seen.max())
    ownership = judge.of(host, tenant, service, last.date()) if host else judge.of_resource(one.resource, last.date())
    owned = judge.inventory.find(host or "", tenant, service, one.resource)
    changes = rows[rows.phase.isin(CHANGES) & (rows.outcome != "failure")] if rows is not None else None
    return {
        "owner": owned.owner if owned else "",
        "resource": one.resource,
        "host": host,
        "tenant": tenant,
        "service": service,
        "account": one.account,
        "region": one.region,
        "owner_missing": not (owned and owned.owner.strip()),
        "ownership": ownership.state,
        "ownership_reason": ownership.reason,
        "seen_by": [AUDIT] if seen is None else [AUDIT, EGRESS],
        "first_seen": one.first_seen if seen is None else min(one.first_seen, seen.first_seen.min()),
        "last_seen": last,
        "exposure": _last(changes, "exposure"),
        "last_principal": _last(changes, "principal"),
        "clients": 0 if seen is None else int(seen.src.nunique()),
        "refs": _refs([one.refs] if seen is None else [one.refs, *seen.refs]),
    }


def _last(rows: pd.DataFrame | None, column: str) -> str | None:
    told = rows.sort_values("time", kind="stable")[column].dropna() if rows is not None else ()
    return str(told.iloc[-1]) if isinstance(told, pd.Series) and len(told) else None


def _by_egress(host: str, seen: pd.DataFrame, judge: Judge) -> dict[str, Any]:
    first = seen.iloc[0]
    tenant, service, region = (
        value if isinstance(value, str) else None for value in (first.tenant, first.catalogue_id, first.region)
    )
    owned = judge.inventory.find(host, tenant, service, None)
    return {
        "owner": owned.owner if owned else "",
        "resource": owned.resource if owned else None,
        "host": host,
        "tenant": tenant,
        "service": service,
        "account": None,
        "region": region,
        "owner_missing": not (owned and owned.owner.strip()),
        "ownership": first.ownership,
        "ownership_reason": first.ownership_reason,
        "seen_by": [EGRESS],
        "first_seen": seen.first_seen.min(),
        "last_seen": seen.last_seen.max(),
        "exposure": None,
        "last_principal": None,
        "clients": int(seen.src.nunique()),
        "refs": _refs(seen.refs),
    }


def _refs(several: Iterable[Any]) -> list[str]:
    """A record of each list in turn is not needed: the first lists come first."""
    return list(dict.fromkeys(ref for refs in several if refs is not None for ref in refs))[:MAX_REFS]
