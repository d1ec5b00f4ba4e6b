"""The command and the verb over the sample incident: each form, twice, elsewhere, recorded, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.conftest import Said, SampleRun

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.errors import UsageError
from playbooks.evidence import custody, verify
from playbooks.exports import FORMS


@pytest.fixture(scope="module")
def case(incident: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return guide.open_case(str(incident.copy(tmp_path_factory.mktemp("export") / "case")))


def unpacked(file: Path) -> bytes:
    if file.suffix != ".zip":
        return file.read_bytes()
    with zipfile.ZipFile(file) as packed:
        return b"".join(readable(name, packed.read(name)) for name in packed.namelist())


def readable(name: str, content: bytes) -> bytes:
    """The bytes of a file; of Parquet, which is compressed, its rows as text."""
    return str(pq.read_table(io.BytesIO(content)).to_pylist()).encode() if name.endswith(".parquet") else content


def shared(case: Case) -> list[dict[str, object]]:
    return [entry for entry in custody.entries(case.custody) if entry["activity"] == "shared"]


def test_each_form_is_the_same_bytes_twice_and_is_recorded_once(case: Case) -> None:
    first = {form: guide.export(case, form).data for form in FORMS}
    content = {form: Path(told["file"]).read_bytes() for form, told in first.items()}
    for form, told in first.items():
        file = Path(told["file"])
        assert (len(content[form]), hashlib.sha256(content[form]).hexdigest()) == (told["size"], told["sha256"])
        assert file.parent == case.path / "exports" and file.suffix == FORMS[form].suffix
        file.unlink()
    os.utime(case.path / "case.yaml")  # the next look computes anew
    for form, told in first.items():
        assert guide.export(case, form).data == told
        assert Path(told["file"]).read_bytes() == content[form], form
        recorded = [entry for entry in shared(case) if entry["form"] == form]
        assert [entry["sha256"] for entry in recorded] == [told["sha256"]]
        assert recorded[0]["file"] == f"exports/{Path(told['file']).name}"
    assert verify(case).intact


def test_the_findings_of_the_sample_are_in_each_form(case: Case) -> None:
    ids = [entry["id"] for entry in guide.findings(case).data["findings"]]
    assert ids
    for form in FORMS:
        content = unpacked(Path(guide.export(case, form).data["file"]))
        assert [name for name in ids if name.encode() not in content] == [], form


def test_a_case_that_was_handed_on_still_verifies(
    incident: SampleRun, playbooks: Callable[..., Said], tmp_path: Path
) -> None:
    folder = incident.copy(tmp_path / "case")
    assert [playbooks("export", folder, "--to", form).code for form in FORMS] == [0] * len(FORMS)
    said = playbooks("verify", folder)
    assert (said.code, "broken" in said.out) == (0, False), said.out


def test_the_command_writes_where_it_is_told_and_says_what_it_leaves_out(
    case: Case, playbooks: Callable[..., Said], tmp_path: Path
) -> None:
    file = tmp_path / "out" / "ir.json"
    said = playbooks("export", case.path, "--to", "stix", "--out", file)
    assert said.code == 0 and file.is_file()
    assert "leads: one kind of signal is not for others to act on." in said.out
    told = json.loads(playbooks("export", case.path, "--to", "ocsf", "--json").out)
    assert told["sha256"] == hashlib.sha256(Path(told["file"]).read_bytes()).hexdigest()
    assert str(tmp_path) not in case.custody.read_text(encoding="utf-8")


def test_a_form_that_there_is_not_and_a_file_of_the_case_are_refused(
    case: Case, playbooks: Callable[..., Said]
) -> None:
    before = case.custody.read_bytes()
    assert playbooks("export", case.path, "--to", "nothing").code == 2
    with pytest.raises(UsageError, match="form 'nothing': expected one of stix, misp, navigator"):
        guide.export(case, "nothing")
    for name in ("custody.jsonl", "evidence/data/x.json", "exports/../case.yaml", "exports"):
        with pytest.raises(UsageError, match="--out"):
            guide.export(case, "stix", str(case.path / name))
    (case.path / "exports" / "link").symlink_to(case.path / "results")
    with pytest.raises(UsageError, match="belongs to the case"):
        guide.export(case, "stix", str(case.path / "exports" / "link" / "findings.json"))
    assert case.custody.read_bytes() == before


def test_a_case_without_evidence_is_blind_in_every_form_and_hides_secrets_unless_it_says_otherwise(
    tmp_path: Path,
) -> None:
    case = new_case(tmp_path / "case", "EMPTY", "seen at https://a.example/x?token=hunter2hunter2")
    for form in FORMS:
        told = guide.export(case, form)
        assert told.words[-1].startswith("Could not be looked for: ")
        assert b"hunter2" not in unpacked(Path(told.data["file"]))
    stated = (case.path / "case.yaml").read_text(encoding="utf-8")
    (case.path / "case.yaml").write_text(stated.replace("redact_secrets: true", "redact_secrets: false"), "utf-8")
    shown = guide.export(guide.open_case(str(case.path)), "navigator").data["file"]
    assert b"token=hunter2hunter2" in Path(shown).read_bytes()


def test_help_lists_every_form(playbooks: Callable[..., Said]) -> None:
    said = " ".join(playbooks("export", "--help").out.replace("│", " ").split())
    assert [name for name, form in FORMS.items() if f"{name}:" not in said or form.about.split()[0] not in said] == []
