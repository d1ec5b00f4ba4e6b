"""Commands about a case as a whole: make it, run it, open it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from playbooks import __version__
from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.errors import CaseError
from playbooks.nurseries import early_nursery
from playbooks.terminal import err, out, print_json, print_outcomes, say, steps_bar


@app.command()
def version() -> None:
    """Print the version.

    Example: playbooks version
    """
    out.print(__version__)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    case_id: Annotated[str, typer.Option("--case-id", help="Id of the case, e.g. IR-2026-031.")],
    title: Annotated[str, typer.Option(help="What it is about, in a line.")] = "",
) -> None:
    """Make a case: a folder with a commented case.yaml.

    Example: playbooks new cases/IR-31 --case-id IR-2026-031
    """
    from playbooks.case import new_case
    from playbooks.evidence import custody

    case = new_case(folder, case_id, title)
    custody.append(case.custody, case.config.case_id, "opened")
    say(f"Case {case.config.case_id} is in {folder}.")
    say("Next: state window, baseline and estate in case.yaml, then: playbooks add FOLDER FILE…")


@app.command()
def run(
    folder: CaseFolder,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE, as often as needed.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this step anew, by its number or name; no other.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="Run this step and all after it anew.")] = None,
    fresh: Annotated[bool, typer.Option(help="Run every step anew, also those whose inputs did not change.")] = False,
    step_timeout: Annotated[float, typer.Option(help="Minutes that one step may take.")] = 360,
    memory: Annotated[
        float | None, typer.Option(help="GiB that the kernel of a step may use. [default: 3/4 of the machine]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the six notebooks of a case headless and write the report.

    A step whose inputs did not change since the last run is kept, and a run that was broken off goes on where it
    stopped. After a cell that failed, later notebooks still run; the exit code tells of it.

    Example: playbooks run cases/IR-31 -p window_minutes=120
    """
    with early_nursery():
        from playbooks.case import open_case
        from playbooks.runner import Limits, Plan
        from playbooks.runner.supervised import end_with_supervisor
        from playbooks.steps import steps_meant

        end_with_supervisor()
        limits = Limits(total_s=step_timeout * 60, memory_bytes=int(memory * 2**30) if memory else None)
        plan = Plan(steps_meant(only, since), fresh or bool(only or since), limits)
        _run(open_case(folder), parameter, plan, as_json)


def _run(case: Any, parameter: list[str] | None, plan: Any, as_json: bool) -> None:
    from playbooks.normalise import readings
    from playbooks.runner import run as run_case
    from playbooks.steps import given_parameters

    with steps_bar(len(plan.steps)) as told:
        record = run_case(case, given_parameters(parameter), plan, told)
    if as_json:
        print_json(record)
        return
    total = readings(case)
    for reading in total:
        say(reading.law() + (f"; {reading.note}" if reading.note else ""))
    sums = [sum(getattr(reading, name) for reading in total) for name in ("records", "events", "unread", "blank")]
    out.print("All: {:,} records = {:,} events + {:,} unread + {:,} blank".format(*sums))
    print_outcomes(case)
    report = case.report / "report.html"
    if report.is_file():
        say(f"Report: {report}")


@app.command()
def demo(
    to: Annotated[Path, typer.Option("--to", help="Folder below which the sample case is made.")] = Path("demo"),
    sample: Annotated[str, typer.Option(help="incident or quiet.")] = "incident",
) -> None:
    """Run the sample incident as a case and say where its report is.

    Example: playbooks demo --to /tmp/demo
    """
    with early_nursery():
        from playbooks import evidence
        from playbooks.runner import Plan
        from playbooks.steps import sample_case

        case, logs = sample_case(to, sample)
        evidence.add(case, [logs])
        _run(case, None, Plan(), as_json=False)


@app.command()
def lab(
    folder: Annotated[Path, typer.Argument(help="Folder of the case, or of several cases.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE, filled into the notebooks.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on loopback; 0 chooses a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open JupyterLab on a case or a folder of cases, on loopback and with a token. Evidence is read-only in it.

    Example: playbooks lab cases/IR-31
    """
    from playbooks.case import open_case
    from playbooks.lab import address_of, cases_below, lab_command, prepare_notebooks, write_start_page
    from playbooks.steps import given_parameters

    given = given_parameters(parameter)
    places = cases_below(folder)
    for place in places:
        try:
            prepare_notebooks(open_case(place), given)
        except CaseError as error:
            if places == [folder]:
                raise
            say(str(error), err)  # the other cases can be worked on, and the start page says what is wrong
    write_start_page(folder.resolve())
    command, environment = lab_command(folder, port, browser)
    out.print("JupyterLab opens on this machine only. Stop it with Ctrl-C.")
    say(f"Open: {address_of(command, environment)}")
    import subprocess

    sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603  # our own command
