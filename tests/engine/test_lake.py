"""A lake in OCSF is scoped where it lies: what is read, which files are opened, where a reference leads."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.engine.ocsf_lake import DAYS, REGIONS, write_lake

from playbooks import schema
from playbooks.case import new_case
from playbooks.engine import Tables, open_tables
from playbooks.engine.lake import LakeFile, list_lake, open_lake, row_at
from playbooks.engine.lake_columns import CLASSES
from playbooks.errors import EvidenceChanged, NotFound, UsageError
from playbooks.evidence import add
from playbooks.normalise import normalise

DAY = (dt.datetime(2026, 3, 10, tzinfo=dt.UTC), dt.datetime(2026, 3, 11, tzinfo=dt.UTC))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_lake(tmp_path)


def rows_of(tables: Tables, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables[name].order_by("record_no").to_pyarrow().to_pylist()
    return rows


def test_the_lake_in_place_tells_what_the_same_files_tell_as_evidence(root: Path, tmp_path: Path) -> None:
    """Two ways of reading OCSF: a format over copied files, and nested columns where they lie."""
    case = new_case(tmp_path / "case", "CASE-1")
    [file] = [one for one in list_lake(root) if DAYS[2] in one.name and REGIONS[0] in one.name]
    add(case, [root / file.name])
    normalise(case)
    copied, in_place = open_tables(case.events), open_lake(root, [file], "E001")
    for name in CLASSES:
        one, other = rows_of(copied, name), rows_of(in_place, name)
        assert len(one) == {"api_activity": 2}.get(name, 1)
        assert other == [{**row, "format": "ocsf_lake"} for row in one]


def test_only_the_files_of_the_window_are_opened(root: Path) -> None:
    files = list_lake(root)
    assert len(files) == len(DAYS) * len(REGIONS)
    assert sum(file.may_hold(DAY) for file in files) == 2 * len(REGIONS)  # the day, and the day it ends at
    gone = [file for file in files if not file.may_hold(DAY)]
    for file in gone:
        (root / file.name).unlink()
    tables = open_lake(root, files, "E007", DAY)
    assert tables.api_activity.count().execute() == 2 * len(REGIONS)
    plan = (
        tables.api_activity.get_backend()
        .con.execute("EXPLAIN ANALYZE " + str(tables.api_activity.compile()))
        .fetchall()[0][1]
    )
    assert "Total Files Read: 4" in plan


def test_a_window_that_no_file_meets_gives_empty_tables(root: Path) -> None:
    span = (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 2, tzinfo=dt.UTC))
    tables = open_lake(root, list_lake(root), "E007", span)
    assert [tables[name].count().execute() for name in schema.TABLES] == [0] * len(schema.TABLES)


def test_a_reference_leads_to_its_row_whatever_the_window(root: Path) -> None:
    files = list_lake(root)
    for tables in (open_lake(root, files, "E007"), open_lake(root, files, "E007", DAY)):
        for row in rows_of(tables, "api_activity"):
            name, at = row_at(root, files, row["record_no"])
            raw = pq.read_table(root / name).slice(at, 1).to_pylist()[0]
            assert (row["evidence_id"], row["metadata_uid"]) == ("E007", raw["metadata"]["uid"])
            assert f"region={row['cloud_region']}/" in name


def test_a_file_that_changed_or_went_is_said_and_not_shown(root: Path) -> None:
    files = list_lake(root)
    first = root / files[0].name
    first.write_bytes(first.read_bytes() + b"x")
    with pytest.raises(EvidenceChanged, match=r"part-0\.gz\.parquet is not the file that was listed"):
        row_at(root, files, 1)
    first.unlink()
    with pytest.raises(EvidenceChanged, match="not the file that was listed"):
        row_at(root, files, 6)
    assert row_at(root, files, 7) == (files[1].name, 0)
    with pytest.raises(NotFound, match="the list holds 60 rows"):
        row_at(root, files, 61)


def test_what_came_after_the_list_is_not_read(root: Path) -> None:
    files = list_lake(root)
    new = root / f"region=eu-west-1/accountId=000000000000/eventDay={DAYS[2]}"
    new.mkdir(parents=True)
    (new / "late.parquet").write_bytes((root / files[0].name).read_bytes())
    assert open_lake(root, files, "E007").api_activity.count().execute() == 2 * len(files)


def test_the_list_is_plain_data_to_keep_as_evidence(root: Path) -> None:
    files = list_lake(root)
    again = [LakeFile(**json.loads(json.dumps(vars(file)))) for file in files]
    assert again == files


def test_a_folder_without_a_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Parquet file below it"):
        list_lake(tmp_path)


def test_every_column_that_is_mapped_stands_in_its_table() -> None:
    for name, columns in CLASSES.items():
        unknown = set(columns) - set(schema.TABLES[name].names)
        assert unknown <= {one for other in CLASSES.values() for one in other}, (name, unknown)
