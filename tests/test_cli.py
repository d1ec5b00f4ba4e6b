"""The command line: each command, each exit code, words for people, JSON for programs, and hostile input."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SAMPLES, Said, SampleRun, started

from playbooks import __version__
from playbooks.cli.app import commands
from playbooks.errors import EXIT_CODES
from playbooks.steps import STEPS

Playbooks = Callable[..., Said]
COMMANDS = sorted(name for name, _ in commands())
PROGRAM = Path(sys.executable).with_name("playbooks")
DNS = SAMPLES / "incident" / "logs" / "zeek_dns.log"
BRANCH = SAMPLES / "incident" / "logs" / "squid branch access.log"


@pytest.fixture
def case(playbooks: Playbooks, tmp_path: Path) -> Path:
    """A case with one log in it."""
    folder = tmp_path / "case"
    assert playbooks("new", folder, "--case-id", "IR-1").code == 0
    assert playbooks("add", folder, DNS).code == 0
    return folder


def hour(number: int) -> str:
    return f"2026-03-10T{number:02d}:00:00Z"


def call(name: str, user: str = "j.doe", **facts: Any) -> str:
    """One CloudTrail record as a line."""
    record = {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{user}", "userName": user},
        "eventTime": hour(9),
        "eventSource": "lambda.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": {"functionName": "invoice-export"},
        "responseElements": None,
        "eventID": "00000000-0000-4000-8000-000000000001",
        "recipientAccountId": "111122223333",
    }
    return json.dumps(record | facts) + "\n"


# words


def test_every_command_is_known_here() -> None:
    assert COMMANDS == [
        "acquire aws", "acquire capture", "acquire lake", "acquire taxii",
        "add", "batch", "demo", "diff", "draft-inventory", "enrich", "export", "formats", "keys new", "keys show",
        "lab", "lookups", "new", "read", "run", "show", "sign",
        "verify", "version",
    ]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does_and_gives_an_example(playbooks: Playbooks, command: str) -> None:
    said = playbooks(*command.split(), "--help")
    assert said.code == 0
    assert re.search(rf"Example: playbooks {command}\b", " ".join(said.out.split()))


def test_help_and_the_docs_have_the_same_table_of_exit_codes(playbooks: Playbooks) -> None:
    words = " ".join(re.sub(r"[│╭╮╰╯─]", " ", playbooks("--help").out).split())
    page = (SAMPLES.parents[1] / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in words
        assert re.search(rf"(?m)^\| {code} \|.*\| {re.escape(meaning)} \|$", page)


def test_each_command_runs_as_a_program(tmp_path: Path, incident: SampleRun) -> None:
    """One after the other, through the entry point that a user has; `demo` and `lab` have tests of their own."""

    def run(*arguments: object) -> str:
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert run("version") == f"{__version__}\n"
    assert run("new", "ir", "--case-id", "IR-1").startswith("Case IR-1 is in ir.\nNext: state window, baseline")
    assert run("add", "ir", DNS) == f"E001  {DNS}  added\n"
    assert "413 records = 413 events + 0 unread + 0 blank" in run("run", "ir", "--only", "2")
    size = DNS.stat().st_size
    verified = run("verify", "ir").splitlines()
    assert verified[-1] == f"1 files, {size:,} bytes, 4 entries: intact."
    assert [line.split()[0] for line in verified if " bag " in line] == ["verified"]
    assert run("show", "ir", "E001:1") == DNS.read_text().splitlines()[8] + "\n"
    assert "zeek_dns" in run("formats")
    assert run("read", DNS) == ""
    assert "Usage: playbooks" in run("lab", "--help")
    assert "Report: " in incident.said.out


# exit codes


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["version"], 0, ""),
        (["nothing"], 2, "No such command"),
        (["new", "there"], 2, "Missing option '--case-id'"),
        (["demo", "--sample", "loud"], 2, "--sample 'loud': expected incident or quiet."),
        (["demo", "--sample", "../incident"], 2, "expected incident or quiet."),
        (["run", "CASE", "-p", "rows"], 2, "-p 'rows': expected NAME=VALUE."),
        (["run", "CASE", "-p", "rows=many"], 2, "parameter rows: expected a value of type int, found 'many'."),
        (["run", "CASE", "-p", "nothing=1"], 2, "parameter 'nothing': no notebook has it. Known: "),
        (["run", "CASE", "--only", "7"], 2, "--only 7: no such step. Steps: 1_preserve_evidence, "),
        (["add", "CASE", "CASE/case.yaml", "nowhere"], 3, "1 of 2 files were refused"),
        (["read", "CASE/case.yaml", "nowhere"], 3, "nowhere: cannot be read: No such file or directory."),
        (["add", "CASE", "nowhere"], 4, "1 of 1 files were refused"),
        (["add", "CASE", "EMPTY"], 4, "a folder without files"),
        (["read", "nowhere"], 4, "nothing was read."),
        (["read", "CASE"], 4, "a folder. Expected a log file."),
        (["run", "nowhere"], 5, "nowhere: no case.yaml here. Expected the folder of a case."),
        (["lab", "nowhere"], 5, "no case.yaml here, nor in a folder of it."),
        (["run", "CASE", "--from", "7"], 2, "--from 7: no such step."),
        (["run", "CASE", "--from", "2", "--only", "3"], 2, "--only and --from: expected one of them."),
        (["batch", "nowhere"], 2, "nowhere: no case here. Expected a case, a folder of cases, a pattern, or a list"),
        (["new", "CASE", "--case-id", "IR-2"], 5, "case.yaml exists already."),
        (["new", "there", "--case-id", "IR 2"], 5, "--case-id 'IR 2': expected letters"),
        (["verify", "CHANGED"], 6, "NOT intact"),
        (["run", "CHANGED"], 6, "evidence is not what it was when it was added."),
        (["run", "BLOCKED", "--only", "6"], 7, "StepFailed 6_decide_and_report: FileExistsError: "),
        (["show", "CASE", "E001:99999"], 8, "E001:99999: E001-zeek_dns.log has no such record."),
        (["show", "CASE", "E009:1"], 8, "'E009:1': no such record."),
    ],
)
def test_the_exit_code_and_the_words_fit(
    playbooks: Playbooks, case: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    if "CHANGED" in arguments:
        file = next((case / "evidence" / "data").iterdir())
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:-1])
    if "BLOCKED" in arguments:
        (case / "results").write_text("in the way", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    places = {"CASE": case, "CHANGED": case, "BLOCKED": case, "EMPTY": tmp_path / "empty"}
    given = [re.sub(r"^[A-Z]+(?=/|$)", lambda word: str(places[word[0]]), argument) for argument in arguments]
    with pytest.MonkeyPatch.context() as here:
        here.chdir(tmp_path)
        said = playbooks(*given)
    assert (said.code, words in " ".join((said.out + said.err).split())) == (code, True), said
    assert "Traceback" not in said.err


def test_a_bug_keeps_its_traceback_and_is_exit_code_one(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    assert started("new", folder, "--case-id", "IR-1").code == 0
    (folder / "custody.jsonl").unlink()
    (folder / "custody.jsonl").mkdir()  # something nobody thought of
    said = started("add", folder, DNS)
    assert said.code == 1
    assert "Traceback (most recent call last)" in said.err


def test_an_invalid_case_names_line_and_field_of_every_fault(playbooks: Playbooks, tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("case_id: IR-1\ntlp: PINK\nwindow:\n  start: yesterday\n", encoding="utf-8")
    said = playbooks("run", tmp_path)
    assert said.code == 5
    assert "line 2, field tlp: Input should be 'CLEAR'" in said.err
    assert "line 4, field window.start: " in said.err
    assert "line 3, field window.end: this field is needed" in said.err


# JSON for programs


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["add", "CASE", str(DNS)], {"source", "evidence_id", "sha256", "outcome", "refused"}),
        (["verify", "CASE"], {"intact", "files", "size", "entries", "head", "faults"}),
        (["run", "CASE", "--only", "1"], {"run_id", "case_id", "started", "finished", "versions", "evidence", "steps"}),
        (["show", "CASE", "E001:1"], {"ref", "evidence_id", "record_no", "file", "sha256", "text"}),
        (["formats"], {"name", "product", "table", "clock", "shows", "cannot_show", "reference"}),
        (["read", str(DNS)], {"evidence_id", "record_no", "time", "query_hostname", "answers"}),
    ],
)
def test_json_is_all_that_stands_on_stdout(
    playbooks: Playbooks, case: Path, arguments: list[str], shape: set[str]
) -> None:
    said = playbooks(*[str(case) if a == "CASE" else a for a in arguments], "--json")
    assert said.code == 0
    assert said.out.isascii()
    parts = [json.loads(line) for line in said.out.splitlines()]
    first = parts[0][0] if isinstance(parts[0], list) else parts[0]
    assert shape <= set(first)


def test_changed_evidence_is_json_as_well(playbooks: Playbooks, case: Path) -> None:
    (case / "evidence" / "data" / "extra").write_text("x")
    said = playbooks("verify", case, "--json")
    verdict = json.loads(said.out)
    assert (said.code, verdict["intact"]) == (6, False)
    assert verdict["faults"] == [{"where": "evidence/data/extra", "what": "extra: nothing records it"}]


# read


def counts(said: Said) -> tuple[int, ...]:
    """The last line on stderr."""
    last = said.err.splitlines()[-1]
    found = re.fullmatch(r"(\d+) records / (\d+) events / (\d+) unread / (\d+) blank", last)
    assert found, last
    return tuple(map(int, found.groups()))


TRUTH = json.loads((SAMPLES / "incident" / "truth.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", TRUTH["files"], ids=lambda file: str(file["file"]).replace(" ", "_"))
def test_read_gives_events_in_record_order_and_counts_that_add_up(playbooks: Playbooks, file: dict[str, Any]) -> None:
    said = playbooks("read", "--json", SAMPLES / "incident" / "logs" / file["file"])
    events = [json.loads(line) for line in said.out.splitlines()]
    unread = [row["record"] for row in TRUTH["unread"] if row["file"] == file["file"]]
    told = [int(number) for number in re.findall(r"(?m)^  unread (\d+): ", said.err)]
    assert said.code == 0
    assert told == unread
    numbers = [event["record_no"] for event in events]
    assert numbers == sorted(set(range(1, file["records"] + 1)) - set(unread))
    records, read, left, blank = counts(said)
    assert (read, left, records - blank) == (len(events), len(unread), file["records"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", event["time"]) for event in events)


def test_read_numbers_several_files_and_counts_them_together(playbooks: Playbooks, tmp_path: Path) -> None:
    said = playbooks("read", "--json", DNS, tmp_path / "nowhere", BRANCH)
    assert said.code == 3
    assert {json.loads(line)["evidence_id"] for line in said.out.splitlines()} == {"E001", "E003"}
    assert counts(said) == (413 + 386, 413 + 385, 0, 1)


def test_read_says_which_formats_came_nearest_and_what_was_missing(playbooks: Playbooks, tmp_path: Path) -> None:
    file = tmp_path / "strange.log"
    file.write_text('{"when": "2026-03-10T00:00:00Z", "who": "j.doe"}\n', encoding="utf-8")
    said = playbooks("read", "--explain", file)
    assert said.code == 0
    assert re.search(r"strange\.log: no format fits; nearest: \w+ \(.+\)", said.err)
    assert len(re.findall(r"(?m)^  \w+: \d+% .+$", said.err)) == len(json.loads(playbooks("formats", "--json").out))
    assert counts(said) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("command", "reader", "code"),
    [
        ("read --json LOG", "head -1", 0),  # in the middle of the output
        ("formats --json", "true", 0),  # before any of it
        ("read LOG nowhere", "true", 3),  # what went wrong is said all the same
    ],
)
def test_a_reader_that_goes_away_is_no_error(command: str, reader: str, code: int) -> None:
    log = SAMPLES / "incident" / "logs" / "squid_hq_access.log.gz"
    piped = f"'{PROGRAM}' {command.replace('LOG', str(log))} | {reader}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", piped], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "BrokenPipe" not in done.stderr and "Traceback" not in done.stderr


# hostile text

ANSI = "\x1b[2J\x1b]0;owned\x07"
BIDI = "\u202egpj"
MARKUP = "[bold red]:skull:[/]"
FLAT = MARKUP.replace("/", "")  # for the name of a file
HOSTILE = f"x{ANSI}{BIDI}{MARKUP}"


def inert(said: Said) -> None:
    """Nothing that a terminal obeys: no control character, no change of direction, nothing half."""
    for text in (said.out, said.err):
        assert [f"U+{ord(c):04X}" for c in text if not c.isprintable() and c not in "\n\t"] == []


@pytest.fixture
def hostile(playbooks: Playbooks, tmp_path: Path) -> tuple[Path, Path]:
    """A case whose evidence, by name and by content, tries to speak to the terminal; and the log."""
    opened = {"functionName": "invoice-export", "principal": "*", "action": "lambda:InvokeFunction", "statementId": "s"}
    agent = "stratus-red-team_00000000-0000-4000-8000-000000000abc"
    line = call("AddPermission20150331v2", HOSTILE, requestParameters=opened, userAgent=agent)
    log = tmp_path / f"evil{ANSI}{FLAT}.jsonl"
    log.write_text(line + HOSTILE + "\n", encoding="utf-8")
    folder = tmp_path / "case"
    playbooks("new", folder, "--case-id", "IR-1")
    return folder, log


def test_nothing_in_evidence_moves_the_cursor_or_becomes_markup(
    playbooks: Playbooks, hostile: tuple[Path, Path]
) -> None:
    folder, log = hostile
    added = playbooks("add", folder, log)
    ran = playbooks("run", folder)
    shown = playbooks("show", folder, "E001:1", "E001:2")
    read = playbooks("read", "--explain", log)
    (folder / "evidence" / "data" / f"more{ANSI}{FLAT}").write_text("x")
    (folder / "evidence" / "data" / os.fsdecode(b"half\xff")).write_text("x")
    verified = playbooks("verify", folder)
    assert [one.code for one in (added, ran, shown, read, verified)] == [0, 0, 0, 0, 6]
    for said in (added, ran, shown, read, verified):
        inert(said)
    assert "1 findings" in ran.out
    assert MARKUP in next(line for line in ran.out.splitlines() if " changed function " in line)
    assert FLAT in added.out and MARKUP in shown.out and FLAT in verified.out
    assert "‹U+001B›[2J" in shown.out


def test_messages_of_errors_are_as_inert(playbooks: Playbooks, case: Path, tmp_path: Path) -> None:
    for arguments in (
        ["show", case, f"E001:{HOSTILE}"],
        ["run", case, "-p", f"{HOSTILE}=1"],
        ["run", case, "-p", HOSTILE],
        ["run", case, "--only", HOSTILE],
        ["run", tmp_path / HOSTILE.replace("/", "")],
        ["read", tmp_path / HOSTILE.replace("/", "")],
        ["new", tmp_path / "c", "--case-id", HOSTILE],
    ):
        said = playbooks(*arguments)
        assert said.code in (2, 4, 5, 8)
        inert(said)
        assert ":skull:" in said.err


def test_a_failing_notebook_s_words_are_as_inert(playbooks: Playbooks, tmp_path: Path) -> None:
    folder = tmp_path / f"x{ANSI}{BIDI}{FLAT}"
    assert playbooks("new", folder, "--case-id", "IR-1").code == 0
    (folder / "results").write_text("in the way", encoding="utf-8")
    said = playbooks("run", folder, "--only", "6")
    assert (said.code, ":skull:" in said.err) == (7, True)
    inert(said)


def test_a_terminal_that_knows_only_ascii_gets_the_answer_all_the_same(tmp_path: Path) -> None:
    said = started("formats", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert said.code == 0 and "zeek_dns" in said.out


# bad input


def test_every_odd_input_is_taken_or_refused_with_its_reason(playbooks: Playbooks, tmp_path: Path) -> None:
    folder, given = tmp_path / "case", tmp_path / "in"
    playbooks("new", folder, "--case-id", "IR-1")
    (given / "sub").mkdir(parents=True)
    odd: dict[bytes, bytes] = {
        b"empty.log": b"",
        b"unknown.log": b"not a log\nat all\n",
        b"same.log": b"not a log\nat all\n",
        b"with space.log": b"one\n",
        b"new\nline.log": b"two\n",
        b"not utf8 \xff.log": b"three\n",
        b"-rf.log": b"four\n",
        b"..hidden": b"five\n",
        b"sub/binary.bin": bytes(range(256)),
        b"sub/bomb.gz": gzip.compress(b"\n" * 100_000),
        b"sub/cut.gz": gzip.compress(DNS.read_bytes())[:500],
    }
    for name, content in odd.items():
        (given / os.fsdecode(name)).write_bytes(content)
    (given / "link.log").symlink_to(given / "unknown.log")
    (given / "sub" / "loop").symlink_to(given)
    os.mkfifo(given / "pipe")
    said = playbooks("add", folder, given, Path("/proc/self/mem"), tmp_path / "nowhere")
    assert said.code == 3
    inert(said)
    told = {line.split("  ")[1].removeprefix(f"{given}/"): line.split("  ")[2] for line in said.out.splitlines()}
    refused = {line.split("  ")[1].removeprefix(f"{given}/") for line in said.out.splitlines() if line[:7] == "refused"}
    assert refused == {"link.log", "sub/loop", "pipe", "/proc/self/mem", str(tmp_path / "nowhere")}
    assert told["link.log"] == told["sub/loop"] == "a symbolic link: add the file it points to"
    assert told["pipe"].startswith("a named pipe")
    assert told["/proc/self/mem"].startswith("cannot be read")
    assert told["unknown.log"].startswith("same content as E0")
    assert told["new\\nline.log"] == told["not utf8 \\xff.log"] == "added"
    assert len(told) == len(odd) + 5

    ran = playbooks("run", folder)
    assert ran.code == 0
    inert(ran)
    items = [line for line in ran.out.splitlines() if re.match(r"E\d{3} ", line)]
    assert len(items) == len(odd) - 1
    for line in items:
        number = r"([\d,]+)"
        law = re.search(rf"{number} records = {number} events \+ {number} unread \+ {number} blank", line)
        assert law, line
        records, events, unread, blank = (int(n.replace(",", "")) for n in law.groups())
        assert records == events + unread + blank
    by_name = {line.split(": ")[0].split("-", 1)[1]: line for line in items}
    assert "no format fits; nearest: " in by_name["same.log"]
    assert "empty: no records in it" in by_name["empty.log"]
    assert "binary" in by_name["binary.bin"]
    assert all(f" {outcome}  " not in f" {ran.out}" for outcome in ("found", "clear"))


def test_a_file_that_may_not_be_read_is_refused_with_the_reason(
    playbooks: Playbooks, case: Path, tmp_path: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything; /proc/self/mem stands in above")
    secret = tmp_path / "secret.log"
    secret.write_text("x")
    secret.chmod(0)
    said = playbooks("add", case, secret)
    assert said.code == 4 and "cannot be read: Permission denied" in said.out


def test_every_changed_missing_and_extra_byte_is_listed_before_anything_runs(
    playbooks: Playbooks, incident: SampleRun, tmp_path: Path
) -> None:
    folder = incident.copy(tmp_path / "case")
    data = folder / "evidence" / "data"
    changed, cut, gone, *_ = sorted(data.iterdir())
    for file in (changed, cut):
        file.chmod(0o644)
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    changed.write_bytes(content)
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()
    (data / "E099-planted.log").write_text("x")
    manifest = folder / "evidence" / "manifest-sha512.txt"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    before = (folder / "run.json").read_bytes()
    said = playbooks("run", folder)
    assert said.code == 6
    for where, what in (
        (f"data/{changed.name}", "changed"),
        (f"data/{cut.name}", "changed"),
        (f"data/{gone.name}", "missing"),
        ("data/E099-planted.log", "extra"),
        ("manifest-sha512.txt", "changed"),
    ):
        assert f"evidence/{where}: {what}" in said.err
    assert (folder / "run.json").read_bytes() == before
    assert playbooks("verify", folder).code == 6


# demo


def test_demo_again_adds_nothing_twice_and_runs_nothing_twice(
    incident: SampleRun, playbooks: Playbooks, tmp_path: Path
) -> None:
    incident.copy(tmp_path / "sample-incident")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(tmp_path)
        said = playbooks("demo", "--to", tmp_path)
    assert said.code == 0
    assert said.out == incident.said.out.replace(str(incident.case), str(tmp_path / "sample-incident"))
    assert re.findall(r"(?m)^(\w+)  (\w+)  [\d.]+ s$", said.err) == [(step, "kept") for step in STEPS]
    found = (tmp_path / "sample-incident" / "results" / "findings.json").read_bytes()
    assert found == (incident.case / "results" / "findings.json").read_bytes()


def test_a_new_case_is_whole_and_runs_before_anything_is_added(playbooks: Playbooks, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    playbooks("new", folder, "--case-id", "IR-1")
    assert playbooks("verify", folder).code == 0
    said = playbooks("run", folder, "--only", "6")
    assert said.code == 0
    assert "All: 0 records = 0 events + 0 unread + 0 blank" in said.out
    assert len(re.findall(r"(?m)^blind  ", said.out)) == 6
