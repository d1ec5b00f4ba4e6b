"""Seals: what was signed is pinned; every change of statement, signature, chain or bag is told, with the first fact."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.evidence.openssh import NEEDS_OPENSSH, accepted, made, public, signed
from tests.evidence.test_add import as_nobody

from playbooks.case import Case, new_case, open_case
from playbooks.errors import EvidenceChanged, PlaybookError, UsageError
from playbooks.evidence import add, custody, items, verify
from playbooks.evidence.bag import ALGORITHMS, tag_manifest
from playbooks.evidence.checks import Check, State
from playbooks.evidence.custody import GENESIS, canonical, fingerprint
from playbooks.evidence.keys import PublicKey, load_public, public_of
from playbooks.evidence.seal import record, seal, statement
from playbooks.evidence.seal_check import check_seals
from playbooks.evidence.sshsig import sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
OURS, THEIRS = public_of(KEY, "Ana"), public_of(OTHER)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = new_case(tmp_path / "case", "SEAL-1")
    added(made, "a.log", "b.log")
    return made


def added(case: Case, *names: str) -> None:
    for name in names:
        file = case.path.parent / name
        file.write_text(f"content of {name}\n")
        add(case, [file])


def one(case: Case, *trusted: PublicKey) -> Check:
    """What is said of the only seal."""
    (check,) = check_seals(case, trusted)
    return check


def told(check: Check) -> list[str]:
    return [f"{fault.where}: {fault.what}" for fault in check.faults]


def files(case: Case) -> list[str]:
    return sorted(path.name for path in (case.path / "seals").iterdir())


def stated(case: Case, number: int = 1) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((case.path / f"seals/{number:04d}.json").read_text())
    return loaded


# sealing


def test_a_seal_states_bag_chain_and_signer_and_stands_in_the_chain(case: Case) -> None:
    chain = custody.entries(case.custody)
    sealed = seal(case, KEY)
    content = sealed.statement.read_bytes()
    said = stated(case)
    assert said == {
        "type": "playbooks.seal",
        "version": 1,
        "seal": 1,
        "case_id": "SEAL-1",
        "time": said["time"],
        "bag": {f"tagmanifest-{a}.txt": sha256(case.evidence / f"tagmanifest-{a}.txt") for a in ("sha256", "sha512")},
        "chain": {"entries": 2, "head": chain[-1]["fingerprint"]},
        "items": 2,
        "payload_oxum": "34.2",
        "signer": {"public_key": OURS.line(), "fingerprint": OURS.fingerprint},
        "tool": chain[-1]["tool"],
    }
    assert content == canonical(said) + b"\n"
    last = custody.entries(case.custody)[-1]
    assert (last["activity"], last["seal"], last["signer"]) == ("sealed", 1, OURS.fingerprint)
    assert last["statement_sha256"] == sha256(sealed.statement)
    assert files(case) == ["0001.json", "0001.json.sig"]
    assert verify(case).intact


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@NEEDS_OPENSSH
def test_a_seal_is_verified_by_openssh_alone(case: Case, tmp_path: Path) -> None:
    sealed = seal(case, KEY)
    key = tmp_path / "ana.pub"
    key.write_text(OURS.line() + "\n")
    assert accepted(Path(shutil.copy(sealed.signature, tmp_path)), sealed.statement, key)


def test_a_case_that_is_not_intact_is_not_sealed(case: Case) -> None:
    copy = items(case)[0].file(case)
    copy.chmod(0o644)
    copy.write_text("content of A.log\n")
    with pytest.raises(EvidenceChanged) as error:
        seal(case, KEY)
    assert "not sealed, because evidence is not what it was when it was added (1 faults)." in str(error.value)
    assert "evidence/data/E001-a.log: changed: SHA-256 was" in str(error.value)
    assert not (case.path / "seals").exists()


def test_a_case_without_evidence_is_not_sealed(tmp_path: Path) -> None:
    case = new_case(tmp_path / "empty", "SEAL-2")
    custody.append(case.custody, "SEAL-2", "opened")
    with pytest.raises(UsageError, match="no evidence to seal yet"):
        seal(case, KEY)


def test_a_number_is_never_used_again_whatever_was_deleted(case: Case) -> None:
    seal(case, KEY)
    shutil.rmtree(case.path / "seals")
    assert seal(case, KEY).number == 2
    (case.path / "seals/0007.json.tsr").write_bytes(b"")
    assert seal(case, KEY).number == 8


def test_a_link_in_place_of_the_folder_is_not_written_through(case: Case, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (case.path / "seals").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EvidenceChanged, match="Expected the folder of seals"):
        seal(case, KEY)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_full_disk_leaves_no_half_seal(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == broken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for broken in range(1, 6):  # noqa: B007  # files, folders and the chain are made durable one after the other
        calls.clear()
        with pytest.raises(PlaybookError, match="disk is full"):
            seal(case, KEY)
        assert (files(case), len(custody.entries(case.custody))) == ([], 2)
    monkeypatch.undo()
    assert seal(case, KEY).number == 1
    assert one(case, OURS).state is State.VERIFIED


SEALING = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playbooks.case import open_case
from playbooks.evidence.seal import seal
print(seal(open_case(Path(sys.argv[1])), Ed25519PrivateKey.generate()).number)
"""


