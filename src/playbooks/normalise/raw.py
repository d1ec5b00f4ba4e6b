"""The raw record behind a reference, as it stands in the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playbooks.case import Case
from playbooks.errors import NotFound
from playbooks.evidence import items
from playbooks.evidence.acquire.lake import lakes
from playbooks.normalise.in_place import lake_records
from playbooks.normalise.own_formats import formats_of
from playbooks.normalise.read import raw_records


@dataclass(frozen=True)
class RawRecord:
    """The record behind a reference, as it stands in the evidence."""

    ref: str
    evidence_id: str
    record_no: int
    file: str
    sha256: str
    text: str


def show(case: Case, refs: Iterable[str]) -> dict[str, RawRecord]:
    """The raw records behind references such as `E003:4118`.

    Raises
    ------
    NotFound
        A reference is malformed, or its item or record does not exist.
    EvidenceChanged
        A file of a lake is not the one that was listed.
    """
    by_id = {item.evidence_id: item for item in items(case)}
    in_place = lakes(case)
    wanted: dict[str, set[int]] = {}
    for ref in refs:
        evidence_id, _, number = ref.partition(":")
        if evidence_id not in by_id or not number.isascii() or not number.isdigit():
            raise NotFound(f"{ref!r}: no such record. Expected an evidence id of this case and a number, e.g. E001:17.")
        wanted.setdefault(evidence_id, set()).add(int(number))
    found: dict[str, RawRecord] = {}
    for evidence_id, numbers in wanted.items():
        item = by_id[evidence_id]
        if not item.is_in_bag(case):
            raise NotFound(f"{evidence_id}: {item.name} is not in the bag. See: playbooks verify {case.path}")
        lake = in_place.get(evidence_id)
        raws = lake_records(lake, numbers) if lake else raw_records(item.file(case), numbers, formats_of(case))
        if missing := sorted(numbers - raws.keys()):
            raise NotFound(f"{evidence_id}:{missing[0]}: {item.name} has no such record.")
        for record_no, text in raws.items():
            ref = f"{evidence_id}:{record_no}"
            found[ref] = RawRecord(ref, evidence_id, record_no, item.name, item.sha256, text)
    return found
