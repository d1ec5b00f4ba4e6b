"""Every table as Parquet in a zip: read by pandas, Arrow and DuckDB, with the types of the dictionary."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tests.exports.results import CASE, HOST, HOSTILE, SECRET, links, material, pair

from playbooks import schema
from playbooks.exports import FORMS
from playbooks.exports.tables import parquet_zip
from playbooks.schema.arrow import shape_of


def opened(content: bytes) -> dict[str, pa.Table]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        return {name: pq.read_table(io.BytesIO(packed.read(name))) for name in packed.namelist()}


def test_it_holds_the_tables_that_the_csv_holds_with_their_types() -> None:
    files = opened(parquet_zip(material()).content)
    assert list(files)[:4] == ["case.parquet", "evidence.parquet", "answers.parquet", "findings.parquet"]
    assert FORMS["parquet"].tables == FORMS["csv"].tables == tuple(schema.RESULT_TABLES)
    for name in ("egress_pairs", "timeline", "links"):
        assert files[f"{name}.parquet"].schema.equals(shape_of(schema.RESULT_TABLES[name]))
    assert files["evidence.parquet"].to_pylist()[0]["size"] == 3
    first, _, lead = files["findings.parquet"].to_pylist()
    assert (first["id"], first["score"], first["refs"]) == ("A-1", 0.61, ["E001:7", "E001:9"])
    assert (lead["stands_as"], lead["confidence"], lead["verdict"]) == ("lead", "low", None)
    assert ["Who ran it?", "blind", "no record of runs"] in files["answers.parquet"].to_pandas().to_numpy().tolist()


def test_a_whole_number_that_is_missing_somewhere_stays_a_whole_number() -> None:
    frame = pd.DataFrame([pair(HOST, bytes_out=None), pair(HOST, bytes_out=2**53 + 1)])
    read = opened(parquet_zip(material(tables={"egress_pairs": frame})).content)["egress_pairs.parquet"]
    assert read["connections"].to_pylist() == [1677, 1677] and read["connections"].type == pa.int64()


def test_the_same_results_give_the_same_bytes_and_text_stays_as_it_is() -> None:
    given = material(title=HOSTILE, tables={"links": pd.DataFrame([links(who=HOSTILE)])})
    made = parquet_zip(given).content
    assert made == parquet_zip(given).content
    files = opened(made)
    assert files["links.parquet"]["who"].to_pylist() == [HOSTILE]
    assert {"field": "title", "value": HOSTILE} in files["case.parquet"].to_pylist()
    assert SECRET not in str([one.to_pylist() for one in opened(parquet_zip(given.without_secrets()).content).values()])


def test_duckdb_reads_it_and_a_case_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    empty = {name: pd.DataFrame(columns=list(table.names)) for name, table in schema.RESULT_TABLES.items()}
    found = material().findings | {"findings": [], "leads": []}
    made = parquet_zip(material(findings=found, tables=empty))
    with zipfile.ZipFile(io.BytesIO(made.content)) as packed:
        packed.extractall(tmp_path)
    with duckdb.connect() as con:
        for name, table in schema.RESULT_TABLES.items():
            read = con.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / f"{name}.parquet")])
            assert [column[0] for column in read.description or []] == list(table.names) and read.fetchall() == []
        asked = "SELECT value FROM read_parquet(?) WHERE field = 'case_id'"
        assert con.execute(asked, [str(tmp_path / "case.parquet")]).fetchone() == (CASE,)
