"""Keys: OpenSSH reads ours, we read OpenSSH's, and what is no usable key is named with the way out."""

from __future__ import annotations

import importlib.util
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from tests.evidence.openssh import NEEDS_OPENSSH, keygen, made, public

from playbooks.errors import UsageError
from playbooks.evidence.keys import (
    KeyIsProtected,
    fingerprint_of,
    load_private,
    load_public,
    load_publics,
    new_key,
    public_of,
)
from playbooks.evidence.public_keys import LARGEST_FILE

WITH_BCRYPT = pytest.mark.skipif(
    importlib.util.find_spec("bcrypt") is None, reason="the package bcrypt, which opens protected keys, is missing"
)
PEM, OPENSSH = form.Encoding.PEM, form.Encoding.OpenSSH
PKCS8, BARE = form.PrivateFormat.PKCS8, form.NoEncryption()


def said(load: object, *arguments: object) -> str:
    assert callable(load)
    with pytest.raises(UsageError) as error:
        load(*arguments)
    return str(error.value)


def written(file: Path, content: bytes | str) -> Path:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# made


@NEEDS_OPENSSH
def test_openssh_reads_a_key_made_here_and_gives_it_the_same_fingerprint(tmp_path: Path) -> None:
    key = new_key(tmp_path / "k", "Ana Lyst, CERT")
    shown = keygen("-lf", tmp_path / "k.pub").stdout.decode()
    assert shown == f"256 {fingerprint_of(key)} Ana Lyst, CERT (ED25519)\n"
    assert keygen("-y", "-f", tmp_path / "k").stdout.decode().startswith(key.line())


def test_a_private_key_is_readable_by_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        new_key(tmp_path / "k")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("k", "k.pub")] == [0o600, 0o644]


def test_a_key_made_here_is_opened_here_and_both_halves_agree(tmp_path: Path) -> None:
    key = new_key(tmp_path / "k", "me")
    assert public_of(load_private(tmp_path / "k"), "me") == load_public(tmp_path / "k.pub") == key
    assert key.comment == "me"


@pytest.mark.parametrize("name", ["k", "k.pub"])
def test_neither_half_of_a_key_is_ever_overwritten(name: str, tmp_path: Path) -> None:
    written(tmp_path / name, "mine\n")
    assert said(new_key, tmp_path / "k") == (
        f"{tmp_path / name} exists already; a key is never overwritten. Name another file."
    )
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "mine\n")]


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "k").symlink_to(tmp_path / "elsewhere")
    assert "exists already" in said(new_key, tmp_path / "k")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert said(new_key, tmp_path / "no" / "k") == (
        f"{tmp_path / 'no' / 'k'} cannot be written: No such file or directory. Name another file."
    )


def test_a_comment_cannot_smuggle_in_a_second_line(tmp_path: Path) -> None:
    assert said(new_key, tmp_path / "k", "a\nssh-ed25519 AAAA") == (
        r"--comment 'a\\nssh-ed25519 AAAA': expected one line of text."
    )
    assert list(tmp_path.iterdir()) == []


# protected by a passphrase


@WITH_BCRYPT
@NEEDS_OPENSSH
def test_openssh_opens_a_key_protected_here_with_its_passphrase_only(tmp_path: Path) -> None:
    key = new_key(tmp_path / "k", passphrase=b"correct horse")
    assert keygen("-y", "-P", "correct horse", "-f", tmp_path / "k").stdout.decode().startswith(key.line())
    assert keygen("-y", "-P", "battery", "-f", tmp_path / "k").returncode == 255


@WITH_BCRYPT
@NEEDS_OPENSSH
def test_a_key_protected_by_openssh_is_opened_with_its_passphrase_only(tmp_path: Path) -> None:
    file = made(tmp_path / "k", "ed25519", passphrase="correct horse")
    assert public_of(load_private(file, b"correct horse")).blob == load_public(public(file)).blob
    with pytest.raises(KeyIsProtected, match="does not open with this passphrase"):
        load_private(file, b"battery")


@NEEDS_OPENSSH
def test_a_protected_key_without_its_passphrase_says_so(tmp_path: Path) -> None:
    file = made(tmp_path / "k", "ed25519", passphrase="correct horse")
    with pytest.raises(KeyIsProtected) as error:
        load_private(file)
    assert str(error.value) == (
        f"{file} is protected by a passphrase, and none was given. Run it on a terminal, where it is asked for."
    )


