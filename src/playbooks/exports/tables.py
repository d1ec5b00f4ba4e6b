"""Every table of results as CSV, in one zip: no cell is a formula to a spreadsheet."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playbooks.exports.material import Made, Material

if TYPE_CHECKING:
    import pandas as pd

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date a zip can hold: the hour of an export is no fact of the case
PLAIN = ("id", "hypothesis", "title", "score", "first_seen", "last_seen")
FINDING_COLUMNS = ["stands_as", *PLAIN, "confidence", "verdict", "attack", "signals", "refs"]


def csv_zip(material: Material) -> Made:
    """Case, evidence, answers and findings first, then each table under its name."""
    from playbooks.report.spreadsheet import csv_text

    frames = dict(_own(material)) | dict(material.tables)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, frame in frames.items():
            entry = zipfile.ZipInfo(f"{name}.csv", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, csv_text(frame).encode("utf-8"))
    return Made(out.getvalue(), f"{len(frames)} tables, {sum(map(len, frames.values())):,} rows")


def _own(material: Material) -> Iterator[tuple[str, pd.DataFrame]]:
    """What lies in no table: the case, its evidence, its answers and its findings."""
    import pandas as pd

    case = [
        ("case_id", material.case_id),
        ("title", material.title),
        ("tlp", material.tlp),
        ("evidence_head", material.evidence_head),
    ]
    yield "case", pd.DataFrame(case, columns=["field", "value"])
    items = ["evidence_id", "name", "size", "sha256", "added"]
    yield "evidence", pd.DataFrame([[one[name] for name in items] for one in material.evidence], columns=items)
    answers = ["title", "outcome", "reason"]
    asked = material.findings["outcomes"].values()
    yield "answers", pd.DataFrame([[one[name] for name in answers] for one in asked], columns=answers)
    yield "findings", pd.DataFrame(_findings(material), columns=FINDING_COLUMNS)


def _findings(material: Material) -> list[list[Any]]:
    return [
        [
            "finding" if is_finding else "lead",
            *(entry[name] for name in PLAIN),
            entry["argument"]["confidence"]["word"],
            (entry.get("decision") or {}).get("verdict"),
            entry["attack"],
            [f"{one['kind']}: {one['sentence']}" for one in entry["signals"]],
            list(dict.fromkeys(ref for one in entry["signals"] for ref in one["refs"])),
        ]
        for is_finding, entry in material.told()
    ]
