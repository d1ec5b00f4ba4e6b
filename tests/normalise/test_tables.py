"""Tables exported as CSV, documents in search answers, names with dots: the same records as JSON lines give."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.formats.refresh_cases import CASES, read_log

from playbooks.formats import FORMATS, Json
from playbooks.normalise import Source, detect, raw_records, read
from playbooks.normalise.json_records import undotted

CSV = [form for form in FORMATS if isinstance(form.cut, Json) and form.cut.csv]
# the usual case of the others is the CSV
JSON_TOO = [form for form in CSV if (CASES / form.name / "normal.log").read_text().startswith("{")]


def rows_of(form: str) -> list[dict[str, Any]]:
    lines = (CASES / form / "normal.log").read_text().split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def as_csv(rows: list[dict[str, Any]], header: dict[str, str] | None = None) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([(header or {}).get(name, name) for name in names])
    for row in rows:
        cells = (row.get(name, "") for name in names)
        table.writerow([json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells])
    return out.getvalue()


def events(text: str, folder: Path, clock: str | None = None) -> dict[str, Any]:
    file = folder / "evidence"
    file.write_text(text)
    return read_log(file, clock)


@pytest.mark.parametrize("form", JSON_TOO, ids=lambda form: form.name)
def test_the_csv_of_a_table_gives_what_its_json_gives(form: Any, tmp_path: Path) -> None:
    rows = rows_of(form.name)
    found = events(as_csv(rows), tmp_path)
    assert detect(tmp_path / "evidence").format is form
    assert found["events"] == read_log(CASES / form.name / "normal.log")["events"]
    assert (found["unread"], found["blank"]) == ([], 0)


def test_a_row_stays_the_line_that_stands_in_the_file(tmp_path: Path) -> None:
    text = as_csv([{**row, "HttpUserAgent": "two\nlines, and a comma"} for row in rows_of("asim_events")[:2]])
    events(text, tmp_path)
    header, first, *_ = text.split("\n")
    assert raw_records(tmp_path / "evidence", {1})[1].split("\n")[0] == first
    assert header not in raw_records(tmp_path / "evidence", {1, 2}).values()


def test_a_second_header_with_other_columns_names_what_follows(tmp_path: Path) -> None:
    one, two = rows_of("azure_dns_events")[:2]
    turned = dict(reversed(two.items()))
    found = events(as_csv([one]) + "\n" + as_csv([turned]), tmp_path)
    assert found["events"] == read_log(CASES / "azure_dns_events" / "normal.log")["events"][:2]
    assert found["blank"] == 1


def test_a_row_with_too_few_cells_is_unread_and_says_how_many_there_are(tmp_path: Path) -> None:
    found = events(as_csv(rows_of("azure_dns_events")[:1]) + "one,two\n", tmp_path)
    [unread] = found["unread"]
    assert unread["reason"] == "2 columns where 10 were expected"


def test_a_header_that_states_utc_gives_the_zone_and_a_zone_in_the_stamp_is_kept(tmp_path: Path) -> None:
    row = rows_of("azure_dns_events")[0]
    stamps = ["3/10/2026, 9:00:00.000 PM", "2026-03-10 21:00:00", "2026-03-10T21:00:00Z"]
    text = as_csv([{**row, "TimeGenerated": stamp} for stamp in stamps], {"TimeGenerated": "TimeGenerated [UTC]"})
    assert [e["time"] for e in events(text, tmp_path)["events"]] == ["2026-03-10T21:00:00+00:00"] * 3
    text = as_csv([{**row, "TimeGenerated": stamps[0]}])
    assert events(text, tmp_path)["events"] == []
    assert events(text, tmp_path, "America/New_York")["events"][0]["time"] == "2026-03-11T01:00:00+00:00"


def test_a_day_that_could_be_a_month_is_not_guessed(tmp_path: Path) -> None:
    row = rows_of("azure_dns_events")[0]
    text = as_csv([{**row, "TimeGenerated": "10/03/2026, 09:00:00.000"}], {"TimeGenerated": "TimeGenerated [UTC]"})
    [unread] = events(text, tmp_path)["unread"]
    assert unread["reason"].startswith("a value cannot be read: time ")


def test_cells_that_only_look_like_json_stay_text(tmp_path: Path) -> None:
    row = {**rows_of("gcp_audit_table")[0], "Request": "{not json", "Response": "[" * 100_000}
    [event] = events(as_csv([row]), tmp_path)["events"]
    assert (event["request"], event["response"]) == ("{not json", "[" * 100_000)


# ---------------------------------------------------------------- documents of Elasticsearch

DOTTED = [
    ('{"source.ip": "192.0.2.1", "source.port": 1}', {"source": {"ip": "192.0.2.1", "port": 1}}),
    ('{"a": {"b.c": 1}, "a.b.d": 2}', {"a": {"b": {"c": 1, "d": 2}}}),
    ('{"a": 1, "a.b": 2}', {"a": 1}),
    ('{"a.b": {"c": 1}, "a.b.d": 2}', {"a": {"b": {"c": 1, "d": 2}}}),
    ('{"a.b": {"c": 1}, "a": {"b": {"d": 2}}}', {"a": {"b": {"d": 2}}}),
    ('{"..": 1, "a.": 2}', {"..": 1, "a.": 2}),
    ('{"a..b": 1, ".c": 2}', {"a": {"": {"b": 1}}, "": {"c": 2}}),
    ('{"a": "text with \\"b.c\\": in it"}', {"a": 'text with "b.c": in it'}),
]


@pytest.mark.parametrize(("text", "expected"), DOTTED)
def test_names_with_dots_are_places_inside_one_another(text: str, expected: object) -> None:
    assert json.loads(undotted(text)) == expected


@pytest.mark.parametrize("text", ['{"a.b": 1', "no json", "", '["a.b"]', '{"a.b": ' + "[" * 100_000])
def test_text_that_is_no_object_stays_as_it_is(text: str) -> None:
    assert undotted(text) == text


@pytest.mark.parametrize("text", ['{"a%s": 1}' % (".a" * 100_000), '{"a.b":' * 900 + "1" + "}" * 900])
def test_names_of_many_dots_and_deep_nesting_do_no_harm(text: str) -> None:
    assert undotted(text)


def search_answer(documents: list[Any]) -> dict[str, Any]:
    held = [{"_index": "logs", "_id": str(i), "_source": document} for i, document in enumerate(documents)]
    return {"took": 5, "hits": {"total": {"value": 2, "relation": "eq"}, "max_score": None, "hits": held}, "aggs": {}}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_search_answer_gives_its_documents_as_records(indent: int | None, tmp_path: Path) -> None:
    documents = rows_of("ecs")
    text = json.dumps(search_answer(documents), indent=indent)
    found = events(text, tmp_path)
    assert found["events"] == read_log(CASES / "ecs" / "normal.log")["events"]
    assert found["unread"] == []


def test_pages_of_search_answers_follow_one_another(tmp_path: Path) -> None:
    pages = [json.dumps(search_answer(rows_of("ecs")[at : at + 5])) for at in (0, 5)]
    assert len(events("\n".join(pages), tmp_path)["events"]) == 10


def test_a_search_answer_that_is_cut_off_keeps_the_documents_before_the_cut(tmp_path: Path) -> None:
    text = json.dumps(search_answer(rows_of("ecs")), indent=1)
    found = events(text[: len(text) // 2], tmp_path)
    assert found["events"]
    assert found["unread"][-1]["reason"].startswith("JSON ends ")


def test_an_envelope_inside_an_envelope_inside_an_envelope_is_a_record(tmp_path: Path) -> None:
    text = json.dumps({"hits": {"hits": {"hits": [{"@timestamp": "2026-03-10T09:00:00Z", "ecs": {}}]}}})
    found = events(text, tmp_path)
    assert (found["events"], len(found["unread"])) == ([], 1)
    deep = '{"hits": ' * 20_000 + "[]" + "}" * 20_000
    assert len(events(deep, tmp_path)["unread"]) == 1


def test_a_general_format_gives_way_to_the_one_of_a_product(tmp_path: Path) -> None:
    general = [form.name for form in FORMATS if form.general]
    assert general == ["ecs", "indicator_table_csv", "indicator_table_tsv"]
    beat = (CASES / "windows_events_winlogbeat" / "normal.log").read_text().split("\n")[0]
    plain = (CASES / "ecs" / "normal.log").read_text().split("\n")[0]
    file = tmp_path / "evidence"
    for others, expected in ((9, "windows_events_winlogbeat"), (10, "ecs")):
        file.write_text("\n".join([beat, *[plain] * others]) + "\n")
        found = detect(file).format
        assert found
        assert found.name == expected
    assert sum(rows.count for rows in read(Source("E001", file))) == 11
