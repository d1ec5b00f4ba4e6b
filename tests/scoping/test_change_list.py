"""Which change of the house's list a change belongs to, and which belong to none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.cloud_case import CI, MALLORY, case_of, event, tables_of

from playbooks.case import new_case, open_case
from playbooks.change_list import Change
from playbooks.errors import CaseError
from playbooks.scoping.change_list import without_change
from playbooks.scoping.cloud_activity import cloud_activity

USUAL = {"functionName": "billing"}
TICKET = {
    "id": "CHG-1",
    "from": "2026-03-10T08:00:00Z",
    "until": "2026-03-10T10:00:00Z",
    "principal": "ci-*",
    "resource": "bill*",
    "actions": ["modify-code", "Invoke"],
    "approved_by": "change board",
}


def test_a_change_that_fits_in_every_part_carries_its_ticket_and_others_are_listed(tmp_path: Path) -> None:
    records = [
        event("03-10 08:00", "UpdateFunctionCode20150331v2", USUAL, CI),
        event("03-10 10:00", "UpdateFunctionCode20150331v2", USUAL, CI),
        event("03-10 09:00", "UpdateFunctionCode20150331v2", USUAL, MALLORY),
        event("03-10 09:01", "AddPermission20150331v2", USUAL, CI),
        event("03-10 09:02", "Invoke", USUAL, CI),
    ]
    case = case_of(tmp_path, change_list=[TICKET])
    rows = cloud_activity(tables_of(tmp_path, records), case)
    assert rows.set_index("ref").change_ref.dropna().to_dict() == {"E001:1": "CHG-1 (approved by change board)"}
    listed = without_change(rows, case.config.changes)
    assert listed is not None and list(listed.ref) == ["E001:3", "E001:4", "E001:2"]
    assert without_change(rows, []) is None


def case_with(tmp_path: Path, name: str, text: str) -> Path:
    case = new_case(tmp_path / "case", "T-1")
    (case.path / name).write_text(text, encoding="utf-8")
    file = case.path / "case.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("change_list:")]
    file.write_text("\n".join([*kept, f"change_list: {name}", ""]), encoding="utf-8")
    return case.path


def test_a_list_is_read_from_csv_and_from_yaml_beside_the_case(tmp_path: Path) -> None:
    header = "id,from,until,principal,resource,actions,approved_by\n"
    row = "CHG-1,2026-03-10T08:00:00Z,2026-03-10T10:00:00Z,ci-*,bill*,modify-code;Invoke,change board\n"
    by_csv = open_case(case_with(tmp_path / "csv", "changes.csv", header + row)).config.changes
    by_yaml = open_case(case_with(tmp_path / "yaml", "changes.yaml", f"- {TICKET}\n")).config.changes
    assert by_csv == by_yaml == [Change.model_validate(TICKET)]


@pytest.mark.parametrize("text", ["id,from\nCHG-1,yesterday\n", "ticket\nCHG-1\n", "id\n\udcff\n"])
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(CaseError, match=r"changes\.csv"):
        path = case_with(tmp_path, "changes.csv", "id\n")
        (path / "changes.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
        open_case(path)