def test_sealing_waits_until_an_addition_is_done(case: Case) -> None:
    with (case.path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen([sys.executable, "-c", SEALING, case.path], stdout=subprocess.PIPE, text=True)
        time.sleep(1.5)
        assert waiting.poll() is None
        assert not (case.path / "seals").exists()
    assert waiting.communicate(timeout=60)[0] == "1\n"


def test_seals_made_at_once_get_a_number_each(case: Case) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", SEALING, case.path], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert sorted(run.communicate(timeout=60)[0] for run in started) == ["1\n", "2\n", "3\n"]
    assert [check.state for check in check_seals(case)] == [State.NOT_CHECKED] * 3
    assert verify(case).intact


# sealed, and as it was


def test_without_a_seal_the_command_is_named(case: Case) -> None:
    words = f"never signed; sign with: playbooks sign {case.path} --key FILE"
    assert check_seals(case, [OURS]) == [Check("seal", State.NOT_PRESENT, words)]


def test_a_seal_by_a_key_that_was_given_is_verified(case: Case) -> None:
    seal(case, KEY)
    words = f"0001, {stated(case)['time']}, 2 items, 2 entries; signed with the ED25519 key {OURS.fingerprint} (Ana)"
    assert one(case, THEIRS, OURS) == Check("seal", State.VERIFIED, words)


def test_a_right_signature_by_a_key_nobody_named_is_not_verified(case: Case) -> None:
    seal(case, OTHER)
    check = one(case)
    assert check.state is State.NOT_CHECKED
    assert check.detail.endswith(
        f"signed with the ED25519 key {THEIRS.fingerprint}, but nobody said whose it is: compare with the fingerprint "
        "you noted, or give the key with --key"
    )
    check = one(case, OURS)
    assert check.state is State.NOT_CHECKED
    assert check.detail.endswith(f"signed with the ED25519 key {THEIRS.fingerprint}, which is none of the keys given")


def test_evidence_added_since_is_named_as_not_covered(case: Case) -> None:
    seal(case, KEY)
    added(case, "c.log")
    assert "; E003 was added since and not covered; signed with" in one(case, OURS).detail
    added(case, "d.log")
    assert "; E003, E004 were added since and not covered; signed with" in one(case, OURS).detail
    added(case, "e.log", "f.log", "g.log", "h.log")
    check = one(case, OURS)
    assert "; E003 to E008 (6 items) were added since and not covered; signed with" in check.detail
    assert check.state is State.VERIFIED


def test_each_seal_is_checked_the_newest_first(case: Case) -> None:
    seal(case, KEY)
    added(case, "c.log")
    seal(case, OTHER)
    newest, oldest = check_seals(case, [OURS])
    assert (newest.name, newest.state) == ("seal", State.NOT_CHECKED)
    assert (oldest.name, oldest.state) == ("seal 0001", State.VERIFIED)


def test_acts_after_a_seal_and_a_move_of_the_case_change_nothing(case: Case, tmp_path: Path) -> None:
    seal(case, KEY)
    add(case, [tmp_path / "a.log", tmp_path / "missing.log"])
    custody.append(case.custody, "SEAL-1", "verified", intact=True)
    shutil.move(case.path, tmp_path / "archive")
    check = one(open_case(tmp_path / "archive"), OURS)
    assert check.state is State.VERIFIED
    assert "2 items, 2 entries; signed with" in check.detail


# changed

SEAL, SIG = "seals/0001.json", "seals/0001.json.sig"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def restate(case: Case, key: Ed25519PrivateKey, **changes: object) -> None:
    """A statement that says something else, signed by somebody."""
    content = canonical(stated(case) | changes) + b"\n"
    (case.path / SEAL).write_bytes(content)
    (case.path / SIG).write_text(sign(content, key, public_of(key)))


def cut(case: Case, keep: int) -> None:
    lines = case.custody.read_bytes().splitlines(keepends=True)
    case.custody.write_bytes(b"".join(lines[:keep]))


def forge(case: Case, change: Callable[[dict[str, object]], object]) -> None:
    """The whole chain written anew with true fingerprints."""
    lines, before = [], GENESIS
    for entry in custody.entries(case.custody):
        change(entry)
        entry["prev_event"] = before
        entry["fingerprint"] = before = fingerprint(entry)
        lines.append(canonical(entry) + b"\n")
    case.custody.write_bytes(b"".join(lines))


def retag(case: Case) -> None:
    for algorithm in ALGORITHMS:
        (case.evidence / f"tagmanifest-{algorithm}.txt").write_text(tag_manifest(case.evidence, algorithm))


def rename_in_bag_info(case: Case) -> None:
    edit(case.evidence / "bag-info.txt", "External-Identifier: SEAL-1", "External-Identifier: SEAL-9")
    retag(case)


def put_back(case: Case) -> None:
    file = case.evidence / "tagmanifest-sha256.txt"
    before = file.read_bytes()
    added(case, "c.log")
    file.write_bytes(before)


def swap_item(case: Case) -> None:
    """Another content for a sealed item, in bag, manifests, tag manifests and chain, after more was added."""
    added(case, "c.log")
    item = items(case)[0]
    item.file(case).chmod(0o644)
    item.file(case).write_text("Content of a.log\n")
    new = {a: hashlib.new(a, b"Content of a.log\n").hexdigest() for a in ALGORITHMS}
    for algorithm in ALGORITHMS:
        edit(case.evidence / f"manifest-{algorithm}.txt", getattr(item, algorithm), new[algorithm])
    retag(case)
    forge(case, lambda entry: entry["seq"] == 1 and entry["item"].update(new))  # type: ignore[attr-defined]


def item_lost_from_manifests(case: Case) -> None:
    added(case, "c.log")
    for algorithm in ALGORITHMS:
        file = case.evidence / f"manifest-{algorithm}.txt"
        file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    retag(case)


def text(case: Case, name: str, content: bytes) -> None:
    (case.path / name).write_bytes(content)


def removed(case: Case, *names: str) -> None:
    for name in names:
        (case.path / name).unlink()


SINCE = "changed since: SHA-256 was"
CHANGED: dict[str, tuple[Callable[[Case], object], list[str]]] = {
    "statement edited": (
        lambda c: edit(c.path / SEAL, '"items":2', '"items":3'),
        [
            f"{SEAL}: not the statement that the chain recorded: it was replaced",
            "custody.jsonl: the seal states 3 items (34.2), the chain 34.2",
            f"{SIG}: does not fit the statement",
        ],
    ),
    "statement with a blank more": (
        lambda c: edit(c.path / SEAL, '"items":2', '"items": 2'),
        [
            f"{SEAL}: no statement of a seal: not written in the one canonical way, "
            "though the chain says that it was sealed"
        ],
    ),
    "statement for another case": (
        lambda c: restate(c, KEY, case_id="SEAL-9"),
        [
            f"{SEAL}: not the statement that the chain recorded: it was replaced",
            f"{SEAL}: belongs to case 'SEAL-9'",
        ],
    ),
    "statement signed anew by another key": (
        lambda c: restate(c, OTHER, time="2020-01-01T00:00:00Z"),
        [
            f"{SEAL}: not the statement that the chain recorded: it was replaced",
            f"{SIG}: by {THEIRS.fingerprint}, but the statement names {OURS.fingerprint}",
        ],
    ),
    "statement with the fingerprint of one key and the text of another": (
        lambda c: restate(c, KEY, signer={"public_key": THEIRS.line(), "fingerprint": OURS.fingerprint}),
        [
            f"{SEAL}: not the statement that the chain recorded: it was replaced",
            f"{SIG}: by {OURS.fingerprint}, but the statement names {OURS.fingerprint}",
        ],
    ),
    "statement for a shorter chain": (
        lambda c: restate(c, KEY, chain={"entries": 1, "head": custody.entries(c.custody)[0]["fingerprint"]}),
        [
            f"{SEAL}: not the statement that the chain recorded: it was replaced",
            "custody.jsonl: the seal states 2 items (34.2), the chain 17.1",
        ],
    ),
    "statement for no chain at all": (
        lambda c: restate(c, KEY, chain={"entries": 0, "head": "0" * 64}, items=0, payload_oxum="0.0"),
        [
            f"{SEAL}: not the statement that the chain recorded: it was replaced",
            "custody.jsonl: entry 0 is not the head that was sealed: the chain was written anew",
        ],
    ),
    "statement deleted": (
        lambda c: removed(c, SEAL),
        [f"{SEAL}: missing, though the chain says that it was sealed"],
    ),
    "both files deleted": (
        lambda c: removed(c, SEAL, SIG),
        [f"{SEAL}: missing, though the chain says that it was sealed"],
    ),
    "signature deleted": (
        lambda c: removed(c, SIG),
        [f"{SIG}: missing, though the chain says that it was signed"],
    ),
    "signature flipped": (
        lambda c: restate(c, KEY) or text(c, SIG, sign(b"other", KEY, OURS).encode()),
        [f"{SIG}: does not fit the statement"],
    ),
    "signature cut off": (
        lambda c: text(c, SIG, (c.path / SIG).read_bytes()[:100]),
        [f"{SIG}: no signature: not between BEGIN and END SSH SIGNATURE"],
    ),
    "signature is a link": (
        lambda c: (c.path / SIG).rename(c.path / "kept") and (c.path / SIG).symlink_to("../kept"),
        [f"{SIG}: no plain file, though the chain says that it was signed"],
    ),
    "signature of a gigabyte": (
        lambda c: os.truncate(c.path / SIG, 1 << 30),
        [f"{SIG}: larger than 1 MiB, though the chain says that it was signed"],
    ),
    "seal renumbered": (
        lambda c: [(c.path / n).rename(c.path / n.replace("0001", "0002")) for n in (SEAL, SIG)],
        [
            "seals/0002.json: nothing in the chain records it: the chain was cut after it, or sealing was broken off "
            "(then: playbooks sign CASE --record)",
            "seals/0002.json: is seal 1, renamed",
        ],
    ),
    "chain cut at its end": (
        lambda c: cut(c, 2),
        [
            f"{SEAL}: nothing in the chain records it: the chain was cut after it, or sealing was broken off "
            "(then: playbooks sign CASE --record)"
        ],
    ),
    "chain cut into what was sealed": (
        lambda c: cut(c, 1),
        [
            f"{SEAL}: nothing in the chain records it: the chain was cut after it, or sealing was broken off "
            "(then: playbooks sign CASE --record)",
            "custody.jsonl: the chain has 1 entries, the seal of TIME states 2: it was cut",
        ],
    ),
    "chain deleted": (
        lambda c: removed(c, "custody.jsonl"),
        [
            f"{SEAL}: nothing in the chain records it: the chain was cut after it, or sealing was broken off "
            "(then: playbooks sign CASE --record)",
            "custody.jsonl: the chain has 0 entries, the seal of TIME states 2: it was cut",
        ],
    ),
    "entry edited": (
        lambda c: edit(c.custody, "a.log", "z.log"),
        ["custody.jsonl, entry 1: not the entry that was sealed"],
    ),
    "chain written anew": (
        lambda c: forge(c, lambda entry: entry.update(actor={"user": "nobody", "host": "nowhere"})),
        ["custody.jsonl: entry 2 is not the head that was sealed: the chain was written anew"],
    ),
    "record of the seal forged": (
        lambda c: forge(c, lambda entry: entry["seq"] == 3 and entry.update(statement_sha256=5)),
        [f"{SEAL}: not the statement that the chain recorded: it was replaced"],
    ),
    "bag described anew": (
        rename_in_bag_info,
        [f"evidence/tagmanifest-sha256.txt: {SINCE}", f"evidence/tagmanifest-sha512.txt: {SINCE}"],
    ),
    "one tag manifest edited": (
        lambda c: edit(c.evidence / "tagmanifest-sha512.txt", "bagit.txt", "bagit.tzt"),
        [f"evidence/tagmanifest-sha512.txt: {SINCE}"],
    ),
    "one tag manifest put back after more was added": (
        put_back,
        [f"evidence/tagmanifest-sha512.txt: {SINCE}"],
    ),
    "tag manifest deleted": (
        lambda c: removed(c, "evidence/tagmanifest-sha256.txt"),
        [f"evidence/tagmanifest-sha256.txt: {SINCE}"],
    ),
    "sealed item swapped everywhere": (
        swap_item,
        [
            "custody.jsonl: entry 2 is not the head that was sealed: the chain was written anew",
            f"evidence/tagmanifest-sha256.txt: {SINCE}",
            f"evidence/tagmanifest-sha512.txt: {SINCE}",
        ],
    ),
    "sealed item gone from the manifests": (
        item_lost_from_manifests,
        [
            "evidence/data/E001-a.log: not in manifest-sha256.txt as it was sealed",
            "evidence/data/E001-a.log: not in manifest-sha512.txt as it was sealed",
        ],
    ),
}


@pytest.mark.parametrize("change", CHANGED)
def test_every_change_is_told(change: str, case: Case) -> None:
    seal(case, KEY)
    when = str(stated(case)["time"])
    assert one(case, OURS).state is State.VERIFIED
    make, expected = CHANGED[change]
    make(case)
    check = next(found for found in check_seals(case, [OURS]) if found.faults)
    assert check.state is State.BROKEN
    assert [shortened(fault, when) for fault in told(check)] == expected


def test_each_word_that_the_page_says_of_a_change_is_expected_by_a_test() -> None:
    """Numbers, times and names of files aside."""
    page = (Path(__file__).parents[2] / "docs/how-to/sign.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| ") and "verify says" not in row]
    tests = "".join(Path(__file__).with_name(f"test_{name}.py").read_text() for name in ("seal", "timestamp"))
    phrases = [phrase for row in rows for phrase in re.findall("`([^`]+)`", row.split("|")[2])]
    varies = r"…|\d+|E\d+,|manifest-\S+|SHA256:|txt:|tag"
    parts = [part.strip(" :,.'") for phrase in phrases for part in re.split(varies, phrase)]
    assert len(phrases) > 15
    assert [part for part in parts if part not in tests] == []


