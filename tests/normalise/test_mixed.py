"""One file with the logs of several products: each record is read as what it is, under its number in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.formats.refresh_cases import CASES

from playbooks.formats import FORMATS
from playbooks.normalise import Source, detect, read
from playbooks.normalise.detect import fit
from playbooks.normalise.sample import Sample

# formats whose lines a collector of syslog would write one after the other, without a header
TOGETHER = ("squid_access", "fortigate", "fortigate_cef", "paloalto_csv", "suricata_eve", "aws_vpc_flow")
NUMBERED = ("record_no",)


def lines_of(form: str) -> list[str]:
    """The records of a case that are events, as one line each."""
    lines = [line for line in (CASES / form / "normal.log").read_text().split("\n") if line.strip()]
    [cut] = [one for one in FORMATS if one.name == form]
    return [line for line in lines if fit(cut, Sample(line)).share == 1 and not line.startswith("version")]


def rows_of(file: Path, clock: str | None = "UTC") -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
    events: dict[int, dict[str, Any]] = {}
    unread: dict[int, str] = {}
    for rows in read(Source("E001", file, clock)):
        events |= {row["record_no"]: row for row in rows.in_order()}
        unread |= {row["record_no"]: row["reason"] for row in rows.unread.to_pylist()}
    return events, unread


def without_number(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in NUMBERED}


@pytest.mark.parametrize("first", TOGETHER)
def test_a_line_among_others_gives_the_event_that_it_gives_alone(first: str, tmp_path: Path) -> None:
    forms = [first, *(form for form in TOGETHER if form != first)]
    lines = {form: lines_of(form)[:4] for form in forms}
    alone = {}
    for form, own in lines.items():
        file = tmp_path / form
        file.write_text("\n".join(own) + "\n")
        found = detect(file).format
        assert found and found.name == form
        events, _ = rows_of(file)
        alone |= {(form, own[number - 1]): without_number(row) for number, row in events.items()}
    text = [(form, lines[form][turn]) for turn in range(4) for form in forms if turn < len(lines[form])]
    mixed = tmp_path / "mixed"
    mixed.write_text("\n".join(line for _, line in text) + "\n")
    events, unread = rows_of(mixed)
    assert sorted({*events, *unread}) == list(range(1, len(text) + 1))
    assert {text[n - 1]: without_number(row) for n, row in events.items()} == alone
    assert len({row["format"] for row in events.values()}) == len(forms)


def test_a_damaged_record_of_the_log_itself_is_never_taken_for_another_log(tmp_path: Path) -> None:
    whole = lines_of("squid_access")[:4]
    damaged = [line[: len(line) * part // 8] for line in whole for part in range(1, 8)]
    file = tmp_path / "access.log"
    file.write_text("\n".join([*whole * 20, *damaged]) + "\n")
    events, unread = rows_of(file)
    assert {row["format"] for row in events.values()} == {"squid_access"}
    assert len(events) + len(unread) == 20 * len(whole) + len(damaged)


def test_lines_that_no_format_knows_stay_unread_with_the_reason_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text("\n".join([*lines_of("squid_access") * 5, "hello", '{"a": 1}', "x=1 y=2"]) + "\n")
    _, unread = rows_of(file)
    assert set(unread.values()) == {"not a line of Squid access.log, native"}
    assert len(unread) == 3


def test_two_logs_that_are_as_many_are_both_read(tmp_path: Path) -> None:
    one, other = lines_of("squid_access")[:3], lines_of("aws_vpc_flow")[:3]
    file = tmp_path / "both"
    file.write_text("\n".join([*one, *other]) + "\n")
    events, _ = rows_of(file)
    assert {row["format"] for row in events.values()} == {"squid_access", "aws_vpc_flow"}
