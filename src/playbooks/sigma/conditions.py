"""A rule's condition → a tree of tests that turns into SQL, over fields of one value and over fields of several.

This is the kit's backend of pySigma: it walks pySigma's condition tree and makes boolean expressions for the engine.
Sigma compares without regard to case unless a rule says `cased` or `re`; a field that a record lacks matches nothing.
Whatever a rule says goes into the SQL as a quoted literal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playbooks.engine import text_literal

Test = Callable[[str], str]  # SQL of a value → SQL of a condition


@dataclass(frozen=True)
class Check:
    """A test of one field; `equal` is the text where the test is for equality alone. Null tests have `test` None."""

    field: str
    test: Test | None
    cased: bool = False
    equal: str | None = None
    exists: bool = False


@dataclass(frozen=True)
class Compared:
    """Two fields of one record compared, without regard to case."""

    field: str
    other: str
    starts: bool
    ends: bool


@dataclass(frozen=True)
class Words:
    """A test of the whole text of a record; `cased` ones get the text as it stands."""

    test: Test
    cased: bool = False


@dataclass(frozen=True)
class Every:
    """All of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """At least one of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """Not this."""

    part: Node


Node = Check | Compared | Words | Every | Either | Not


def leaves(node: Node) -> Iterator[Check | Compared | Words]:
    """The tests at the ends of a tree."""
    match node:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield node


def fields_of(node: Node) -> list[str]:
    """The fields that a tree looks at, in the order in which it names them."""
    names: dict[str, None] = {}
    for leaf in leaves(node):
        if isinstance(leaf, Check | Compared):
            names[leaf.field] = None
        if isinstance(leaf, Compared):
            names[leaf.other] = None
    return list(names)


def is_cased(node: Node, name: str) -> bool:
    """Whether a tree looks at the field as it stands, in its own case."""
    return any(isinstance(leaf, Check) and leaf.field == name and leaf.cased for leaf in leaves(node))


@dataclass(frozen=True)
class Columns:
    """Names of the columns that hold the fields: `as_is` in their own case, `lower` in small letters.

    With `several`, columns are lists, and one value that fits is enough.
    """

    as_is: dict[str, str]
    lower: dict[str, str]
    several: bool = False

    def sql(self, node: Node) -> str:
        """The condition as SQL; never NULL below a NOT, and NULL stands for false above."""
        match node:
            case Every(parts):
                return self._every(parts)
            case Either(parts):
                return "(" + " OR ".join(self._either(parts)) + ")"
            case Not(part):
                return f"NOT coalesce({self.sql(part)}, false)"
            case Words(test, cased):
                return test("text" if cased else "lower_text")
            case Compared():
                return self._compared(node)
            case Check():
                return self._check(node)

    def _every(self, parts: tuple[Node, ...]) -> str:
        """All parts; what costs more is asked only of the records that fit the equalities."""
        first = [self.sql(part) for part in parts if _is_cheap(part)]
        rest = [self.sql(part) for part in parts if not _is_cheap(part)]
        both = [" AND ".join(some) for some in (first, rest) if some]
        return f"CASE WHEN {both[0]} THEN {both[1]} ELSE false END" if len(both) == 2 else f"({both[0]})"

    def _either(self, parts: tuple[Node, ...]) -> list[str]:
        """The parts of an OR; equalities of one field as one IN."""
        equal: dict[tuple[str, bool], list[str]] = {}
        others = []
        for part in parts:
            if isinstance(part, Check) and part.equal is not None:
                equal.setdefault((part.field, part.cased), []).append(_literal(part.equal, part.cased))
            else:
                others.append(self.sql(part))
        merged = [
            self._any(name, cased, lambda value, texts=texts: f"{value} IN ({', '.join(texts)})")  # type: ignore[misc]
            for (name, cased), texts in equal.items()
        ]
        return merged + others

    def _check(self, check: Check) -> str:
        if check.test is None:
            column = self.lower[check.field]
            absent = f"({column} IS NULL OR len({column}) = 0)" if self.several else f"{column} IS NULL"
            return f"NOT {absent}" if check.exists else absent
        return self._any(check.field, check.cased, check.test)

    def _any(self, name: str, cased: bool, test: Test) -> str:
        column = (self.as_is if cased else self.lower)[name]
        return f"len(list_filter({column}, lambda x: {test('x')})) > 0" if self.several else f"({test(column)})"

    def _compared(self, node: Compared) -> str:
        left, right = self.lower[node.field], self.lower[node.other]
        if not self.several:
            return f"({_like(node, left, right)})"
        inner = f"len(list_filter({right}, lambda y: {_like(node, 'x', 'y')})) > 0"
        return f"len(list_filter({left}, lambda x: {inner})) > 0"


def _is_cheap(node: Node) -> bool:
    """Whether a node is made of equalities alone."""
    return all(isinstance(leaf, Check) and leaf.equal is not None for leaf in leaves(node))


def _like(node: Compared, left: str, right: str) -> str:
    match node.starts, node.ends:
        case True, True:
            return f"contains({left}, {right})"
        case True, False:
            return f"starts_with({left}, {right})"
        case False, True:
            return f"ends_with({left}, {right})"
        case _:
            return f"{left} = {right}"


def _literal(text: str, cased: bool) -> str:
    return text_literal(text) if cased else f"lower({text_literal(text)})"


__all__ = [
    "Check",
    "Columns",
    "Compared",
    "Either",
    "Every",
    "Node",
    "Not",
    "Test",
    "Words",
    "fields_of",
    "is_cased",
    "leaves",
]
