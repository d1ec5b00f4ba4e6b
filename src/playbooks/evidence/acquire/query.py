"""Acquire the answer of a SIEM or a lake to one query, read-only, as evidence.

The rows become a Parquet file in the bag; beside it one line says who was asked what, when, for which
window, and what came. A result that may be only a part of what there is becomes a blind spot.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.case_file import Window
from playbooks.errors import AllFailed, NotFound, UsageError
from playbooks.evidence import custody
from playbooks.evidence.acquire.answers import Acquired, Answer, AnswerFile, Outcome, keep, private_folder, stamp
from playbooks.evidence.acquire.query_source import NoAnswer, Result, Source, ask, source_of
from playbooks.evidence.acquire.quoting import Filled, fill
from playbooks.evidence.acquire.snapshot import NoSnapshot
from playbooks.evidence.preserve import Item, items

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
OPERATION = "query"
TOOLS = ("msticpy", "ibis-framework", "duckdb", "pandas", "pyarrow")


@dataclass(frozen=True)
class PartialAnswer:
    """A result that is only a part (`partial` is True), or of which nobody can know (None): what it forbids."""

    evidence_id: str
    source: str
    query: str
    partial: bool | None
    reason: str
    rows: int
    window: Mapping[str, Any] | None


@dataclass(frozen=True)
class _Question:
    """One query as it is sent."""

    name: str
    source: Source
    language: str
    filled: Filled
    window: Window | None
    asked: dt.datetime

    def request(self) -> dict[str, Any]:
        """What was asked for, as it stands in the bag."""
        window, applied = self.window, {"start", "end"} <= set(self.filled.values)
        return {
            "language": self.language,
            "query": self.filled.query,
            "values": dict(self.filled.values),
            "window": {"start": stamp(window.start), "end": stamp(window.end), "in_query": applied} if window else None,
        }


def acquire_query(
    case: Case,
    source: Any,
    query: str,
    values: Mapping[str, Any] | None = None,
    language: str | None = None,
    name: str = "query",
    window: Window | None = None,
    limit: int | None = None,
) -> Item:
    """Ask `source` one query and keep its answer.

    Parameters
    ----------
    case
        The case that the answer becomes evidence of.
    source
        An object with `exec_query(text) -> DataFrame`, such as a connected msticpy `QueryProvider`; or an
        Ibis backend or table.
    query
        Query text. Values stand in it as `{name:type}`, see `quoting.fill`; they are never pasted.
    values
        The values, by name. `start` and `end` of `window` are there without being given.
    language
        `kql`, `sql` or the name of an engine; None where the source tells.
    name
        Name of the files: letters, digits, dot, dash, underscore.
    window
        The span asked for. It is recorded, and it is *applied* only where the query says `{start:datetime}`
        and `{end:datetime}`.
    limit
        Rows after which the service is known to cut a result; None for what its documentation says.

    Returns
    -------
    Item
        The Parquet file; where the result has no column, the file of answers that says so.

    Raises
    ------
    UsageError
        The source cannot be asked, or a value is not of its type; nothing was sent.
    AllFailed
        The source refused or failed; that is in the bag, and a blind spot.
    """
    question = _question(source, query, values or {}, language, name, window)
    with private_folder(case) as folder:
        try:
            result = ask(question.source, question.filled.query, question.language, limit)
            attachments = _written(folder, question, result)
        except (NoAnswer, NoSnapshot) as error:
            lost = _keep_failure(case, folder, question, str(error))
            raise AllFailed(
                f"{question.source.name}, query {name!r}: {error} The failure is recorded as {lost.evidence_id}; what "
                "was asked for stays unknown. Correct the query or the connection and ask again."
            ) from error
        return _keep_result(case, folder, question, result, attachments)


def _question(
    source: Any, query: str, values: Mapping[str, Any], language: str | None, name: str, window: Window | None
) -> _Question:
    if not NAME.fullmatch(name):
        raise UsageError(f"name {name!r}: expected letters, digits, dot, dash or underscore, at most 64.")
    asked = source_of(source)
    spoken = _spoken(asked, language, bool(values or window))
    span = {"start": window.start, "end": window.end} if window else {}
    used = {key: value for key, value in span.items() if f"{{{key}:" in query}
    return _Question(name, asked, spoken, fill(query, {**used, **values}, spoken), window, dt.datetime.now(dt.UTC))


def _spoken(source: Source, language: str | None, needed: bool) -> str:
    """The language of a query: as stated, except that an engine's own rules of quoting win over plain SQL."""
    if language in (None, "sql") and source.language:
        return source.language
    if language is None and needed:
        raise UsageError(f"{source.name} does not tell its query language. State language='kql' or the engine's name.")
    return language or "unknown"


