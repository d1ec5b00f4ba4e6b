"""YAML documents → Sigma rules, by pySigma: what each says of itself, and why one is no rule that can run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from playbooks.sigma.rule_files import Document, printable

if TYPE_CHECKING:
    from sigma.correlations import SigmaCorrelationRule
    from sigma.rule import SigmaRule

LEVELS = ("informational", "low", "medium", "high", "critical")
NOT_PARSED, NOT_CONVERTED = "not parsed", "not converted"
MAX_CONDITION_CHARS = 2_000  # the time to read a condition grows with it
MAX_BRACKETS_DEEP = 8  # and much faster with the brackets in it
BEYOND_RE2 = re.compile(r"Regular expression .* is invalid", re.DOTALL)
# what pySigma raises over values of types that it does not expect
ODD = (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError)


@dataclass(frozen=True)
class Source:
    """The log source that a rule names; each part may be absent."""

    product: str | None = None
    service: str | None = None
    category: str | None = None

    def words(self) -> str:
        """The log source in words."""
        parts = {"product": self.product, "service": self.service, "category": self.category}
        return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "none named"


@dataclass(frozen=True)
class Rule:
    """One rule as it was given.

    `key` is its place among all rules given, from 0. `parsed` is pySigma's; it is None where `state` and `fault` say
    why. `name` is what correlations may call it besides its `id`. All texts are the author's: shown, never run.
    """

    key: int
    path: str
    document: int
    id: str
    name: str
    title: str
    level: str
    tags: tuple[str, ...]
    source: Source
    parsed: SigmaRule | SigmaCorrelationRule | None
    state: str = ""
    fault: str = ""

    @property
    def is_correlation(self) -> bool:
        return hasattr(self.parsed, "timespan")


def parse_rules(documents: Iterable[Document]) -> list[Rule]:
    """One rule a document, in order; documents that only set values for others (`action: global`) are none.

    Returns
    -------
    list of Rule
        Those that could not be read are among them, with `state` and `fault`.
    """
    rules: list[Rule] = []
    for _, same in groupby(documents, key=lambda document: document.path):
        of_file = list(same)
        wanted = [one for one in of_file if one.data is None or one.data.get("action") not in ("global", "reset")]
        if any(one.data and "action" in one.data for one in of_file):
            parsed = _together(of_file, len(wanted))
        else:
            parsed = [_parsed(one) for one in wanted]
        rules += [_rule(len(rules) + place, *pair) for place, pair in enumerate(zip(wanted, parsed, strict=True))]
    return rules


Parsed = tuple[Any, str, str]


def _together(documents: list[Document], count: int) -> list[Parsed]:
    """The rules of a file whose documents change each other."""
    if bad := next((one for one in documents if one.data is None), None):
        return [(None, NOT_PARSED, bad.fault)] * count
    found = _collection([one.data for one in documents])
    if isinstance(found, str):
        return [(None, NOT_PARSED, found)] * count
    if len(found) != count:
        return [(None, NOT_PARSED, f"{len(found)} rules come of the {count} documents of this file")] * count
    return [_judged(rule) for rule in found]


def _parsed(document: Document) -> Parsed:
    if document.data is None:
        return None, NOT_PARSED, document.fault
    if fault := _hard_condition(document.data):
        return None, NOT_CONVERTED, fault
    found = _collection([document.data])
    if isinstance(found, str):
        return None, NOT_CONVERTED if BEYOND_RE2.match(found) else NOT_PARSED, found
    return _judged(found[0]) if len(found) == 1 else (None, NOT_PARSED, "a filter, which is no rule of its own")


def _collection(data: list[Any]) -> list[Any] | str:
    """pySigma's rules, or why there are none."""
    from sigma.collection import SigmaCollection
    from sigma.exceptions import SigmaError

    try:
        return list(SigmaCollection.from_dicts(data, collect_errors=True, resolve_references=False).rules)
    except (SigmaError, *ODD) as error:
        return printable(f"{error}" if isinstance(error, SigmaError) else f"{type(error).__name__}: {error}", 300)


def _judged(rule: Any) -> Parsed:
    if rule.errors:
        said = printable("; ".join(str(error) for error in rule.errors), 300)
        return rule, NOT_CONVERTED if BEYOND_RE2.match(said) else NOT_PARSED, said
    return rule, "", ""


def _hard_condition(data: dict[str, Any]) -> str:
    detection = data.get("detection")
    stated = detection.get("condition") if isinstance(detection, dict) else None
    correlation = data.get("correlation")
    extended = correlation.get("condition") if isinstance(correlation, dict) else None
    for text in [one for part in (stated, extended) for one in (part if isinstance(part, list) else [part])]:
        if isinstance(text, str) and (len(text) > MAX_CONDITION_CHARS or _brackets_deep(text) > MAX_BRACKETS_DEEP):
            limits = f"{MAX_CONDITION_CHARS:,} characters and {MAX_BRACKETS_DEEP} brackets deep"
            return f"a condition may have {limits}"
    return ""


def _brackets_deep(text: str) -> int:
    deep = deepest = 0
    for letter in text:
        deep += (letter == "(") - (letter == ")")
        deepest = max(deepest, deep)
    return deepest


def _rule(key: int, document: Document, parsed: Parsed) -> Rule:
    rule, state, fault = parsed
    data = document.data or {}
    level = str(data.get("level", "")).lower()
    stated = data.get("tags")
    tags = stated if isinstance(stated, list) else []
    return Rule(
        key=key,
        path=document.path,
        document=document.number,
        id=_text(data.get("id"), 80),
        name=_text(data.get("name"), 200),
        title=_text(data.get("title"), 250) or "(no title)",
        level=level if level in LEVELS else "",
        tags=tuple(_text(tag, 80) for tag in tags[:50]),
        source=_source(data.get("logsource")),
        parsed=None if state else rule,
        state=state,
        fault=fault,
    )


def _source(stated: Any) -> Source:
    if not isinstance(stated, dict):
        return Source()
    parts = (_text(stated.get(name), 80).lower() or None for name in ("product", "service", "category"))
    return Source(*parts)


def _text(value: object, longest: int) -> str:
    return "" if value is None else printable(str(value), longest)
