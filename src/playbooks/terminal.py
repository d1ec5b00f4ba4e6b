"""Words on a terminal: inert, whatever evidence says, and progress for a person who watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

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


@contextmanager
def batch_table(total: int) -> Iterator[Any]:
    """Where the cases of a batch stand: a live table on a terminal, a line per change elsewhere."""
    states: dict[str, Any] = {}

    def drawn() -> Group:
        said = [entry.state for entry in states.values()]
        counts = ", ".join(f"{said.count(state):,} {state}" for state in sorted(set(said)))
        table = Table(
            "Case", "State", "Attempts failed", "What stopped it", title=f"{total:,} cases: {counts or 'waiting'}"
        )
        for entry in _worth_a_row(states.values()):
            table.add_row(
                *(escape(plain(text)) for text in (entry.case, entry.state, str(entry.attempts), _short(entry.error)))
            )
        return Group(table)

    with Live(console=err, auto_refresh=False, transient=True) if err.is_terminal else nullcontext() as live:

        def told(entry: Any) -> None:
            states[entry.case] = replace(entry)
            if live is not None:
                live.update(drawn(), refresh=True)
            elif entry.state != "running":
                say(f"{entry.state}  {entry.seconds:.1f} s  {entry.case}  {_short(entry.error)}".rstrip(), err)

        yield told


def _worth_a_row(entries: Iterable[Any]) -> list[Any]:
    """What runs now, and the last that failed: a table of a thousand rows is none."""
    listed = list(entries)
    running = [entry for entry in listed if entry.state == "running"]
    failed = [entry for entry in listed if entry.state in ("failed", "set aside")]
    return [*running, *failed[-10:]]


def _short(text: str) -> str:
    line = text.strip().splitlines()[-1] if text.strip() else ""
    return line if len(line) <= 120 else line[:119] + "…"


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