def test_a_passphrase_for_a_key_that_needs_none_does_no_harm(tmp_path: Path) -> None:
    key = new_key(tmp_path / "k")
    assert public_of(load_private(tmp_path / "k", b"not needed")) == key


@pytest.mark.skipif(importlib.util.find_spec("bcrypt") is not None, reason="bcrypt is installed here")
@NEEDS_OPENSSH
def test_without_bcrypt_a_protected_key_names_both_ways_out(tmp_path: Path) -> None:
    file = made(tmp_path / "k", "ed25519", passphrase="correct horse")
    assert said(load_private, file, b"correct horse") == (
        f"{file} cannot be opened here (Need bcrypt module). Install the Python package bcrypt, or sign with "
        "ssh-keygen: playbooks sign CASE --statement-only --public-key FILE.pub"
    )
    assert said(new_key, tmp_path / "new", "", b"x").startswith("a passphrase cannot be set here (Need bcrypt module).")
    assert not (tmp_path / "new").exists()


# the wrong key


WRONG_PRIVATE = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "ECDSA": lambda: ec.generate_private_key(ec.SECP256R1()),
    "DSA": lambda: dsa.generate_private_key(2048),
    "X25519": x25519.X25519PrivateKey.generate,
}


@pytest.mark.parametrize("kind", WRONG_PRIVATE)
def test_a_private_key_of_another_type_is_named_with_two_ways_out(kind: str, tmp_path: Path) -> None:
    file = written(tmp_path / "k", WRONG_PRIVATE[kind]().private_bytes(PEM, PKCS8, BARE))
    assert said(load_private, file) == (
        f"{file} is a private key of type {kind}; this kit signs with Ed25519 only. Make one with: playbooks keys new "
        "FILE; or sign with ssh-keygen: playbooks sign CASE --statement-only --public-key FILE.pub"
    )


@NEEDS_OPENSSH
@pytest.mark.parametrize(("kind", "name"), [("rsa", "RSA"), ("ecdsa", "ECDSA")])
def test_a_private_key_of_openssh_of_another_type_is_named(kind: str, name: str, tmp_path: Path) -> None:
    assert f"is a private key of type {name}; this kit" in said(load_private, made(tmp_path / "k", kind))


