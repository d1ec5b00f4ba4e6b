"""Public keys as OpenSSH writes them: read from a file and named by their fingerprint.

A file may hold one key (`.pub`, or PEM) or a list of allowed signers. Every type that `ssh-keygen -Y verify`
takes can be named, because operators sign with the keys and tokens they have.
Format: RFC 4253 section 6.6 and RFC 8709; for the list ssh-keygen(1), ALLOWED SIGNERS.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from playbooks.errors import UsageError
from playbooks.evidence.preserve import printable

NAMESPACE = "playbooks"
ED25519 = "ssh-ed25519"
ED25519_BYTES = 32
KINDS = {
    ED25519: "ED25519",
    "ssh-rsa": "RSA",
    "ecdsa-sha2-nistp256": "ECDSA",
    "ecdsa-sha2-nistp384": "ECDSA",
    "ecdsa-sha2-nistp521": "ECDSA",
    "sk-ssh-ed25519@openssh.com": "ED25519-SK",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ECDSA-SK",
}
KIND = re.compile(r"(sk-)?(ssh|ecdsa-sha2)-[a-z0-9-]+(@openssh\.com)?")
NAMESPACES = re.compile(r'namespaces="([^"]*)"')
LARGEST_FILE = 1 << 20
AN_EXAMPLE = "Expected a line such as `ssh-ed25519 AAAA… comment`"


@dataclass(frozen=True)
class PublicKey:
    """A public key as OpenSSH writes it: its type, its bytes, and the comment that stood behind it."""

    kind: str
    blob: bytes
    comment: str = ""

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -lf` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def name(self) -> str:
        """The type in the words of `ssh-keygen -lf`."""
        return KINDS.get(self.kind, printable(self.kind))

    def line(self) -> str:
        """Type and key without the comment, as in a `.pub` file."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


def fingerprint_of(public: PublicKey) -> str:
    """The fingerprint of a key, exactly as `ssh-keygen -lf` prints it."""
    return public.fingerprint


def load_public(path: Path) -> PublicKey:
    """The one public key in a file.

    Raises
    ------
    UsageError
        As `load_publics`, or the file holds several keys.
    """
    keys = load_publics(path)
    if len(keys) > 1:
        raise UsageError(f"{printable(path)} holds {len(keys)} public keys. Expected one: the key that signs.")
    return keys[0]


def load_publics(path: Path) -> list[PublicKey]:
    """The public keys in a file: a `.pub` file, a list of allowed signers, or PEM (SubjectPublicKeyInfo).

    Raises
    ------
    UsageError
        It holds a private key, a key of a type that is not accepted, an option that only `ssh-keygen`
        honours, or no key at all.
    """
    content, where = key_file(path), printable(path)
    start = content.lstrip()[:64]
    if b"PRIVATE KEY-----" in content:
        raise UsageError(f"{where} is a private key. Give the public one: the file that ends in .pub.")
    if start.startswith(b"---- BEGIN SSH2 PUBLIC KEY"):
        raise UsageError(f"{where} has the format of RFC 4716. Turn it into a line with: ssh-keygen -i -f FILE")
    if start.startswith(b"-----BEGIN "):
        return [_from_pem(content, where)]
    lines = enumerate(content.decode("utf-8", "replace").splitlines(), start=1)
    found = [_from_list(line, f"{where}, line {number}") for number, line in lines if _says_something(line)]
    keys = [key for key in found if key is not None]
    if not keys:
        raise UsageError(f"{where} holds no public key for the namespace {NAMESPACE!r}. {AN_EXAMPLE}.")
    return keys


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _from_list(line: str, where: str) -> PublicKey | None:
    """The key of a line; None where its owner allows it for other namespaces only."""
    parts = line.split()
    place = next((n for n, part in enumerate(parts[:8]) if KIND.fullmatch(part)), None)
    if place is None:
        raise UsageError(f"{where}: no public key. {AN_EXAMPLE}, a list of allowed signers, or PEM.")
    allowed = True
    for option in parts[1:place]:
        namespaces = NAMESPACES.fullmatch(option)
        if not namespaces:
            raise UsageError(
                f"{where}: option {printable(option)[:60]!r} is not honoured here. "
                "Give the bare public key, or check with: ssh-keygen -Y verify"
            )
        allowed = any(fnmatchcase(NAMESPACE, pattern) for pattern in namespaces[1].split(","))
    comment = " ".join(parts[place + 2 :] or parts[: min(place, 1)])
    key = key_of([*parts[place : place + 2], comment], where)
    return key if allowed else None


def key_of(parts: list[str], where: str) -> PublicKey:
    """The key in the parts of a line: type, key in base64, comment (may be missing).

    Raises
    ------
    UsageError
        They hold none, or one that is not accepted; `where` names the place.
    """
    kind, encoded, comment = [*parts, "", ""][:3]
    if kind not in KINDS:
        others = ", ".join(sorted(set(KINDS.values()) - {"ED25519"}))
        raise UsageError(
            f"{where}: a key of type {printable(kind)[:60]!r}. "
            f"Expected Ed25519, or one that ssh-keygen checks: {others}."
        )
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise UsageError(f"{where}: what stands behind {kind} is not base64. Copy the whole line again.") from error
    start = len(kind).to_bytes(4, "big") + kind.encode()
    if kind == ED25519:
        start += ED25519_BYTES.to_bytes(4, "big")
    if not blob.startswith(start) or (kind == ED25519 and len(blob) != len(start) + ED25519_BYTES):
        raise UsageError(f"{where}: what stands behind {kind} is no such key. Copy the whole line again.")
    return PublicKey(kind, blob, printable(comment))


def _from_pem(content: bytes, where: str) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_public_key(content)
        line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{where} is PEM, but holds no public key that signs. "
            "Expected `-----BEGIN PUBLIC KEY-----` with an Ed25519 key."
        ) from error
    return key_of(line.decode().split(" "), where)


def first_line(error: Exception) -> str:
    """What a library says of a fault, short and without anything that moves a cursor."""
    return printable(str(error).partition("\n")[0][:120]) or type(error).__name__


def key_file(path: Path) -> bytes:
    """The content of a file that is small enough to be a key.

    Raises
    ------
    UsageError
        There is none, it cannot be read, or it is far too large.
    """
    where = printable(path)
    try:
        if not path.is_file():
            raise UsageError(f"{where}: no such file. Expected a key. Make one with: playbooks keys new FILE")
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{where} cannot be read: {error.strerror}. Expected a key.") from error
    if len(content) > LARGEST_FILE:
        raise UsageError(f"{where} is larger than {LARGEST_FILE >> 20} MiB: no key. Give the file of a key.")
    return content
