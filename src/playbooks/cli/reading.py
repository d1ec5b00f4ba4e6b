"""Commands about records: what a file holds, what stands behind a reference, which formats are read."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.errors import AllFailed, SomeFailed
from playbooks.terminal import err, out, plain, print_events, print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playbooks.formats import Format
    from playbooks.normalise import Detection, Source


@app.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="Log files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a JSON line, in record order.")] = False,
    clock: Annotated[str | None, typer.Option(help="Zone of stamps that carry none, e.g. Europe/Berlin.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which formats were tried and what was missing, nearest first.")
    ] = False,
    own: Annotated[
        list[Path] | None, typer.Option("--format", help="YAML file of an own format; may be given several times.")
    ] = None,
) -> None:
    """Show what the kit sees in log files, without a case. The last line on stderr gives the counts.

    Example: playbooks read --json conn.log.gz | head
    """
    from playbooks.case import check_zone
    from playbooks.normalise import Source, read_formats

    if clock is not None:
        check_zone(clock)
    forms = read_formats(own or [])
    totals = [0, 0, 0]
    refused = 0
    for number, file in enumerate(files, start=1):
        if reason := _cannot_read(file):
            refused += 1
            say(reason, err)
            continue
        for place, count in enumerate(_read_any(Source(f"E{number:03d}", file, clock), forms, as_json, explain)):
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


def _read_any(source: Source, own: Sequence[Format], as_json: bool, explain: bool) -> tuple[int, int, int]:
    """A log as it is; of a packet capture what an installed tool reads out of it, in a folder that is gone after."""
    import tempfile

    from playbooks.evidence import printable
    from playbooks.evidence.captures import choose, kind_of, read_capture

    kind = kind_of(source.file)
    tool = choose() if kind else None
    if tool is None:
        return _read_one(source, own, as_json, explain)
    with tempfile.TemporaryDirectory(prefix="playbooks-") as folder:
        derived = read_capture(source.file, tool, Path(folder))
        name = f"{printable(source.file)}: packet capture ({kind})"
        say(f"{name}, {derived.facts['packets']:,} packets, read by {tool.words}", err)
        if derived.failed:
            say(f"  unread 1: {tool.words} could not read it: {derived.fault}", err)
            return 0, 1, 0
        if derived.fault:
            say(f"  only in part: {derived.fault}", err)
        first = source.evidence_id
        ids = [first if len(derived.files) == 1 else f"{first}-{file.name}" for file in derived.files]
        made = [replace(source, evidence_id=ids[n], file=file) for n, file in enumerate(derived.files)]
        counts = [_read_one(one, own, as_json, explain) for one in made]
    return sum(c[0] for c in counts), sum(c[1] for c in counts), sum(c[2] for c in counts)


def _read_one(source: Source, own: Sequence[Format], as_json: bool, explain: bool) -> tuple[int, int, int]:
    from playbooks import evidence
    from playbooks.normalise import detect
    from playbooks.normalise import read as read_records

    detection = detect(source.file, own)
    name = detection.format.name if detection.format else detection.why_unknown()
    say(f"{evidence.printable(source.file)}: {name}", err)
    if explain:
        _explain(detection)
    counts = [0, 0, 0]
    for rows in read_records(source, detection):
        if as_json:
            print_events(rows.in_order())
        for row in rows.unread.to_pylist():
            say(f"  unread {row['record_no']}: {row['reason']}", err)
        for place, count in enumerate((rows.count, rows.unread.num_rows, rows.blank)):
            counts[place] += count
    return counts[0], counts[1], counts[2]


def _explain(detection: Detection) -> None:
    if why := detection.why_chosen():
        say(f"  {why}", err)
    for tried in detection.tried:
        say(f"  {tried.name}: {tried.share:.0%} {tried.missing}", err)


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
def formats(
    case: Annotated[Path | None, typer.Option(help="Folder of a case, whose own formats are listed too.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the log formats the kit reads, and what each can and cannot show.

    Example: playbooks formats --case cases/IR-31
    """
    from playbooks.case import open_case
    from playbooks.formats import FORMATS
    from playbooks.normalise import formats_of

    own = formats_of(open_case(case)) if case else ()
    rows = [
        {
            "name": form.name,
            "product": form.product,
            "table": ", ".join(form.tables),
            "clock": form.clock.value,
            "shows": form.shows,
            "cannot_show": form.cannot_show,
            "reference": form.reference,
            "own_sha256": form.sha256,
        }
        for form in (*own, *FORMATS)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark = f"  own format, SHA-256 {row['own_sha256']}" if row["own_sha256"] else ""
        product = escape(plain(row["product"]))  # of an own format: anybody's words
        out.print(f"[bold]{row['name']}[/]  {product} → {row['table']}{mark}", soft_wrap=True)
        say(f"  shows:       {row['shows']}\n  cannot show: {row['cannot_show']}")
