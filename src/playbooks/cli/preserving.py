"""Commands about evidence: add it, verify it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.errors import AllFailed, EvidenceChanged, SomeFailed
from playbooks.terminal import bytes_bar, out, print_json, say


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
