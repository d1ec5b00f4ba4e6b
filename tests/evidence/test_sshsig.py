"""Signatures: OpenSSH takes ours, we take OpenSSH's, and a changed or hostile one is never right and never a crash."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.openssh import NEEDS_OPENSSH, accepted, made, public, signed

from playbooks.evidence.keys import load_private, load_public, new_key, public_of
from playbooks.evidence.public_keys import NAMESPACE
from playbooks.evidence.sshsig import LARGEST_SIGNATURE, Answer, NoSignature, check, parse, sign

CONTENT = b'{"case_id":"SIG-1"}\n'
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OURS = sign(CONTENT, KEY, public_of(KEY))


def written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


# both ways


@NEEDS_OPENSSH
@pytest.mark.parametrize("content", [b"", CONTENT, bytes(range(256)) * 5000], ids=["empty", "statement", "binary"])
def test_openssh_alone_takes_a_signature_made_here(content: bytes, tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    key = load_private(tmp_path / "k")
    file = written(tmp_path / "file", content)
    signature = written(tmp_path / "file.sig", sign(content, key, public_of(key)).encode())
    assert accepted(signature, file, tmp_path / "k.pub")
    assert not accepted(signature, file, tmp_path / "k.pub", namespace="git")
    assert not accepted(signature, written(tmp_path / "file", content + b"x"), tmp_path / "k.pub")


@NEEDS_OPENSSH
def test_the_same_key_signs_the_same_file_to_the_byte_as_openssh_does(tmp_path: Path) -> None:
    """Ed25519 has no chance in it, so that two right programs cannot differ."""
    file = made(tmp_path / "k", "ed25519")
    key = load_private(file)
    theirs = signed(file, written(tmp_path / "file", CONTENT)).read_text()
    assert sign(CONTENT, key, public_of(key)) == theirs


@NEEDS_OPENSSH
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_a_signature_of_openssh_is_right_over_its_file_and_wrong_over_another(
    kind: str, hash_name: str, tmp_path: Path
) -> None:
    private = made(tmp_path / "k", kind)
    file = written(tmp_path / "file", CONTENT)
    found = parse(signed(private, file, "playbooks", "-O", f"hashalg={hash_name}").read_bytes())
    assert found.public.fingerprint == load_public(public(private)).fingerprint
    assert found.hash_name == hash_name
    assert check(CONTENT, found) == Answer(True)
    assert check(CONTENT + b"\n", found).right is False


@NEEDS_OPENSSH
def test_a_signature_by_another_type_of_key_is_not_checked_where_openssh_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = parse(signed(made(tmp_path / "k", "ecdsa"), written(tmp_path / "file", CONTENT)).read_bytes())
    monkeypatch.setenv("PATH", str(tmp_path))
    why = "a signature by a key of type ECDSA is checked by ssh-keygen; install OpenSSH"
    assert check(CONTENT, found) == Answer(None, why)


@NEEDS_OPENSSH
def test_a_key_that_openssh_cannot_read_is_wrong_and_its_word_is_kept() -> None:
    blob = string(b"ssh-rsa") + string(b"\x01") + string(b"\x02")
    signature = armour(MAGIC + strings(blob, b"playbooks", b"", b"sha512", string(b"rsa-sha2-512") + string(b"x")))
    answer = check(CONTENT, parse(signature))
    assert answer.right is False
    assert answer.why


# changed, cut, hostile

MAGIC = b"SSHSIG\x00\x00\x00\x01"
BLOB = public_of(KEY).blob


def string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def strings(*parts: bytes) -> bytes:
    return b"".join(map(string, parts))


def armour(blob: bytes) -> bytes:
    return b"-----BEGIN SSH SIGNATURE-----\n" + base64.b64encode(blob) + b"\n-----END SSH SIGNATURE-----\n"


def dearmoured() -> bytes:
    return base64.b64decode("".join(OURS.splitlines()[1:-1]))


def test_our_signature_is_right() -> None:
    assert check(CONTENT, parse(OURS.encode())) == Answer(True)


def test_no_signature_with_one_bit_changed_is_right() -> None:
    """In the key, the namespace, the hash name, the signature or any length."""
    blob = dearmoured()
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1 << place % 8
        try:
            answer = check(CONTENT, parse(armour(bytes(changed))))
        except NoSignature:
            continue
        assert answer.right is not True, place


def test_no_signature_cut_off_anywhere_is_one() -> None:
    blob = dearmoured()
    for size in range(len(blob)):
        with pytest.raises(NoSignature):
            parse(armour(blob[:size]))


SIGNATURE = string(b"ssh-ed25519") + string(bytes(64))
HOSTILE = {
    "empty": (b"", "not between BEGIN and END"),
    "bytes": (bytes(range(256)), "not between BEGIN and END"),
    "only the lines": (b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", "no SSHSIG signature"),
    "one line for both": (b"-----BEGIN SSH SIGNATURE-----", "not between BEGIN and END"),
    "no base64": (b"-----BEGIN SSH SIGNATURE-----\n****\n-----END SSH SIGNATURE-----\n", "not base64"),
    "PGP": (b"-----BEGIN PGP SIGNATURE-----\nAAAA\n-----END PGP SIGNATURE-----\n", "not between BEGIN and END"),
    "larger than any": (b"A" * (LARGEST_SIGNATURE + 1), "larger than 64 KiB"),
    "version 2": (armour(b"SSHSIG\x00\x00\x00\x02" + dearmoured()[10:]), "no SSHSIG signature of version 1"),
    "other namespace": (armour(MAGIC + strings(BLOB, b"git", b"", b"sha512", SIGNATURE)), "made for namespace 'git'"),
    "odd namespace": (armour(MAGIC + strings(BLOB, b"\x1b[2J", b"", b"sha512", SIGNATURE)), r"namespace '\\x1b[2J'"),
    "reserved": (armour(MAGIC + strings(BLOB, b"playbooks", b"x", b"sha512", SIGNATURE)), "does not know"),
    "md5": (armour(MAGIC + strings(BLOB, b"playbooks", b"", b"md5", SIGNATURE)), "does not know"),
    "hash of bytes": (armour(MAGIC + strings(BLOB, b"playbooks", b"", b"\xff", SIGNATURE)), "does not know"),
    "no key": (armour(MAGIC + strings(b"", b"playbooks", b"", b"sha512", SIGNATURE)), "cut off"),
    "DSA": (armour(MAGIC + strings(string(b"ssh-dss"), b"playbooks", b"", b"sha512", SIGNATURE)), "type 'ssh-dss'"),
    "short key": (armour(MAGIC + strings(BLOB[:-1], b"playbooks", b"", b"sha512", SIGNATURE)), "is no such key"),
    "key and more": (armour(MAGIC + strings(BLOB + b"x", b"playbooks", b"", b"sha512", SIGNATURE)), "is no such key"),
    "more behind": (armour(dearmoured() + b"x"), "more bytes than a signature has"),
    "length of 4 GB": (armour(MAGIC + b"\xff\xff\xff\xff" + BLOB), "cut off"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_signature_is_named(kind: str) -> None:
    content, expected = HOSTILE[kind]
    with pytest.raises(NoSignature) as error:
        parse(content)
    assert expected in str(error.value)
    assert str(error.value).isprintable()


WRONG = {
    "zeros": SIGNATURE,
    "short": string(b"ssh-ed25519") + string(bytes(63)),
    "long": string(b"ssh-ed25519") + string(bytes(65)),
    "nothing": b"",
    "more behind": SIGNATURE + b"x",
    "right, but called RSA": string(b"ssh-rsa") + dearmoured()[-68:],
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_signature_that_is_none_by_the_key_is_wrong(kind: str) -> None:
    found = parse(armour(MAGIC + strings(BLOB, NAMESPACE.encode(), b"", b"sha512", WRONG[kind])))
    assert check(CONTENT, found) == Answer(False)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_whatever_bytes_lie_there_the_answer_is_no_and_never_a_crash(noise: bytes, magic: bool) -> None:
    for candidate in (noise, armour(MAGIC * magic + noise)):
        try:
            assert check(CONTENT, parse(candidate)).right is not True
        except NoSignature as error:
            assert str(error)
