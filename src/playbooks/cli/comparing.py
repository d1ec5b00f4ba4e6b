"""The command that compares two cases, or one case before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playbooks.cli.app import CaseFolder, app
from playbooks.errors import CasesDiffer
from playbooks.terminal import print_json, say

if TYPE_CHECKING:
    from playbooks.comparison import Change, Comparison

VALUE_LETTERS = 400  # of a value that is printed; JSON has it whole
REFS_SHOWN = 5


class DiffFormat(StrEnum):
    """How differences are printed."""

    TABLE = "table"
    JSON = "json"


@app.command()
def diff(
    case: CaseFolder,
    other: Annotated[Path, typer.Argument(help="Folder of the case to compare it with, or of the same case later.")],
    form: Annotated[
        DiffFormat, typer.Option("--format", help="table, or json with whole values and all references.")
    ] = DiffFormat.TABLE,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help=f"Return {CasesDiffer.exit_code} where something differs, for scripts.")
    ] = False,
) -> None:
    """Say what differs between the results of two cases, and what differed before them. Nothing is computed anew.

    Example: playbooks diff cases/IR-31-before cases/IR-31
    """
    from playbooks.case import open_case
    from playbooks.comparison import compare

    found = compare(open_case(case), open_case(other))
    if form is DiffFormat.JSON:
        print_json(found.as_json())
    else:
        for line in _lines(found):
            say(line)
    if exit_code and found.changes:
        raise typer.Exit(CasesDiffer.exit_code)


def _lines(found: Comparison) -> Iterator[str]:
    yield f"first:  {_inert(found.first)}"
    yield f"second: {_inert(found.second)}"
    if found.same_items is not None:
        yield f"evidence: {found.same_items:,} items are in both, byte for byte"
    yield from (_inert(sentence) for sentence in (*found.not_compared, *found.notes))
    for title, changes in (("Before the results", found.causes), ("In the results", found.effects)):
        if changes:
            yield f"{title}:"
            yield from _told(changes)
    yield found.verdict


def _told(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        yield f"  {change.part}  {_inert(change.subject)}  {change.change}"
        for side, value in (("first: ", change.first), ("second:", change.second), ("why:   ", change.why or None)):
            if value is not None:
                yield f"      {side} {_inert(value)}"
        if change.refs:
            rest = f" … ({len(change.refs)})" if len(change.refs) > REFS_SHOWN else ""
            yield f"      records: {_inert(' '.join(change.refs[:REFS_SHOWN]))}{rest}"


def _inert(text: str) -> str:
    """Somebody else's words as a part of one line, without credentials."""
    from playbooks.report.inert import redacted, shortened, visible

    return shortened(redacted(" ".join(visible(text).split()))[0], VALUE_LETTERS)
