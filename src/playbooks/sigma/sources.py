"""Which records of the kit a rule's log source speaks of, and where its fields stand in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from playbooks.knowledge.data import read_data
from playbooks.sigma.rules import Source


@dataclass(frozen=True)
class Place:
    """Where a value stands in a record.

    `steps` are names from the top; `inside` are steps in the JSON text that stands there; `named` is the entry of a
    list of names and values; `behind` is put behind the value.
    """

    steps: tuple[str, ...]
    inside: tuple[str, ...] = ()
    named: str = ""
    behind: str = ""


@dataclass(frozen=True)
class Dialect:
    """How the records of one format spell the fields of a log source."""

    fields: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    prefixes: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    everything_inside: str = ""
    either_case: bool = False

    def places(self, name: str) -> tuple[Place, ...]:
        """Where the value of a field may stand; the first that is there counts."""
        known = self.fields.get(name.lower())
        if known:
            return known
        for prefix, column in self.inside.items():
            if name.lower().startswith(prefix.lower() + "."):
                return (Place(_steps(column), _steps(name[len(prefix) + 1 :])),)
        if self.everything_inside:
            return (Place((self.everything_inside,), _steps(name)),)
        for prefix, other in self.prefixes.items():
            if (name + ".").lower().startswith(prefix.lower() + "."):
                name = (other + name[len(prefix) :]).lstrip(".")
                break
        return tuple(Place(steps) for steps in self._spellings(_steps(name)))

    def _spellings(self, steps: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
        spelt = [steps]
        if self.either_case:
            spelt += [tuple(s[:1].lower() + s[1:] for s in steps), tuple(s[:1].upper() + s[1:] for s in steps)]
        return dict.fromkeys(spelt)


NATIVE = Dialect()


@dataclass(frozen=True)
class LogSource:
    """One log source of the world of Sigma; `dialects` by format, `codes` by format where only some records count.

    Without formats `blind` says why the kit has no such records.
    """

    name: str
    source: Source
    dialects: dict[str, Dialect]
    codes: dict[str, tuple[str, ...]]
    blind: str = ""

    def fits(self, wanted: Source) -> bool:
        """Whether a rule for `wanted` speaks of these records: each part that the rule names is ours."""
        pairs = (
            (wanted.product, self.source.product),
            (wanted.service, self.source.service),
            (wanted.category, self.source.category),
        )
        return any(asked for asked, _ in pairs) and all(not asked or asked == ours for asked, ours in pairs)


@cache
def log_sources() -> tuple[LogSource, ...]:
    """The log sources that the kit knows, in the order of its data file."""
    data: Any = read_data("sigma_sources.yaml")
    dialects = {name: _dialect(entry) for name, entry in data["dialects"].items()}
    return tuple(_log_source(entry, dialects) for entry in data["sources"])


def sources_of(wanted: Source) -> tuple[LogSource, ...]:
    """The log sources that a rule speaks of; none where the kit knows none such."""
    return tuple(one for one in log_sources() if one.fits(wanted))


def _log_source(entry: dict[str, Any], dialects: dict[str, Dialect]) -> LogSource:
    source = Source(entry.get("product"), entry.get("service"), entry.get("category"))
    return LogSource(
        "/".join(part for part in (source.product, source.service, source.category) if part),
        source,
        {form: dialects[name] for form, name in entry.get("formats", {}).items()},
        {form: tuple(codes) for form, codes in entry.get("codes", {}).items()},
        entry.get("blind", ""),
    )


def _dialect(entry: dict[str, Any]) -> Dialect:
    fields = {name: tuple(map(_place, written)) for name, written in entry.get("fields", {}).items()}
    rest = {name: entry[name] for name in ("prefixes", "inside", "everything_inside", "either_case") if name in entry}
    return Dialect(fields, **rest)


def _place(written: str) -> Place:
    path, _, behind = written.partition("+")
    path, _, named = path.partition("[")
    outer, _, inner = path.partition(">")
    return Place(_steps(outer), _steps(inner), named.rstrip("]"), behind)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step for step in path.split(".") if step)
