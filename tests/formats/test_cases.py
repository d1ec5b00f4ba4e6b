"""Every case file gives exactly the events and the unread records that stand beside it."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from tests.formats.refresh_cases import CASES, read_log, stored

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(CASES.rglob("*.log"))
DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def expected(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(stored(file).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_case_gives_what_stands_beside_it(file: Path) -> None:
    assert read_log(file) == expected(file)


def test_every_record_of_a_case_is_an_event_or_unread() -> None:
    for file in FILES:
        found = expected(file)
        numbers = [row["record_no"] for row in found["events"] + found["unread"]]
        assert sorted(set(numbers)) == list(range(1, len(set(numbers)) + 1)), name(file)
        for rows in (found["events"], found["unread"]):
            assert [row["record_no"] for row in rows] == sorted(row["record_no"] for row in rows), name(file)


@pytest.mark.parametrize("form", sorted(folder.name for folder in CASES.iterdir()))
def test_packing_and_line_ends_change_nothing(form: str) -> None:
    normal = expected(CASES / form / "normal.log")
    assert normal["events"]
    for case in ("gz", "crlf"):
        assert expected(CASES / form / f"{case}.log") == normal, case


def test_every_expectation_has_its_log() -> None:
    assert sorted(file.with_suffix("") for file in CASES.rglob("*.json")) == [file.with_suffix("") for file in FILES]


def test_the_zone_of_the_machine_changes_nothing() -> None:
    code = (
        "import json, time\n"
        "from tests.formats.refresh_cases import CASES, read_log, stored\n"
        "assert time.strftime('%z', time.localtime(1773133200)) == '-0400'\n"
        "files = sorted(file for stem in ('normal', 'odd_clock') for file in CASES.rglob(f'{stem}.log'))\n"
        "assert len(files) > 200\n"
        "print([str(f) for f in files if read_log(f) != json.loads(stored(f).read_text(encoding='utf-8'))])\n"
    )
    env = {**os.environ, "TZ": "America/New_York"}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_addresses_in_cases_are_documentation_addresses() -> None:
    strange = set()
    for file in FILES:
        raw = file.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw = zlib.decompressobj(wbits=31).decompress(raw)
        for found in re.findall(rb"(?<![\w./])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])", raw):
            address = ipaddress.ip_address(found.decode())
            if not any(address in network for network in DOCUMENTATION):
                strange.add((name(file), str(address)))
    assert strange == set()


def test_nobody_tidies_evidence() -> None:
    """Git must not touch a byte of samples and case files."""
    attributes = (ROOT / ".gitattributes").read_text().split("\n")
    assert {"data/** -text", "tests/formats/cases/** -text"} <= set(attributes)
    assert b"\r\n" in (CASES / "squid_access" / "crlf.log").read_bytes()
