"""Commands that ask others, read-only, and keep the answers as evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.errors import AllFailed, SomeFailed, UsageError
from playbooks.terminal import err, out, plain, print_json, say

if TYPE_CHECKING:
    from playbooks.case_file import Window
    from playbooks.evidence.acquire import Acquired, Wanted
    from playbooks.evidence.captures import Capture

SHOWN = 10
acquire = typer.Typer(
    name="acquire",
    help="Ask a cloud or a TAXII server, list a lake, have a tool read a packet capture; what they give is evidence.",
    no_args_is_help=True,
)
app.add_typer(acquire, name="acquire")

Functions = Annotated[list[str] | None, typer.Option("--function", help="Name or ARN; again for more. Default: all.")]
Regions = Annotated[
    list[str] | None, typer.Option("--region", help="Region, or all; again for more. Default: the profile's.")
]
Profiles = Annotated[
    list[str] | None, typer.Option("--profile", help="AWS profile, one an account; again for more. Default: boto3's.")
]
From = Annotated[str | None, typer.Option(help="Start for logs, metrics and lookups, with zone. Default: the case's.")]
To = Annotated[str | None, typer.Option(help="End of that span, with zone. Default: the case's.")]
Logs = Annotated[bool, typer.Option("--with-logs/--without-logs", help="Take the log events of the functions.")]
Lookup = Annotated[bool, typer.Option("--cloudtrail-lookup", help="Ask CloudTrail's event history (90 days, slow).")]
Trails = Annotated[
    list[str] | None, typer.Option("--cloudtrail-s3", help="s3://BUCKET/PREFIX of CloudTrail files; again for more.")
]
Endpoint = Annotated[str | None, typer.Option(help="Another endpoint than AWS, for a rehearsal.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the calls that would be made, and send nothing.")]


@acquire.command(name="aws")
def aws(
    folder: CaseFolder,
    function: Functions = None,
    region: Regions = None,
    profile: Profiles = None,
    window_from: From = None,
    window_to: To = None,
    logs: Logs = True,
    cloudtrail_lookup: Lookup = False,
    cloudtrail_s3: Trails = None,
    endpoint_url: Endpoint = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Collect Lambda functions, what triggers and permits them, their logs and CloudTrail; only reads.

    Example: playbooks acquire aws cases/IR-31 --function order-mailer --region eu-central-1 --profile ir-readonly
    """
    from playbooks.case import open_case
    from playbooks.evidence.acquire import Wanted, acquire_aws

    case = open_case(folder)
    wanted = Wanted(
        functions=tuple(function or ()),
        regions=tuple(region or ()),
        profiles=tuple(profile or ()),
        window=_window(window_from, window_to, case.config.window),
        logs=logs,
        lookup=cloudtrail_lookup,
        trails=tuple(cloudtrail_s3 or ()),
        endpoint_url=endpoint_url,
    ).checked()
    if dry_run:
        _print_plan(wanted, as_json)
        return
    if wanted.window is None and not as_json:
        say("No window in case.yaml or options: logs, metrics and public keys are not asked for.", err)
    with _asking() as told:
        done = acquire_aws(case, wanted, told=told)
    if as_json:
        print_json([dict(one.entry) for one in done])
        return
    for one in done:
        _print_acquired(one)


