"""Many cases as processes of their own: what happens to one happens to no other, and none runs twice."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.batch.night import Night, runs

from playbooks.evidence import custody

HOSTILE = {
    "endless": "while True: pass",
    "grows": "waste = [b'x' * (1 << 20) for _ in range(3000)]\nimport time\ntime.sleep(600)",
    "dies": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "raises": "raise ValueError('<b>no</b>')",
    "once": "import os\nos.rename('behaviour.py', 'behaved.py')\nraise ValueError('the first time only')",
}


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def by_name(book: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {Path(row["case"]).name: row for row in book["cases"]}


def test_hostile_cases_are_named_and_touch_no_other_case(night: Night) -> None:
    good = [night.case(f"good{number}") for number in range(3)]
    for name, code in HOSTILE.items():
        night.case(name, code)
    (night.case("corrupt").path / "case.yaml").write_text("case_id: [\n")
    broken = night.case("changed").evidence / "data" / "E001-changed.log"
    broken.chmod(0o644)
    broken.write_text("something else\n")
    code, book = night.run("--memory", "1", "--step-timeout", "0.4")
    rows = by_name(book)
    assert code == book["exit_code"] == 3
    assert {name for name, row in rows.items() if row["state"] == "done"} == {"good0", "good1", "good2", "once"}
    assert [runs(case) for case in good] == [1, 1, 1]
    expected = {
        "endless": (7, 2, "stopped after 24 s"),
        "grows": (7, 2, "more than the 1.0 it may use"),
        "dies": (7, 2, "the kernel died"),
        "raises": (7, 2, "ValueError: <b>no</b>"),
        "corrupt": (5, 1, "not valid YAML"),
        "changed": (6, 1, "E001-changed.log"),
    }
    for name, (exit_code, attempts, words) in expected.items():
        row = rows[name]
        assert (row["state"], row["exit_code"], row["attempts"]) == ("set aside", exit_code, attempts), row
        assert words in row["error"]
    assert [row["state"] for row in book["cases"]] == ["set aside"] * 6 + ["done"] * 4
    page = (night.folder / "batch.html").read_text()
    assert "&lt;b&gt;no&lt;/b&gt;" in page and "<b>no</b>" not in page
    # what failed for good is not tried again until it changes, and what is done is kept
    before = {name: (night.folder / name / "custody.jsonl").read_bytes() for name in rows}
    assert night.run("--memory", "1", "--step-timeout", "0.4")[0] == 3
    assert {name: (night.folder / name / "custody.jsonl").read_bytes() for name in rows} == before
    with (night.folder / "raises" / "case.yaml").open("a") as file:
        file.write("# looked at\n")
    (night.folder / "raises" / "behaviour.py").unlink()
    assert by_name(night.run()[1])["raises"]["state"] == "done"


def test_findings_that_nobody_decided_on_come_first_and_shared_values_are_told(night: Night) -> None:
    entry = {"id": "A-1", "subjects": {"tenant": ["acme-1"]}, "decision": None}
    night.case("a")
    night.case("b", found={"findings": [entry]})
    night.case("c", found={"findings": [entry | {"decision": {"verdict": "benign"}}], "leads_total": 3})
    code, book = night.run()
    assert code == 0
    assert [(Path(row["case"]).name, row["undecided"], row["leads"]) for row in book["cases"]] == [
        ("b", 1, 0),
        ("c", 0, 3),
        ("a", 0, 0),
    ]
    assert [(row["kind"], row["value"], row["cases"]) for row in book["across"]] == [("tenant", "acme-1", 2)]
    page = (night.folder / "batch.html").read_text()
    assert 'href="b/report/report.html"' in page and "IR-c A-1" in page


def test_none_done_is_another_exit_code(night: Night) -> None:
    (night.case("corrupt").path / "case.yaml").write_text("")
    assert night.run()[0] == 4


def test_a_batch_that_is_killed_again_and_again_ends_with_every_case_run_once(night: Night) -> None:
    cases = [night.case(f"c{number}") for number in range(6)]
    for pause in (2.0, 6.0, 4.0, 9.0):
        batch = night.start()
        time.sleep(pause)
        below = psutil.Process(batch.pid).children(recursive=True)
        batch.send_signal(signal.SIGKILL)
        batch.communicate()
        assert psutil.wait_procs(below, timeout=20)[1] == [], "nothing outlives a batch that was killed"
    code, book = night.run()
    assert (code, book["counts"]) == (0, {"done": 6})
    for case in cases:
        record = json.loads(case.run_record.read_text())
        assert "finished" in record and len(record["steps"]) == 6
        done = Counter(
            step for act in custody.entries(case.custody) if act["activity"] == "ran" for step in act["steps"].values()
        )
        assert done == {"done": 6}, "one run came to its end; those that were killed told nothing"


def test_two_batches_on_one_folder_share_the_work(night: Night) -> None:
    cases = [night.case(f"c{number}") for number in range(5)]
    batches = [night.start(), night.start()]
    assert [batch.communicate(timeout=500) and batch.returncode for batch in batches] == [0, 0]
    assert [runs(case) for case in cases] == [1] * 5
    assert night.book["counts"] == {"done": 5}
