"""Public keys that check CloudTrail's digest files: the answer of `aws cloudtrail list-public-keys`, or PEM.

CloudTrail names a key by the MD5 of its DER form; a key that stands under a name not its own is not used.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.errors import UsageError
from playbooks.evidence.cloudtrail.items import (
    LONGEST_RECORD,
    PEM,
    Damage,
    answers,
    content,
    json_in,
)
from playbooks.evidence.preserve import Item, printable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

# CloudTrail may sign with the next key shortly before the time from which it is listed as valid;
# the AWS command line asks for keys of two more hours for the same reason.
ROTATION = dt.timedelta(hours=2)
KEYS_MARK = re.compile(rb'"ListPublicKeys".*PublicKeyList')


@dataclass(frozen=True)
class Key:
    """One RSA public key: its name at CloudTrail, where it comes from, and when it was in use (None: not stated)."""

    fingerprint: str
    source: str
    rsa: RSAPublicKey
    start: dt.datetime | None = None
    end: dt.datetime | None = None

    def signed(self, text: bytes, signature: str) -> bool:
        """Whether `signature` (hex) is this key's over `text`: RSA PKCS#1 v1.5 with SHA-256."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            self.rsa.verify(bytes.fromhex(signature), text, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True

    def in_use(self, end: dt.datetime) -> bool:
        """Whether the key was in use when a digest file that ends at `end` was signed."""
        begun = self.start is None or self.start <= end + ROTATION
        return begun and (self.end is None or end <= self.end + ROTATION)


@dataclass
class Keyring:
    """The usable keys by fingerprint, and in words every key that cannot be used."""

    keys: dict[str, Key] = field(default_factory=dict)
    unusable: list[str] = field(default_factory=list)
    from_evidence: bool = False

    def add(self, data: bytes, source: str) -> int:
        """Take the keys in a file; gives how many of them can be used."""
        before = len(self.keys)
        for candidate in _in_pem(data, source) if PEM.search(data) else _in_list(data, source):
            if isinstance(candidate, str):
                self.unusable.append(candidate)
            else:
                self.keys.setdefault(candidate.fingerprint, candidate)
        return len(self.keys) - before


def keyring(case: Case, given: list[Path], in_evidence: list[Item], acquired: list[Item]) -> Keyring:
    """The keys to check with: those given by the operator; where none are given, those among the evidence.

    Keys among the evidence say less: who could write a log file there could write a key beside it.

    Raises
    ------
    UsageError
        A given file cannot be read or holds no usable key.
    """
    ring = Keyring(from_evidence=not given)
    for path in given:
        if not ring.add(_given(path), printable(path.name)):
            why = "; ".join(ring.unusable) or "no key found in it"
            raise UsageError(
                f"{printable(path)}: {why}. Expected what `aws cloudtrail list-public-keys` prints (JSON), or an "
                "RSA public key in PEM. Fetch it for the region of the trail and the days in question, and run again."
            )
    for item in [] if given else in_evidence:
        data = content(case, item, LONGEST_RECORD)
        if isinstance(data, Damage):
            ring.unusable.append(f"{item.evidence_id}: {data.reason}")
        else:
            ring.add(data, item.evidence_id)
    for where, answer in [] if given else answers(case, acquired, KEYS_MARK):
        body = answer.get("body") if isinstance(answer, dict) else None
        if isinstance(body, str):
            ring.add(body.encode(), where)
    return ring


def _given(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST_RECORD)
    except OSError as error:
        raise UsageError(
            f"{printable(path)}: cannot be read: {error.strerror}. Expected a file of CloudTrail public keys."
        ) from error


def _in_list(data: bytes, source: str) -> Iterator[Key | str]:
    """Keys of `list-public-keys`; a text says why one of them cannot be used."""
    listed = json_in(data)
    if isinstance(listed, dict):
        listed = next((value for name, value in listed.items() if name.lower() == "publickeylist"), None)
    if not isinstance(listed, list):
        yield f"{source}: no PublicKeyList"
        return
    for entry in listed:
        stated = str(entry.get("Fingerprint"))[:64] if isinstance(entry, dict) else "none"
        try:
            yield _listed_key(entry, source)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            yield f"{source}: key {printable(stated)} cannot be used: {printable(str(error))[:120]}"


def _listed_key(entry: Mapping[str, Any], source: str) -> Key:
    der = base64.b64decode(entry["Value"], validate=True)
    fingerprint = str(entry["Fingerprint"]).lower()
    if _md5(der) != fingerprint:
        raise ValueError("its fingerprint is that of another key")
    start, end = (_moment(entry.get(f"Validity{name}Time")) for name in ("Start", "End"))
    return Key(fingerprint, source, _rsa(der), start, end)


def _in_pem(data: bytes, source: str) -> Iterator[Key | str]:
    """Keys of a PEM file, under both names that CloudTrail may give them; their times of use are not stated."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    bodies = re.findall(rb"-----BEGIN (?:RSA )?PUBLIC KEY-----([^-]*)-----END", data)
    for number, body in enumerate(bodies, start=1):
        try:
            rsa = _rsa(binascii.a2b_base64(body))
        except ValueError as error:
            yield f"{source}: key {number} cannot be used: {printable(str(error))[:120]}"
            continue
        for form in (PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo):
            yield Key(_md5(rsa.public_bytes(Encoding.DER, form)), source, rsa)


def _rsa(der: bytes) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(der)
    except UnsupportedAlgorithm as error:
        raise ValueError("a key of an unknown type") from error
    if not isinstance(key, RSAPublicKey):
        raise ValueError(f"expected an RSA key, found {type(key).__name__.removesuffix('PublicKey')}")
    return key


def _md5(der: bytes) -> str:
    return hashlib.md5(der, usedforsecurity=False).hexdigest()  # a name, not a proof: the signature is the proof


def _moment(stated: object) -> dt.datetime | None:
    """A time of `list-public-keys`: epoch seconds (as number or text), or ISO 8601 with zone."""
    if stated is None:
        return None
    text = str(stated)
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
        return dt.datetime.fromtimestamp(float(text), dt.UTC)
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("its time of use has no zone")
    return moment
