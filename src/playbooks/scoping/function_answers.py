"""Who created, changed, permitted, triggered and ran one resource, in words with references; or why that is not known.

An answer comes from records, never from their absence: where none is there, the sentence says which records were
looked at and what they could not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from playbooks.knowledge.operations import load_operations, platform_of
from playbooks.knowledge.resource_types import runs_of
from playbooks.scoping.clouds import cloud_of
from playbooks.scoping.control_plane import SCHEDULE, TRIGGERS
from playbooks.scoping.function_runs import DataEvents, Place, moment, service_key, why_not_run
from playbooks.scoping.uses import STANDS_FOR

MODIFYING = ("modify-code", "modify-config")
EXISTS = ("create", *MODIFYING, "permission", "trigger", "invoke")  # phases that only what exists can succeed in
SHOWN_REFS = 5  # of one principal's operation inside an answer; `refs` of the row holds more
SHOWN_ACTORS = 10  # inside one answer
NOBODY = "a principal the record does not name"
DEED = ("principal", "operation_base", SCHEDULE, "time", "ref", STANDS_FOR)
Deed = tuple[str | None, str, str | None, pd.Timestamp, str, int]


@dataclass(frozen=True)
class Answers:
    """The questions about one resource, over its events in order of time."""

    events: pd.DataFrame
    seen: Mapping[Place, DataEvents]

    def created(self) -> str:
        """Who made it."""
        made = (self.events["phase"] == "create") & ~self._again
        done, refused = self._named(made)
        if done:
            return _joined(done, refused)
        if refused:
            return f"not answerable because every call to create it failed ({refused})"
        return (
            f"not answerable because no record {self._span()} creates it: it was created before, or where "
            "no trail recorded it"
        )

    def changed(self, phases: Iterable[str]) -> str:
        """Who changed it in these phases; what may create and finds the resource there is a change."""
        chosen = self.events["phase"].isin(list(phases))
        if set(phases) == set(MODIFYING):
            chosen |= (self.events["phase"] == "create") & self._again
        return self._or_none(chosen)

    def triggered(self) -> str:
        """Who set what starts it: a trigger of its own, or one within its code or settings."""
        chosen = self.events["phase"] == "trigger"
        within = self.events["phase"].isin(("create", *MODIFYING)) & self.events[TRIGGERS].map(_holds).astype(bool)
        return self._or_none(chosen | within, self._untold_triggers())

    def invoked(self) -> str:
        """Who ran it."""
        done, refused = self._named(self.events["phase"] == "invoke")
        if done:
            return _joined(done, refused)
        why = why_not_run(self._provider, self._kind, self._service_names, self._services())
        said = f"not answerable because {why}" if why else f"none recorded {self._span()}"
        return _joined(said, refused)

    @property
    def _kind(self) -> str:
        return str(self.events["resource_type"].iloc[0])

    @property
    def _provider(self) -> str | None:
        return _known(self.events["provider"].iloc[0])

    @cached_property
    def _again(self) -> pd.Series[bool]:
        """Which events find the resource there: it was made or changed before, and not removed since."""
        there, told = False, []
        for phase, outcome, operation in zip(
            self.events["phase"], self.events["outcome"], self.events["operation_base"], strict=True
        ):
            told.append(there)
            if outcome != "failure":
                there = (there or phase in EXISTS) and not _removes(str(operation))
        return pd.Series(told, index=self.events.index, dtype=bool)

    def _or_none(self, chosen: pd.Series[bool], untold: str | None = None) -> str:
        done, refused = self._named(chosen)
        if done:
            return _joined(done, refused)
        if untold:
            return _joined(f"not answerable because {untold}", refused)
        if not any(one.management for one in self._services()):
            return "not answerable because the records hold no management events of this service"
        return _joined(f"none recorded {self._span()}", refused)

    def _untold_triggers(self) -> str | None:
        """Why its triggers are in no record, as the catalogue says; null where they are."""
        platform = platform_of(self._provider or "")
        return next(
            (
                one.condition
                for one in load_operations().operations
                if one.platform == platform
                and one.resource_type == self._kind
                and (one.phase, one.log_class) == ("trigger", "none")
            ),
            None,
        )

    @property
    def _service_names(self) -> set[str]:
        return {service_key(name) for name in self.events["service"].dropna()}

    def _services(self) -> list[DataEvents]:
        # a function may be known only from the trigger that names it, which belongs to another service
        names = self._service_names | {service_key(one.service) for one in runs_of(self._provider, self._kind)}
        cloud = cloud_of(self._provider)
        told = {(_known(a), _known(r)) for a, r in zip(self.events["account"], self.events["region"], strict=True)}
        places = {(name, account, cloud.place(region, None)) for name in names for account, region in told}
        return [self.seen[place] for place in sorted(places, key=str) if place in self.seen]

    def _span(self) -> str:
        services = self._services()
        first = min([one.first for one in services], default=self.events["time"].min())
        last = max([one.last for one in services], default=self.events["time"].max())
        return f"from {moment(first)} to {moment(last)}"

    def _named(self, which: pd.Series[bool]) -> tuple[str, str]:
        """Who did it and who tried, in words; empty where nobody did."""
        chosen = self.events[which]
        failed = chosen["outcome"] == "failure"
        return _actors(chosen[~failed]), _actors(chosen[failed])


def _holds(values: object) -> bool:
    return isinstance(values, list) and bool(values)


def _removes(operation: str) -> bool:
    last = operation.rstrip("/").replace(" ", "/").replace(".", "/")
    return any(part.lower().startswith(("delete", "remove")) for part in last.split("/"))


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _joined(done: str, refused: str) -> str:
    return f"{done}; failed attempts: {refused}" if refused else done


def _actors(events: pd.DataFrame) -> str:
    """`ci-deployer: UpdateFunctionCode 3 times, 2026-03-03 09:12 to … UTC (E001:4, …)`; by first time."""
    deeds: dict[tuple[str, str], list[Deed]] = {}
    for deed in zip(*(events[name] for name in DEED), strict=True):
        times = f" [{deed[2]}]" if isinstance(deed[2], str) else ""
        deeds.setdefault((deed[0] or NOBODY, f"{deed[1]}{times}"), []).append(deed)
    groups = [_deed(*who, done) for who, done in deeds.items()]
    more = f"; and {len(groups) - SHOWN_ACTORS} more" if len(groups) > SHOWN_ACTORS else ""
    return "; ".join(groups[:SHOWN_ACTORS]) + more


def _deed(principal: str, operation: str, done: list[Deed]) -> str:
    first, last = done[0][3], done[-1][3]
    count = sum(number for *_, number in done)
    refs = ", ".join(ref for *_, ref, _ in done[:SHOWN_REFS]) + (", …" if count > SHOWN_REFS else "")
    when = moment(first)
    if count > 1:
        when = f"{count} times, {when} to {moment(last)}"
    return f"{principal}: {operation} {when} ({refs})"
