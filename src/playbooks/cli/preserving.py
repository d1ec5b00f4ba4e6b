"""Commands about evidence: add it, verify it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.errors import AllFailed, EvidenceChanged, RecordChanged, SomeFailed
from playbooks.terminal import bytes_bar, err, out, print_json, say

if TYPE_CHECKING:
    from playbooks.audit import Audit
    from playbooks.case import Case


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
        done = evidence.add(case, files, advance, lambda: say("Another addition is at work; waiting for it.", err))
    rows = [
        {
            "source": evidence.printable(entry.source),
            "evidence_id": entry.item.evidence_id if entry.item else None,
            "sha256": entry.item.sha256 if entry.item else None,
            "outcome": entry.note or "; ".join(filter(None, ("added", entry.warning))),
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
def verify(
    folder: CaseFolder,
    key: Annotated[
        list[Path] | None, typer.Option("--key", help="Public key of a signer you know, or a list of them.")
    ] = None,
    tsa_root: Annotated[
        list[Path] | None, typer.Option("--tsa-root", help="Root certificate (PEM) of a time stamp authority.")
    ] = None,
    cloudtrail_keys: Annotated[
        list[Path] | None, typer.Option("--cloudtrail-keys", help="Answer of `cloudtrail list-public-keys`, or PEM.")
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", help="A check that must be verified, e.g. bag. What a key is given for must be."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every link from raw record to report: each is verified, not present, broken or not checked.

    Example: playbooks verify cases/IR-31 --key analyst.pub
    """
    from playbooks.audit import Trust, audit
    from playbooks.case import open_case
    from playbooks.evidence.public_keys import load_publics
    from playbooks.evidence.timestamp_check import load_roots

    case = open_case(folder)
    signers = [public for file in key or () for public in load_publics(file)]
    roots = [root for file in tsa_root or () for root in load_roots(file)]
    found = audit(case, Trust(signers, roots, cloudtrail_keys or ()))
    if as_json:
        print_json(found.as_json())
    else:
        _print_checks(found)
    _record_verification(case, found)
    brought = (("seal", key), ("time stamp", tsa_root), ("CloudTrail digest files", cloudtrail_keys))
    _judge_audit(folder, found, [*(require or []), *(name for name, files in brought if files)])


def _print_checks(found: Audit) -> None:
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        say(f"{check.state:<11}  {check.name:<{width}}  {check.detail}")
        for fault in check.faults:
            say(f"{'':<11}  {fault.where}: {fault.what}")
    verdict = found.verdict
    faults = sum(len(check.faults) for check in found.checks)
    state = "intact" if found.evidence_holds else "NOT intact"
    state += f", {faults} fault(s) listed above" if faults else ""
    out.print(f"{verdict.files:,} files, {verdict.size:,} bytes, {verdict.entries:,} entries: {state}.")


def _record_verification(case: Case, found: Audit) -> None:
    """The act of verifying is in the chain too, unless the chain is broken or nobody may write to the case."""
    from playbooks.evidence import State, custody

    states = {check.name: str(check.state) for check in found.checks}
    if states["custody chain"] == State.BROKEN:
        return
    try:
        custody.append(case.custody, case.config.case_id, "verified", intact=found.evidence_holds, checks=states)
    except OSError as error:
        say(f"This verification is not in the custody chain: {error.strerror}.", err)


def _judge_audit(folder: Path, found: Audit, require: list[str]) -> None:
    from playbooks.evidence import State

    states = {check.name: check.state for check in found.checks}
    unmet = [name for name in require if states.get(name) is not State.VERIFIED]
    if not found.evidence_holds:
        raise EvidenceChanged(f"{folder}: evidence is not what it was when it was added; see above.")
    if unmet:
        said = ", ".join(f"{name} ({states.get(name, 'no such check')})" for name in unmet)
        raise EvidenceChanged(f"{folder}: required to be verified, and not: {said}. Checks: {', '.join(states)}.")
    if not found.results_hold:
        raise RecordChanged(
            f"{folder}: the evidence holds, but results or report are not what was written; see above. "
            "`playbooks run` makes them again from the evidence."
        )
