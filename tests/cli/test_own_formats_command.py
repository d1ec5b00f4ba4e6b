"""Own formats on the command line: tried without a case, listed with one, and recorded by a run."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.conftest import Said
from tests.normalise.test_own_formats import LINE, PROXY, written

from playbooks.audit import audit
from playbooks.case import Case, new_case
from playbooks.errors import CaseError
from playbooks.evidence import add, custody
from playbooks.formats import FORMATS
from playbooks.runner import Plan, run
from playbooks.steps import STEPS

Playbooks = Callable[..., Said]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "own.log"
    file.write_text(LINE + "other\n")
    return file


@pytest.fixture
def case(tmp_path: Path, log: Path) -> Case:
    opened = new_case(tmp_path / "case", "OWN-1")
    add(opened, [log])
    (opened.path / "formats").mkdir()
    written(opened.path / "formats", PROXY)
    return opened


def test_a_format_is_tried_without_a_case(playbooks: Playbooks, tmp_path: Path, log: Path) -> None:
    assert playbooks("read", log).err.splitlines()[-1] == "2 records / 0 events / 2 unread / 0 blank"
    done = playbooks("read", "--json", "--format", written(tmp_path, PROXY), log)
    assert (done.code, done.err.splitlines()) == (
        0,
        [
            f"{log}: acme_proxy",
            "  unread 2: not a line of Acme web proxy",
            "2 records / 1 events / 1 unread / 0 blank",
        ],
    )
    [event] = [json.loads(line) for line in done.out.splitlines()]
    assert (event["format"], event["src_endpoint_ip"], event["traffic_bytes_out"]) == ("acme_proxy", "192.0.2.10", 18)


def test_explain_names_every_format_that_was_tried_the_nearest_first(
    playbooks: Playbooks, tmp_path: Path, log: Path
) -> None:
    own = written(tmp_path, {**PROXY, "cut": {"layout": "lines", "pattern": "^(?P<ts>never)$"},
                             "columns": {"time": "iso_time(r.ts)"}})  # fmt: skip
    done = playbooks("read", "--explain", "--format", own, log)
    told = [line for line in done.err.splitlines() if "%" in line]
    assert told[0] == "  acme_proxy: 0% no line has its pattern"
    assert len(told) == len(FORMATS) + 1
    assert done.err.splitlines()[0].startswith(
        f"{log}: no format fits; nearest: acme_proxy (no line has its pattern); "
    )


def test_explain_says_before_which_formats_an_own_one_was_chosen(playbooks: Playbooks, tmp_path: Path) -> None:
    log = tmp_path / "w3c.log"
    log.write_text("#Fields: date time c-ip cs-uri-stem cs-host\n2026-03-10 09:00:00 192.0.2.1 /x a.example.test\n")
    assert "iis_w3c" in playbooks("read", log).err
    cut = {"layout": "w3c", "fields": ["date", "time", "c-ip"], "keys": ["c-ip", "date"]}
    columns = {"time": "iso_time(r.date || 'T' || r.time || 'Z')", "src_endpoint_ip": "address(r.c_ip)"}
    done = playbooks("read", "--explain", "--format", written(tmp_path, {**PROXY, "cut": cut, "columns": columns}), log)
    assert done.err.splitlines()[:4] == [
        f"{log}: acme_proxy",
        "  own format acme_proxy chosen, before iis_w3c which fit too",
        "  acme_proxy: 100% ",
        "  iis_w3c: 100% ",
    ]


def test_a_file_that_is_not_valid_stops_with_its_faults(playbooks: Playbooks, tmp_path: Path, log: Path) -> None:
    own = written(tmp_path, {**PROXY, "columns": {"time": "read_text('/etc/passwd')"}})
    done = playbooks("read", "--format", own, log)
    assert (done.code, done.out) == (5, "")
    line = own.read_text().splitlines().index("columns:") + 2
    assert done.err == (
        f"CaseError {own} is not valid:\n"
        f"  line {line}, field columns.time: read_text(…) is not allowed; "
        "docs/how-to/own-format.md lists the functions that are\n"
        "Correct these fields and run again; the how-to is docs/how-to/own-format.md.\n"
    )


def test_formats_of_a_case_are_listed_first_and_their_words_are_inert(playbooks: Playbooks, case: Case) -> None:
    words = {"product": "[link=x]Acme[/link]", "shows": "[bold]all[/]"}
    digest = hashlib.sha256(written(case.path / "formats", PROXY | words).read_bytes()).hexdigest()
    lines = playbooks("formats", "--case", case.path).out.splitlines()
    assert lines[0] == f"acme_proxy  [link=x]Acme[/link] → http_activity  own format, SHA-256 {digest}"
    assert lines[1] == "  shows:       [bold]all[/]"
    found = [json.loads(line) for line in playbooks("formats", "--case", case.path, "--json").out.splitlines()]
    rows = found[0] if isinstance(found[0], list) else found
    assert [(row["name"], row["own_sha256"]) for row in rows[:2]] == [("acme_proxy", digest), (FORMATS[0].name, "")]
    assert "acme_proxy" not in playbooks("formats").out


def test_a_run_records_the_own_formats_and_an_audit_tells_when_they_change(case: Case) -> None:
    file = case.path / "formats" / "own.yaml"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    record = run(case, plan=Plan(STEPS[:1]))
    assert record["own_formats"] == {"acme_proxy": digest}
    assert record["steps"][0]["inputs"]["formats/own.yaml"] == digest
    [read] = [entry for entry in custody.entries(case.custody) if entry["activity"] == "read"]
    assert read["own_formats"] == {"acme_proxy": digest}
    assert up_to_date(case) == "results are of this evidence and this case.yaml"
    earlier = "results are of an earlier state: own formats were changed since. Run again"
    kept = file.read_bytes()
    file.write_text(yaml.safe_dump({**PROXY, "reference": "another"}))
    assert up_to_date(case) == earlier
    file.write_text("not: valid")
    assert up_to_date(case) == earlier
    shutil.rmtree(file.parent)
    file.parent.symlink_to(case.path.parent)
    assert up_to_date(case) == earlier
    file.parent.unlink()
    assert up_to_date(case) == earlier
    file.parent.mkdir()
    file.write_bytes(kept)
    assert up_to_date(case) == "results are of this evidence and this case.yaml"


def up_to_date(case: Case) -> str:
    return next(check.detail for check in audit(case).checks if check.name == "up to date")


def test_a_run_with_a_format_that_is_not_valid_starts_nothing(case: Case) -> None:
    (case.path / "formats" / "own.yaml").write_text("name: x\n")
    with pytest.raises(CaseError, match=r"own\.yaml is not valid"):
        run(case)
    assert not case.run_record.exists()
    assert [entry["activity"] for entry in custody.entries(case.custody)].count("read") == 0