def shortened(fault: str, when: str) -> str:
    """Without digests and the time of the day."""
    before, mark, _ = fault.partition(SINCE)
    return (before + mark).replace(when, "TIME")


def test_deleting_a_seal_and_its_record_leaves_the_older_one_to_tell(case: Case) -> None:
    """Only what is written after the last seal can be cut without a trace; that is why one seals again."""
    seal(case, KEY)
    seal(case, KEY)
    removed(case, "seals/0002.json", "seals/0002.json.sig")
    cut(case, 3)
    assert one(case, OURS).state is State.VERIFIED


@pytest.mark.parametrize("grown", [False, True])
def test_a_sealed_item_that_is_gone_is_told(grown: bool, case: Case) -> None:
    seal(case, KEY)
    if grown:
        added(case, "c.log")
    items(case)[1].file(case).unlink()
    assert told(one(case, OURS)) == ["evidence/data/E002-b.log: missing, though it was sealed"]


# hostile

HOSTILE = {
    "empty": b"",
    "bytes": bytes(range(256)),
    "list": b"[]\n",
    "nested": b'{"a":' * 100_000,
    "long number": b'{"type":"playbooks.seal","version":1,"seal":' + b"9" * 9999 + b"}\n",
    "half character": b'{"type":"\\ud800"}\n',
    "key twice": b'{"type":"playbooks.seal","type":"playbooks.seal"}\n',
    "escape in a name": b'{"\\u001b[2J":1}\n',
    "huge": b" " * (2 << 20),
    "infinity": b'{"items":Infinity}\n',
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", [SEAL, SIG])
def test_hostile_seal_files_are_broken_and_never_a_crash(kind: str, name: str, case: Case) -> None:
    seal(case, KEY)
    text(case, name, HOSTILE[kind])
    check = one(case, OURS)
    assert check.state is State.BROKEN
    assert [fault.where for fault in check.faults] == [name]
    assert (check.detail + check.faults[0].what).isprintable()


def test_a_field_more_or_of_another_type_is_no_statement(case: Case) -> None:
    seal(case, KEY)
    whole = stated(case)
    odd = [{"extra": 1}, {"items": "2"}, {"items": True}, {"items": -1}, {"version": 2}, {"chain": []}, {"bag": {}}]
    for change in [*odd, {"items": 10**30}, {"chain": {"entries": 2, "head": "x"}}, {"signer": None}]:
        text(case, SEAL, canonical(whole | change) + b"\n")
        assert "no statement of a seal: " in told(one(case, OURS))[0], change
    for field in whole:
        text(case, SEAL, canonical({name: value for name, value in whole.items() if name != field}) + b"\n")
        assert "no statement of a seal: " in told(one(case, OURS))[0], field


def test_a_hostile_chain_is_no_crash(case: Case) -> None:
    seal(case, KEY)
    odd = [
        {"seal": True},
        {"seal": "1"},
        {"seal": 10**30},
        {"seal": -1},
        {"seal": [1]},
        {"item": 5},
        {"item": {"name": 1}},
    ]
    fields = dict.fromkeys(("evidence_id", "name", "source", "size", "sha256", "sha512", "added"), "\ud800\x1b[2J")
    for facts in [*odd, {"item": fields | {"size": 1}}]:
        for activity in ("sealed", "seal prepared", "added"):
            custody.append(case.custody, "SEAL-1", activity, **facts)
    with case.custody.open("ab") as chain:
        chain.write(b"[" * 100_000 + b"\n\xff\n{}\n")
    check = one(case, OURS)
    assert check.state is State.VERIFIED
    assert check.detail.isprintable()
    assert r"; \ud800\x1b[2J was added since and not covered" in check.detail


def test_odd_things_in_the_folder_are_no_crash(case: Case) -> None:
    seal(case, KEY)
    folder = case.path / "seals"
    for name in ("note.txt", "0.json", "99999999999.json", "٠٠٠٢.json", ".0003.json.part"):
        (folder / name).write_bytes(b"")
    os.mkfifo(folder / "0004.json")
    (folder / "0005.json").mkdir()
    (folder / "0006.json").symlink_to("/dev/zero")
    (folder / "0007.json.sig").write_bytes(b"")
    found = {check.name: (check.state.value, check.detail) for check in check_seals(case, [OURS])}
    assert {name: words for name, words in found.items() if name != "seal 0001"} == {
        "seal 0004": ("broken", "0004: no plain file"),
        "seal 0005": ("broken", "0005: no plain file"),
        "seal 0006": ("broken", "0006: no plain file"),
        "seal": (
            "not checked",
            "0007: seals/0007.json is missing and nothing records it: a sealing was broken off; it proves nothing",
        ),
    }
    assert found["seal 0001"][0] == "verified"


def test_what_may_not_be_read_or_written_is_told() -> None:
    """As somebody who is not root: root may do everything."""

    def work(folder: Path) -> list[str]:
        case = new_case(folder / "case", "SEAL-1")
        added(case, "a.log")
        seal(case, KEY)
        seals = case.path / "seals"
        told_then = []
        for file, mode in ((seals / "0001.json", 0), (seals / "0001.json.sig", 0), (seals, 0), (seals, 0o500)):
            before = file.stat().st_mode
            file.chmod(mode)
            told_then += [f"{file.name} {mode:o}: {fault}" for fault in told(one(case, OURS))]
            if mode:
                with pytest.raises(PlaybookError) as error:
                    seal(case, KEY)
                told_then.append(str(error.value).replace(str(folder), ""))
            file.chmod(before)
        return [*told_then, str(one(case, OURS).state)]

    denied = "cannot be read: Permission denied, though the chain says that it was"
    assert as_nobody(work) == [
        f"0001.json 0: {SEAL}: {denied} sealed",
        f"0001.json.sig 0: {SIG}: {denied} signed",
        f"seals 0: {SEAL}: {denied} sealed",
        "/case/seals: cannot be written: Permission denied. Not sealed; may you write there?",
        "verified",
    ]


# the operator's own key


@NEEDS_OPENSSH
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_statement_signed_by_the_operators_own_ssh_keygen_is_verified(kind: str, case: Case, tmp_path: Path) -> None:
    private = made(tmp_path / "operator key", kind)
    key = load_public(public(private))
    prepared = statement(case, key)
    assert one(case, key) == Check(
        "seal",
        State.NOT_CHECKED,
        f"0001: the statement waits for the signature of {key.fingerprint}; see docs/how-to/sign.md",
    )
    run = subprocess.run(prepared.command(private), shell=True, capture_output=True, text=True, check=False)
    assert (run.returncode, files(case)) == (0, ["0001.json", "0001.json.sig"]), run.stderr
    assert one(case, key).state is State.VERIFIED
    assert one(case, key).detail.endswith("; not recorded yet: playbooks sign CASE --record")
    assert [done.number for done in record(case)] == [1]
    check = one(case, key)
    assert check.state is State.VERIFIED
    assert check.detail.endswith(f"; signed with the {key.name} key {key.fingerprint} ({kind} key)")
    assert [entry["activity"] for entry in custody.entries(case.custody)[-2:]] == ["seal prepared", "sealed"]
    assert verify(case).intact


@NEEDS_OPENSSH
def test_where_openssh_is_missing_a_seal_by_another_type_of_key_is_not_checked(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = made(tmp_path / "k", "rsa", "-b", 2048)
    prepared = statement(case, load_public(public(private)))
    signed(private, prepared.statement)
    record(case)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = one(case, load_public(public(private)))
    assert check.state is State.NOT_CHECKED
    assert check.detail.endswith("a signature by a key of type RSA is checked by ssh-keygen; install OpenSSH")


@NEEDS_OPENSSH
def test_a_prepared_statement_signed_by_another_key_is_not_recorded(case: Case, tmp_path: Path) -> None:
    prepared = statement(case, OURS)
    signed(made(tmp_path / "k", "ed25519"), prepared.statement)
    with pytest.raises(EvidenceChanged, match="but was written for"):
        record(case)
    assert custody.entries(case.custody)[-1]["activity"] == "seal prepared"


def test_a_prepared_statement_with_a_wrong_signature_is_not_recorded(case: Case) -> None:
    prepared = statement(case, OURS)
    for content, said in (
        (sign(b"something else", KEY, OURS).encode(), "the signature does not fit. Sign it again."),
        (b"garbage", "not between BEGIN and END SSH SIGNATURE"),
    ):
        prepared.signature.write_bytes(content)
        with pytest.raises(EvidenceChanged, match=said):
            record(case)


def test_a_prepared_statement_that_vanished_is_told(case: Case) -> None:
    statement(case, OURS).statement.unlink()
    assert told(one(case)) == [f"{SEAL}: missing, though the chain says that it was prepared"]


def test_with_nothing_to_record_the_waiting_statement_is_named(case: Case) -> None:
    with pytest.raises(UsageError, match="statements that wait: none was prepared"):
        record(case)
    prepared = statement(case, OURS)
    with pytest.raises(UsageError) as error:
        record(case)
    assert f"statements that wait: {prepared.statement}." in str(error.value)


KILLED = """
import os, signal, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playbooks.case import open_case
from playbooks.evidence import custody, seal

real, calls = os.replace, []
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def replace(self, target):
    os.rename(self, target)
    calls.append(target)
    if len(calls) == int(sys.argv[2]):
        die()
Path.replace = replace
if sys.argv[2] == "3":
    custody.append = die
seal.seal(open_case(Path(sys.argv[1])), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
"""


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_sealing_killed_at_any_place_vouches_for_nothing_and_can_be_done_again(place: int, case: Case) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED, case.path, str(place)], check=False)
    assert run.returncode == -9
    assert verify(case).intact
    (check,) = check_seals(case, [OURS])[:1]
    assert check.state is (State.NOT_CHECKED if place == 1 else State.BROKEN)
    if place > 1:
        assert [done.number for done in record(case)] == [1]
        assert one(case, OURS).state is State.VERIFIED
    assert seal(case, KEY).number == 2
    assert check_seals(case, [OURS])[0].state is State.VERIFIED
