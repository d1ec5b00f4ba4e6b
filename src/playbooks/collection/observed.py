"""Of what something can be collected: hosts, logs, resources, principals, accounts and destinations of a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from playbooks.knowledge.operations import platform_of

IN_FINDING, WORTH_A_LOOK, ACCEPTED = 0, 1, 2
MAX_REFS = 5
LOGS = {"dns_activity": "DNS logs", "http_activity": "web logs", "network_activity": "flow and TLS logs"}


@dataclass(frozen=True)
class Observed:
    """Something that the case saw.

    Attributes
    ----------
    entity, name
        Kind (see `knowledge.volatility`) and name.
    platform, part
        Its cloud; resource type, catalogue id or event table.
    account, region
        Where it is, for resources.
    first, last
        Its events, UTC.
    refs
        Records that show it; evidence ids for a log and an account.
    tier
        `IN_FINDING`, `WORTH_A_LOOK` (a lead, or changed by somebody whom no entry covers) or `ACCEPTED`.
    because
        Ids of findings and leads it stands in.
    formats
        Formats in which a log or an account's records are in evidence.
    """

    entity: str
    name: str
    platform: str | None = None
    part: str | None = None
    account: str | None = None
    region: str | None = None
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    refs: tuple[str, ...] = ()
    tier: int = WORTH_A_LOOK
    because: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()

    def words(self) -> str:
        """What it is, in words."""
        kind = (self.part or self.entity) if self.entity == "resource" else self.entity
        where = ", ".join(part for part in (self.account, self.region) if part)
        name = self.name if self.entity == "source" else f"{kind} {self.name}"
        return f"{name} ({where})" if where and self.entity == "resource" else name


def observed(
    found: Mapping[str, Any],
    pairs: pd.DataFrame,
    activity: pd.DataFrame,
    coverage: Mapping[str, Any],
    roles: pd.DataFrame | None = None,
) -> list[Observed]:
    """Everything of a case of which evidence can be collected.

    Parameters
    ----------
    found, coverage
        Content of `findings.json` and `coverage.json`.
    pairs, activity
        Rows of `schema.EGRESS_PAIRS` and `schema.CLOUD_ACTIVITY`.
    roles
        Rows of `schema.ROLE_LINKS`.
    """
    told = [(entry, IN_FINDING) for entry in found["findings"]] + [(e, WORTH_A_LOOK) for e in found["leads"]]
    outside = [(entry, tier) for entry, tier in told if entry["hypothesis"] == "A"]
    inside = [(entry, tier) for entry, tier in told if entry["hypothesis"] == "B"]
    resources = list(_resources(inside, activity))
    return [
        *_ends(outside, pairs, "src", "host"),
        *_sources(coverage),
        *resources,
        *(_roles(roles, resources) if roles is not None else ()),
        *_principals(inside, activity),
        *_accounts(activity, coverage),
        *_ends(outside, pairs, "dst", "destination"),
    ]


def _ends(told: Iterable[tuple[Any, int]], pairs: pd.DataFrame, end: str, entity: str) -> Iterator[Observed]:
    """Clients or destinations of findings and leads, each once, with the contacts behind them."""
    seen: dict[str, tuple[int, list[str], list[pd.DataFrame]]] = {}
    for entry, tier in told:
        mine = pairs[
            pairs.src.isin(entry["subjects"].get("src", [])) & pairs.dst.isin(entry["subjects"].get("dst", []))
        ]
        for name, rows in mine.groupby(end, sort=True):
            best, because, parts = seen.get(str(name), (tier, [], []))
            seen[str(name)] = (min(best, tier), [*because, entry["id"]], [*parts, rows])
    for name, (tier, because, parts) in seen.items():
        rows = pd.concat(parts)
        listed = [one for one in rows.catalogue_id if isinstance(one, str)]
        yield Observed(
            entity,
            name,
            part=listed[0] if listed and entity == "destination" else None,
            first=rows.first_seen.min(),
            last=rows.last_seen.max(),
            refs=_some(ref for refs in rows.refs for ref in refs),
            tier=tier,
            because=tuple(because),
        )


def _some(refs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, refs)))[:MAX_REFS]


def _sources(coverage: Mapping[str, Any]) -> Iterator[Observed]:
    """The three kinds of logs of the house; one that is not in evidence has no records to point at."""
    for table, name in LOGS.items():
        mine = [source for source in coverage["sources"] if table in source["tables"]]
        firsts, lasts = ([s[edge] for s in mine if s[edge]] for edge in ("first", "last"))
        yield Observed(
            "source",
            name,
            part=table,
            first=pd.Timestamp(min(firsts)) if firsts else None,
            last=pd.Timestamp(max(lasts)) if lasts else None,
            refs=tuple(item for source in mine for item in source["evidence"]),
            formats=tuple(dict.fromkeys(source["format"] for source in mine)),
        )


def _resources(told: Iterable[tuple[Any, int]], activity: pd.DataFrame) -> Iterator[Observed]:
    """Resources that somebody changed in the window, by place."""
    named = activity[activity.resource.notna() & activity.provider.notna()]
    touched = named[(named.phase != "discovery")]
    key = ["provider", "resource_type", "resource", "account", "region"]
    told = list(told)
    for place, events in touched.groupby(key, dropna=False, sort=True):
        rows = events[(events.phase != "invoke") & ~events.operation_base.str.startswith("AssumeRole")]
        if rows.empty:  # only used
            continue
        provider, kind, name, account, region = (part if isinstance(part, str) else None for part in place)
        because = [(entry["id"], tier) for entry, tier in told if _is_about(entry, name, account)]
        accepted = ACCEPTED if rows.allowed_by.notna().all() else WORTH_A_LOOK
        yield Observed(
            "resource",
            str(name),
            platform_of(str(provider)),
            kind,
            account,
            region,
            events.time.min(),
            events.time.max(),
            _some(rows.ref),
            min([accepted, *(tier for _, tier in because)]),
            tuple(entry for entry, _ in because),
        )


def _roles(links: pd.DataFrame, resources: Iterable[Observed]) -> Iterator[Observed]:
    """Roles of the functions that were changed; one that was changed itself is there already."""
    known = list(resources)
    places = {(one.part, one.name, one.account, one.region): one for one in known}
    done = {(one.name, one.account) for one in known if one.part == "role"}
    for (role, account), rows in links.groupby(["role", "account"], sort=True):
        given = [(row.resource_type, row.resource, row.account, row.region) for row in rows.itertuples(index=False)]
        functions = [places[place] for place in given if place in places]
        if functions and (role, account) not in done:
            yield Observed(
                "resource",
                str(role),
                functions[0].platform,
                "role",
                str(account),
                None,
                rows.first_seen.min(),
                rows.last_seen.max(),
                _some(ref for refs in rows.refs for ref in refs),
                min(one.tier for one in functions),
                tuple(dict.fromkeys(entry for one in functions for entry in one.because)),
            )


def _is_about(entry: Mapping[str, Any], name: str | None, account: str | None) -> bool:
    accounts = entry["subjects"].get("account") or []
    return name in entry["subjects"].get("resource", []) and (not accounts or account in accounts)


def _principals(told: Iterable[tuple[Any, int]], activity: pd.DataFrame) -> Iterator[Observed]:
    """Identities behind findings and leads; services act on behalf of one of them."""
    seen: dict[str, tuple[int, list[str]]] = {}
    for entry, tier in told:
        for name in entry["subjects"].get("principal", []):
            best, because = seen.get(name, (tier, []))
            seen[name] = (min(best, tier), [*because, entry["id"]])
    for name, (tier, because) in sorted(seen.items()):
        rows = activity[activity.principal == name]
        if len(rows) and not name.endswith(".amazonaws.com"):
            yield Observed(
                "principal",
                name,
                platform_of(str(rows.iloc[0].provider)),
                first=rows.time.min(),
                last=rows.time.max(),
                refs=_some(rows.ref),
                tier=tier,
                because=tuple(because),
            )


def _accounts(activity: pd.DataFrame, coverage: Mapping[str, Any]) -> Iterator[Observed]:
    """Accounts, tenants and projects of which audit records are in evidence."""
    for (provider, account), rows in activity.groupby(["provider", "account"], sort=True):
        items = dict.fromkeys(sorted({str(ref).partition(":")[0] for ref in rows.ref}))
        formats = [source["format"] for source in coverage["sources"] if items.keys() & set(source["evidence"])]
        yield Observed(
            "account",
            f"{account} of {provider}",
            platform_of(str(provider)),
            account=str(account),
            first=rows.time.min(),
            last=rows.time.max(),
            refs=tuple(items),
            formats=tuple(dict.fromkeys(formats)),
        )
