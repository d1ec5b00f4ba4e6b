"""Whoever answers a query: an object with `exec_query` (msticpy), or an Ibis backend or table with `sql`.

Says how much of the answer came: a service that cuts a result at a limit often does not say so.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playbooks.errors import AllFailed, UsageError
from playbooks.evidence.acquire.quoting import LANGUAGES
from playbooks.evidence.acquire.snapshot import Snapshot, from_arrow, from_frame
from playbooks.evidence.preserve import printable

# rows after which the service cuts a result, from its documentation
SERVICE_ROWS = {"MSSentinel": 500_000, "Kusto": 500_000, "M365D": 100_000, "MDE": 100_000}
SPEAKS_KQL = frozenset({*SERVICE_ROWS, "MSSentinel_Legacy", "Kusto_Legacy", "ResourceGraph"})
WARNS_OF_PARTIAL = frozenset({"MSSentinel"})  # msticpy's driver warns and gives the part, or raises on request
PARTIAL_WORDS = re.compile(r"(?i)\bpartial|truncat|incomplete|\bcut off\b|limit (was )?(reached|exceeded)")
PARTIAL_FLAGS = ("partial", "is_partial", "truncated")
OWN_LIMIT = {
    "kql": re.compile(r"(?i)\b(?:take|limit|top|sample)\s+(\d{1,12})\b"),
    "sql": re.compile(r"(?i)\b(?:limit|top|fetch\s+(?:first|next))\s*\(?\s*(\d{1,12})\b"),
}
LONGEST_WARNING = 500
OWN_ERRORS = (
    ("msticpy.common.exceptions", "MsticpyException"),
    ("ibis.common.exceptions", "IbisError"),
    ("duckdb", "Error"),
    ("sqlglot.errors", "SqlglotError"),
)


class NoAnswer(AllFailed):
    """The source refused the query, failed, or gave something that is no table."""


@dataclass(frozen=True)
class Partial:
    """Whether a result is only a part (None: cannot be known), and how that was established."""

    flag: bool | None
    how: str

    def as_json(self) -> dict[str, Any]:
        """For the custody chain."""
        return {"is": self.flag, "how": self.how}


@dataclass(frozen=True)
class Source:
    """A source by name, the language it speaks (None: must be stated), and how it is asked."""

    name: str
    language: str | None
    environment: str
    whole_or_error: bool
    ask: Callable[[str], Any]


@dataclass(frozen=True)
class Result:
    """What came back: the rows, whether they are all, and what the source warned of."""

    snapshot: Snapshot
    partial: Partial
    warnings: tuple[str, ...]

    @property
    def rows(self) -> int:
        return int(self.snapshot.table.num_rows)


def source_of(given: Any) -> Source:
    """How to ask `given`.

    Raises
    ------
    UsageError
        It has neither `exec_query` nor `sql`.
    """
    if callable(getattr(given, "exec_query", None)):
        environment = str(getattr(given, "environment", "") or "")[:64]
        name = f"{type(given).__module__.partition('.')[0]} {environment or type(given).__qualname__}"
        return Source(name, "kql" if environment in SPEAKS_KQL else None, environment, False, given.exec_query)
    if callable(getattr(given, "sql", None)):
        backend = given.get_backend() if hasattr(given, "get_backend") else given
        engine = str(getattr(backend, "name", ""))
        whole = type(backend).__module__.startswith("ibis.")
        language = engine if engine in LANGUAGES else None
        return Source(f"ibis {engine}", language, engine, whole, lambda query: _arrow(given, query))
    raise UsageError(
        f"{type(given).__qualname__} cannot be asked: expected an object with exec_query (a msticpy QueryProvider), "
        "or an Ibis backend or table with sql."
    )


def _arrow(given: Any, query: str) -> Any:
    return given.sql(query).to_pyarrow()


def ask(source: Source, query: str, language: str, limit: int | None) -> Result:
    """Send a query and take what comes back.

    Parameters
    ----------
    source
        As `source_of` gives it.
    query
        Query text, sent as it is.
    language
        Its language, to find a row limit in it.
    limit
        Rows after which the service is known to cut; None for what its documentation says.

    Raises
    ------
    NoAnswer
        The source refused, failed, or gave no table.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = _answer(source, query)
    said = tuple(dict.fromkeys(printable(str(warning.message))[:LONGEST_WARNING] for warning in caught))
    snapshot = _snapshot(source, answer)
    stated = _stated_limits(query, language)
    partial = _partial(source, int(snapshot.table.num_rows), _flag(answer), said, stated, limit)
    return Result(snapshot, partial, said)


def _answer(source: Source, query: str) -> Any:
    expected: tuple[type[Exception], ...] = (*_own_errors(), OSError, ValueError, RuntimeError)
    try:
        return source.ask(query)
    except expected as error:
        words = printable(f"{type(error).__name__}: {error}")[:LONGEST_WARNING]
        raise NoAnswer(words) from error


def _own_errors() -> Iterator[type[Exception]]:
    """The errors of the libraries behind a source, of those that are loaded: none is loaded for this."""
    for module, name in OWN_ERRORS:
        if loaded := sys.modules.get(module):
            yield getattr(loaded, name)


def _snapshot(source: Source, answer: Any) -> Snapshot:
    import pandas as pd
    import pyarrow as pa

    if isinstance(answer, pd.DataFrame):
        return from_frame(answer)
    if isinstance(answer, pa.Table):
        return from_arrow(answer)
    found = printable(str(answer))[:120]
    raise NoAnswer(f"{source.name} gave no table but {type(answer).__qualname__}: {found}")


def _flag(answer: Any) -> bool | None:
    """What the result itself says of being a part."""
    flags = [answer.attrs[name] for name in PARTIAL_FLAGS if name in getattr(answer, "attrs", {})]
    return next((flag for flag in flags if isinstance(flag, bool)), None)


def _stated_limits(query: str, language: str) -> set[int]:
    """Row limits that the query itself states, outside of quotes and comments."""
    rules = LANGUAGES.get(language)
    bare = rules.quoted.sub(" ", query) if rules else query
    pattern = OWN_LIMIT["kql" if language == "kql" else "sql"]
    return {int(number) for number in pattern.findall(bare)}


def _partial(
    source: Source, rows: int, flag: bool | None, said: Iterable[str], stated: set[int], limit: int | None
) -> Partial:
    """The strongest sign wins; where there is none, nothing is claimed."""
    ceiling = limit if limit is not None else SERVICE_ROWS.get(source.environment)
    if flag:
        return Partial(True, "the result is marked as partial by its source")
    if warned := next((words for words in said if PARTIAL_WORDS.search(words)), None):
        return Partial(True, f"the source warned: {warned}")
    if ceiling is not None and rows >= ceiling:
        return Partial(True, f"as many rows as the service gives at most ({ceiling:,})")
    if rows and rows in stated:
        return Partial(True, f"as many rows as the query's own limit ({rows:,}): there may be more")
    if flag is False:
        return Partial(False, "the result is marked as whole by its source")
    if source.whole_or_error:
        return Partial(False, "the engine gives a whole result or an error")
    if source.environment in WARNS_OF_PARTIAL:
        return Partial(False, f"the driver warns of partial results and did not; fewer rows than {ceiling or 0:,}")
    if limit is not None:
        return Partial(False, f"fewer rows than the stated limit of {limit:,}")
    return Partial(None, "the source does not say whether a result is whole")