def test_the_halves_of_a_key_are_not_taken_for_each_other(tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    assert said(load_private, tmp_path / "k.pub") == (
        f"{tmp_path / 'k.pub'} is a public key. Give the private one to sign: the file without .pub."
    )
    assert said(load_public, tmp_path / "k") == (
        f"{tmp_path / 'k'} is a private key. Give the public one: the file that ends in .pub."
    )
    pem = load_private(tmp_path / "k").public_key().public_bytes(PEM, form.PublicFormat.SubjectPublicKeyInfo)
    assert "is a public key" in said(load_private, written(tmp_path / "pem", pem))


GARBAGE = {
    "empty": b"",
    "bytes": bytes(range(256)) * 4,
    "text": b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    "pem": b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
    "huge": b"A" * (LARGEST_FILE + 1),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_no_key(kind: str, tmp_path: Path) -> None:
    file = written(tmp_path / "k", GARBAGE[kind])
    expected = "is larger than 1 MiB" if kind == "huge" else "is no private key that can be read"
    assert expected in said(load_private, file)


def test_a_private_key_cut_off_at_any_byte_is_no_key_and_no_bug(tmp_path: Path) -> None:
    new_key(tmp_path / "k")
    whole = (tmp_path / "k").read_bytes()
    for size in range(0, len(whole.rstrip()) - 1, 3):
        said(load_private, written(tmp_path / "cut", whole[:size]))


def test_a_folder_or_nothing_is_no_key(tmp_path: Path) -> None:
    for load in (load_private, load_publics):
        assert "no such file" in said(load, tmp_path)
        assert "no such file" in said(load, tmp_path / "none")


# public keys


@NEEDS_OPENSSH
@pytest.mark.parametrize(("kind", "bits"), [("ed25519", 256), ("rsa", 2048), ("ecdsa", 521)])
def test_every_type_is_read_from_its_line_and_named_as_openssh_names_it(kind: str, bits: int, tmp_path: Path) -> None:
    file = public(made(tmp_path / "k", kind, "-b", bits))
    key = load_public(file)
    shown = keygen("-lf", file).stdout.decode()
    assert shown == f"{bits} {key.fingerprint} {kind} key ({key.name})\n"


def test_pem_gives_the_same_key_as_the_line(tmp_path: Path) -> None:
    key = new_key(tmp_path / "k")
    pem = load_private(tmp_path / "k").public_key().public_bytes(PEM, form.PublicFormat.SubjectPublicKeyInfo)
    assert load_public(written(tmp_path / "pem", pem)) == key


WRONG_PEM = {
    "DSA": lambda: dsa.generate_private_key(2048).public_key(),
    "X25519": lambda: x25519.X25519PrivateKey.generate().public_key(),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()).public_key(),
}


@pytest.mark.filterwarnings("ignore:SSH DSA key support")
@pytest.mark.parametrize("kind", WRONG_PEM)
def test_a_pem_key_that_cannot_sign_here_is_refused(kind: str, tmp_path: Path) -> None:
    pem = WRONG_PEM[kind]().public_bytes(PEM, form.PublicFormat.SubjectPublicKeyInfo)
    answer = said(load_public, written(tmp_path / "pem", pem))
    assert "holds no public key that signs" in answer or "a key of type 'ssh-dss'" in answer


def line(number: int = 0) -> str:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return key.public_key().public_bytes(OPENSSH, form.PublicFormat.OpenSSH).decode()


LISTS = {
    "a line": (f"{line()} me and you\n", ["me and you"]),
    "no line end": (f"{line()} me", ["me"]),
    "CRLF": (f"{line()} me\r\n", ["me"]),
    "no comment": (f"{line()}\n", [""]),
    "signers": (
        f"# ours\n\nana@example.com {line(1)}\nbo@example.com {line(2)} laptop\n",
        ["ana@example.com", "laptop"],
    ),
    "namespaces": (f'ana namespaces="git,play*" {line(1)}\nbo namespaces="git" {line(2)}\n', ["ana"]),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lines_and_lists_of_signers_are_read(kind: str, tmp_path: Path) -> None:
    content, comments = LISTS[kind]
    assert [key.comment for key in load_publics(written(tmp_path / "keys", content))] == comments


REFUSED_LINES = {
    "DSA": ("ssh-dss AAAAB3NzaC1kc3M= old\n", "line 1: a key of type 'ssh-dss'. Expected Ed25519, or one that"),
    "certificate": ("ssh-ed25519-cert-v01@openssh.com AAAA\n", "a key of type 'ssh-ed25519-cert-v01@openssh.com'"),
    "authority": (f"* cert-authority {line()}\n", "option 'cert-authority' is not honoured here"),
    "dates": (f'ana valid-before="20200101" {line()}\n', "is not honoured here. Give the bare public key"),
    "cut off": (f"{line()[:-8]}\n", "what stands behind ssh-ed25519 is no such key"),
    "longer": (f"{line()}AAAA\n", "what stands behind ssh-ed25519 is no such key"),
    "other type": (f"ssh-rsa {line().split()[1]}\n", "what stands behind ssh-rsa is no such key"),
    "no base64": ("ssh-ed25519 AAAA****\n", "what stands behind ssh-ed25519 is not base64"),
    "no key behind it": ("ssh-ed25519\n", "what stands behind ssh-ed25519 is no such key"),
    "words": ("hello\n", "line 1: no public key. Expected a line such as `ssh-ed25519"),
    "for others only": (f'ana namespaces="git" {line()}\n', "holds no public key for the namespace 'playbooks'"),
    "nothing": ("# nobody\n", "holds no public key for the namespace 'playbooks'"),
    "RFC 4716": ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "Turn it into a line with: ssh-keygen -i -f FILE"),
    "escape": ("\x1b]0;owned\x07 ssh-\n", "line 1: no public key"),
    "PEM": ("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", "holds no public key that signs"),
    "bytes": ("\x00\x01\x02", "line 1: no public key"),
}


@pytest.mark.parametrize("kind", REFUSED_LINES)
def test_what_is_no_public_key_is_named_with_its_place(kind: str, tmp_path: Path) -> None:
    content, expected = REFUSED_LINES[kind]
    answer = said(load_publics, written(tmp_path / "keys", content))
    assert answer.startswith(str(tmp_path / "keys"))
    assert expected in answer
    assert answer.isprintable()


def test_a_list_is_no_single_key(tmp_path: Path) -> None:
    file = written(tmp_path / "keys", f"{line(1)}\n{line(2)}\n")
    assert said(load_public, file) == f"{file} holds 2 public keys. Expected one: the key that signs."
