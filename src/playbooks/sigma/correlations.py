"""Sigma correlation rules: counts and orders of the matches of other rules, per group, within a span of time.

Reference: Sigma specification, "Sigma Correlation Rules Specification".
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from playbooks.sigma.rules import NOT_CONVERTED, Rule

MAX_EVENTS = 1_000_000  # matches of a rule in one evidence item that a correlation counts; outcomes say what was cut
KINDS = ("event_count", "value_count", "temporal", "temporal_ordered")
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda seen, stated: seen < stated,
    "lte": lambda seen, stated: seen <= stated,
    "gt": lambda seen, stated: seen > stated,
    "gte": lambda seen, stated: seen >= stated,
    "eq": lambda seen, stated: seen == stated,
    "neq": lambda seen, stated: seen != stated,
}
GROWING = ("gt", "gte")  # what holds in a window holds in any window around it


@dataclass(frozen=True)
class Event:
    """A match of a rule as a correlation sees it: when (seconds), which record, its fields by name."""

    at: float
    ref: str
    rule: int
    fields: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Correlation:
    """One correlation rule; rules are named by their keys. `aliases`: name → rule → field of its records."""

    key: int
    kind: str
    rules: tuple[int, ...]
    group_by: tuple[str, ...]
    aliases: dict[str, dict[int, str]]
    seconds: int
    operator: str
    count: float
    counted: tuple[str, ...]
    generate: bool
    needed: Any = None  # tree of rules of an extended condition

    def keep(self, rule: int) -> tuple[str, ...]:
        """The fields of a rule's records that are needed to group and count them."""
        return tuple(dict.fromkeys(self._name(one, rule) for one in (*self.group_by, *self.counted)))

    def _name(self, name: str, rule: int) -> str:
        return self.aliases.get(name, {}).get(rule, name)

    def group(self, event: Event) -> tuple[str, ...] | None:
        """The group of an event; None where a field of it is missing."""
        found = [event.fields.get(self._name(name, event.rule)) or [] for name in self.group_by]
        return tuple(values[0].lower() for values in found) if all(found) else None

    def values(self, event: Event) -> tuple[str, ...]:
        """What `value_count` counts in an event."""
        found = [event.fields.get(self._name(name, event.rule)) or [] for name in self.counted]
        return tuple(value.lower() for values in found for value in values)


@dataclass(frozen=True)
class Correlated:
    """Events that a correlation rule fits, in order of time."""

    events: tuple[Event, ...]
    group: tuple[str, ...]


def correlations_of(rules: Sequence[Rule]) -> tuple[list[Correlation], dict[int, tuple[str, str]]]:
    """The correlation rules in an order in which each comes after those it counts, and why others cannot run.

    Returns
    -------
    (list of Correlation, dict)
        The dict holds (state, reason) by key.
    """
    called: dict[str, list[int]] = defaultdict(list)
    for rule in rules:
        for name in dict.fromkeys(filter(None, (rule.id.lower(), rule.name.lower()))):
            called[name].append(rule.key)
    made: dict[int, Correlation] = {}
    faults: dict[int, tuple[str, str]] = {}
    for rule in rules:
        if rule.is_correlation:
            found = _correlation(rule, called)
            if isinstance(found, str):
                faults[rule.key] = (NOT_CONVERTED, found)
            else:
                made[rule.key] = found
    ordered = list(_in_order(made))
    placed = {one.key for one in ordered}
    faults |= {key: (NOT_CONVERTED, "it counts itself, by way of others") for key in made if key not in placed}
    return ordered, faults


def _correlation(rule: Rule, called: dict[str, list[int]]) -> Correlation | str:
    parsed: Any = rule.parsed
    kind = parsed.type.name.lower()
    condition = parsed.condition
    extended = hasattr(condition, "expression")
    if kind not in KINDS:
        return f"correlations of the type {kind} are not run"
    names = condition.get_referenced_rules() if extended else [one.reference for one in parsed.rules or ()]
    keys: list[int] = []
    for name in names:
        found = called.get(str(name).lower(), [])
        if len(found) != 1:
            return f"{'no rule' if not found else f'{len(found)} rules'} among those given is called {str(name)[:80]!r}"
        keys += found
    by_name = dict(zip(names, keys, strict=True))
    counted = () if extended else condition.fieldref or ()
    aliases = {
        alias.alias: {by_name[ref.reference]: name for ref, name in alias.mapping.items() if ref.reference in by_name}
        for alias in parsed.aliases
    }
    return Correlation(
        key=rule.key,
        kind=kind,
        rules=tuple(keys),
        group_by=tuple(parsed.group_by or ()),
        aliases=aliases,
        seconds=parsed.timespan.seconds,
        operator="gte" if extended else condition.op.name.lower(),
        count=len(keys) if extended else condition.count,
        counted=(counted,) if isinstance(counted, str) else tuple(counted),
        generate=bool(parsed.generate),
        needed=_needed(condition.parsed, by_name) if extended else None,
    )


