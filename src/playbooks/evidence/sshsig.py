"""SSHSIG: the signatures of `ssh-keygen -Y sign`, made and checked for Ed25519, so that OpenSSH alone checks ours.

What is signed is not the file but a record of namespace, hash name and hash of the file: a signature made for
another purpose cannot be passed off as one of ours. Signatures by keys of other types are checked by `ssh-keygen`
itself. Format: OpenSSH, PROTOCOL.sshsig, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks.errors import EvidenceChanged, UsageError
from playbooks.evidence.preserve import printable
from playbooks.evidence.public_keys import ED25519, NAMESPACE, PublicKey, key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAGIC = b"SSHSIG"
VERSION = 1
HASHES = ("sha256", "sha512")
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
LINE = 70
LARGEST_SIGNATURE = 1 << 16
KEYGEN_SECONDS = 30


class NoSignature(EvidenceChanged):
    """The bytes are no SSHSIG signature for this kit's namespace."""


@dataclass(frozen=True)
class Signature:
    """A signature taken apart: whose it says it is, and what to check it with. Nothing is verified yet."""

    public: PublicKey
    hash_name: str
    signature: bytes
    armoured: str

    def signed(self, content: bytes) -> bytes:
        """The bytes the signature is over, for a file's content."""
        digest = hashlib.new(self.hash_name, content).digest()
        return MAGIC + b"".join(map(_string, (NAMESPACE.encode(), b"", self.hash_name.encode(), digest)))


@dataclass(frozen=True)
class Answer:
    """Whether a signature is right: True, False, or None where it could not be checked and `why` says why."""

    right: bool | None
    why: str = ""


def sign(content: bytes, key: Ed25519PrivateKey, public: PublicKey) -> str:
    """An armoured signature over `content`; `ssh-keygen -Y verify -n playbooks` checks it."""
    unsigned = Signature(public, "sha512", b"", "")
    signature = _string(ED25519.encode()) + _string(key.sign(unsigned.signed(content)))
    return _armour(public.blob, unsigned.hash_name, signature)


def _armour(public: bytes, hash_name: str, signature: bytes) -> str:
    parts = (public, NAMESPACE.encode(), b"", hash_name.encode(), signature)
    text = base64.b64encode(MAGIC + VERSION.to_bytes(4, "big") + b"".join(map(_string, parts))).decode()
    lines = [text[start : start + LINE] for start in range(0, len(text), LINE)]
    return "\n".join([BEGIN, *lines, END]) + "\n"


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def parse(armoured: bytes) -> Signature:
    """Take a signature file apart.

    Raises
    ------
    NoSignature
        It is none, it is cut off, or it was made for another namespace.
    """
    blob = _dearmoured(armoured)
    if not blob.startswith(MAGIC + VERSION.to_bytes(4, "big")):
        raise NoSignature("no SSHSIG signature of version 1")
    public, namespace, reserved, hash_name, signature = _strings(blob[len(MAGIC) + 4 :], 5)
    if namespace != NAMESPACE.encode():
        raise NoSignature(f"made for namespace {printable(namespace.decode('utf-8', 'replace'))[:60]!r}")
    if reserved or hash_name.decode("ascii", "replace") not in HASHES:
        raise NoSignature("made with fields that this version does not know")
    kind = _strings(public, 1, more=True)[0].decode("ascii", "replace")
    try:
        key = key_of([kind, base64.b64encode(public).decode()], "signature")
    except UsageError as error:
        raise NoSignature(str(error)) from error
    name = hash_name.decode("ascii")
    return Signature(key, name, signature, _armour(public, name, signature))


def _dearmoured(armoured: bytes) -> bytes:
    if len(armoured) > LARGEST_SIGNATURE:
        raise NoSignature(f"larger than {LARGEST_SIGNATURE >> 10} KiB")
    text = armoured.decode("ascii", "replace").strip()
    if not (text.startswith(BEGIN) and text.endswith(END)):
        raise NoSignature("not between BEGIN and END SSH SIGNATURE")
    body = text[len(BEGIN) : -len(END)]
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError as error:
        raise NoSignature("not base64 between BEGIN and END") from error


def _strings(blob: bytes, count: int, more: bool = False) -> list[bytes]:
    """`count` strings, each with its length before it, and nothing behind them unless `more` is allowed."""
    found, place = [], 0
    for _ in range(count):
        start = place + 4
        place = start + int.from_bytes(blob[place:start], "big")
        if start > len(blob) or place > len(blob):
            raise NoSignature("cut off")
        found.append(blob[start:place])
    if place != len(blob) and not more:
        raise NoSignature("more bytes than a signature has")
    return found


def check(content: bytes, found: Signature) -> Answer:
    """Whether a signature is by the key it names, over `content`. Says nothing about who holds that key."""
    return _check_ed25519(content, found) if found.public.kind == ED25519 else _check_by_keygen(content, found)


def _check_ed25519(content: bytes, found: Signature) -> Answer:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(found.public.blob[-32:])
    try:
        kind, signature = _strings(found.signature, 2)
        key.verify(signature, found.signed(content))
    except (InvalidSignature, NoSignature):
        return Answer(False)
    return Answer(kind == ED25519.encode())


def _check_by_keygen(content: bytes, found: Signature) -> Answer:
    """Ask the installed OpenSSH; it is given the signature as it was read here, not the file."""
    program = shutil.which("ssh-keygen")
    if program is None:
        return Answer(
            None, f"a signature by a key of type {found.public.name} is checked by ssh-keygen; install OpenSSH"
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_text(found.armoured, encoding="ascii")
        command = [program, "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(file)]
        try:
            done = subprocess.run(command, input=content, capture_output=True, timeout=KEYGEN_SECONDS, check=False)  # noqa: S603  # found by its name, fed from here
        except (OSError, subprocess.TimeoutExpired) as error:
            return Answer(None, f"ssh-keygen gave no answer: {printable(str(error))[:120]}")
    if done.returncode == 0:
        return Answer(True)
    said = printable((done.stderr or done.stdout).decode("utf-8", "replace").strip())[:120]
    return Answer(None, f"ssh-keygen cannot check it: {said}") if _unknown(said) else Answer(False, said)


def _unknown(said: str) -> bool:
    """Whether ssh-keygen did not come as far as to judge: a key type this build does not know, an old version."""
    return any(words in said for words in ("unknown or unsupported key type", "unknown option", "unsupported"))
