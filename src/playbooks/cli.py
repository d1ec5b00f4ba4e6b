"""The command line: arguments in, one call, words out. The only room that prints."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from playbooks import __version__
from playbooks.errors import EXIT_CODES, AllFailed, EvidenceChanged, PlaybookError, SomeFailed
from playbooks.terminal import bytes_bar, err, out, plain, print_events, print_json, print_outcomes, say, steps_bar

CODES = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."
app = typer.Typer(
    name="playbooks",
    help="Incident-response playbooks for suspected serverless command and control.",
    epilog=CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CaseFolder = Annotated[Path, typer.Argument(help="Folder of the case.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def main() -> None:
    """Run a command; an error a person can act on becomes words and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a narrow terminal shows less, and stops nothing
    try:
        app()
    except PlaybookError as error:
        err.print(f"[bold red]{type(error).__name__}[/] {escape(plain(str(error)))}", soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        # `| head` took what it wanted: click makes that exit code 1, which says that this kit has a bug
        left = isinstance(end.__context__, BrokenPipeError)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0 if left else end.code)


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
def add(
    folder: CaseFolder,
    files: Annotated[list[Path], typer.Argument(help="Files, or folders taken with all they hold.")],
    as_json: AsJson = False,
) -> None:
    """Preserve files as evidence: copied, hashed while copying, recorded. Originals are only read.

    Example: playbooks add cases/IR-31 /mnt/export/proxy dns.log.gz
    """
    from playbooks import evidence
    from playbooks.case import open_case

    case = open_case(folder)
    total = sum(path.stat().st_size for path in evidence.find_files(files) if path.is_file())
    with bytes_bar("preserving", total) as advance:
        done = evidence.add(case, files, advance)
    rows = [
        {
            "source": evidence.printable(entry.source),
            "evidence_id": entry.item.evidence_id if entry.item else None,
            "sha256": entry.item.sha256 if entry.item else None,
            "outcome": entry.note or "added",
            "refused": entry.refused,
        }
        for entry in done
    ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            say(f"{row['evidence_id'] or 'refused'}  {row['source']}  {row['outcome']}")
    _judge([str(row["source"]) for row in rows if row["refused"]], len(rows))


def _judge(refused: list[str], total: int) -> None:
    if total == 0:
        raise AllFailed("nothing to add: the folders given hold no files.")
    if refused:
        kind = AllFailed if len(refused) == total else SomeFailed
        raise kind(f"{len(refused)} of {total} files were refused; the reasons stand above and in custody.jsonl.")


@app.command()
def run(
    folder: CaseFolder,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE, as often as needed.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="One step, by its number or name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the six notebooks of a case headless and write the report.

    Example: playbooks run cases/IR-31 -p window_minutes=120
    """
    from playbooks.case import open_case

    _run(open_case(folder), parameter, only, as_json)


def _run(case: Any, parameter: list[str] | None, only: list[str] | None, as_json: bool) -> None:
    from playbooks.normalise import readings
    from playbooks.runner import run as run_case
    from playbooks.steps import chosen_steps, given_parameters

    steps = chosen_steps(only)
    with steps_bar(len(steps)) as told:
        record = run_case(case, given_parameters(parameter), steps, told)
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
def verify(folder: CaseFolder, as_json: AsJson = False) -> None:
    """Check every byte of the evidence and the custody chain; lists all that differs.

    Example: playbooks verify cases/IR-31
    """
    from playbooks import evidence
    from playbooks.case import open_case

    case = open_case(folder)
    verdict = evidence.verify(case)
    if as_json:
        print_json(verdict.as_json())
    else:
        for fault in verdict.faults:
            say(f"{fault.where}: {fault.what}")
        state = "intact" if verdict.intact else f"NOT intact, {len(verdict.faults)} fault(s) listed above"
        out.print(f"{verdict.files:,} files, {verdict.size:,} bytes, {verdict.entries:,} entries: {state}.")
    evidence.custody.append(
        case.custody, case.config.case_id, "verified", intact=verdict.intact
    ) if verdict.intact else None
    if not verdict.intact:
        raise EvidenceChanged(f"{folder}: evidence is not what it was when it was added; see above.")


@app.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="Log files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a JSON line, in record order.")] = False,
    clock: Annotated[str | None, typer.Option(help="Zone of stamps that carry none, e.g. Europe/Berlin.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which formats were tried and what was missing.")
    ] = False,
) -> None:
    """Show what the kit sees in log files, without a case. The last line on stderr gives the counts.

    Example: playbooks read --json conn.log.gz | head
    """
    from playbooks.case import check_zone

    if clock is not None:
        check_zone(clock)
    totals = [0, 0, 0]
    refused = 0
    for number, file in enumerate(files, start=1):
        if reason := _cannot_read(file):
            refused += 1
            say(reason, err)
            continue
        for place, count in enumerate(_read_one(file, f"E{number:03d}", as_json, clock, explain)):
            totals[place] += count
    if refused == len(files):
        raise AllFailed("nothing was read. Give log files, or folders to `playbooks add`.")
    events, unread, blank = totals
    say(f"{sum(totals)} records / {events} events / {unread} unread / {blank} blank", err)
    if refused:
        raise typer.Exit(SomeFailed.exit_code)  # the counts stay the last line


def _cannot_read(file: Path) -> str:
    """Why a path holds nothing to read; empty when it does."""
    from playbooks.evidence import printable

    name = printable(file)
    try:
        if file.exists() and not file.is_file():
            return f"{name}: {'a folder' if file.is_dir() else 'no plain file'}. Expected a log file."
        with file.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        return f"{name}: cannot be read: {error.strerror}. Expected a log file."
    return ""


def _read_one(file: Path, evidence_id: str, as_json: bool, clock: str | None, explain: bool) -> tuple[int, int, int]:
    from playbooks import evidence
    from playbooks.normalise import Source, detect
    from playbooks.normalise import read as read_records

    detection = detect(file)
    name = detection.format.name if detection.format else detection.why_unknown()
    say(f"{evidence.printable(file)}: {name}", err)
    if explain:
        for tried in detection.tried:
            say(f"  {tried.name}: {tried.share:.0%} {tried.missing}", err)
    counts = [0, 0, 0]
    for rows in read_records(Source(evidence_id, file, clock), detection):
        if as_json:
            print_events(rows.events)
        for row in rows.unread.to_pylist():
            say(f"  unread {row['record_no']}: {row['reason']}", err)
        for place, count in enumerate((rows.events.num_rows, rows.unread.num_rows, rows.blank)):
            counts[place] += count
    return counts[0], counts[1], counts[2]


@app.command()
def show(
    folder: CaseFolder,
    refs: Annotated[list[str], typer.Argument(help="References such as E003:4118.")],
    as_json: AsJson = False,
) -> None:
    """Print the raw records behind references.

    Example: playbooks show cases/IR-31 E003:4118
    """
    from playbooks.case import open_case
    from playbooks.normalise import show as raw_of
    from playbooks.report import visible

    for record in raw_of(open_case(folder), refs).values():
        if as_json:
            print_json(vars(record))
        else:
            say(f"{record.ref}  {record.file}  SHA-256 {record.sha256}", err)
            sys.stdout.write(visible(record.text) + "\n")  # control characters shown, never sent to the terminal


@app.command()
def formats(as_json: AsJson = False) -> None:
    """List the log formats the kit reads, and what each can and cannot show.

    Example: playbooks formats
    """
    from playbooks.formats import FORMATS

    rows = [
        {
            "name": form.name,
            "product": form.product,
            "table": form.table,
            "clock": form.clock.value,
            "shows": form.shows,
            "cannot_show": form.cannot_show,
            "reference": form.reference,
        }
        for form in FORMATS
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        out.print(f"[bold]{row['name']}[/]  {row['product']} → {row['table']}", soft_wrap=True)
        out.print(f"  shows:       {row['shows']}\n  cannot show: {row['cannot_show']}", soft_wrap=True)


@app.command()
def demo(
    to: Annotated[Path, typer.Option("--to", help="Folder below which the sample case is made.")] = Path("demo"),
    sample: Annotated[str, typer.Option(help="incident or quiet.")] = "incident",
) -> None:
    """Run the sample incident as a case and say where its report is.

    Example: playbooks demo --to /tmp/demo
    """
    from playbooks import evidence
    from playbooks.steps import sample_case

    case, logs = sample_case(to, sample)
    evidence.add(case, [logs])
    _run(case, None, None, as_json=False)


@app.command()
def lab(
    folder: CaseFolder,
    port: Annotated[int, typer.Option(help="Port on loopback; 0 chooses a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open JupyterLab on the case, on loopback and with a token.

    Example: playbooks lab cases/IR-31
    """
    from playbooks.case import open_case
    from playbooks.lab import lab_command, prepare_notebooks

    case = open_case(folder)
    prepare_notebooks(case)
    command, environment = lab_command(case, port, browser)
    out.print("JupyterLab opens on this machine only. Stop it with Ctrl-C.")
    import subprocess

    sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603  # our own command


if __name__ == "__main__":
    main()