def _needed(item: Any, by_name: dict[str, int]) -> Any:
    """An extended condition as nested tuples of keys."""
    if hasattr(item, "reference"):
        return by_name[item.reference]
    word = type(item).__name__.removeprefix("CorrelationCondition").lower()
    return (word, *(_needed(one, by_name) for one in item.args))


def _holds(needed: Any, present: Iterable[int]) -> bool:
    if isinstance(needed, int):
        return needed in present
    word, *parts = needed
    held = [_holds(part, present) for part in parts]
    return not held[0] if word == "not" else all(held) if word == "and" else any(held)


def _in_order(made: dict[int, Correlation]) -> Iterator[Correlation]:
    left = dict(made)
    while ready := [one for one in left.values() if not any(key in left for key in one.rules)]:
        for one in ready:
            yield left.pop(one.key)


def correlated(rule: Correlation, events: Iterable[Event]) -> list[Correlated]:
    """Where the matches of its rules fit a correlation rule; no event counts twice.

    Events without a field of `group-by` belong to no group and count nowhere.
    """
    groups: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        if (group := rule.group(event)) is not None:
            groups[group].append(event)
    find = _ordered if rule.kind == "temporal_ordered" and rule.needed is None else _counted
    return [
        Correlated(tuple(found), group)
        for group, listed in sorted(groups.items())
        for found in find(rule, sorted(listed, key=lambda event: (event.at, event.ref, event.rule)))
    ]


def _counted(rule: Correlation, events: list[Event]) -> Iterator[list[Event]]:
    """Windows whose count fits: any window for `gte` and `gt`, else windows that begin where the last one ended."""
    if rule.operator not in GROWING:
        yield from (window for window in _side_by_side(rule, events) if _fits(rule, _measured(rule, window), window))
        return
    window: deque[Event] = deque()
    seen: Counter[Any] = Counter()
    found: list[Event] = []
    for event in events:
        if found and event.at - found[0].at <= rule.seconds:
            found.append(event)  # belongs to what is found already
            continue
        if found:
            yield found
            found, window, seen = [], deque(), Counter()
        window.append(event)
        seen.update(_marks(rule, event))
        while event.at - window[0].at > rule.seconds:
            seen.subtract(_marks(rule, window.popleft()))
            seen = +seen if len(seen) > 10 * len(window) else seen
        if _fits(rule, _number(rule, seen, len(window)), window, seen):
            found = list(window)
    if found:
        yield found


def _side_by_side(rule: Correlation, events: list[Event]) -> Iterator[list[Event]]:
    window: list[Event] = []
    for event in events:
        if window and event.at - window[0].at > rule.seconds:
            yield window
            window = []
        window.append(event)
    if window:
        yield window


def _marks(rule: Correlation, event: Event) -> tuple[Any, ...]:
    """What an event adds to the count: its values, or the rule that it matched."""
    return tuple(set(rule.values(event))) if rule.kind == "value_count" else (event.rule,)


def _measured(rule: Correlation, window: list[Event]) -> int:
    return _number(rule, Counter(mark for event in window for mark in _marks(rule, event)), len(window))


def _number(rule: Correlation, seen: Counter[Any], events: int) -> int:
    return events if rule.kind == "event_count" else sum(count > 0 for count in seen.values())


def _fits(rule: Correlation, number: int, window: Iterable[Event], seen: Counter[Any] | None = None) -> bool:
    if rule.needed is None:
        return OPERATORS[rule.operator](number, rule.count)
    present = {event.rule for event in window} if seen is None else {key for key, count in seen.items() if count > 0}
    return _holds(rule.needed, present)


def _ordered(rule: Correlation, events: list[Event]) -> Iterator[list[Event]]:
    """Chains through all rules in their order: of several beginnings the last that is in time counts."""
    chains: dict[int, list[Event]] = {}  # place in the order → the chain that ends there
    last = len(rule.rules) - 1
    for event in events:
        for place in range(last, -1, -1):
            if rule.rules[place] != event.rule:
                continue
            before = chains.get(place - 1)
            if place == 0:
                chains[0] = [event]
            elif before and event.at - before[0].at <= rule.seconds:
                chains[place] = [*before, event]
        if last in chains:
            yield chains[last]
            chains = {}


__all__ = ["MAX_EVENTS", "Correlated", "Correlation", "Event", "correlated", "correlations_of"]
