"""Verify finds every changed, missing and extra byte, and lists all of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from playbooks.case import Case, new_case
from playbooks.errors import EvidenceChanged
from playbooks.evidence import Fault, add, custody, items, require_intact, verify
from playbooks.evidence.bag import ALGORITHMS, tag_manifest
from playbooks.evidence.custody import GENESIS, canonical, fingerprint


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = new_case(tmp_path / "case", "VER-1")
    for name, data in (("a.log", b"one\n"), ("b.log", b"two\n"), ("c.log", b"six\n")):
        (tmp_path / name).write_bytes(data)
        add(made, [tmp_path / name])
    return made


def payload(case: Case, number: int) -> Path:
    return items(case)[number - 1].file(case)


def overwrite(file: Path, data: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(data)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def seal_again(case: Case) -> None:
    """What somebody does who knows BagIt: tag manifests that fit the changed tag files."""
    for algorithm in ALGORITHMS:
        (case.evidence / f"tagmanifest-{algorithm}.txt").write_text(tag_manifest(case.evidence, algorithm))


def swap(case: Case) -> None:
    a, b = payload(case, 1), payload(case, 2)
    kept = a.read_bytes()
    overwrite(a, b.read_bytes())
    overwrite(b, kept)


def forge_payload_and_manifests(case: Case) -> None:
    item = items(case)[0]
    overwrite(item.file(case), b"ONE\n")
    for algorithm in ALGORITHMS:
        new = hashlib.new(algorithm, b"ONE\n").hexdigest()
        edit(case.evidence / f"manifest-{algorithm}.txt", getattr(item, algorithm), new)
    seal_again(case)


def forge_one_manifest(case: Case) -> None:
    edit(case.evidence / "manifest-sha512.txt", items(case)[0].sha512, "0" * 128)
    seal_again(case)


def remove_with_manifests(case: Case) -> None:
    item = items(case)[0]
    item.file(case).unlink()
    for algorithm in ALGORITHMS:
        line = f"{getattr(item, algorithm)}  data/{item.name}\n"
        edit(case.evidence / f"manifest-{algorithm}.txt", line, "")
    edit(case.evidence / "bag-info.txt", "Payload-Oxum: 12.3", "Payload-Oxum: 8.2")
    seal_again(case)


def add_with_manifests(case: Case) -> None:
    (case.evidence / "data" / "planted.log").write_bytes(b"new\n")
    for algorithm in ALGORITHMS:
        with (case.evidence / f"manifest-{algorithm}.txt").open("a") as stream:
            stream.write(f"{hashlib.new(algorithm, b'new' + chr(10).encode()).hexdigest()}  data/planted.log\n")
    edit(case.evidence / "bag-info.txt", "Payload-Oxum: 12.3", "Payload-Oxum: 16.4")
    seal_again(case)


def cut_chain(case: Case, keep: int) -> None:
    lines = case.custody.read_bytes().splitlines(keepends=True)
    case.custody.write_bytes(b"".join(lines[:keep]))


def odd_name(case: Case) -> None:
    Path(os.fsdecode(os.fsencode(case.evidence / "data") + b"/\xff\n\x1b[2J")).write_bytes(b"")


def forge_chain(case: Case, change: Callable[[dict[str, object]], None]) -> None:
    """A chain written anew with true fingerprints."""
    lines, before = [], GENESIS
    for entry in custody.entries(case.custody):
        change(entry)
        entry["prev_event"] = before
        entry["fingerprint"] = before = fingerprint(entry)
        lines.append(canonical(entry) + b"\n")
    case.custody.write_bytes(b"".join(lines))


def break_item(entry: dict[str, object]) -> None:
    if entry["seq"] == 2:
        entry["item"] = 5


A, B = "evidence/data/E001-a.log", "evidence/data/E002-b.log"
DIFFERENT = "state different digests"
NOT_IN = ("not in manifest-sha256.txt, though", "not in manifest-sha512.txt, though")
TAMPERED: dict[str, tuple[Callable[[Case], object], list[tuple[str, str]]]] = {
    "a byte changed, same size": (lambda c: overwrite(payload(c, 1), b"0ne\n"), [(A, "changed: SHA-256 was")]),
    "a byte added": (lambda c: overwrite(payload(c, 1), b"one\n\n"), [(A, "changed: SHA-256 was")]),
    "emptied": (lambda c: overwrite(payload(c, 1), b""), [(A, "changed: SHA-256 was")]),
    "two files swapped": (swap, [(A, "changed: SHA-256 was"), (B, "changed: SHA-256 was")]),
    "a file missing": (lambda c: payload(c, 1).unlink(), [(A, "missing")]),
    "all files missing": (
        lambda c: shutil.rmtree(c.evidence / "data"),
        [(A, "missing"), (B, "missing"), ("evidence/data/E003-c.log", "missing")],
    ),
    "a file replaced by a link to the same bytes": (
        lambda c: (payload(c, 1).rename(c.path / "moved"), payload(c, 1).symlink_to(c.path / "moved")),
        [(A, "is no plain file")],
    ),
    "a file replaced by a folder": (lambda c: (payload(c, 1).unlink(), payload(c, 1).mkdir()), [(A, "missing")]),
    "a file replaced by a pipe": (
        lambda c: (payload(c, 1).unlink(), os.mkfifo(c.evidence / "data" / "E001-a.log")),
        [(A, "is no plain file")],
    ),
    "a file renamed": (
        lambda c: payload(c, 1).rename(c.evidence / "data" / "x"),
        [(A, "missing"), ("evidence/data/x", "extra: nothing records it")],
    ),
    "an extra file": (
        lambda c: (c.evidence / "data" / "planted.log").write_text("x"),
        [("evidence/data/planted.log", "extra: nothing records it")],
    ),
    "an extra file with an odd name": (odd_name, [("evidence/data/\\xff\\n\\x1b[2J", "extra: nothing records it")]),
    "an extra link": (
        lambda c: (c.evidence / "data" / "link").symlink_to("/etc"),
        [("evidence/data/link", "extra: nothing records it")],
    ),
    "an extra tag file": (
        lambda c: (c.evidence / "fetch.txt").write_text("http://198.51.100.7/x 1 data/x\n"),
        [("evidence/fetch.txt", "extra: nothing records it")],
    ),
    "a manifest edited": (
        lambda c: edit(c.evidence / "manifest-sha256.txt", items(c)[0].sha256, "0" * 64),
        [
            (A, f"changed: SHA-256 was {'0' * 64}"),
            ("evidence/manifest-sha256.txt", "changed: SHA-256 was"),
            (A, f"manifest-sha256.txt and custody chain {DIFFERENT}"),
        ],
    ),
    "a manifest missing": (
        lambda c: (c.evidence / "manifest-sha512.txt").unlink(),
        [
            ("evidence/manifest-sha512.txt", "missing"),
            *((f"evidence/data/E00{n}-{x}.log", NOT_IN[1]) for n, x in ((1, "a"), (2, "b"), (3, "c"))),
        ],
    ),
    "payload and manifests edited to fit": (
        forge_payload_and_manifests,
        [
            (A, f"manifest-sha256.txt and custody chain {DIFFERENT}"),
            (A, f"manifest-sha512.txt and custody chain {DIFFERENT}"),
        ],
    ),
    "one manifest edited to fit its tag manifest": (
        forge_one_manifest,
        [(A, f"manifest-sha512.txt and custody chain {DIFFERENT}")],
    ),
    "a file removed from bag and manifests": (remove_with_manifests, [(A, NOT_IN[0]), (A, NOT_IN[1])]),
    "a file added to bag and manifests": (
        add_with_manifests,
        [
            ("evidence/data/planted.log", "in manifest-sha256.txt, but the chain does not record it"),
            ("evidence/data/planted.log", "in manifest-sha512.txt, but the chain does not record it"),
        ],
    ),
    "bag-info changed": (
        lambda c: edit(c.evidence / "bag-info.txt", "VER-1", "VER-2"),
        [("evidence/bag-info.txt", "changed: SHA-256 was")],
    ),
    "bagit.txt missing": (lambda c: (c.evidence / "bagit.txt").unlink(), [("evidence/bagit.txt", "missing")]),
    "a wrong total, sealed again": (
        lambda c: (edit(c.evidence / "bag-info.txt", "12.3", "13.3"), seal_again(c)),
        [("evidence", "not a valid bag: Payload-Oxum validation failed")],
    ),
    "a tag manifest changed": (
        lambda c: edit(c.evidence / "tagmanifest-sha512.txt", "  bagit.txt", " bagit.txt"),
        [("evidence/tagmanifest-sha512.txt", "changed: it does not fit the tag files")],
    ),
    "the other tag manifest changed": (
        lambda c: edit(c.evidence / "tagmanifest-sha256.txt", "  bagit.txt", "\tbagit.txt"),
        [("evidence/tagmanifest-sha256.txt", "changed: it does not fit the tag files")],
    ),
    "a tag manifest missing": (
        lambda c: (c.evidence / "tagmanifest-sha512.txt").unlink(),
        [("evidence/tagmanifest-sha512.txt", "missing")],
    ),
    "the bag missing": (
        lambda c: shutil.rmtree(c.evidence),
        [(f"evidence/data/E00{n}-{x}.log", t) for t in NOT_IN for n, x in ((1, "a"), (2, "b"), (3, "c"))],
    ),
    "the chain missing": (
        lambda c: c.custody.unlink(),
        [
            ("custody.jsonl", "missing: nothing says"),
            *(
                (f"evidence/data/E00{n}-{x}.log", f"in manifest-{a}.txt, but the chain does not record it")
                for a in ALGORITHMS
                for n, x in ((1, "a"), (2, "b"), (3, "c"))
            ),
        ],
    ),
    "the end of the chain cut off": (
        lambda c: cut_chain(c, 2),
        [
            ("evidence/data/E003-c.log", "in manifest-sha256.txt, but the chain does not record it"),
            ("evidence/data/E003-c.log", "in manifest-sha512.txt, but the chain does not record it"),
        ],
    ),
    "a chain rewritten without an item": (
        lambda c: forge_chain(c, break_item),
        [(B, f"in manifest-{algorithm}.txt, but the chain does not record it") for algorithm in ALGORITHMS],
    ),
    "a line of the chain changed": (
        lambda c: edit(c.custody, '"name":"E002-b.log"', '"name":"E002-x.log"'),
        [
            ("custody.jsonl, line 2", "changed: its fingerprint does not fit its content"),
            ("evidence/data/E002-x.log", NOT_IN[0]),
            (B, "in manifest-sha256.txt, but the chain does not record it"),
            ("evidence/data/E002-x.log", NOT_IN[1]),
            (B, "in manifest-sha512.txt, but the chain does not record it"),
        ],
    ),
}


def test_what_nobody_touched_is_intact(case: Case) -> None:
    verdict = verify(case)
    assert (verdict.intact, verdict.files, verdict.size, verdict.entries) == (True, 3, 12, 3)
    assert verdict.head == custody.entries(case.custody)[-1]["fingerprint"]
    assert require_intact(case) == verdict


@pytest.mark.parametrize("kind", TAMPERED)
def test_tampering_is_told_and_all_of_it(kind: str, case: Case) -> None:
    tamper, expected = TAMPERED[kind]
    tamper(case)
    faults = verify(case).faults
    assert [fault.where for fault in faults] == [where for where, _ in expected]
    for fault, (_, what) in zip(faults, expected, strict=True):
        assert what in fault.what


@pytest.mark.parametrize("kind", TAMPERED)
def test_changed_evidence_stops_with_everything_that_differs(kind: str, case: Case) -> None:
    TAMPERED[kind][0](case)
    with pytest.raises(EvidenceChanged) as caught:
        require_intact(case)
    for fault in verify(case).faults:
        assert f"  {fault.where}: {fault.what}\n" in str(caught.value)
    assert caught.value.exit_code == 6


def test_any_single_byte_of_the_bag_and_the_chain_is_noticed(case: Case) -> None:
    """Every seventh byte of every file, one after the other."""
    files = [case.custody, *(file for file in sorted(case.evidence.rglob("*")) if file.is_file())]
    for file in files:
        data = file.read_bytes()
        file.chmod(0o644)
        for place in [*range(0, len(data), 7), len(data) - 1]:
            changed = bytearray(data)
            changed[place] ^= 0x01
            file.write_bytes(bytes(changed))
            assert not verify(case).intact, (file.name, place)
        file.write_bytes(data)
    assert verify(case).intact


def test_verifying_changes_nothing(case: Case) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        files = (file for file in case.path.rglob("*") if file.is_file())
        return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}

    before = state()
    verify(case)
    assert state() == before


def test_a_verdict_can_be_read_by_a_program(case: Case) -> None:
    payload(case, 1).unlink()
    told = json.loads(json.dumps(verify(case).as_json()))
    assert told["intact"] is False
    assert told["faults"] == [{"where": A, "what": "missing"}]
    assert set(told) == {"intact", "files", "size", "entries", "head", "faults", "checks"}


def test_a_name_in_a_forged_chain_leads_nowhere(case: Case) -> None:
    """A path that climbs out of the bag is never taken for a payload file."""

    def climb(entry: dict[str, object]) -> None:
        item = entry["item"]
        assert isinstance(item, dict)
        item["name"] = "../../../../etc/passwd"

    forge_chain(case, climb)
    told = {fault.where for fault in verify(case).faults}
    assert "evidence/data/../../../../etc/passwd" in told
    with pytest.raises(EvidenceChanged):
        require_intact(case)


@pytest.mark.parametrize("stated", ["3", -1, True, None, 1.5, [1]])
def test_a_forged_size_is_no_item_and_stops_nothing(stated: object, case: Case) -> None:
    def forge(entry: dict[str, object]) -> None:
        if entry["seq"] == 2 and isinstance(entry["item"], dict):
            entry["item"]["size"] = stated

    forge_chain(case, forge)
    verdict = verify(case)
    assert Fault(B, "in manifest-sha256.txt, but the chain does not record it") in verdict.faults
    assert verdict.files == 2
