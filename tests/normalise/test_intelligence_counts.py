"""Lists of indicators that nobody here wrote: what stands in them is read or refused, item by item.

The lists lie beside the repository (`../shared/logs/ti`) and are never part of it; without them these tests skip. Each
is counted a second time, with the json and csv modules of Python.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playbooks.normalise import Source, detect, read

LISTS = Path(__file__).resolve().parents[3] / "shared" / "logs" / "ti"
COMPARISON = re.compile(r"(?:NOT\s+)?(?:=|!=|<>|<=|>=|<|>|LIKE|MATCHES|ISSUBSET|ISSUPERSET|\bIN)(?=\s*[('0-9tbhf])")
FILES = sorted(file for file in LISTS.rglob("*") if file.is_file() and file.name != "expected.json")
pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason="../shared/logs/ti is not there")


def stix_items(file: Path) -> int:
    """Comparisons of indicators, and the objects that are none."""
    found = json.loads(file.read_text())
    objects = found["objects"] if isinstance(found, dict) and "objects" in found else [found]
    objects = found if isinstance(found, list) else objects
    return sum(len(conditions(one["pattern"])) if one["type"] == "indicator" else 1 for one in objects)


def conditions(pattern: str) -> list[str]:
    return COMPARISON.findall(re.sub(r"'(?:[^'\\]|\\.)*'", "''", pattern))


def misp_items(file: Path) -> int:
    found = json.loads(file.read_text())
    events = [one.get("Event", one) for one in found.get("response", [found])]
    holders = [holder for event in events for holder in (event, *event.get("Object", []))]
    return sum(len(holder.get("Attribute", [])) for holder in holders)


def rows(file: Path) -> list[list[str]]:
    lines = [line for line in file.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return list(csv.reader(lines, skipinitialspace=True))


def csv_items(file: Path) -> int:
    return len(rows(file))


def headed_csv_items(file: Path) -> int:
    return len(rows(file)) - (rows(file)[0][:2] == ["value", "entity_type"])


def hashes(file: Path) -> int:
    return sum(cell != "n/a" for row in rows(file) for cell in row[1:4])


def lines(file: Path) -> int:
    return sum(bool(line.strip()) and not line.startswith("#") for line in file.read_text().splitlines())


COUNTED: dict[str, Callable[[Path], int]] = {
    **dict.fromkeys(("oasis_stix21", "unit42_stix"), stix_items),
    "misp_event": misp_items,
    **dict.fromkeys(("threatfox_csv", "urlhaus_csv"), csv_items),
    "volexity_csv": headed_csv_items,
    "maltrail_trail": lines,
    "maltrail_serverless": lambda file: lines(file) - 1,  # its header
}
OF_FEEDS: dict[str, Callable[[Path], int]] = {
    ".json": stix_items,
    "malwarebazaar_dump.csv": hashes,
    "sslblacklist.csv": csv_items,
}


def independently(file: Path) -> int:
    counted = COUNTED.get(file.parent.name) or OF_FEEDS.get(file.name) or OF_FEEDS[file.suffix]
    return counted(file)


def what_is_read(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found = list(read(Source("E001", file)))
    return [event for one in found for event in one.in_order()], [
        row for one in found for row in one.unread.to_pylist()
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_item_of_a_list_is_an_event_or_unread_with_its_reason(file: Path) -> None:
    assert detect(file).format is not None
    events, unread = what_is_read(file)
    assert all(row["reason"] for row in unread)
    assert len(events) + len(unread) == independently(file) > 0
    assert all(event["indicator"] or event["not_compared"] for event in events)
