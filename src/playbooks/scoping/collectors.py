"""Who collects evidence for us, and by what marks the audit logs show it.

Collectors come from the custody chain (what `playbooks acquire` recorded of itself) and from `collectors:` of
the case file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from playbooks.case import Case
from playbooks.evidence import custody

PRODUCT = "playbooks-acquire/"  # how the kit's own collection begins its user agent
ACQUIRED = "acquired"
MARGIN = dt.timedelta(minutes=15)  # between the clock of the log and that of the machine that collected
PAUSE = dt.timedelta(hours=6)  # acts of one identity further apart are two collections
Act = tuple[dt.datetime, dt.datetime, str]  # start, end, user


@dataclass(frozen=True)
class Collector:
    """One collection of ours as the audit log can show it; a mark that is not known is null."""

    principal: str  # name, or ARN of user, session or role; `*` stands for anything
    owner: str
    told_by: str
    user_agent: str | None = None
    access_key: str | None = None
    source_ip: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def is_principal(self, names: Iterable[str | None]) -> bool:
        """Whether one of the names of an actor is this collector's."""
        return any(name is not None and fnmatchcase(name, self.principal) for name in names)

    def has_agent(self, user_agent: str | None) -> bool:
        """Whether a user agent is this collection's; False where none is known of it."""
        return self.user_agent is not None and user_agent is not None and fnmatchcase(user_agent, self.user_agent)

    def words(self) -> str:
        """Who collected, and what says so."""
        return f"{self.owner} ({self.told_by})"


def collectors_of(case: Case) -> list[Collector]:
    """The collections that the custody chain and the case file tell of."""
    stated = [
        Collector(
            principal=one.principal,
            owner=one.owner,
            told_by="case.yaml",
            user_agent=one.user_agent,
            source_ip=one.source_ip,
            since=one.since,
            until=one.until,
        )
        for one in case.config.collectors
    ]
    return [*_recorded(case), *stated]


def _recorded(case: Case) -> list[Collector]:
    """What `playbooks acquire` recorded of itself, acts that lie close together as one collection."""
    acts: dict[tuple[str, str, str | None], list[Act]] = {}
    for entry in custody.entries(case.custody):
        found = entry.get("collector")
        if entry.get("activity") != ACQUIRED or not isinstance(found, dict):
            continue
        arn, agent, key = (found.get(name) for name in ("arn", "user_agent", "access_key_id"))
        if isinstance(arn, str) and isinstance(agent, str) and agent.startswith(PRODUCT):
            span = _span_of(entry)
            who = str((entry.get("actor") or {}).get("user") or "unknown")
            marks = (arn, agent.split()[0], key if isinstance(key, str) and key else None)
            acts.setdefault(marks, []).append((*span, who))
    return [one for marks, held in acts.items() for one in _collections(marks, sorted(held))]


def _span_of(entry: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime]:
    """When an acquisition ran: from its first question to its last answer; without them, the moment of its entry."""
    recorded = dt.datetime.fromisoformat(entry["time"])
    try:
        first, last = (dt.datetime.fromisoformat(str(entry.get(name))) for name in ("first", "last"))
    except ValueError:
        return recorded, recorded
    if first.tzinfo is None or last.tzinfo is None or first > last:
        return recorded, recorded
    return first, last


def _collections(marks: tuple[str, str, str | None], acts: list[Act]) -> Iterator[Collector]:
    arn, agent, key = marks
    groups: list[list[Act]] = []
    for act in acts:
        if groups and act[0] - groups[-1][-1][1] <= PAUSE:
            groups[-1].append(act)
        else:
            groups.append([act])
    for group in groups:
        yield Collector(
            principal=arn,
            owner=", ".join(sorted({who for _, _, who in group})),
            told_by="custody chain",
            user_agent=f"*{agent}*",
            access_key=key,
            since=group[0][0] - MARGIN,
            until=max(end for _, end, _ in group) + MARGIN,
        )
