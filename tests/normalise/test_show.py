"""Behind every reference stands the record as it is in the file."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.formats.refresh_cases import CASES, read_log
from tests.formats.test_cases import FILES, expected, name

from playbooks.case import Case, new_case
from playbooks.errors import NotFound
from playbooks.evidence import add, items
from playbooks.formats import FORMATS, Columns, Json, TextLines, W3c, Zeek
from playbooks.normalise import normalise, raw_records, show
from playbooks.normalise.columns import header_names

STEMS = ("normal", "gz", "crlf", "blank_lines", "half_line", "bad_byte")
# several lines a record
JOINED = {form.name for form in FORMATS if isinstance(form.cut, TextLines) and form.cut.joined}
# published as one object or list, with a record somewhere in each line or over several
JOINED |= {form.name for form in FORMATS if isinstance(form.cut, Json) and form.table == "address_ranges"}
JOINED |= {"crtsh_certificates", "malwarebazaar_json", "threatfox_json", "urlhaus_json"}
LINE_FILES = [file for file in FILES if file.stem in STEMS and file.parent.name not in JOINED]


def text(file: Path) -> str:
    data = file.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.decode("utf-8", "backslashreplace")


def lines_with_records(file: Path) -> list[str]:
    """The records of a file whose records are lines, found without the kit."""
    form = next(form for form in FORMATS if form.name == file.parent.name)
    lines = [line.rstrip("\r") for line in text(file).split("\n") if line.strip()]
    if isinstance(form.cut, Zeek | W3c):
        return [line for line in lines if not line.startswith("#")]
    if comment := getattr(form.cut, "comment", ""):
        lines = [line for line in lines if not line.lstrip().startswith(comment)]
    if isinstance(form.cut, Columns) and (form.cut.delimiter == "," or form.general):
        return lines[1:] if form.cut.keys <= set(header_names(lines[0], form.cut.delimiter)) else lines
    return lines


@pytest.mark.parametrize("file", [f for f in LINE_FILES if f.parent.name != "indicator_csv"], ids=name)
def test_the_raw_record_is_the_line_in_the_file(file: Path) -> None:
    lines = lines_with_records(file)
    numbers = set(range(1, len(lines) + 1))
    assert raw_records(file, numbers) == dict(enumerate(lines, start=1))


@pytest.mark.parametrize("case", ["normal", "crlf", "gz"])
def test_the_raw_record_of_a_table_holds_all_lines_of_a_quoted_cell(case: str) -> None:
    file = CASES / "indicator_csv" / f"{case}.log"
    rows = list(csv.reader(io.StringIO(text(file).replace("\r\n", "\n"), newline="")))[1:]
    raws = raw_records(file, set(range(1, len(rows) + 1)))
    assert [next(csv.reader([raws[n].replace("\r\n", "\n")])) for n in sorted(raws)] == rows
    end = "\r\n" if case == "crlf" else "\n"
    assert raws[3].endswith(f'"said ""yes""{end}on two lines"')
    assert "".join(raws[n] for n in sorted(raws)).replace(end, "") in text(file).replace(end, "")


ARRAYS = (
    "records_array",
    "records_array_gz",
    "records_array_pretty",
    "bare_array",
    "bare_array_line_each",
    "concatenated",
)


@pytest.mark.parametrize("case", ARRAYS)
def test_the_raw_record_of_json_is_the_element_as_it_is_written(case: str) -> None:
    file = CASES / "aws_cloudtrail" / f"{case}.log"
    first, second = (json.loads(line) for line in text(CASES / "aws_cloudtrail" / "normal.log").split("\n")[:2])
    raws = raw_records(file, {1, 2, 3})
    assert sorted(raws) == [1, 2]
    assert [json.loads(raws[n]) for n in (1, 2)] == [first, second]
    assert all(raw in text(file) for raw in raws.values())


def test_the_raw_record_of_lookup_events_holds_the_wrapped_text() -> None:
    raws = raw_records(CASES / "aws_cloudtrail" / "lookup_events.log", {2})
    assert json.loads(json.loads(raws[2])["CloudTrailEvent"])["eventName"] == "AddPermission20150331v2"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_every_event_and_unread_record_can_be_shown(file: Path) -> None:
    found = expected(file)  # what is read, as the test of the cases says
    numbers = {row["record_no"] for row in found["events"] + found["unread"]}
    assert set(raw_records(file, numbers)) == numbers
    assert raw_records(file, {0, len(numbers) + 1}) == {}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = new_case(tmp_path_factory.mktemp("show") / "case", "SHOW-1")
    files = [CASES / form.name / "normal.log" for form in FORMATS]
    copies = [made.path.parent / f"{file.parent.name}.log" for file in files]
    for file, copy in zip(files, copies, strict=True):
        copy.write_bytes(file.read_bytes())
    add(made, copies)
    normalise(made)
    return made


def values(found: object) -> set[str]:
    if isinstance(found, dict):
        return {text for inner in found.values() for text in values(inner)}
    if isinstance(found, list):
        return {text for inner in found for text in values(inner)}
    return {str(found)}


def test_a_reference_leads_from_the_event_to_its_line(case: Case) -> None:
    """What an event says stands in the record that `show` gives, letter by letter."""
    for number, form in enumerate(FORMATS, start=1):
        events: list[dict[str, Any]] = read_log(case.evidence / "data" / f"E{number:03d}-{form.name}.log")["events"]
        refs = [f"E{number:03d}:{event['record_no']}" for event in events]
        shown = show(case, refs)
        assert list(shown) == list(dict.fromkeys(refs))  # several events of one record have one reference
        for ref, event in zip(refs, events, strict=True):
            text = shown[ref].text.lower()
            said = {str(value).lower() for column, value in event.items() if column not in MADE and value is not None}
            found = {value for value in said if value in text}
            assert found, (ref, said)


MADE = ("evidence_id", "record_no", "format", "time", "request", "response", "answers", "status", "cloud_provider")


def test_what_is_shown_names_item_and_digest(case: Case) -> None:
    [(evidence_id, name)] = [(i.evidence_id, i.name) for i in items(case) if i.name.endswith("-zeek_http.log")]
    record = show(case, [f"{evidence_id}:1"])[f"{evidence_id}:1"]
    assert (record.evidence_id, record.record_no, record.file) == (evidence_id, 1, name)
    assert len(record.sha256) == 64


@pytest.mark.parametrize(
    "ref", ["E999:1", "E001", "E001:", "E001:x", "E001:0", "E001:999", "E001:-1", "E001:١", "", ":1"]
)
def test_a_reference_that_leads_nowhere_is_an_error(ref: str, case: Case) -> None:
    with pytest.raises(NotFound, match="no such record"):
        show(case, [ref])