@acquire.command(name="capture")
def capture(
    folder: CaseFolder,
    evidence: Annotated[
        list[str] | None, typer.Argument(help="Captures, e.g. E003. Default: all not yet read.")
    ] = None,
    tool: Annotated[
        str | None, typer.Option("--with", help="zeek, suricata or tshark. Default: the first of them that is there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have an installed tool read packet captures of the case; what it gives becomes evidence beside them.

    `playbooks run` does this too for captures that no tool has read.

    Example: playbooks acquire capture cases/IR-31 E003 --with suricata
    """
    from playbooks.case import open_case
    from playbooks.evidence.captures import derive

    done = derive(open_case(folder), evidence or (), tool, told=lambda text: None if as_json else say(text, err))
    if as_json:
        print_json([_capture_facts(one) for one in done])
    for one in () if as_json else done:
        say(f"{one.item.evidence_id}  {one.state()}")
        for fault in one.faults():
            say(f"      only in part: {fault}")
    if not done and not as_json:
        say("No packet capture in this case waits for a tool.")
    failed = sum(not one.is_read for one in done)
    if failed:
        say("      `playbooks run` lists what could not be read as a blind spot.", err)
        error = AllFailed if failed == len(done) else SomeFailed
        raise typer.Exit(error.exit_code)


@acquire.command(name="taxii")
def taxii(
    folder: CaseFolder,
    url: Annotated[str, typer.Argument(help="URL of the collection, …/collections/ID/.")],
    added_after: Annotated[str | None, typer.Option(help="Only objects added later; a time with zone.")] = None,
    secret_env: Annotated[
        str | None, typer.Option(help="Environment variable with user:password, or a whole Bearer …; never written.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take the objects of a TAXII 2.1 collection as evidence, page by page.

    Example: playbooks acquire taxii cases/IR-31 COLLECTION_URL --secret-env TAXII_SECRET
    """
    from playbooks.case import open_case
    from playbooks.evidence.acquire.taxii import acquire_taxii, moment

    taken = acquire_taxii(open_case(folder), url, moment(added_after), secret_env)
    if as_json:
        print_json(dict(taken.entry))
    else:
        counts = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(taken.counts.items()))
        say(f"{taken.evidence_id}  {len(taken.attachments):,} pages with objects  {counts}")
    if taken.unanswered:
        say("      Pages are missing; `playbooks run` lists them as a blind spot.", err)
        raise typer.Exit(SomeFailed.exit_code)


@acquire.command(name="lake")
def lake(
    folder: CaseFolder,
    root: Annotated[Path, typer.Argument(help="Folder of a lake table in OCSF, such as Security Lake's.")],
    as_json: AsJson = False,
) -> None:
    """List a lake in OCSF as evidence: files with digest and rows. The rows are asked where they lie, not copied.

    Window and baseline of case.yaml say which days are listed; state them first.

    Example: playbooks acquire lake cases/IR-31 /mnt/lake/ext/cloudtrail
    """
    from playbooks.case import open_case
    from playbooks.evidence.acquire.lake import LIST, acquire_lake

    taken = acquire_lake(open_case(folder), root)
    if as_json:
        print_json(dict(taken.entry))
        return
    told = taken.entry
    count = f"{told['files']:,} new files with {told['rows']:,} rows"
    say(f"{taken.attachments[LIST]}  listed {count}, each with its SHA-256")
    if not told["days"]:
        say("      The case states no window: all days were listed, and all are asked.", err)


@app.command(name="lookups")
def lookups(
    folder: CaseFolder,
    plan: Annotated[bool, typer.Option("--plan", help="Say what a look-up outside would tell to whom.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what became of look-ups outside, or with --plan what would leave the house; sends nothing.

    Example: playbooks lookups cases/IR-31 --plan
    """
    from playbooks import guide

    case = guide.open_case(str(folder))
    view = guide.lookup_plan(case) if plan else guide.lookup(case)
    if as_json:
        print_json(view.data.to_dict("records"))
    else:
        say(str(view))


def _capture_facts(one: Capture) -> dict[str, object]:
    return {
        "evidence_id": one.item.evidence_id,
        "sha256": one.item.sha256,
        "kind": one.kind,
        "state": one.state(),
        "into": list(one.into),
        "derived": list(one.derived),
        "failed": list(one.failed),
    }


def _window(start: str | None, end: str | None, stated: Window | None) -> Window | None:
    from playbooks.case_file import Window

    first = _moment("--window-from", start) if start else stated.start if stated else None
    last = _moment("--window-to", end) if end else stated.end if stated else None
    if first is None and last is None:
        return None
    if first is None or last is None or first >= last:
        raise UsageError("the window needs a start before its end: state --window-from and --window-to.")
    return Window(start=first, end=last)


def _moment(option: str, text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r}: expected a time such as 2026-03-10T00:00:00Z.") from error
    if moment.tzinfo is None:
        raise UsageError(f"{option} {text!r} has no zone, and none is guessed. Write 2026-03-10T00:00:00Z.")
    return moment


def _print_plan(wanted: Wanted, as_json: bool) -> None:
    from playbooks.evidence.acquire import planned

    calls = planned(wanted)
    if as_json:
        print_json([{"service": c.service, "operation": c.operation, "per": c.per, "why": c.why} for c in calls])
        return
    for call in calls:
        say(f"{call.service + ' ' + call.operation:<46}  per {call.per:<14}  {call.why}")
    span = f"{wanted.window.words()}" if wanted.window else "no window: no logs, metrics or public keys"
    out.print(f"{len(calls)} kinds of calls, reads only; {span}. Nothing was sent.", soft_wrap=True)


@contextmanager
def _asking() -> Iterator[Callable[[str], None] | None]:
    """A line that says what is asked about, for a person who watches."""
    if not err.is_terminal:
        yield None
        return
    count = 0
    with err.status("asking AWS") as status:

        def told(name: str) -> None:
            nonlocal count
            count += 1
            status.update(f"asked about {count:,} things, now {escape(plain(name))}")

        yield told


def _print_acquired(one: Acquired) -> None:
    counts = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(one.counts.items()))
    say(f"{one.evidence_id}  AWS account {one.entry['account']}  {counts}")
    if one.attachments:
        say(f"      {len(one.attachments):,} packages and files beside it")
    names = sorted(one.unanswered.items(), key=lambda pair: (-pair[1], pair[0]))
    for name, n in names[:SHOWN]:
        say(f"      not answered: {name} ({n:,})")
    if len(names) > SHOWN:
        say(f"      … and {len(names) - SHOWN} more kinds of calls")
    if names:
        say("      `playbooks run` lists these as a blind spot; the reasons stand in the evidence.")
