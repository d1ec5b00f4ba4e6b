"""Every table of results in one zip: as CSV, no cell of which is a formula to a spreadsheet, or as Parquet."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from playbooks import schema
from playbooks.exports.material import Made, Material
from playbooks.schema import Column, Table

if TYPE_CHECKING:
    import pandas as pd

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date a zip can hold: the hour of an export is no fact of the case
PLAIN = ("id", "hypothesis", "title", "score", "first_seen", "last_seen")
FINDING_COLUMNS = ["stands_as", *PLAIN, "confidence", "verdict", "attack", "signals", "refs"]
# Columns of what lies in no table of results that are no plain text.
TYPES: Mapping[str, str] = {"size": "BIGINT", "score": "DOUBLE"} | dict.fromkeys(
    ("attack", "signals", "refs"), "VARCHAR[]"
)


def csv_zip(material: Material) -> Made:
    """Case, evidence, answers and findings first, then each table under its name."""
    from playbooks.report.spreadsheet import csv_text

    frames = _frames(material)
    packed = _zip((f"{name}.csv", csv_text(frame).encode("utf-8")) for name, frame in frames.items())
    return Made(packed, _holds(frames))


def parquet_zip(material: Material) -> Made:
    """The same tables with the types of the dictionary; what is text to a spreadsheet stays what it is."""
    frames = _frames(material)
    packed = _zip((f"{name}.parquet", _parquet(name, frame)) for name, frame in frames.items())
    return Made(packed, _holds(frames))


def _frames(material: Material) -> dict[str, pd.DataFrame]:
    return dict(_own(material)) | dict(material.tables)


def _holds(frames: Mapping[str, pd.DataFrame]) -> str:
    return f"{len(frames)} tables, {sum(map(len, frames.values())):,} rows"


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content)
    return out.getvalue()


def _parquet(name: str, frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, with the types of the dictionary and nothing of the machine that wrote it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from playbooks.schema.arrow import shape_of

    stated = schema.RESULT_TABLES.get(name)
    table = stated or Table(name, "", tuple(Column(one, TYPES.get(one, "VARCHAR"), "") for one in frame.columns))
    rows = pa.Table.from_pandas(frame[list(table.names)], schema=shape_of(table), preserve_index=False)
    out = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata(None), out, compression="zstd")
    return out.getvalue()


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
