"""What happened when, as JSON lines that Timesketch imports.

Each line has `message`, `datetime`, `timestamp` (microseconds) and `timestamp_desc`; besides them finding, record and
the digest of the evidence item that holds it. Two kinds of line: those of the timeline, and one for each cited record.
Reference: Timesketch documentation, "Import timelines" (JSONL).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from playbooks.exports.material import Made, Material

if TYPE_CHECKING:
    import pandas as pd


def timesketch_lines(material: Material) -> Made:
    """Rows of `timeline` and `links`, in the order of time; a row without time has no place and is counted."""
    digests = {item["evidence_id"]: str(item["sha256"]) for item in material.evidence}
    rows = [*_of_timeline(material.tables["timeline"], digests), *_of_links(material.tables["links"])]
    dated = [row for row in rows if row["time"] == row["time"]]  # NaT equals nothing
    lines = sorted((_line(row, material) for row in dated), key=lambda one: (one["timestamp"], json.dumps(one)))
    text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
    undated = len(rows) - len(dated)
    left_out = (f"{undated} rows without a time",) if undated else ()
    return Made(text.encode("ascii"), f"{len(lines):,} lines", left_out)


def _line(row: Mapping[str, Any], material: Material) -> dict[str, Any]:
    time = row["time"].tz_convert("UTC")
    stamps = {"datetime": time.isoformat(timespec="microseconds"), "timestamp": time.value // 1000}
    case = {"case_id": material.case_id, "tlp": material.tlp}
    return {
        "message": row["message"],
        **stamps,
        **{k: v for k, v in row.items() if k not in ("time", "message")},
        **case,
    }


def _of_timeline(table: pd.DataFrame, digests: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for row in table.to_dict("records"):
        ref = row["ref"] or ""
        yield {
            "time": row["time"],
            "message": f"{row['finding']}: {row['what']}",
            "timestamp_desc": row["kind"],
            "data_type": "playbooks:timeline",
            "finding": row["finding"],
            "ref": ref,
            "evidence_sha256": digests.get(ref.partition(":")[0], ""),
        }


def _of_links(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in table.to_dict("records"):
        yield {
            "time": row["time"],
            "message": f"{row['finding']}: {row['who']} {row['relation']} {row['entity']}",
            "timestamp_desc": f"record cited for {row['signal']}",
            "data_type": "playbooks:link",
            "finding": row["finding"],
            "ref": row["ref"],
            "evidence_sha256": row["item_sha256"] or "",
        }
