"""The tamper table of the docs, row by row: what was changed, and what `verify` says of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT, SampleRun

from playbooks.audit import Audit, Trust, audit
from playbooks.case import open_case
from playbooks.evidence import State, add, custody, items
from playbooks.evidence.bag import ALGORITHMS, tag_manifest
from playbooks.evidence.custody import canonical, fingerprint
from playbooks.evidence.keys import load_private, load_publics, new_key
from playbooks.evidence.seal import seal

PAGE = ROOT / "docs/how-to/tamper-table.md"
LOG = "evidence/data/E012-zeek_dns.log"
Tamper = Callable[[Path], object]


def table() -> dict[str, tuple[str, str, str]]:
    """Changed → check, state and words, as the page says."""
    rows = [line.strip("|").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in row] for row in rows[2:]]
    return {changed: (check, state, words.strip("`")) for changed, check, state, words in cells}


def fits(said: str, words: str) -> bool:
    return re.search(".*".join(map(re.escape, words.split("…"))), said, re.DOTALL) is not None


# how each row of the page is done


def write(name: str, change: Callable[[bytes], bytes]) -> Tamper:
    def apply(case: Path) -> None:
        file = case / name
        content = change(file.read_bytes())
        file.chmod(0o644)
        file.write_bytes(content)

    return apply


def longer(name: str) -> Tamper:
    return write(name, lambda content: content + b"x\n")


def flipped(name: str) -> Tamper:
    return write(name, lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:])


def without_line(number: int, name: str = "custody.jsonl") -> Tamper:
    def drop(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join(line for place, line in enumerate(lines) if place != number % len(lines))

    return write(name, drop)


def moved_line(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[:3], lines[4], lines[3], *lines[5:]])


def doubled_line(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[:4], lines[3], *lines[4:]])


def swapped(case: Path) -> None:
    one, two = (case / "evidence/data" / item.name for item in items(open_case(case))[:2])
    one.rename(case / "third")
    two.rename(one)
    (case / "third").rename(two)


def linked(case: Path) -> None:
    (case / LOG).rename(case / "twin")
    (case / LOG).symlink_to(case / "twin")


def another_of_equal_size(case: Path) -> None:
    write(LOG, lambda content: b"0" * len(content))(case)


def forged_bag(case: Path) -> None:
    """A file, its lines in both manifests and the tag manifests, all made to fit."""
    import hashlib

    write(LOG, lambda content: content.replace(b"10.20", b"10.99"))(case)
    bag = case / "evidence"
    path = LOG.removeprefix("evidence/")
    for algorithm in ALGORITHMS:
        manifest = bag / f"manifest-{algorithm}.txt"
        digest = hashlib.new(algorithm, (case / LOG).read_bytes()).hexdigest()
        lines = [line if path not in line else f"{digest}  {path}" for line in manifest.read_text().splitlines()]
        manifest.write_text("\n".join(lines) + "\n")
    for algorithm in ALGORITHMS:
        (bag / f"tagmanifest-{algorithm}.txt").write_text(tag_manifest(bag, algorithm))


def rewritten(case: Path) -> None:
    """The whole chain written anew, with another user, by somebody who knows how."""
    lines, before = [], "0" * 64
    for entry in custody.entries(case / "custody.jsonl"):
        entry["actor"]["user"] = "somebody else"
        entry["prev_event"] = before
        entry["fingerprint"] = before = fingerprint(entry)
        lines.append(canonical(entry) + b"\n")
    (case / "custody.jsonl").write_bytes(b"".join(lines))


def cut_to_the_end_of(activity: str) -> Tamper:
    def cut(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        last = max(n for n, line in enumerate(lines) if json.loads(line)["activity"] == activity)
        return b"".join(lines[: last + 1])

    return write("custody.jsonl", cut)


def other_statement(case: Path) -> None:
    write("seals/0001.json", lambda content: content.replace(b'"items":15', b'"items":16'))(case)


def decided(case: Path) -> None:
    from playbooks.findings import decide

    decide(open_case(case), "A-1", "benign", "ticket 4711", "J. Doe")
    write("decisions.jsonl", lambda content: content.replace(b"benign", b"confirmed"))(case)


def edited_json(name: str, change: Callable[[dict[str, Any]], object]) -> Tamper:
    def apply(case: Path) -> None:
        found = json.loads((case / name).read_text(encoding="utf-8"))
        change(found)
        (case / name).write_text(json.dumps(found), encoding="utf-8")

    return apply


def more_evidence(case: Path) -> None:
    (case.parent / "late.log").write_text("late\n")
    add(open_case(case), [case.parent / "late.log"])


DONE: dict[str, Tamper] = {
    "a byte of a file": flipped(LOG),
    "a byte more at the end of a file": longer(LOG),
    "a file emptied": write(LOG, lambda _: b""),
    "a file replaced by another of equal size": another_of_equal_size,
    "two files swapped": swapped,
    "a file deleted": lambda case: (case / LOG).unlink(),
    "a file renamed": lambda case: (case / LOG).rename(case / "evidence/data/renamed.log"),
    "a file replaced by a link to the same bytes": linked,
    "a file added by hand": lambda case: (case / "evidence/data/E099-by-hand.log").write_text("x\n"),
    "a line of a manifest deleted": without_line(3, "evidence/manifest-sha256.txt"),
    "a digest in a manifest": write("evidence/manifest-sha512.txt", lambda c: b"0000" + c[4:]),
    "a manifest deleted": lambda case: (case / "evidence/manifest-sha256.txt").unlink(),
    "a file, and both manifests and tag manifests made to fit": forged_bag,
    "bag-info.txt": longer("evidence/bag-info.txt"),
    "a tag manifest": longer("evidence/tagmanifest-sha512.txt"),
    "the bag deleted": lambda case: shutil.rmtree(case / "evidence"),
    "a value in a line of custody.jsonl": write("custody.jsonl", lambda c: c.replace(b"zeek_dns", b"zeek_dnz")),
    "a line of custody.jsonl deleted": without_line(4),
    "two lines of custody.jsonl swapped": write("custody.jsonl", moved_line),
    "a line of custody.jsonl doubled": write("custody.jsonl", doubled_line),
    "custody.jsonl cut off in the middle of a line": write("custody.jsonl", lambda c: c[:-40]),
    "custody.jsonl deleted": lambda case: (case / "custody.jsonl").unlink(),
    "the end of custody.jsonl cut off, down to before the seal": cut_to_the_end_of("ran"),
    "the end of custody.jsonl cut off, down to the evidence": cut_to_the_end_of("added"),
    "all of custody.jsonl written anew by somebody who knows how": rewritten,
    "a decision": decided,
    "the signed statement": other_statement,
    "the signature": write("seals/0001.json.sig", lambda c: c[:90] + (b"B" if c[90:91] == b"A" else b"A") + c[91:]),
    "statement and signature deleted": lambda case: shutil.rmtree(case / "seals"),
    "evidence added after signing, by this kit": more_evidence,
    "run.json": edited_json("run.json", lambda run: run["steps"][0].update(parameters={"window_minutes": 5})),
    "a finding": edited_json("results/findings.json", lambda found: found["findings"].pop()),
    "a result": longer("results/egress_pairs.parquet"),
    "an executed notebook": longer("notebooks/3_scope_egress.ipynb"),
    "the report": longer("report/report.html"),
    "a page of a step": longer("report/4_scope_cloud.html"),
    "results and report deleted": lambda case: [shutil.rmtree(case / name) for name in ("results", "report")],
    "case.yaml": write("case.yaml", lambda content: content + b"# a remark\n"),
    "nothing": lambda case: None,
}


@pytest.fixture(scope="module")
def signed(incident: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample incident after a run, signed; the key lies beside it."""
    folder = tmp_path_factory.mktemp("signed")
    case = incident.copy(folder / "case")
    new_key(folder / "ana", "Ana Lyst")
    seal(open_case(case), load_private(folder / "ana"))
    return case


def audited(case: Path, key: Path) -> Audit:
    return audit(open_case(case), Trust(signers=load_publics(key)))


def test_every_row_of_the_page_is_done_here_and_the_other_way_round() -> None:
    assert list(table()) == list(DONE)


@pytest.mark.parametrize("changed", DONE)
def test_verify_says_what_the_tamper_table_says(changed: str, signed: Path, tmp_path: Path) -> None:
    check, state, words = table()[changed]
    case = tmp_path / "case"
    shutil.copytree(signed, case)
    DONE[changed](case)
    found = audited(case, signed.parent / "ana.pub")
    said = {c.name: c for c in found.checks}
    assert check in said
    told = "\n".join([said[check].detail, *(f"{fault.where}: {fault.what}" for fault in said[check].faults)])
    assert (said[check].state, fits(told, words)) == (state, True), told
    broken = [c.name for c in found.checks if c.state is State.BROKEN]
    assert (check in broken) is (state == "broken")
    assert bool(broken) is (state == "broken"), broken
