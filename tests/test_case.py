"""A case on disk: `case.yaml` is checked, and every fault names line and field."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from playbooks.case import Allowed, CaseFile, Owned, Window, new_case, open_case, read_case_file, write_json, write_text
from playbooks.errors import CaseError

DAY = dt.date(2026, 3, 10)
HEAD = "case_id: IR-1\n"
ALLOW = "allow_list:\n- {kind: destination, value: x.example.net, owner: Team, expires: 2026-12-31"

# what stands in case.yaml → line, field and words of the message
WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "no id": ("title: x\n", ("line 1, field case_id: this field is needed",)),
    "an id that is a number": ("case_id: 2026\n", ("line 1, field case_id: ", "valid string; found 2026")),
    "an id that is a path": ("case_id: ../x\n", ("line 1, field case_id: expected letters, digits", "found '../x'")),
    "an unknown key": (HEAD + "titel: x\n", ("line 2, field titel: no such field here",)),
    "an unknown key inside": (
        HEAD + "estate:\n  own:\n    aws_account: []\n",
        ("line 4, field estate.own.aws_account: no such field here",),
    ),
    "an unknown hypothesis": (HEAD + "hypotheses: [A,\n  C]\n", ("line 3, field hypotheses.1: ", "found 'C'")),
    "an unknown marking": (HEAD + "tlp: PURPLE\n", ("line 2, field tlp: ", "'AMBER+STRICT' or 'RED'; found 'PURPLE'")),
    "a zone that is none": (HEAD + "clock: CEST\n", ("line 2, field clock: 'CEST' is no IANA time zone",)),
    "a zone that is a path": (HEAD + "clock: ../../etc/localtime\n", ("line 2, field clock: ", "no IANA time zone")),
    "a window that ends before it starts": (
        HEAD + "window:\n  start: 2026-03-11T00:00:00Z\n  end: 2026-03-10T00:00:00Z\n",
        ("line 2, field window: start must lie before end",),
    ),
    "a window without zone": (
        HEAD + "window:\n  start: 2026-03-10 00:00:00\n  end: 2026-03-11T00:00:00Z\n",
        ("line 3, field window.start: Input should have timezone info",),
    ),
    "a window of days": (
        HEAD + "baseline: {start: 2026-03-01, end: 2026-03-10}\n",
        ("line 2, field baseline.start: ", "line 2, field baseline.end: "),
    ),
    "half a window": (
        HEAD + "window: {start: 2026-03-10T00:00:00Z}\n",
        ("line 2, field window.end: this field is needed",),
    ),
    "a window in words": (HEAD + "window: last week\n", ("line 2, field window: ", "found 'last week'")),
    "a range with host bits": (
        HEAD + "estate:\n  internal_ranges:\n  - 192.0.2.0/24\n  - 192.0.2.1/24\n",
        ("line 5, field estate.internal_ranges.1: 192.0.2.1/24 has host bits set",),
    ),
    "an account that lost its zero": (
        HEAD + "estate:\n  own: {aws_accounts: [012345670012]}\n",
        ("line 3, field estate.own.aws_accounts.0: ", "valid string; found 1402433546"),
    ),
    "an inventory entry that names nothing": (
        HEAD + "inventory:\n- {owner: A, host: h.example.net}\n- {owner: B}\n",
        ("line 4, field inventory.1: an inventory entry names a resource, a host or a tenant",),
    ),
    "an allowance without owner": (
        HEAD + ALLOW.replace(", owner: Team", "") + "}\n",
        ("line 3, field allow_list.0.owner: this field is needed",),
    ),
    "an allowance with an empty owner": (
        HEAD + ALLOW.replace("owner: Team", 'owner: ""') + "}\n",
        ("line 3, field allow_list.0.owner: String should have at least 1 character",),
    ),
    "an allowance for ever": (
        HEAD + ALLOW.replace(", expires: 2026-12-31", "") + "}\n",
        ("line 3, field allow_list.0.expires: this field is needed",),
    ),
    "an allowance until some day": (
        HEAD + ALLOW.replace("2026-12-31", "never") + "}\n",
        ("line 3, field allow_list.0.expires: ", "found 'never'"),
    ),
    "an allowance of an unknown kind": (
        HEAD + ALLOW.replace("destination", "dest") + "}\n",
        ("line 3, field allow_list.0.kind: ", "found 'dest'"),
    ),
    "a switch in words": (HEAD + "options:\n  online_lookups: perhaps\n", ("line 3, field options.online_lookups: ",)),
    "a list where a text belongs": (HEAD + "title: [x]\n", ("line 2, field title: Input should be a valid string",)),
    "a text where a list belongs": (
        HEAD + "inventory: CERT\n",
        ("line 2, field inventory: Input should be a valid list",),
    ),
    "a review without a reviewer": (
        HEAD + "intel:\n  - {source: CERT, vetted_on: 2026-03-01}\n",
        ("line 3, field intel.0.vetted_by: this field is needed",),
    ),
    "two faults": ("case_id: IR 1\ntlp: x\n", ("line 1, field case_id: ", "line 2, field tlp: ")),
    "a list": ("- case_id: IR-1\n", ("expected fields such as `case_id: IR-1`, found list",)),
    "nothing": ("", ("expected fields such as `case_id: IR-1`, found NoneType",)),
    "no YAML": ("case_id: [IR-1\n", ("not valid YAML", "line 2, column 1")),
    "two documents": (HEAD + "---\n" + HEAD, ("not valid YAML", "expected a single document")),
    "a tab": ("estate:\n\town: {}\n", ("not valid YAML", "line 2, column 1")),
    "a command": ("case_id: !!python/object/apply:os.system [id]\n", ("not valid YAML", "could not determine")),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_fault_names_line_and_field(kind: str, tmp_path: Path) -> None:
    text, words = WRONG[kind]
    file = tmp_path / "case.yaml"
    file.write_text(text)
    with pytest.raises(CaseError) as caught:
        read_case_file(file)
    message = str(caught.value)
    assert str(file) in message
    for word in words:
        assert word in message
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("moment", ["2026-02-30", "2026-13-01T00:00:00Z"])
def test_a_day_that_does_not_exist_is_a_fault_and_no_bug(moment: str, tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(HEAD + ALLOW.replace("2026-12-31", moment) + "}\n")
    with pytest.raises(CaseError):
        read_case_file(file)


def test_a_key_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("case_id: IR-1\nclock: UTC\nclock: Europe/Berlin\n")
    with pytest.raises(CaseError, match="clock"):
        read_case_file(file)


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_bytes(b"case_id: IR-1\ntitle: caf\xe9\n")
    with pytest.raises(CaseError, match=r"not UTF-8 text .* Save it as UTF-8\."):
        read_case_file(file)


def test_a_folder_without_a_case_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"no case\.yaml here.*playbooks new"):
        open_case(tmp_path)
    (tmp_path / "case.yaml").mkdir()
    with pytest.raises(CaseError, match=r"no case\.yaml here"):
        open_case(tmp_path)


def test_a_new_case_is_valid_and_has_the_safe_switches(tmp_path: Path) -> None:
    case = new_case(tmp_path / "deep" / "case", "IR-2026.03_a", title='quotes " and: colons')
    assert (case.config.case_id, case.config.title) == ("IR-2026.03_a", 'quotes " and: colons')
    assert (case.config.options.online_lookups, case.config.options.redact_secrets) == (False, True)
    assert case.config.hypotheses == ["A", "B"]
    assert "10.0.0.0/8" in case.config.estate.internal_ranges
    assert open_case(tmp_path / "deep" / "case") == case
    assert case.path.is_absolute()


def test_an_id_of_digits_stays_text(tmp_path: Path) -> None:
    assert new_case(tmp_path / "case", "0042").config.case_id == "0042"


def test_an_existing_case_is_never_overwritten(tmp_path: Path) -> None:
    new_case(tmp_path, "IR-1")
    with pytest.raises(CaseError, match="exists already"):
        new_case(tmp_path, "IR-2")
    assert open_case(tmp_path).config.case_id == "IR-1"


@pytest.mark.parametrize("case_id", ["", "-x", ".x", "a b", "a/b", "a\nb", "ä", "a" * 65])
def test_an_id_that_could_be_no_file_name_is_refused_before_anything_is_made(case_id: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="--case-id"):
        new_case(tmp_path / "case", case_id)
    assert not (tmp_path / "case").exists()


def test_a_window_is_said_in_utc_whatever_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"start": "2026-03-10T01:00:00+02:00", "end": "2026-03-11T00:00:00Z"}
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        window = Window.model_validate(text)
        assert window.words() == "2026-03-09 23:00 UTC to 2026-03-11 00:00 UTC"
        assert window.start == dt.datetime(2026, 3, 9, 23, tzinfo=dt.UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def allowed(value: str, **more: object) -> Allowed:
    given = {"kind": "destination", "value": value, "owner": "Team", "expires": DAY}
    return Allowed.model_validate(given | more)


@pytest.mark.parametrize(
    ("value", "destination", "covered"),
    [
        ("app.example.net", "app.example.net", True),
        ("app.example.net", "APP.example.net", True),
        ("App.Example.net", "app.example.net", True),
        ("app.example.net", "app.example.net.evil.example.org", False),
        ("app.example.net", "xapp.example.net", False),
        ("*.acme.workers.dev", "a.acme.workers.dev", True),
        ("*.acme.workers.dev", "a.b.acme.workers.dev", True),
        ("*.acme.workers.dev", "acme.workers.dev", False),
        ("*.acme.workers.dev", "a.notacme.workers.dev", False),
        ("*.acme.workers.dev", "acme.workers.dev.example.org", False),
        ("198.51.100.*", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.70", False),
    ],
)
def test_an_allowance_covers_its_pattern_and_nothing_beside_it(value: str, destination: str, covered: bool) -> None:
    assert allowed(value).covers_contact("192.0.2.1", destination, None, (), DAY) is covered


def test_an_allowance_ends_with_its_last_day() -> None:
    entry = allowed("app.example.net")
    days = (DAY - dt.timedelta(1), DAY, DAY + dt.timedelta(1))
    assert [entry.covers_contact("192.0.2.1", "app.example.net", None, (), day) for day in days] == [True, True, False]


def test_an_allowance_for_one_source_covers_no_other() -> None:
    entry = allowed("app.example.net", source="192.0.2.1*")
    covered = [
        entry.covers_contact(src, "app.example.net", None, (), DAY) for src in ("192.0.2.1", "192.0.2.17", "192.0.2.2")
    ]
    assert covered == [True, True, False]


def test_an_allowance_for_a_destination_is_none_for_a_principal() -> None:
    assert not allowed("*").covers_action("j.doe", "create", "f", DAY)
    assert not allowed("*", kind="principal").covers_contact("192.0.2.1", "app.example.net", None, (), DAY)


@pytest.mark.parametrize(
    ("principal", "phase", "resource", "covered"),
    [
        ("ci-deployer", "create", "invoice-export", True),
        ("ci-deployer", "modify-code", "invoice-import", True),
        ("ci-deployer", "permission", "invoice-export", False),
        ("ci-deployer", "create", "payroll", False),
        ("CI-deployer", "create", "invoice-export", False),
        ("j.doe", "create", "invoice-export", False),
    ],
)
def test_an_allowed_principal_may_do_what_is_listed(principal: str, phase: str, resource: str, covered: bool) -> None:
    entry = allowed("ci-deployer", kind="principal", actions=["create", "modify-code"], resource="invoice-*")
    assert entry.covers_action(principal, phase, resource, DAY) is covered
    assert not entry.covers_action(principal, phase, resource, DAY + dt.timedelta(1))


def test_an_allowed_principal_without_a_list_may_do_all() -> None:
    assert allowed("ci-*", kind="principal").covers_action("ci-deployer", "permission", "payroll", DAY)


def test_an_allowance_says_who_answers_for_it() -> None:
    assert allowed("*.example.net").words() == "*.example.net (owner Team, expires 2026-03-10)"


def test_facts_of_a_case_cannot_be_changed() -> None:
    config = CaseFile(case_id="IR-1", inventory=[Owned(owner="Team", host="h.example.net")])
    with pytest.raises(ValueError, match="frozen"):
        config.case_id = "IR-2"  # type: ignore[misc]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "results" / "x.json"
    write_json(file, {"b": "größe", "a": 1})
    assert file.read_text(encoding="utf-8") == '{\n "a": 1,\n "b": "größe"\n}\n'
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "\udcff")
    assert '"a": 1' in file.read_text(encoding="utf-8")
