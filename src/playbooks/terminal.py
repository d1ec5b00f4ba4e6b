"""Words on a terminal: inert, whatever evidence says, and progress for a person who watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)


def plain(text: str) -> str:
    """Text of a log, a file name or a notebook that moves no cursor: what cannot be seen is written out."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"‹U+{ord(char):04X}›" for char in text)


def say(text: str, console: Console = out) -> None:
    """Print a line that may hold somebody else's words: as they are, never as markup."""
    console.print(escape(plain(text)), soft_wrap=True)


def print_json(data: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(data, ensure_ascii=True, default=str) + "\n")


@contextmanager
def bytes_bar(what: str, total: int) -> Iterator[Any]:
    """A progress bar by bytes, for a person who watches."""
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def steps_bar(steps: int) -> Iterator[Any]:
    """A progress bar by steps on a terminal; a line per step elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("starting", total=steps)

        def told(step: str, status: str, seconds: float) -> None:
            bar.update(task, description=step, advance=0 if status == "running" else 1)
            if status != "running" and not err.is_terminal:
                err.print(f"{step}  {status}  {seconds:.1f} s", soft_wrap=True)

        yield told


def print_events(events: list[dict[str, Any]]) -> None:
    """Print events as JSON lines, in their order."""
    for row in events:
        line = {
            key: value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
            for key, value in row.items()
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")


def print_outcomes(case: Any) -> None:
    """Print the answer to each question and the findings of a case that was run."""
    file = case.results / "findings.json"
    if not file.is_file():
        return
    found = json.loads(file.read_text(encoding="utf-8"))
    for outcome in found["outcomes"].values():
        say(f"{outcome['outcome']:>5}  {outcome['title']}")
    for finding in found["findings"]:
        say(f"{finding['id']}  {finding['score']:.2f}  {finding['title']}")
    counts = f"{len(found['findings'])} findings, {found['leads_total']} leads, {len(found['suppressed'])} set aside"
    out.print(counts)
