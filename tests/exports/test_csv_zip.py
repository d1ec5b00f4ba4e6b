"""Every table as CSV in a zip: all there, the same each time, and no cell that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
import zipfile

import pandas as pd
import pytest
from tests.exports.results import CASE, material

from playbooks import schema
from playbooks.exports import FORMS
from playbooks.exports.material import Material
from playbooks.exports.tables import csv_zip
from playbooks.guide.exporting import COMPUTED


def opened(given: Material) -> dict[str, list[list[str]]]:
    with zipfile.ZipFile(io.BytesIO(csv_zip(given).content)) as packed:
        assert packed.testzip() is None
        return {
            name: list(csv.reader(io.StringIO(packed.read(name).decode("utf-8"), newline="")))
            for name in packed.namelist()
        }


def test_every_table_of_results_has_somebody_who_computes_it() -> None:
    assert set(COMPUTED) == set(schema.RESULT_TABLES) == set(FORMS["csv"].tables)


def test_case_evidence_answers_and_findings_stand_beside_the_tables() -> None:
    files = opened(material())
    assert list(files)[:4] == ["case.csv", "evidence.csv", "answers.csv", "findings.csv"]
    assert ["case_id", CASE] in files["case.csv"]
    assert [row[:3] for row in files["findings.csv"][1:]] == [
        ["finding", "A-1", "A"],
        ["finding", "B-2", "B"],
        ["lead", "A-3", "A"],
    ]
    assert ["Who ran it?", "blind", "no record of runs"] in files["answers.csv"]
    assert files["links.csv"][0] == list(schema.LINKS.names) and len(files["links.csv"]) == 3
    assert csv_zip(material()).content == csv_zip(material()).content


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\x1b[0m=1"])
def test_no_cell_of_any_file_begins_a_formula(start: str) -> None:
    found = material().findings
    found["findings"][0]["title"] = start
    given = material(title=start, findings=found, tables={"links": pd.DataFrame({"who": [start], "refs": [[start]]})})
    cells = [cell for rows in opened(given).values() for row in rows for cell in row]
    assert (
        cells and [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))] == []
    )
