"""Every entry of allow-list and inventory, gone over: what a tired person would not notice in a long list.

Nothing here changes what an entry does. `Expired` is compared with the last day of the records, not with today, so
that a case gives the same answer whenever it is opened.
Innocent when: an entry is there for another case, or for what happens once a year.
Cannot see: whether an owner still works here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.case import Allowed, CaseFile, Owned
from playbooks.enrichment import MODIFIED
from playbooks.enrichment.inventory_index import InventoryIndex
from playbooks.enrichment.inventory_index import is_too_broad as names_everybody
from playbooks.enrichment.ownership import CHANGES, MAX_REFS, unexpected_changes
from playbooks.findings.egress_allowed import is_too_broad
from playbooks.schema.arrow import texts

NOBODY = re.compile(r"(?i)\W*(?:\?+|unknown|unbekannt|none|nobody|n/?a|tbd|tbc|todo|-+|x+|owner|team|test)?\W*")
TOLD = {
    "unknown_owner": "its owner names nobody who could be asked",
    "expired": "it ended on {expires}, before the last day of the records ({last})",
    "too_broad": "it would cover everybody or everything, so it is not honoured",
    "unused": "nothing in this case needed it",
    "covers_modified": "it speaks of something of ours that was changed without an allow-list entry",
    "overlapping": "entry {other} says the same or more",
}
WIDE_PRINCIPAL = "it covers everything that this principal does to anything"


@dataclass
class _Seen:
    """What an entry speaks of in this case."""

    covered: int = 0
    modified: bool = False
    refs: list[str] = field(default_factory=list)

    def add(self, count: int, refs: Iterable[str], modified: bool = False) -> None:
        """Count what it covers, and keep records of it; those of changes come first."""
        self.covered += count
        self.modified |= modified
        self.refs = [*refs, *self.refs] if modified else [*self.refs, *refs]


def review_allow_list(
    pairs: pd.DataFrame, resources: pd.DataFrame, activity: pd.DataFrame, config: CaseFile
) -> pd.DataFrame:
    """Go over both lists.

    Parameters
    ----------
    pairs, resources, activity
        Tables of `schema.EGRESS_PAIRS` with ownership, `RESOURCES` and `CLOUD_ACTIVITY`.
    config
        The case with its lists.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.ALLOW_LIST_REVIEW`; entries of which something was noticed first.
    """
    last = max([*pairs.last_seen.dropna(), *activity.time.dropna()], default=None)
    day = last.date() if last is not None else None
    rows = [
        *_allowed(config.allow_list, pairs, activity, day),
        *_owned(config.inventory, pairs, resources, activity, day),
    ]
    frame = pd.DataFrame(rows, columns=list(schema.ALLOW_LIST_REVIEW.names))
    quiet = frame.faults.map(len) == 0
    return frame.assign(quiet=quiet).sort_values(["quiet"], kind="stable", ignore_index=True)[list(frame.columns)]


def _allowed(
    entries: list[Allowed], pairs: pd.DataFrame, activity: pd.DataFrame, day: dt.date | None
) -> Iterator[dict[str, Any]]:
    changes = activity[activity.phase.isin(CHANGES)]
    for number, entry in enumerate(entries, start=1):
        seen = _acts(entry, changes) if entry.kind == "principal" else _contacts(entry, pairs)
        wide = entry.kind == "principal" and not entry.actions and entry.resource.strip("*?") == ""
        facts: dict[str, Any] = {"too_broad": is_too_broad(entry) if entry.kind != "principal" else wide}
        other = next((n for n, one in enumerate(entries, 1) if n != number and _says_more(one, n, entry, number)), None)
        reason = {"too_broad": WIDE_PRINCIPAL} if wide else {}
        yield _row("allow_list", number, "case.yaml", entry.kind, entry.value, entry, seen, day, facts, other, reason)


def _contacts(entry: Allowed, pairs: pd.DataFrame) -> _Seen:
    seen = _Seen()
    hosts = {dst for dst in pairs.dst.unique() if entry.may_cover(str(dst))}
    listed: Iterator[Any] = pairs[pairs.dst.isin(hosts)].itertuples(index=False)
    for row in listed:
        customer = f"{row.catalogue_id}/{row.tenant}" if isinstance(row.tenant, str) else None
        programs = tuple(texts(row.processes))
        if entry.covers_contact(str(row.src), str(row.dst), customer, programs, row.last_seen.date()):
            changed = row.ownership == MODIFIED
            seen.add(1, row.ownership_refs if changed else row.refs, changed)
    return seen


def _acts(entry: Allowed, changes: pd.DataFrame) -> _Seen:
    seen = _Seen()
    listed: Iterator[Any] = changes[changes.resource.notna() & changes.principal.notna()].itertuples(index=False)
    for row in listed:
        if entry.covers_action(str(row.principal), str(row.phase), str(row.resource), row.time.date()):
            seen.add(1, [row.ref])
    return seen


def _says_more(one: Allowed, at: int, entry: Allowed, place: int) -> bool:
    """Whether another entry covers all that this one does; of two equal ones the later is told."""
    narrow = (entry.source, entry.process, entry.resource, entry.actions)
    wide = (one.source, one.process, one.resource, one.actions)
    if (one.kind, one.value.lower(), wide) == (entry.kind, entry.value.lower(), narrow):
        return one.expires >= entry.expires if at < place else one.expires > entry.expires
    return (
        one.kind == entry.kind
        and one.expires >= entry.expires
        and fnmatchcase(entry.value.lower(), one.value.lower())
        and one.source in (None, entry.source)
        and one.process in (None, entry.process)
        and fnmatchcase(entry.resource, one.resource)
        and (not one.actions or (bool(entry.actions) and set(entry.actions) <= set(one.actions)))
        and not (one.kind != "principal" and is_too_broad(one))
    )


def _owned(
    entries: list[Owned], pairs: pd.DataFrame, resources: pd.DataFrame, activity: pd.DataFrame, day: dt.date | None
) -> Iterator[dict[str, Any]]:
    seen = _seen_of_inventory(entries, pairs, resources, activity)
    first: dict[tuple[object, ...], int] = {}
    for number, entry in enumerate(entries, start=1):
        kind = "host" if entry.host else "resource" if entry.resource else "tenant"
        key = (kind, entry.names.lower(), entry.account_uid, entry.service if kind == "tenant" else None)
        other = first.setdefault(key, number)
        where = f"{entry.file}, {entry.place}" if hasattr(entry, "file") and hasattr(entry, "place") else "case.yaml"
        facts = {"too_broad": names_everybody(entry)}
        told = seen.get(id(entry), _Seen())
        yield _row("inventory", number, where, kind, entry.names, entry, told, day, facts,
                   other if other != number else None)  # fmt: skip


def _seen_of_inventory(
    entries: list[Owned], pairs: pd.DataFrame, resources: pd.DataFrame, activity: pd.DataFrame
) -> dict[int, _Seen]:
    """Per entry the pairs and resources that it is the answer for."""
    index = InventoryIndex(entries)
    found: dict[int, _Seen] = {}
    made = {str(host).lower(): str(name) for name, hosts in zip(resources.resource, resources.endpoints, strict=True)
            for host in (hosts if hosts is not None else ())}  # fmt: skip
    for entry, rows in _answered(index, made, pairs):
        changed = rows[rows.ownership == MODIFIED]
        refs = [ref for held in (changed.ownership_refs if len(changed) else rows.refs) for ref in held]
        found.setdefault(id(entry), _Seen()).add(len(rows), refs, bool(len(changed)))
    unexpected = unexpected_changes(activity)
    for name, refs in zip(resources.resource, resources.refs, strict=True):
        if of_resource := index.find("", None, None, str(name)):
            changes = unexpected[unexpected.resource == name]
            told = list(changes.ref) if len(changes) else list(refs)
            found.setdefault(id(of_resource), _Seen()).add(1, told, bool(len(changes)))
    return found


def _answered(index: InventoryIndex, made: dict[str, str], pairs: pd.DataFrame) -> Iterator[tuple[Owned, pd.DataFrame]]:
    """Each destination that an entry is the answer for, with its pairs."""
    named = ["dst", "tenant", "catalogue_id"]
    place = pairs.groupby(named, dropna=False, sort=False).ngroup()
    first = ~place.duplicated()
    answers: dict[int, Owned] = {}
    for number, dst, *rest in zip(place[first], *(pairs.loc[first, name] for name in named), strict=True):
        tenant, service = (value if isinstance(value, str) else None for value in rest)
        answer = index.find(str(dst), tenant, service, made.get(str(dst).lower()))
        if answer:
            answers[int(number)] = answer
    mine = place.isin(answers)
    for number, rows in pairs[mine].groupby(place[mine], sort=False):
        yield answers[int(number)], rows


def _row(
    of: str, number: int, where: str, kind: str, value: str, entry: Allowed | Owned, seen: _Seen, day: dt.date | None,
    facts: dict[str, Any], other: int | None, told: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    expires = entry.expires
    held = {
        "unknown_owner": NOBODY.fullmatch(entry.owner) is not None,
        "expired": bool(expires and day and expires < day),
        "too_broad": facts["too_broad"],
        "unused": seen.covered == 0,
        "covers_modified": seen.modified,
        "overlapping": other is not None,
    }
    faults = [name for name, holds in held.items() if holds]
    words = TOLD | (told or {})
    told_all = "; ".join(words[name].format(expires=expires, last=day, other=other) for name in faults)
    return {
        "list": of,
        "entry": number,
        "written_in": where,
        "kind": kind,
        "value": value,
        "owner": entry.owner,
        "expires": expires.isoformat() if expires else None,
        "faults": faults,
        "reason": told_all or "nothing noticed",
        "covered": seen.covered,
        "refs": list(dict.fromkeys(seen.refs))[:MAX_REFS],
    }
