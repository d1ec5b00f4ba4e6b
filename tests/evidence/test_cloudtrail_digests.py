"""CloudTrail's digest files, offline: what is verified, what is broken and from when, and what could not be checked."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.evidence.trail import ACCOUNT, BUCKET, HOUR, NOON, DeliveredTrail, SigningKey, key_list, packed, sha256

from playbooks.case import Case, new_case
from playbooks.errors import UsageError
from playbooks.evidence import Fault, add, custody, items
from playbooks.evidence.checks import Check, State
from playbooks.evidence.cloudtrail.chain import at
from playbooks.evidence.cloudtrail.digest_file import read_digest
from playbooks.evidence.cloudtrail_digests import NAME, check_cloudtrail, examine

TRAIL = f"{ACCOUNT} eu-central-1 trail main"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey()


@pytest.fixture(scope="module")
def other_key() -> SigningKey:
    return SigningKey()


@dataclass
class Desk:
    """A case, and a folder in which files lie before they are added to it."""

    case: Case
    folder: Path
    key: SigningKey

    def bring(self, trail: DeliveredTrail, newest_signature: bool = True) -> Desk:
        """Add what lies in the trail's bucket; the newest digest file's metadata too."""
        paths = trail.download(self.folder / trail.name / trail.region)
        if newest_signature:
            paths.append(self.put(f"head-{trail.name}-{trail.region}.json", trail.head_object(-1)))
        add(self.case, paths)
        return self

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def add(self, name: str, data: bytes) -> str:
        """Add one file; gives its evidence id."""
        (added,) = add(self.case, [self.put(name, data)])
        assert added.item
        return added.item.evidence_id

    def keys(self, *entries: dict[str, Any]) -> list[Path]:
        return [self.put("keys.json", key_list(*(entries or (self.key.listed(),))))]

    def check(self, keys: list[Path] | None = None) -> Check:
        return check_cloudtrail(self.case, self.keys() if keys is None else keys)

    def id_of(self, s3_key: str) -> str:
        name = s3_key.rpartition("/")[2]
        (found,) = [item.evidence_id for item in items(self.case) if item.source.endswith(f"/{name}")]
        return found


@pytest.fixture
def desk(tmp_path: Path, key: SigningKey) -> Desk:
    return Desk(new_case(tmp_path / "case", "CT-1"), tmp_path / "in", key)


@pytest.fixture
def trail(key: SigningKey) -> DeliveredTrail:
    """Five hours, one log file in each."""
    return DeliveredTrail(key).hours(5)


def hour(number: int) -> str:
    return at(NOON + number * HOUR)


def verified(hours: int, logs: int, trail: str = TRAIL) -> str:
    files = f"{hours} digest file{'' if hours == 1 else 's'}, {logs} log file{'' if logs == 1 else 's'}"
    return f"{trail}: verified from {hour(0)} to {hour(hours)}, {files}"


# what holds


def test_an_unchanged_trail_is_verified_from_its_first_to_its_last_digest_file(
    desk: Desk, trail: DeliveredTrail
) -> None:
    assert desk.bring(trail).check() == Check(NAME, State.VERIFIED, verified(5, 5))


def test_the_newest_digest_file_is_not_checked_where_its_signature_was_not_brought(
    desk: Desk, trail: DeliveredTrail
) -> None:
    desk.bring(trail, newest_signature=False)
    newest = desk.id_of(trail.digests[-1])
    said = (
        f"{verified(4, 4)}; 1 log file named only by a digest file that is not verified; not checked: {newest} "
        f"(to {hour(5)}): its signature is not at hand: it stands in the next digest file and in the metadata of the "
        "S3 object"
    )
    assert desk.check() == Check(NAME, State.VERIFIED, said)


def signature_map(trail: DeliveredTrail) -> bytes:
    return json.dumps({trail.digests[-1]: trail.signatures[trail.digests[-1]]}).encode()


def full_path_map(trail: DeliveredTrail) -> bytes:
    newest = trail.digests[-1]
    return json.dumps(
        {"signatures": {f"s3://example-trail-bucket/{newest}": trail.signatures[newest].upper()}}
    ).encode()


def raw_headers(trail: DeliveredTrail) -> bytes:
    newest = trail.digests[-1]
    return json.dumps([{"Key": newest, "headers": {"x-amz-meta-signature": trail.signatures[newest]}}]).encode()


def acquired_answers(trail: DeliveredTrail) -> bytes:
    """Lines as an acquisition writes them; one of them is broken."""
    newest = trail.digests[-1]
    metadata = {"signature": trail.signatures[newest], "signature-algorithm": "SHA256withRSA"}
    line = {"acquired": 1, "operation": "HeadObject", "request": {"Bucket": "b", "Key": newest}}
    lines = [
        json.dumps(line),
        '{"acquired":1,"x-amz-meta-signature',
        json.dumps(line | {"parsed": {"Metadata": metadata}}),
    ]
    return "\n".join(lines).replace('{"acquired": 1', '{"acquired":1').encode()


@pytest.mark.parametrize("written", [signature_map, full_path_map, raw_headers, acquired_answers])
def test_the_newest_signature_is_taken_from_what_was_recorded_beside_it(
    written: Callable[[DeliveredTrail], bytes], desk: Desk, trail: DeliveredTrail
) -> None:
    desk.bring(trail, newest_signature=False).add("signatures.json", written(trail))
    assert desk.check() == Check(NAME, State.VERIFIED, verified(5, 5))


def test_the_newest_signature_is_taken_from_the_custody_chain(desk: Desk, trail: DeliveredTrail) -> None:
    desk.bring(trail, newest_signature=False)
    objects = [{"key": name, "x-amz-meta-signature": trail.signatures[name]} for name in trail.digests]
    custody.append(desk.case.custody, "CT-1", "acquired", objects=objects)
    assert desk.check() == Check(NAME, State.VERIFIED, verified(5, 5))


def test_a_recorded_signature_that_does_not_fit_is_a_fault(desk: Desk, trail: DeliveredTrail) -> None:
    desk.bring(trail, newest_signature=False)
    other = json.dumps({trail.digests[-1]: trail.signatures[trail.digests[0]]}).encode()
    where = desk.add("signatures.json", other)
    check = desk.check()
    assert (check.state, check.faults) == (State.BROKEN, (unfit_signature(desk.id_of(trail.digests[-1]), where),))
    assert (
        check.detail
        == f"{TRAIL}: broken from {hour(4)}; verified: from {hour(0)} to {hour(4)}, 4 digest files, 4 log files"
    )


def test_unpacked_and_renamed_copies_are_as_good_as_the_originals(desk: Desk, trail: DeliveredTrail) -> None:
    for number, (name, data) in enumerate(trail.files.items()):
        kind = "digest" if name in trail.digests else "log"
        desk.add(f"{kind}-{number}.json", gzip.decompress(data))
    desk.add("head.json", trail.head_object(-1))
    assert desk.check() == Check(NAME, State.VERIFIED, verified(5, 5))


def test_hours_without_a_log_file_are_verified_as_hours_without_a_log_file(desk: Desk, key: SigningKey) -> None:
    quiet = DeliveredTrail(key).hours(2, logs_each=0)
    assert desk.bring(quiet).check() == Check(NAME, State.VERIFIED, verified(2, 0))


def test_a_single_first_digest_file_is_verified(desk: Desk, key: SigningKey) -> None:
    assert desk.bring(DeliveredTrail(key).hours(1, logs_each=3)).check() == Check(NAME, State.VERIFIED, verified(1, 3))


def test_a_chain_that_was_brought_from_its_middle_on_is_verified_from_there(desk: Desk, trail: DeliveredTrail) -> None:
    for name in [*trail.digests[:2], *trail.logs[:2]]:
        del trail.files[name]
    said = f"{TRAIL}: verified from {hour(2)} to {hour(5)}, 3 digest files, 3 log files"
    assert desk.bring(trail).check() == Check(NAME, State.VERIFIED, said)


def test_two_trails_in_two_regions_are_told_apart(desk: Desk, key: SigningKey, other_key: SigningKey) -> None:
    desk.bring(DeliveredTrail(key).hours(3))
    desk.bring(DeliveredTrail(key, name="main_2").hours(2))
    desk.bring(DeliveredTrail(other_key, region="us-east-1", account="444455556666").hours(4))
    said = [
        verified(3, 3),
        verified(2, 2, f"{ACCOUNT} eu-central-1 trail main_2"),
        verified(4, 4, "444455556666 us-east-1 trail main"),
    ]
    assert desk.check(desk.keys(key.listed(), other_key.listed())) == Check(NAME, State.VERIFIED, "; ".join(said))


def test_late_log_files_have_a_chain_of_their_own_in_which_no_hour_is_owed(
    desk: Desk, key: SigningKey, other_key: SigningKey
) -> None:
    late = DeliveredTrail(other_key, suffix="_backfill")
    late.hours(1)
    late.now += 5 * HOUR
    late.hours(1)
    other_key.start = NOON + 100 * HOUR  # generated days later, with the key of that day
    desk.bring(DeliveredTrail(key).hours(7, logs_each=0)).bring(late)
    check = desk.check(desk.keys(key.listed(), other_key.listed(ValidityStartTime=(NOON + 100 * HOUR).isoformat())))
    spans = f"from {hour(0)} to {hour(1)} and from {hour(6)} to {hour(7)}"
    said = f"{verified(7, 0)}; {TRAIL} (backfill): verified {spans}, 2 digest files, 2 log files"
    assert check == Check(NAME, State.VERIFIED, said)


def test_the_same_digest_file_twice_counts_once(desk: Desk, trail: DeliveredTrail) -> None:
    desk.bring(trail).add("again.json", gzip.decompress(trail.files[trail.digests[2]]))
    assert desk.check() == Check(NAME, State.VERIFIED, verified(5, 5))


def test_pem_keys_of_both_forms_check_too(desk: Desk, trail: DeliveredTrail, key: SigningKey) -> None:
    desk.bring(trail)
    form = serialization.PublicFormat.PKCS1
    pkcs1 = key.private.public_key().public_bytes(serialization.Encoding.PEM, form)
    for pem in (key.pem, b"a comment\n" + pkcs1):
        assert desk.check([desk.put("key.pem", pem)]) == Check(NAME, State.VERIFIED, verified(5, 5))


def test_keys_among_the_evidence_check_only_where_none_are_given_and_the_answer_says_so(
    desk: Desk, trail: DeliveredTrail, other_key: SigningKey
) -> None:
    where = desk.bring(trail).add("list-public-keys.json", key_list(desk.key.listed()))
    said = f"{verified(5, 5)}; public keys taken from the evidence ({where}): compare them with AWS"
    assert desk.check([]) == Check(NAME, State.VERIFIED, said)
    assert desk.check(desk.keys(other_key.listed())).state is State.NOT_CHECKED


def test_what_an_acquisition_answered_holds_keys_and_signatures_too(desk: Desk, trail: DeliveredTrail) -> None:
    desk.bring(trail, newest_signature=False)
    listed = {"acquired": 1, "operation": "ListPublicKeys", "body": key_list(desk.key.listed()).decode()}
    answers = acquired_answers(trail) + b"\n" + json.dumps(listed).encode()
    where = desk.add("aws-acquisition.jsonl", answers)
    said = f"{verified(5, 5)}; public keys taken from the evidence ({where}): compare them with AWS"
    assert desk.check([]) == Check(NAME, State.VERIFIED, said)


# what the AWS documentation says


DOCUMENTED = {  # public keys of CloudTrail as its User Guide prints them: PKCS#1, and one in X.509 form
    "8933b39ddc64d26d8e14ffbf6566fee4": (
        "MIIBCgKCAQEApfYL2FiZhpN74LNWVUzhR+VheYhwhYm8w0n5Gf6i95ylW5kBAWKVEmnAQG7BvS5g9SMqFDQx52fW7NWV44IvfJ2xGXT+"
        "wT+DgR6ZQ+6yxskQNqV5YcXj4Aa5Zz4jJfsYjDuO2MDTZNIzNvBNzaBJ+r2WIWAJ/Xq54kyF63B6WE38vKuDE7nSd1FqQuEoNBFLPInv"
        "gggYe2Ym1Refe2z71wNcJ2kY+q0h1BSHrSM8RWuJIw7MXwF9iQncg9jYzUlNJomozQzAG5wSRfbplcCYNY40xvGd/aAmO0m+Y+XFMrKw"
        "tLCwseHPvj843qVno6x4BJN9bpWnoPo9sdsbGoiK3QIDAQAB"
    ),
    "31e8b5433410dfb61a9dc45cc65b22ff": (
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlzPJbvZJ42UdcmLfPUqXYNfOs6I8lCfao/tOs8CmzPOEdtLWugB9xoIUz78"
        "qVHdKIqxbaG4jWHfJBiOSSFBM0lt8cdVo4TnRa7oG9io5pysS6DJhBBAeXsicufsiFJR+wrUNh8RSLxL4k6G1+BhLX20tJkZ/erT97tD"
        "GBujAelqseGg3vPZbTx9SMfOLN65PdLFudLP7Gat0Z9p5jw/rjpclKfo9Bfc3heeBxWGKwBBOKnFAaN9V57pOaosCvPKmHd9bg7jsQkI"
        "9Xp22IzGLsTFJZYVA3KiTAElDMu80iFXPHEq9hKNbt9e4URFam+1utKVEiLkR2disdCmPTK0VQIDAQAB"
    ),
}


def test_the_documented_public_keys_are_read_under_their_documented_fingerprints(desk: Desk) -> None:
    entries = [
        {"ValidityStartTime": "1434589460.0", "ValidityEndTime": "1437181460.0", "Value": value, "Fingerprint": name}
        for name, value in DOCUMENTED.items()
    ]
    path = desk.put("documented.json", json.dumps({"publicKeyList": entries}).encode())
    ring = examine(desk.case, [path]).ring
    assert (sorted(ring.keys), ring.unusable) == (sorted(DOCUMENTED), [])
    times = {(key.start, key.end) for key in ring.keys.values()}
    assert times == {
        (dt.datetime(2015, 6, 18, 1, 4, 20, tzinfo=dt.UTC), dt.datetime(2015, 7, 18, 1, 4, 20, tzinfo=dt.UTC))
    }


def test_the_signed_text_has_the_documented_form() -> None:
    folder = "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/"
    stem = folder + "111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T"
    stated = {
        "awsAccountId": "111122223333",
        "digestStartTime": "2015-08-17T14:01:31Z",
        "digestEndTime": "2015-08-17T15:01:31Z",
        "digestS3Bucket": "S3-bucket-name",
        "digestS3Object": stem + "150131Z.json.gz",
        "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": "S3-bucket-name",
        "previousDigestS3Object": stem + "140131Z.json.gz",
        "previousDigestHashValue": "97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d",
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": "50887ccffad4c002b97caa37cc9dc626",
        "logFiles": [],
    }
    body = json.dumps(stated).encode()
    lines = [
        b"2015-08-17T15:01:31Z",
        f"S3-bucket-name/{stem}150131Z.json.gz".encode(),
        sha256(body).encode(),
        b"50887ccffad4c002b97caa37cc9dc626",
    ]
    assert read_digest("E001", body).signed_text() == b"\n".join(lines)
    first = json.dumps(stated | {name: None for name in stated if name.startswith("previous")}).encode()
    assert read_digest("E001", first).signed_text().endswith(b"\nnull")


# log files


def changed_log(item: str, expected: str, digest: str, found: str) -> Fault:
    return Fault(item, f"changed: SHA-256 of its content was {expected} ({digest}), {found}")


def broken(desk: Desk, trail: DeliveredTrail, from_hour: int, logs: int, hours: int = 5) -> tuple[Check, str]:
    """The answer, and its detail as it must be where every digest file is verified."""
    said = f"{TRAIL}: broken from {hour(from_hour)}; verified: from {hour(0)} to {hour(hours)}, {hours} digest files, "
    return desk.bring(trail).check(), f"{said}{logs} log files"


def edited(data: bytes) -> bytes:
    return packed(gzip.decompress(data).replace(b"192.0.2.10", b"192.0.2.11"))


def appended(data: bytes) -> bytes:
    return data + packed(b'{"Records":[]}')


def cut_off(data: bytes) -> bytes:
    return data[:-20]


def emptied(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (edited, None),
        (appended, "there is more data after the end of the gzip data"),
        (cut_off, "gzip data ends early: the file is cut off"),
        (emptied, None),
        (lambda data: b"\x1f\x8b" + b"no gzip at all, though it begins like it", "gzip data is damaged: Error -3"),
    ],
)
def test_a_changed_log_file_breaks_the_trail_from_its_hour_on(
    change: Callable[[bytes], bytes], found: str | None, desk: Desk, trail: DeliveredTrail
) -> None:
    name = trail.logs[2]
    was, trail.files[name] = sha256(gzip.decompress(trail.files[name])), change(trail.files[name])
    check, said = broken(desk, trail, 2, 4)
    now = found or f"is {sha256(gzip.decompress(trail.files[name]) if trail.files[name] else b'')}"
    (fault,) = check.faults
    expected = changed_log(desk.id_of(name), was, desk.id_of(trail.digests[2]), now)
    assert (check.state, check.detail, fault.where) == (State.BROKEN, said, expected.where)
    assert fault.what.startswith(expected.what)
    assert examine(desk.case, desk.keys()).trails[0].logs.missing == ()  # it is there, and it is wrong


def test_swapped_log_files_are_both_faults_and_each_says_where_its_content_is(
    desk: Desk, trail: DeliveredTrail
) -> None:
    one, two = trail.logs[1], trail.logs[3]
    trail.files[one], trail.files[two] = trail.files[two], trail.files[one]
    check, said = broken(desk, trail, 1, 3)
    first, second = desk.id_of(one), desk.id_of(two)
    sha = {name: sha256(gzip.decompress(trail.files[name])) for name in (one, two)}
    assert (check.state, check.detail) == (State.BROKEN, said)
    assert check.faults == (
        changed_log(first, sha[two], desk.id_of(trail.digests[1]), f"is {sha[one]}; that content stands in {second}"),
        changed_log(second, sha[one], desk.id_of(trail.digests[3]), f"is {sha[two]}; that content stands in {first}"),
    )


def test_a_second_copy_with_other_content_is_a_fault_beside_the_good_one(desk: Desk, trail: DeliveredTrail) -> None:
    name = trail.logs[2].rpartition("/")[2]
    desk.bring(trail)
    copy = desk.add(f"copy/{name}", edited(trail.files[trail.logs[2]]))
    check = desk.check()
    assert (check.state, [fault.where for fault in check.faults]) == (State.BROKEN, [copy])


def test_a_missing_log_file_is_a_gap_and_named_and_never_called_verified(desk: Desk, trail: DeliveredTrail) -> None:
    del trail.files[trail.logs[2]]
    name = trail.logs[2].rpartition("/")[2]
    said = f"{TRAIL}: from {hour(0)} to {hour(5)}: 5 digest files, 4 log files verified, but 1 log file"
    assert desk.bring(trail).check() == Check(NAME, State.NOT_CHECKED, f"{said} that they name not brought: {name}")


def test_a_log_file_that_no_digest_file_names_is_a_fault_in_hours_that_are_covered(
    desk: Desk, trail: DeliveredTrail
) -> None:
    desk.bring(trail)
    body = packed(json.dumps({"Records": [{"eventVersion": "1.11", "eventSource": "x", "eventID": "forged"}]}).encode())
    planted = desk.add(f"{ACCOUNT}_CloudTrail_eu-central-1_20260310T1430Z_AAAAAAAAAAAAAAAA.json.gz", body)
    what = (
        f"no digest file names it, though those of {TRAIL} cover 2026-03-10 14:30:00 UTC: added later, or of a trail "
        "without digest files, or named in a backfill digest file that was not brought"
    )
    said = (
        f"{TRAIL}: broken from 2026-03-10 14:30:00 UTC; verified: from {hour(0)} to {hour(5)}, 5 digest files, 5 log "
        f"files; no digest file names {planted}: not checked"
    )
    assert desk.check() == Check(NAME, State.BROKEN, said, (Fault(planted, what),))


@pytest.mark.parametrize(
    "name",
    [
        f"{ACCOUNT}_CloudTrail_eu-central-1_20260310T1630Z_AAAAAAAAAAAAAAAA.json.gz",  # may be in the next digest file
        f"{ACCOUNT}_CloudTrail_us-east-1_20260310T1430Z_AAAAAAAAAAAAAAAA.json.gz",
        "444455556666_CloudTrail_eu-central-1_20260310T1430Z_AAAAAAAAAAAAAAAA.json.gz",
        f"{ACCOUNT}_CloudTrail_eu-central-1_20261399T9999Z_AAAAAAAAAAAAAAAA.json.gz",
        "export.json.gz",
    ],
)
def test_a_log_file_outside_all_digest_files_is_said_to_be_not_checked(
    name: str, desk: Desk, trail: DeliveredTrail
) -> None:
    body = packed(json.dumps({"Records": [{"eventVersion": "1.11", "eventSource": "x"}]}).encode())
    other = desk.bring(trail).add(name, body)
    said = f"{verified(5, 5)}; no digest file names {other}: not checked"
    assert desk.check() == Check(NAME, State.VERIFIED, said)


def test_a_chain_of_late_log_files_does_not_name_all_of_its_hours(desk: Desk, key: SigningKey) -> None:
    desk.bring(DeliveredTrail(key, suffix="_backfill").hours(5))
    body = packed(json.dumps({"Records": [{"eventVersion": "1.11", "eventSource": "x"}]}).encode())
    other = desk.add(f"{ACCOUNT}_CloudTrail_eu-central-1_20260310T1430Z_AAAAAAAAAAAAAAAA.json.gz", body)
    said = f"{verified(5, 5, f'{TRAIL} (backfill)')}; no digest file names {other}: not checked"
    assert desk.check() == Check(NAME, State.VERIFIED, said)


# digest files


def unfit_signature(item: str, stands_in: str) -> Fault:
    what = "signature does not fit: expected that of its end time, path, content and the signature before it"
    return Fault(item, f"{what}; it stands in {stands_in}")


def unfit_hash(item: str, found: str, follower: str, stated: str) -> Fault:
    return Fault(item, f"changed: SHA-256 of its content is {found}, {follower} states {stated}")


def named_logs(trail: DeliveredTrail) -> dict[str, Any]:
    return {"logFiles": []}


def other_end(trail: DeliveredTrail) -> dict[str, Any]:
    return {"digestEndTime": "2026-03-10T15:00:32Z"}


@pytest.mark.parametrize("change", [named_logs, other_end])
def test_an_edited_digest_file_breaks_the_trail_from_the_end_of_the_one_before(
    change: Callable[[DeliveredTrail], dict[str, Any]], desk: Desk, trail: DeliveredTrail
) -> None:
    was = sha256(gzip.decompress(trail.files[trail.digests[2]]))
    trail.edit_digest(2, **change(trail))
    check = desk.bring(trail).check()
    item, follower = desk.id_of(trail.digests[2]), desk.id_of(trail.digests[3])
    now = sha256(gzip.decompress(trail.files[trail.digests[2]]))
    assert (check.state, check.faults) == (
        State.BROKEN,
        (unfit_hash(item, now, follower, was), unfit_signature(item, follower)),
    )
    spans = f"from {hour(0)} to {hour(2)} and from {hour(3)} to {hour(5)}"
    said = f"{TRAIL}: broken from {hour(2)}; verified: {spans}, 4 digest"
    assert check.detail.startswith(said)


def test_a_changed_previous_hash_is_a_fault_of_the_file_that_states_it(desk: Desk, trail: DeliveredTrail) -> None:
    before, was = (sha256(gzip.decompress(trail.files[name])) for name in trail.digests[1:3])
    trail.edit_digest(2, previousDigestHashValue="0" * 64)
    check = desk.bring(trail).check()
    first, item, follower = (desk.id_of(name) for name in trail.digests[1:4])
    now = sha256(gzip.decompress(trail.files[trail.digests[2]]))
    unfit = f"does not fit {first}, which is verified: SHA-256 of its content is {before}, {item} states {'0' * 64}"
    expected = (Fault(item, unfit), unfit_hash(item, now, follower, was), unfit_signature(item, follower))
    assert (check.state, check.faults) == (State.BROKEN, expected)
    assert check.detail.startswith(f"{TRAIL}: broken from {hour(2)}; verified: from {hour(0)} to {hour(2)} and from")


def test_a_changed_previous_signature_breaks_its_own_file_and_leaves_the_one_before_open(
    desk: Desk, trail: DeliveredTrail
) -> None:
    trail.edit_digest(3, previousDigestSignature=trail.digest(2)["previousDigestSignature"])
    check = desk.bring(trail).check()
    ids = [desk.id_of(name) for name in trail.digests]
    assert check.state is State.BROKEN
    assert {fault.where for fault in check.faults} == {ids[3]}
    assert check.detail == (
        f"{TRAIL}: broken from {hour(2)}; verified: from {hour(0)} to {hour(2)} and from {hour(4)} to {hour(5)}, 3 "
        f"digest files, 3 log files; 1 log file named only by a digest file that is not verified; "
        f"not checked: {ids[2]} (to {hour(3)}): its signature stands in {ids[3]}, which is not verified"
    )


def test_a_removed_digest_file_leaves_its_hour_and_the_hour_before_unknown(desk: Desk, trail: DeliveredTrail) -> None:
    gone = trail.digests[2]
    del trail.files[gone]
    check = desk.bring(trail).check()
    follower = desk.id_of(trail.digests[3])
    what = f"unknown from {hour(1)} to {hour(3)}: the digest file before {follower} is not among the evidence: {gone}"
    assert (check.state, check.faults) == (State.BROKEN, (Fault(TRAIL, what),))
    assert check.detail.startswith(
        f"{TRAIL}: broken from {hour(1)}; verified: from {hour(0)} to {hour(1)} and from {hour(3)}"
    )
    assert check.detail.endswith(f"; no digest file names {desk.id_of(trail.logs[2])}: not checked")


def test_three_removed_digest_files_in_a_row_are_one_gap(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key).hours(8)
    for name in trail.digests[3:6]:
        del trail.files[name]
    check = desk.bring(trail).check()
    what = f"unknown from {hour(2)} to {hour(6)}: the digest file before {desk.id_of(trail.digests[6])} is not among "
    assert (check.state, check.faults) == (State.BROKEN, (Fault(TRAIL, f"{what}the evidence: {trail.digests[5]}"),))


def test_two_digest_files_under_each_others_names_are_found_and_their_statements_still_count(
    desk: Desk, trail: DeliveredTrail
) -> None:
    one, two = trail.digests[1], trail.digests[3]
    trail.files[one], trail.files[two] = trail.files[two], trail.files[one]
    check = desk.bring(trail).check()
    names = [name.rpartition("/")[2].removesuffix(".gz") for name in (one, two)]
    assert check.faults == (
        Fault(desk.id_of(one), f"moved: it says of itself that it is {names[1]}"),
        Fault(desk.id_of(two), f"moved: it says of itself that it is {names[0]}"),
    )
    assert check.state is State.BROKEN
    moved = f"no digest file or not in its place: {desk.id_of(one)}, {desk.id_of(two)}"
    assert check.detail == f"{verified(5, 5)}; {moved}"


def test_a_digest_file_of_another_trail_in_place_of_one_is_found(
    desk: Desk, key: SigningKey, trail: DeliveredTrail
) -> None:
    other = DeliveredTrail(key, name="other").hours(5, logs_each=0)
    trail.files[trail.digests[2]] = other.files[other.digests[2]]
    check = desk.bring(trail).check()
    item, follower = desk.id_of(trail.digests[2]), desk.id_of(trail.digests[3])
    name = other.digests[2].rpartition("/")[2].removesuffix(".gz")
    what = f"unknown from {hour(1)} to {hour(3)}: the digest file before {follower} is not among the evidence: "
    assert check.faults == (
        Fault(item, f"moved: it says of itself that it is {name}"),
        Fault(TRAIL, what + trail.digests[2]),
    )


def test_a_second_digest_file_for_the_same_hour_is_found_whatever_it_says(desk: Desk, trail: DeliveredTrail) -> None:
    desk.bring(trail)
    stated = json.dumps(trail.digest(4) | {"logFiles": []}).encode()
    copy = desk.add("copy.json", stated)
    original = desk.id_of(trail.digests[4])
    twin = f"{original} stands for the same path, with other content"
    check = desk.check()
    assert (check.state, check.faults) == (State.BROKEN, (Fault(copy, twin),))
    assert (
        check.detail
        == f"{TRAIL}: broken from {hour(4)}; verified: from {hour(0)} to {hour(5)}, 5 digest files, 5 log files"
    )


def test_validation_that_was_off_for_three_hours_is_told_as_unknown(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key).hours(3)
    trail.restart()
    trail.now += 3 * HOUR
    trail.hours(2)
    check = desk.bring(trail).check()
    again = desk.id_of(trail.digests[3])
    what = f"unknown from {hour(2)} to {hour(6)}: {again} begins a new chain: validation or logging was off before it"
    assert (check.state, check.faults) == (State.BROKEN, (Fault(TRAIL, what),))
    # the digest file before the hole is the last of its chain: no other one holds its signature
    assert f"{desk.id_of(trail.digests[2])} (to {hour(3)})" in check.detail


def test_an_hour_that_signed_digest_files_leave_out_is_told_as_unknown(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key).hours(2)
    trail.now += HOUR
    trail.hours(2)
    check = desk.bring(trail).check()
    ids = [desk.id_of(name) for name in trail.digests]
    what = f"unknown from {hour(2)} to {hour(3)}: no digest file covers the time between {ids[1]} and {ids[2]}"
    assert (check.state, check.faults) == (State.BROKEN, (Fault(TRAIL, what),))


def test_a_digest_file_that_names_a_later_one_as_its_previous_has_none(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key).hours(2)
    later = trail.digests[1].replace("20260310T140031Z", "20260310T160031Z")
    trail.hour(previousDigestS3Object=later)
    trail.hours(1)
    check = desk.bring(trail).check()
    assert trail.digests[3] == later
    what = f"unknown from {hour(1)} to {hour(2)}: the digest file before {desk.id_of(trail.digests[2])} is not among "
    assert (check.state, check.faults) == (State.BROKEN, (Fault(TRAIL, f"{what}the evidence: {later}"),))


def test_a_broken_digest_file_is_not_believed_where_it_says_that_it_is_the_first(
    desk: Desk, trail: DeliveredTrail
) -> None:
    trail.edit_digest(2, **{name: None for name in trail.digest(2) if name.startswith("previous")})
    check = desk.bring(trail).check()
    assert (check.state, {fault.where for fault in check.faults}) == (State.BROKEN, {desk.id_of(trail.digests[2])})


# keys


def test_without_a_key_nothing_is_verified_and_the_answer_names_the_key_to_fetch(
    desk: Desk, trail: DeliveredTrail
) -> None:
    check = desk.bring(trail).check([])
    ids = [f"{desk.id_of(name)} (to {hour(number)})" for number, name in enumerate(trail.digests, start=1)]
    said = (
        f"{TRAIL}: not checked; 5 log files are as the digest files state; not checked: {', '.join(ids)}: "
        f"no public key {desk.key.fingerprint} given"
    )
    assert check == Check(NAME, State.NOT_CHECKED, said)


def test_without_a_key_a_changed_file_is_still_found(desk: Desk, trail: DeliveredTrail) -> None:
    trail.edit_digest(2, logFiles=[])
    trail.files[trail.logs[4]] = edited(trail.files[trail.logs[4]])
    check = desk.bring(trail).check([])
    assert check.state is State.BROKEN
    assert check.detail.startswith(f"{TRAIL}: broken from {hour(2)}; nothing verified")
    assert [fault.where for fault in check.faults] == [desk.id_of(trail.digests[2]), desk.id_of(trail.logs[4])]


def test_a_chain_signed_with_another_key_than_it_names_is_broken(
    desk: Desk, key: SigningKey, other_key: SigningKey
) -> None:
    forged = DeliveredTrail(other_key)
    for _ in range(3):
        forged.hour(digestPublicKeyFingerprint=key.fingerprint)
    map_of_all = json.dumps(forged.signatures).encode()
    desk.bring(forged, newest_signature=False)
    where = desk.add("signatures.json", map_of_all)
    check = desk.check()
    ids = [desk.id_of(name) for name in forged.digests]
    assert check.state is State.BROKEN
    assert check.faults == tuple(unfit_signature(item, where) for item in ids)
    assert check.detail.startswith(f"{TRAIL}: broken from {hour(0)}; nothing verified")


def test_a_key_under_the_name_of_another_one_is_set_aside(
    desk: Desk, trail: DeliveredTrail, other_key: SigningKey
) -> None:
    forged = other_key.listed(Fingerprint=desk.key.fingerprint)
    check = desk.bring(trail).check(desk.keys(forged, other_key.listed()))
    assert check.state is State.NOT_CHECKED
    assert check.detail.endswith(
        f"keys set aside: keys.json: key {desk.key.fingerprint} cannot be used: its fingerprint is that of another key"
    )


def test_a_key_that_was_not_in_use_does_not_prove_a_digest_file(desk: Desk, trail: DeliveredTrail) -> None:
    expired = desk.key.listed(ValidityEndTime=(NOON - 3 * HOUR).isoformat())
    check = desk.bring(trail).check(desk.keys(expired))
    faults = [
        Fault(desk.id_of(name), f"signed with key {desk.key.fingerprint}, not in use at {hour(number)}")
        for number, name in enumerate(trail.digests, start=1)
    ]
    assert (check.state, check.faults) == (State.BROKEN, tuple(faults))


def test_a_key_may_be_used_a_little_before_and_after_its_stated_times(desk: Desk, trail: DeliveredTrail) -> None:
    tight = desk.key.listed(
        ValidityStartTime=(NOON + 3 * HOUR).timestamp(), ValidityEndTime=(NOON + 3 * HOUR).isoformat()
    )
    assert desk.bring(trail).check(desk.keys(tight)) == Check(NAME, State.VERIFIED, verified(5, 5))


def elliptic() -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprinted(der: bytes) -> dict[str, Any]:
    return {"Value": base64.b64encode(der).decode(), "Fingerprint": hashlib.md5(der).hexdigest()}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no PublicKeyList"),
        (b"ssh-ed25519 AAAA", "no PublicKeyList"),
        (b'{"PublicKeyList": []}', "no key found in it"),
        (key_list(fingerprinted(elliptic())), "expected an RSA key, found "),
        (key_list(fingerprinted(b"\x30\x03abc")), "cannot be used"),
        (key_list({"Value": "***", "Fingerprint": "00"}), "cannot be used"),
        (key_list({"Fingerprint": "00"}), "cannot be used"),
        (b"[" * 100_000, "no PublicKeyList"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "cannot be used"),
    ],
)
def test_a_given_file_without_a_usable_key_stops_with_what_was_expected(data: bytes, said: str, desk: Desk) -> None:
    with pytest.raises(UsageError) as error:
        check_cloudtrail(desk.case, [desk.put("key.txt", data)])
    assert said in str(error.value)
    assert "Expected what `aws cloudtrail list-public-keys` prints" in str(error.value)


def test_a_key_file_that_is_not_there_stops(desk: Desk) -> None:
    with pytest.raises(UsageError, match=r"none\.json: cannot be read: No such file"):
        check_cloudtrail(desk.case, [desk.folder / "none.json"])


# nothing to check, and hostile files


def test_a_case_without_cloudtrail_says_so(desk: Desk) -> None:
    desk.add("access.log", b"1 2 3\n")
    assert desk.check() == Check(NAME, State.NOT_PRESENT, "no CloudTrail log file among the evidence")


def test_log_files_without_digest_files_say_what_to_fetch(desk: Desk, trail: DeliveredTrail) -> None:
    for name in trail.digests:
        del trail.files[name]
    check = desk.bring(trail, newest_signature=False).check()
    assert (check.state, check.faults) == (State.NOT_PRESENT, ())
    assert check.detail.startswith("5 CloudTrail items, but no digest file. Fetch them from the bucket of the trail")


DIGEST_NAME = f"{ACCOUNT}_CloudTrail-Digest_eu-central-1_main_eu-central-1_20260310T1300{{:02d}}Z.json.gz"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON object"),
        (b"\x00\xff garbage", "no JSON object"),
        (packed(b"[" * 1_000_000), "no JSON object"),
        (packed(b'{"digestS3Object":' * 10_000), "no JSON object"),
        (b"[1, 2]", "no JSON object"),
        (b'{"digestS3Object": {"a": 1}}', "digestS3Object is missing or no text"),
        (b'{"digestS3Object": "../../etc/passwd", "awsAccountId": "1"}', "its path is not that of a digest file"),
        (packed(bytes(1 << 30)), "longer than 67,108,864 bytes unpacked; not read further"),
        (packed(b"{}")[:-3], "gzip data ends early: the file is cut off"),
    ],
    ids=range(9),
)
def test_what_is_no_digest_file_is_named_and_costs_little(data: bytes, said: str, desk: Desk) -> None:
    item = desk.add(DIGEST_NAME.format(31), data)
    before = time.monotonic()
    check = desk.check()
    assert time.monotonic() - before < 30
    (fault,) = check.faults
    assert (check.state, fault.where) == (State.BROKEN, item)
    assert fault.what.startswith(f"no digest file: {said}")
    assert check.detail == f"no digest file or not in its place: {item}"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"digestEndTime": "2026-03-10 13:00:31"}, "digestEndTime is no time such as"),
        ({"digestEndTime": "2026-02-30T13:00:31Z"}, "digestEndTime is no time"),
        ({"digestStartTime": "2026-03-10T13:00:31Z"}, "digestStartTime does not lie before digestEndTime"),
        ({"digestSignatureAlgorithm": "none"}, "digestSignatureAlgorithm is not SHA256withRSA"),
        ({"awsAccountId": "444455556666"}, "its path is not that of a digest file of its account"),
        ({"logFiles": {"a": 1}}, "logFiles is not a list"),
        ({"logFiles": ["a"]}, "an entry of logFiles has no SHA-256"),
        ({"previousDigestSignature": "00"}, "previousDigestHashAlgorithm is not SHA-256"),
        ({"digestS3Bucket": "a" * 5000}, "digestS3Bucket is missing or no text"),
        ({"digestPublicKeyFingerprint": 31}, "digestPublicKeyFingerprint is missing or no text"),
    ],
)
def test_a_digest_file_with_a_field_that_is_not_of_its_form_is_none(
    changed: dict[str, Any], said: str, desk: Desk, key: SigningKey
) -> None:
    trail = DeliveredTrail(key).hours(1)
    trail.edit_digest(0, **changed)
    check = desk.bring(trail).check()
    (fault,) = check.faults
    assert fault.what.startswith(f"no digest file: {said}")


def test_a_bomb_under_the_name_of_a_log_file_is_stopped_at_a_stated_size(
    desk: Desk, trail: DeliveredTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbooks.evidence.cloudtrail.items.LONGEST_LOG", 1 << 22)
    trail.files[trail.logs[0]] = packed(bytes(1 << 24))
    (fault,) = desk.bring(trail).check().faults
    assert fault.where == desk.id_of(trail.logs[0])
    assert fault.what.endswith(", longer than 4,194,304 bytes unpacked; not read further")


def test_words_of_an_attacker_reach_no_terminal_as_they_are(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key)
    trail.hour()
    trail.edit_digest(0, digestEndTime="\x1b[31m2026-03-10T13:00:31Z")
    check = desk.bring(trail).check()
    assert all(fault.what.isprintable() for fault in check.faults)
    assert check.detail.isprintable()


def test_an_event_that_speaks_of_digest_files_is_a_log_file(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key)
    entry = {"eventVersion": "1.11", "eventSource": "s", "requestParameters": {"digestS3Object": 1, "digestEndTime": 2}}
    log = trail.deliver(json.dumps({"Records": [entry]}).encode())
    trail.hour(0, logFiles=[log])
    assert desk.bring(trail).check() == Check(NAME, State.VERIFIED, verified(1, 1))


def test_a_preserved_copy_that_is_gone_is_a_fault_and_no_traceback(desk: Desk, trail: DeliveredTrail) -> None:
    desk.bring(trail)
    (item,) = [item for item in items(desk.case) if item.evidence_id == desk.id_of(trail.digests[1])]
    item.file(desk.case).unlink()
    check = desk.check()
    assert check.state is State.BROKEN
    assert check.faults[0] == Fault(item.evidence_id, "no digest file: its preserved copy is missing or no plain file")


def test_a_month_of_one_trail_is_checked_in_seconds(desk: Desk, key: SigningKey) -> None:
    trail = DeliveredTrail(key).hours(720)
    desk.bring(trail)
    before = time.monotonic()
    check = desk.check()
    assert check == Check(NAME, State.VERIFIED, verified(720, 720))
    assert time.monotonic() - before < 30


# together with the acquisition


def test_what_the_acquisition_takes_from_a_bucket_is_verified_up_to_its_newest_digest_file(
    desk: Desk, trail: DeliveredTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    from playbooks.evidence.acquire.aws import Wanted, acquire_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    aws = server.ThreadedMotoServer(port=0, verbose=False)
    aws.start()
    try:
        url = "http://{}:{}".format(*aws.get_host_and_port())
        s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        for name, data in trail.files.items():
            signed = {"signature": trail.signatures.get(name, ""), "signature-algorithm": "SHA256withRSA"}
            s3.put_object(Bucket=BUCKET, Key=name, Body=data, Metadata=signed if name in trail.digests else {})
        location = f"s3://{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/"
        acquire_aws(desk.case, Wanted(regions=("us-east-1",), logs=False, trails=(location,), endpoint_url=url))
    finally:
        aws.stop()
    assert desk.check() == Check(NAME, State.VERIFIED, verified(5, 5))
