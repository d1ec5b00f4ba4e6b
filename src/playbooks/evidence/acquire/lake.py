"""List a lake in OCSF as evidence: its Parquet files by name, digest and number of rows; the rows stay where they lie.

The list is in the bag, and the custody chain says where the lake was when it was listed. A list that came as a file of
somebody else's is evidence like any other, and opens nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.case_file import CaseFile
from playbooks.engine.lake import LakeFile, Span, list_lake
from playbooks.errors import UsageError
from playbooks.evidence import custody
from playbooks.evidence.acquire.answers import Acquired, Answer, AnswerFile, Outcome, keep, private_folder, stamp
from playbooks.evidence.items import Item, items

OPERATION = "list_lake"
LIST = "lake-files.json"


@dataclass(frozen=True)
class Lake:
    """A lake that was listed: the item that holds the list, the folder, the files, and for which span (None: all)."""

    item: Item
    root: Path
    files: tuple[LakeFile, ...]
    days: Span | None

    def words(self) -> str:
        """The lake in words."""
        return f"{len(self.files):,} Parquet files of a lake in OCSF, read where they lie"


def span_of(config: CaseFile) -> Span | None:
    """From the first moment that the case asks about to the last, baseline included; None where it states no window."""
    spans = [one for one in (config.baseline, config.window) if one]
    if config.window is None:
        return None
    return min(one.start for one in spans), max(one.end for one in spans)


def acquire_lake(case: Case, root: Path) -> Acquired:
    """List the files of a lake that the case asks about; those of other days are not opened.

    Listed again, the new list holds what no earlier list of this folder does: every row has one reference.

    Parameters
    ----------
    case
        The case. Its window and baseline say which days are listed; without a window, all.
    root
        Folder of the lake table, with `…/eventDay=YYYYMMDD/` below it or without.

    Returns
    -------
    Acquired
        `attachments` names the evidence id of the list.

    Raises
    ------
    UsageError
        No such folder, no Parquet file of these days below it, or one that is not whole.
    EvidenceChanged
        A file that was listed before is gone or has another size.
    """
    place = root.resolve()
    if not place.is_dir():
        raise UsageError(f"{root}: no such folder. Expected the folder of a lake table.")
    span, asked = span_of(case.config), dt.datetime.now(dt.UTC)
    files = list_lake(place, span, list(_listed_below(case, place)))
    request: dict[str, Any] = {"root": str(place), "days": [stamp(moment) for moment in span] if span else None}
    facts: dict[str, Any] = {"files": len(files), "rows": sum(file.rows for file in files)}
    head = {"lake": 1, "listed": stamp(asked), **request}  # so that no list is the same as another
    with private_folder(case) as folder:
        listed = folder / LIST
        listed.write_text(json.dumps(head | {"files": [asdict(file) for file in files]}), encoding="utf-8")
        with AnswerFile(folder / "lake.jsonl") as answers:
            now = dt.datetime.now(dt.UTC)
            answers.write(Answer("lake", "ocsf", OPERATION, request, asked, now, Outcome.ANSWERED, more=facts))
        return keep(case, answers, [listed], operation=OPERATION, source="lake", **request, **facts)


def _listed_below(case: Case, root: Path) -> Iterator[LakeFile]:
    """Files below `root` that some list of the case holds, also that of a folder above or below it."""
    for one in lakes(case).values():
        for file in one.files:
            if (one.root / file.name).is_relative_to(root):
                yield replace(file, name=(one.root / file.name).relative_to(root).as_posix())


def lakes(case: Case) -> dict[str, Lake]:
    """Evidence id → lake, of every list that this kit made; changes nothing."""
    listed = {
        str(file["evidence_id"]): entry
        for entry in custody.entries(case.custody)
        if entry.get("activity") == "acquired" and entry.get("operation") == OPERATION
        for file in entry.get("attachments", [])
    }
    known = {item.evidence_id: item for item in items(case)} if listed else {}
    return {
        evidence_id: _of(case, known[evidence_id], entry)
        for evidence_id, entry in listed.items()
        if evidence_id in known and known[evidence_id].is_in_bag(case)
    }


def _of(case: Case, item: Item, entry: Mapping[str, Any]) -> Lake:
    held = json.loads(item.file(case).read_text(encoding="utf-8"))
    files = tuple(LakeFile(**one) for one in held["files"])
    days = entry.get("days")
    span = (dt.datetime.fromisoformat(days[0]), dt.datetime.fromisoformat(days[1])) if days else None
    return Lake(item, Path(str(entry["root"])), files, span)