def _written(folder: Path, question: _Question, result: Result) -> list[Path]:
    """The rows as a file; a result without any column has none."""
    files = [folder / f"{question.name}.parquet"] if result.snapshot.columns else []
    for file in files:
        result.snapshot.write(file)
    return files


def _keep_result(case: Case, folder: Path, question: _Question, result: Result, attachments: list[Path]) -> Item:
    columns = [column.as_json() for column in result.snapshot.columns]
    facts = {"rows": result.rows, "columns": columns, "partial": result.partial.as_json()}
    more = {**facts, "warnings": list(result.warnings), "kept_in": attachments[0].name if attachments else ""}
    acquired = _keep(case, folder, question, Outcome.ANSWERED, attachments, facts, more=more)
    wanted = acquired.attachments.get(f"{question.name}.parquet", acquired.evidence_id)
    return _item(case, wanted)


def _keep_failure(case: Case, folder: Path, question: _Question, error: str) -> Acquired:
    return _keep(case, folder, question, Outcome.FAILED, [], {}, error=error)


def _keep(
    case: Case,
    folder: Path,
    question: _Question,
    outcome: Outcome,
    attachments: list[Path],
    facts: Mapping[str, Any],
    **line: Any,
) -> Acquired:
    request, source = question.request(), question.source
    now = dt.datetime.now(dt.UTC)
    with AnswerFile(folder / f"{question.name}.jsonl") as answers:
        answers.write(
            Answer(
                source.name, source.environment or source.name, OPERATION, request, question.asked, now, outcome, **line
            )
        )
    return keep(
        case, answers, attachments, operation=OPERATION, source=source.name, **request, **facts, tools=_versions()
    )


def _item(case: Case, evidence_id: str) -> Item:
    for item in items(case):
        if item.evidence_id == evidence_id:
            return item
    raise NotFound(
        f"{evidence_id}: acquired, but the custody chain does not name it. Run: playbooks verify {case.path}"
    )


def _versions() -> dict[str, str]:
    found = {}
    for tool in TOOLS:
        try:
            found[tool] = version(tool)
        except PackageNotFoundError:
            found[tool] = "not installed"
    return found


def partial_answers(case: Case) -> list[PartialAnswer]:
    """The acquired query results that are, or may be, only a part of what there was; changes nothing.

    Returns
    -------
    list of PartialAnswer
        In the order of acquisition; what is known to be whole is not in it.
    """
    found = []
    for entry in custody.entries(case.custody):
        partial = entry.get("partial")
        if entry.get("activity") != "acquired" or entry.get("operation") != OPERATION or not isinstance(partial, dict):
            continue
        if partial.get("is") is not False:
            kept = [str(file["evidence_id"]) for file in entry.get("attachments", [])]
            evidence_id = kept[0] if kept else str(entry["evidence_id"])
            facts = (str(entry["source"]), str(entry["query"]), partial.get("is"), str(partial.get("how", "")))
            found.append(PartialAnswer(evidence_id, *facts, int(entry["rows"]), entry.get("window")))
    return found
