"""Answers as evidence: every line says who was asked what, when, and what came back, byte for byte or hashed."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from playbooks.case import Case, new_case
from playbooks.errors import EvidenceChanged, PlaybookError
from playbooks.evidence import custody, items, require_intact
from playbooks.evidence.acquire.answers import FOLDER, Answer, AnswerFile, Outcome, keep, private_folder

ASKED = dt.datetime(2026, 3, 10, 9, 0, 0, 5, dt.UTC)
ANSWERED = dt.datetime(2026, 3, 10, 10, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "ACQ-1")


def answer(**changed: object) -> Answer:
    facts = {"source": "siem", "service": "workspace", "operation": "query", "request": {"text": "x | take 5"}}
    given = {**facts, "asked": ASKED, "answered": ANSWERED, "outcome": Outcome.ANSWERED, **changed}
    return Answer(**given)  # type: ignore[arg-type]


def written(case: Case, *answers: Answer, attachments: dict[str, bytes] | None = None) -> list[dict[str, object]]:
    with private_folder(case) as folder:
        with AnswerFile(folder / "siem.jsonl") as file:
            for number, one in enumerate(answers, start=1):
                assert file.write(one) == number
        others = [folder / name for name in attachments or {}]
        for other in others:
            other.write_bytes((attachments or {})[other.name])
        keep(case, file, others, source="siem", collector={"arn": "analyst"})
    text = items(case)[0].file(case).read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_the_whole_answer_with_the_digest_of_what_was_received(case: Case) -> None:
    body = '{"rows": ["\x1b[2J", "größe"]}'.encode()
    [line] = written(case, answer(body=body, status=200))
    assert line == {
        "acquired": 1,
        "source": "siem",
        "service": "workspace",
        "operation": "query",
        "request": {"text": "x | take 5"},
        "asked": "2026-03-10T09:00:00.000005+00:00",
        "answered": "2026-03-10T09:00:01.000000+00:00",
        "outcome": "answered",
        "status": 200,
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "body": body.decode(),
    }


def test_bytes_that_are_no_text_come_back_whole(case: Case) -> None:
    [line] = written(case, answer(body=b"\xff\x00\xfe"))
    assert base64.b64decode(str(line["body"])) == b"\xff\x00\xfe"
    assert line["body_encoding"] == "base64"


def test_a_redacted_answer_keeps_the_digest_of_what_was_received(case: Case) -> None:
    [line] = written(case, answer(body=b'{"a":"secret"}', stored=b'{"a":"x"}', redacted="1 value"))
    assert (line["body"], line["redacted"]) == ('{"a":"x"}', "1 value")
    assert line["sha256"] == hashlib.sha256(b'{"a":"secret"}').hexdigest()


def test_no_byte_of_a_line_can_steer_a_terminal(case: Case) -> None:
    written(case, answer(resource="\x1b[31m\u009b\u202e", error="\x07", body="\u2028\x1b".encode()))
    raw = items(case)[0].file(case).read_bytes()
    assert set(raw) <= {*range(0x20, 0x7F), 0x0A}
    assert raw.count(b"\n") == 1


def test_the_act_names_collector_counts_times_and_attachments(case: Case) -> None:
    refused = answer(outcome=Outcome.REFUSED, error="Denied: no")
    written(case, answer(body=b"{}"), refused, attachments={"rows.parquet": b"PAR1"})
    act = custody.entries(case.custody)[-1]
    first, second = items(case)
    assert act["activity"] == "acquired"
    assert (act["evidence_id"], act["sha256"]) == (first.evidence_id, first.sha256)
    assert act["counts"] == {"answered": 1, "refused": 1}
    assert act["unanswered"] == {"workspace query": 1}
    assert (act["first"], act["last"]) == ("2026-03-10T09:00:00.000005+00:00", "2026-03-10T09:00:01.000000+00:00")
    assert (act["source"], act["collector"]) == ("siem", {"arn": "analyst"})
    assert act["attachments"] == [
        {"evidence_id": second.evidence_id, "file": "rows.parquet", "sha256": second.sha256, "size": 4}
    ]
    assert custody.check(case.custody, "ACQ-1") == []


def test_the_folder_is_private_and_gone_afterwards(case: Case) -> None:
    with private_folder(case) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert folder.parent == case.path / FOLDER
    assert list((case.path / FOLDER).iterdir()) == []


def test_a_collection_that_breaks_off_leaves_nothing(case: Case) -> None:
    with pytest.raises(RuntimeError), private_folder(case) as folder:
        AnswerFile(folder / "x.jsonl").write(answer())
        raise RuntimeError
    assert list((case.path / FOLDER).iterdir()) == []
    assert items(case) == []
    assert custody.entries(case.custody) == []


def test_what_a_killed_collection_left_is_removed_and_one_at_work_is_left_alone(case: Case) -> None:
    code = (
        "import sys, time; from pathlib import Path; from playbooks.case import open_case\n"
        "from playbooks.evidence.acquire.answers import private_folder\n"
        "with private_folder(open_case(Path(sys.argv[1]))) as folder:\n"
        "    (folder / 'half').write_bytes(b'x'); print(folder.name, flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(case.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    with private_folder(case):
        assert (case.path / FOLDER / name / "half").exists()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with private_folder(case) as folder:
        assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    file = AnswerFile(tmp_path / "x.jsonl")
    file._stream.close()
    file._stream = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115  # stands for a disk that is full
    with pytest.raises(PlaybookError, match="the disk is full while acquiring"):
        file.write(answer())
    file._stream.close()


def test_a_case_with_an_acquisition_is_intact(case: Case) -> None:
    written(case, answer(body=b"{}"))
    require_intact(case)
    items(case)[0].file(case).chmod(0o644)
    items(case)[0].file(case).write_bytes(b"{}\n")
    with pytest.raises(EvidenceChanged):
        require_intact(case)
