"""The journal of a batch: nothing of it is lost, whoever is killed while writing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playbooks.batch import Journal


def test_what_was_written_is_read_by_the_next_batch_and_by_one_at_its_side(tmp_path: Path) -> None:
    one, other = Journal(tmp_path / "batch.jsonl"), Journal(tmp_path / "batch.jsonl")
    assert one.entry("a").state == "waiting"
    one.write("a", state="running", state_of="x")
    other.write("b", state="failed", attempts=1, exit_code=7, error="no\nluck", seconds=1.5)
    assert (other.entry("a").state, one.entry("b").attempts, one.entry("b").error) == ("running", 1, "no\nluck")
    one.write("a", state="done", attempts=0)
    later = Journal(tmp_path / "batch.jsonl").entry("a")
    assert (later.state, later.state_of) == ("done", "x")
    assert later.started and later.ended


def test_half_a_line_of_a_batch_that_was_killed_says_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    file = tmp_path / "batch.jsonl"
    Journal(file).write("a", state="running")
    with file.open("ab") as stream:
        stream.write(b'{"case": "a", "state": "do')
    journal = Journal(file)
    assert journal.entry("a").state == "running"
    journal.write("b", state="done")
    assert (Journal(file).entry("a").state, Journal(file).entry("b").state) == ("running", "done")
    with file.open("ab") as stream:
        stream.write(b"[1]\n\xff\n")
    assert Journal(file).entry("b").state == "done"


def test_many_writers_at_once_lose_no_line(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom playbooks.batch.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for number in range(100): journal.write(f'{sys.argv[2]}-{number}', state='done')\n"
    )
    file = tmp_path / "batch.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(file), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    journal = Journal(file)
    assert all(journal.entry(f"{name}-{number}").state == "done" for name in "abc" for number in range(100))
