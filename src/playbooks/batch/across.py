"""What several cases have in common: the same tenant label, destination, fingerprint, principal or address.

A value in two cases is a reason to compare them, and no conclusion: a fingerprint may be every browser's.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from playbooks.case import Case
from playbooks.case_file import CaseFile

KINDS = ("tenant", "destination", "fingerprint", "user agent", "principal", "address")
TRAITS = ("fingerprint", "user agent")


@dataclass(frozen=True)
class Mark:
    """One value of one finding or lead of one case."""

    kind: str
    value: str
    case_id: str
    case: str
    entry: str


def marks_of(case: Case, found: Mapping[str, Any]) -> list[Mark]:
    """What can be met again in another case: subjects of findings and leads, and the traits of who they name.

    Parameters
    ----------
    case
        A case that was run.
    found
        Its `findings.json`.
    """
    told = {
        (kind, value, entry["id"])
        for entry in (*found["findings"], *found["leads"])
        for kind, value in _subjects(entry["subjects"], case.config)
    }
    return [
        Mark(kind, value, case.config.case_id, str(case.path), entry)
        for kind, value, entry in sorted(told | set(_traits(case)))
    ]


def _subjects(subjects: Mapping[str, Any], config: CaseFile) -> Iterator[tuple[str, str]]:
    for kind, name in (("tenant", "tenant"), ("destination", "dst"), ("principal", "principal")):
        for value in subjects.get(name) or ():
            yield ("address" if kind == "destination" and _address(str(value)) else kind), str(value)
    for value in subjects.get("src") or ():
        address = _address(str(value))
        if address and not any(address in net for net in map(_network, config.estate.internal_ranges)):
            yield "address", str(value)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(str(text), strict=False)


def _traits(case: Case) -> Iterator[tuple[str, str, str]]:
    file = case.results / "scope.parquet"
    if not file.is_file():
        return
    for row in pq.read_table(file, columns=["finding", "is_subject", "shares"]).to_pylist():
        for share in row["shares"] or () if row["is_subject"] else ():
            kind, _, value = str(share).partition(": ")
            if kind in TRAITS:
                yield kind, value, str(row["finding"])


def in_several(marks: Iterable[Mark]) -> list[dict[str, Any]]:
    """Values that more than one case has, with each finding or lead that has them; what most cases share first.

    Returns
    -------
    list of dict
        `kind, value, cases` and `where`: `case_id, case, finding` of each.
    """
    met: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        met[mark.kind, mark.value].append(mark)
    rows = [
        {
            "kind": kind,
            "value": value,
            "cases": len({mark.case for mark in group}),
            "where": [{"case_id": mark.case_id, "case": mark.case, "finding": mark.entry} for mark in group],
        }
        for (kind, value), group in met.items()
        if len({mark.case for mark in group}) > 1
    ]
    return sorted(rows, key=lambda row: (-int(row["cases"]), KINDS.index(str(row["kind"])), str(row["value"])))
