"""The command that runs many cases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from playbooks.case import write_json
from playbooks.cli.app import AsJson, app
from playbooks.cores import cores
from playbooks.terminal import batch_table, out, print_json, say

ENDINGS = ("done", "set aside")


@app.command()
def batch(
    cases: Annotated[
        list[str], typer.Argument(help="Cases, folders of cases, patterns, or lists of them in YAML or CSV.")
    ],
    workers: Annotated[int, typer.Option(min=1, help="Cases at a time.")] = cores(),
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder for batch.json and batch.html. [default: that of the cases]")
    ] = None,
    scheduler: Annotated[str, typer.Option(help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786.")] = "",
    attempts: Annotated[int, typer.Option(min=1, help="Failed attempts after which a case is set aside.")] = 2,
    back_off: Annotated[float, typer.Option(help="Seconds before the second attempt; doubled for each more.")] = 5.0,
    again: Annotated[bool, typer.Option(help="Try cases again that were set aside.")] = False,
    fresh: Annotated[bool, typer.Option(help="Run every step anew, also those whose inputs did not change.")] = False,
    timeout: Annotated[float, typer.Option(help="Minutes that one case may take.")] = 1440,
    step_timeout: Annotated[float, typer.Option(help="Minutes that one step may take.")] = 360,
    memory: Annotated[
        float | None,
        typer.Option(help="GiB that the kernel of a case may use. [default: 3/4 of the machine, over the workers]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run many cases, each in a process of its own, and write an index of their reports.

    Cases that are done and unchanged are kept, so a batch that was stopped is started again with the same words.

    Example: playbooks batch cases/ --workers 4
    """
    from playbooks.batch import Journal, Order, Rules, executor, run_batch, tasks_of

    tasks = tasks_of(cases)
    places = [task.case for task in tasks]
    folder = (to or Path(os.path.commonpath([place.parent for place in places]))).resolve()
    journal = Journal(folder / "batch.jsonl")
    share = memory or _share_of_memory(workers)
    side_by_side = None if scheduler else max(1, cores() // workers)
    limits = Order("", {}, timeout * 60, step_timeout, share, fresh, side_by_side)
    rules = Rules(workers, attempts, back_off, again, limits)
    try:
        with batch_table(len(tasks)) as told, executor(workers, scheduler) as pool:
            run_batch(tasks, journal, pool, rules, told)
    finally:
        found = _written(folder, journal, places)
    if as_json:
        print_json(found)
    else:
        _say(found, folder)
    raise typer.Exit(found["exit_code"])


def _share_of_memory(workers: int) -> float:
    from playbooks.runner import Limits

    return round(Limits().memory / workers / 2**30, 2)


def _written(folder: Path, journal: Any, places: list[Path]) -> dict[str, Any]:
    from playbooks.batch import summarised
    from playbooks.report import write_batch_page

    found = summarised(journal, places)
    write_json(folder / "batch.json", found)
    write_batch_page(found, folder)
    return found


def _say(found: dict[str, Any], folder: Path) -> None:
    for row in found["cases"]:
        if row["state"] != "done":
            say(f"{row['state']}: {row['case']}: {row['error'] or 'no attempt came to its end'}")
    for row in found["across"]:
        say(f"in {row['cases']} cases: {row['kind']} {row['value']}")
    out.print(", ".join(f"{count:,} {state}" for state, count in found["counts"].items()))
    say(f"Index: {folder / 'batch.html'}")
