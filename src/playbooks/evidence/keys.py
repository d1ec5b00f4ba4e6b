"""Keys that sign a case: made and opened in OpenSSH's own format, so that no tool of ours is needed to use them.

This kit signs with Ed25519 (RFC 8032) and nothing else; other keys sign by `ssh-keygen -Y sign`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks.errors import UsageError
from playbooks.evidence.preserve import printable
from playbooks.evidence.public_keys import (
    KIND,
    PublicKey,
    fingerprint_of,
    first_line,
    key_file,
    key_of,
    load_public,
    load_publics,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OWN_ROUTE = "sign with ssh-keygen: playbooks sign CASE --statement-only --public-key FILE.pub"


class KeyIsProtected(UsageError):
    """A private key needs a passphrase, and none was given or it does not fit."""


def new_key(path: Path, comment: str = "", passphrase: bytes | None = None) -> PublicKey:
    """Make an Ed25519 key pair in OpenSSH's format.

    Parameters
    ----------
    path
        File of the private key, readable by its owner only; `path.pub` is the public one. Nothing may be
        there yet.
    comment
        Whose key it is; stands in the public file.
    passphrase
        Protects the private key; without one whoever has the file can sign.

    Returns
    -------
    PublicKey
        The public half.

    Raises
    ------
    UsageError
        A file exists, cannot be written, the comment has several lines, or this installation cannot protect
        keys by a passphrase.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not comment.isprintable():
        raise UsageError(f"--comment {printable(comment)!r}: expected one line of text.")
    made = Ed25519PrivateKey.generate()
    private = _private_bytes(made, passphrase)
    public = public_of(made, comment)
    beside = path.with_name(path.name + ".pub")
    for file in (path, beside):
        if os.path.lexists(file):
            raise UsageError(f"{printable(file)} exists already; a key is never overwritten. Name another file.")
    _write_new(path, private, 0o600)
    _write_new(beside, f"{public.line()} {comment}".rstrip().encode() + b"\n", 0o644)
    return public


def _private_bytes(key: Ed25519PrivateKey, passphrase: bytes | None) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    protection = form.BestAvailableEncryption(passphrase) if passphrase else form.NoEncryption()
    try:
        return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, protection)
    except UnsupportedAlgorithm as error:
        raise UsageError(
            f"a passphrase cannot be set here ({first_line(error)}). Install the Python package bcrypt, or make the "
            "key with a program that asks for one: ssh-keygen -t ed25519 -f FILE"
        ) from error


def _write_new(file: Path, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise UsageError(f"{printable(file)} cannot be written: {error.strerror}. Name another file.") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def public_of(key: Ed25519PrivateKey, comment: str = "") -> PublicKey:
    """The public half of a private key."""
    from cryptography.hazmat.primitives import serialization as form

    line = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    return key_of([*line.decode().split(" "), comment], "public key")


def load_private(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """The Ed25519 private key in a file: OpenSSH's format or PEM.

    Raises
    ------
    KeyIsProtected
        It needs a passphrase, and none was given or it does not fit.
    UsageError
        It is a public key, of another type, or no key at all.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    content, where = key_file(path), printable(path)
    if _is_public(content):
        raise UsageError(f"{where} is a public key. Give the private one to sign: the file without .pub.")
    key = _opened(content, passphrase, where)
    if not isinstance(key, Ed25519PrivateKey):
        kind = {"EC": "ECDSA"}.get(name := type(key).__name__.removesuffix("PrivateKey"), name)
        raise UsageError(
            f"{where} is a private key of type {kind}; this kit signs with Ed25519 only. "
            f"Make one with: playbooks keys new FILE; or {OWN_ROUTE}"
        )
    return key


def _is_public(content: bytes) -> bool:
    start = content.lstrip()[:64]
    return b"PUBLIC KEY-----" in start or KIND.match(start.decode("ascii", "replace")) is not None


def _opened(content: bytes, passphrase: bytes | None, where: str) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    openssh = content.lstrip().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    read = form.load_ssh_private_key if openssh else form.load_pem_private_key
    try:
        return read(content, passphrase)
    except TypeError as error:  # the library's word for a passphrase that is missing, or one too many
        if passphrase is not None:
            return _opened(content, None, where)
        raise KeyIsProtected(f"{where} is protected by a passphrase, and none was given. {_ask()}") from error
    except UnsupportedAlgorithm as error:
        missing = "Install the Python package bcrypt, or " if "bcrypt" in str(error) else "Use an Ed25519 key, or "
        raise UsageError(f"{where} cannot be opened here ({first_line(error)}). {missing}{OWN_ROUTE}") from error
    except ValueError as error:
        if passphrase is not None:
            raise KeyIsProtected(f"{where} does not open with this passphrase. {_ask()}") from error
        raise UsageError(
            f"{where} is no private key that can be read. "
            "Expected the file that `playbooks keys new` or `ssh-keygen -t ed25519` made."
        ) from error


def _ask() -> str:
    return "Run it on a terminal, where it is asked for."


__all__ = [
    "KeyIsProtected",
    "PublicKey",
    "fingerprint_of",
    "load_private",
    "load_public",
    "load_publics",
    "new_key",
    "public_of",
]
