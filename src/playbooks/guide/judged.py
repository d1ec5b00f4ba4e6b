"""What was judged, and what follows from it: kept as long as evidence, case file, kit and decisions are the same.

Three notebooks start from findings, each in a kernel of its own, and a decision changes them: these results have a
stamp of their own beside that of the evidence.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from typing import Any, Protocol

from playbooks import schema
from playbooks.case import Case, write_text
from playbooks.guide.store import Store
from playbooks.scoping.related_activity import Related
from playbooks.scoping.shared_traits import Scope
from playbooks.scoping.watched import Watched

JUDGED, RELATED, SCOPED = ".judged.json", ".related.json", ".scope.json"
STAMPS = ".judged_stamps.json"
MOMENTS = ("first", "since", "until")


class Asked(Protocol):
    """Who works it out when nothing is kept."""

    case: Case

    def judge(self) -> dict[str, Any]:
        """Findings, leads and outcomes, before anybody asked what else happened."""

    def look_around(self) -> Related:
        """What happened around the first contact of findings and leads."""

    def share_traits(self) -> Scope:
        """Who shares a trait with findings and leads."""


class Judged:
    """Findings and what follows from them; each is worked out when first asked for."""

    def __init__(self, asked: Asked, stamp: Callable[[], str]) -> None:
        self._asked, self._folder = asked, asked.case.results
        self._evidence = stamp
        self._store = Store(self._folder, lambda: self._stamp, STAMPS)

    @cached_property
    def found(self) -> dict[str, Any]:
        """Findings, leads and outcomes, in the order of questions and keys they were judged in."""
        told: dict[str, Any] = self._kept(JUDGED, (), lambda: ((), self._asked.judge()))
        return told

    @cached_property
    def related(self) -> Related:
        """What happened around the first contact of findings and leads."""
        tables = (schema.RELATED_ACTIVITY, schema.LIFECYCLE_STAGES)

        def look() -> tuple[tuple[Any, ...], dict[str, Any]]:
            one = self._asked.look_around()
            return (one.activity, one.stages), {"hosts": [_told(host) for host in one.hosts], "left_out": one.left_out}

        told = self._kept(RELATED, tables, look)
        activity, stages = map(self._store.load, tables)
        return Related(activity, stages, tuple(_host(entry) for entry in told["hosts"]), told["left_out"])

    @cached_property
    def scope(self) -> Scope:
        """Who shares a trait with findings and leads."""

        def share() -> tuple[tuple[Any, ...], dict[str, Any]]:
            one = self._asked.share_traits()
            counts = {"left_out": one.left_out, "findings_left_out": one.findings_left_out}
            return (one.rows,), {"notes": one.notes, **counts}

        told = self._kept(SCOPED, (schema.SCOPE,), share)
        return Scope(self._store.load(schema.SCOPE), tuple(told["notes"]), told["left_out"], told["findings_left_out"])

    def _kept(
        self,
        name: str,
        tables: tuple[schema.Table, ...],
        compute: Callable[[], tuple[tuple[Any, ...], dict[str, Any]]],
    ) -> dict[str, Any]:
        """What lies there under the stamp of today, else worked out and kept: tables as such, the rest as JSON."""
        file = self._folder / name
        files = [file, *map(self._store.file, tables)]
        if not (self._store.is_current(name) and all(one.is_file() for one in files)):
            frames, rest = compute()
            for table, frame in zip(tables, frames, strict=True):
                self._store.keep(table, frame)
            write_text(file, json.dumps(rest))
            self._store.mark(name)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    @cached_property
    def _stamp(self) -> str:
        decisions = self._asked.case.decisions
        decided = decisions.read_bytes() if decisions.is_file() else b""
        return f"{self._evidence()} {hashlib.sha256(decided).hexdigest()}"


def _told(host: Watched) -> dict[str, Any]:
    return asdict(host) | {name: getattr(host, name).isoformat() for name in MOMENTS}


def _host(told: dict[str, Any]) -> Watched:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Watched(**values | {name: dt.datetime.fromisoformat(told[name]) for name in MOMENTS})
