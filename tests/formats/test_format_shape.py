"""What every format has in common: it is listed, documented, has its cases, and writes known columns."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from types import ModuleType

import pytest
from tests.formats.refresh_cases import CASES, stored
from tests.formats.test_cases import FILES, expected, name

from playbooks import engine, formats, schema
from playbooks.formats import FORMATS, MACROS, REFUSED, Clock, Columns, Format, Json, Pairs, TextLines, W3c, Xml, Zeek
from playbooks.normalise import detect
from playbooks.normalise.detect import LEAST_SHARE, fit, take_sample
from playbooks.normalise.mapping import entries, fields_of

KINDS = {"normal", "half_line", "bad_byte", "odd_clock", "unknown_value"}
NO_FORMATS = ("ecs_fields", "format", "macros", "windows_events")
WITHOUT_RECORDS = {"aws_cloudtrail/empty_records"}
every_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)


def modules() -> dict[str, ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(formats.__path__) if module.name not in NO_FORMATS]
    return {name: importlib.import_module(f"playbooks.formats.{name}") for name in names}


def test_every_module_is_listed_under_its_own_name() -> None:
    assert [form.name for form in FORMATS] == sorted(modules())
    assert all(module.FORMAT is form for module, form in zip(modules().values(), FORMATS, strict=True))


@every_format
def test_a_format_says_what_it_is_and_what_it_cannot_show(form: Format) -> None:
    sentence, *more = (modules()[form.name].__doc__ or "").strip().split("\n")
    assert sentence.endswith("."), "a module begins with one sentence on one line"
    assert any(line.startswith("Reference: ") for line in more)
    assert all((form.product, form.shows, form.cannot_show, form.reference))
    assert isinstance(form.clock, Clock)


@every_format
def test_a_format_writes_columns_of_its_tables_with_their_types(form: Format) -> None:
    con = engine.connect()
    con.execute(MACROS)
    con.execute("SET VARIABLE case_clock = ''")
    con.execute("CREATE TABLE chunk (record_no BIGINT, raw VARCHAR, cells VARCHAR[], json VARCHAR)")
    zoned = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}
    names = getattr(form.cut, "fields", ()) if isinstance(form.cut, W3c) else ()
    for part in form.every_part:
        table = schema.TABLES[part.table]
        written = part.select()
        assert ("time" in written) == (form.undated != "true"), "a log whose records hold no time writes none"
        assert set(written) <= set(table.names) - {"evidence_id", "record_no", "format"}
        columns = ", ".join(f'{expression} AS "{column}"' for column, expression in written.items())
        source = entries(part, f"(SELECT NULL::VARCHAR AS broken, {fields_of(form, names)} AS r FROM chunk)")
        con.execute(f"SELECT count(*) FROM {source} WHERE {form.undated}")
        con.execute(f"CREATE OR REPLACE VIEW mapped AS SELECT {columns} FROM {source} WHERE {part.when}")
        types = {row[0]: row[1] for row in con.execute("DESCRIBE mapped").fetchall()}
        assert {column: zoned.get(t, t) for column, t in types.items()} == {c: table.type_of(c) for c in written}


@every_format
def test_a_format_has_one_table_or_parts_and_never_both(form: Format) -> None:
    assert bool(form.table and form.columns) is not bool(form.parts)
    assert bool(form.parts) is (form.kind != "''")


@every_format
def test_every_column_line_of_a_format_is_understood(form: Format) -> None:
    for part in form.every_part:
        text = re.sub(r"--[^\n]*", "", part.columns)
        assert len(part.select()) == len(re.findall(r"\sAS\s+[a-z]", text))


@every_format
def test_only_macros_cast_because_a_bare_cast_would_stop_the_whole_file(form: Format) -> None:
    for part in form.every_part:
        assert set(re.findall(r"\bAS\s+([A-Z]\w*)", part.columns)) <= {"VARCHAR"}
        assert not re.search(
            r"::|\bTRY\(|\bstrptime\(|\bmake_timestamp", part.columns + part.when + part.each + form.kind
        )


def test_refused_values_cover_the_types_that_macros_give() -> None:
    parts = [part for form in FORMATS for part in form.every_part]
    types = {schema.TABLES[part.table].type_of(column) for part in parts for column in part.select()}
    always = {"VARCHAR[]", "BIGINT[]", "BOOLEAN"}
    assert types - set(REFUSED) <= always, "a list can always be read, with gaps in it; a truth is stated or is not"


@every_format
def test_a_format_has_its_five_kinds_of_cases(form: Format) -> None:
    assert {file.stem for file in (CASES / form.name).glob("*.log")} >= KINDS


def test_every_folder_of_cases_belongs_to_a_format() -> None:
    assert sorted(folder.name for folder in CASES.iterdir()) == [form.name for form in FORMATS]


@every_format
def test_every_column_is_seen_with_a_value_in_some_case(form: Format) -> None:
    """A column that no case shows could go missing unseen."""
    files = (CASES / form.name).glob("*.log")
    seen = {column for file in files for event in expected(file)["events"] for column in event}
    assert {column for part in form.every_part for column in part.select()} - seen == set()


@every_format
def test_every_status_line_is_seen_in_some_case(form: Format) -> None:
    files = (CASES / form.name).glob("*.log")
    seen = {row["reason"] for file in files for row in expected(file)["unread"] if row["kind"] == "status"}
    assert seen == {reason for _, reason in form.status}


@every_format
def test_patterns_mean_something_to_python_and_to_the_engine(form: Format) -> None:
    patterns = {TextLines: ("pattern",), Columns: ("default_mark",)}.get(type(form.cut), ())
    for pattern in filter(None, (getattr(form.cut, attribute) for attribute in patterns)):
        lines = (CASES / form.name / "normal.log").read_text().split("\n")
        line = next(line for line in lines if re.search(pattern, line))
        assert engine.connect().execute("SELECT regexp_matches(?, ?)", [line, pattern]).fetchone() == (True,)


@every_format
def test_keys_of_a_mark_are_among_the_fields_that_are_read(form: Format) -> None:
    match form.cut:
        case Json(keys=keys, shape=shape) | Xml(keys=keys, shape=shape):
            assert all(f'"{key}"' in shape for key in keys)
        case Zeek(keys=keys, fields=fields):
            assert keys <= {field.replace(".", "_") for field in fields}
        case Columns(keys=keys, fields=fields) | Pairs(keys=keys, fields=fields) | W3c(keys=keys, fields=fields):
            assert keys <= set(fields)


@every_format
def test_a_case_is_known_as_its_format_and_as_no_other(form: Format) -> None:
    for file in sorted((CASES / form.name).glob("*.log")):
        found, label = detect(file).format, name(file)
        assert (label, found.name if found else None) == (label, None if label in WITHOUT_RECORDS else form.name)


@every_format
def test_the_mark_of_a_format_fits_no_case_of_another(form: Format) -> None:
    """A general format stands for many products and gives way to the format of one."""
    if form.general:
        return
    others = [file for file in FILES if file.parent.name != form.name and file.stem != "mixed_formats"]
    assert [name(file) for file in others if fit(form, sampled(file)).share >= LEAST_SHARE] == []


sampled = cache(take_sample)  # once for each file, not once for each pair


def test_expectations_hold_no_column_outside_the_dictionary() -> None:
    for file in FILES:
        columns = {column for event in expected(file)["events"] for column in event}
        form = next(form for form in FORMATS if form.name == file.parent.name)
        assert columns <= {name for table in form.tables for name in schema.TABLES[table].names}, stored(file)
