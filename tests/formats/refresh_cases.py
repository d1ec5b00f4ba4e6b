"""Write what the kit reads in the case files of a format; a person reads the difference before it is kept.

    python tests/formats/refresh_cases.py squid_access            all cases of a format
    python tests/formats/refresh_cases.py squid_access/half_line  one case

A case is `cases/<format>/<case>.log`, evidence byte for byte, and `<case>.json`: all events and all unread
records in the order of the file, with every column that holds a value, and the number of blank lines.
`<case>.clock`, where there is one, is the zone that the case states (`clock:` in case.yaml).
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from playbooks.normalise import Source, detect, read

CASES = Path(__file__).parent / "cases"


def read_log(file: Path, clock: str | None = None) -> dict[str, Any]:
    """Everything that the kit makes of one file."""
    beside = file.with_suffix(".clock")
    clock = clock or (beside.read_text(encoding="utf-8").strip() if beside.is_file() else None)
    found: dict[str, Any] = {"events": [], "unread": [], "blank": 0}
    for rows in read(Source("E001", file, clock), detect(file)):
        found["events"] += [_said(event) for event in rows.in_order()]
        found["unread"] += [{k: row[k] for k in ("record_no", "kind", "reason")} for row in rows.unread.to_pylist()]
        found["blank"] += rows.blank
    return found


def _said(event: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in event.items()
        if value is not None
    }


def stored(file: Path) -> Path:
    """Where the expectation of a case stands."""
    return file.with_suffix(".json")


def main(names: list[str]) -> None:
    """Refresh the named formats or cases."""
    for name in names:
        folder = CASES / name
        files = sorted(folder.glob("*.log")) if folder.is_dir() else [folder.with_suffix(".log")]
        for file in files:
            text = json.dumps(read_log(file), indent=1, ensure_ascii=False) + "\n"
            stored(file).write_text(text, encoding="utf-8")
            print(f"wrote {stored(file).relative_to(CASES)}: read it before you keep it")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
