"""Time stamp tokens (RFC 3161): taken apart, held against what they are said to be over, and verified.

The certificates in a token stand outside of what is signed. DER wants them sorted, many authorities send them in
the order of the chain, and the library reads sorted ones only: so they are sorted before it looks at them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playbooks.errors import EvidenceChanged
from playbooks.evidence.checks import State
from playbooks.evidence.inputs import printable

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

HASHES = {  # object identifiers of RFC 5754
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
STATUS = ("granted", "granted with changes", "rejection", "waiting", "revocation warning", "revocation")
ANSWERS = (  # what the library says → what it means for the token
    ("unable to get local issuer", State.NOT_CHECKED, "no root that was given leads to the authority that issued it"),
    ("self-signed certificate", State.NOT_CHECKED, "no root that was given leads to the authority that issued it"),
    ("has expired", State.BROKEN, "a certificate of the authority had expired at the time it states"),
    ("not yet valid", State.BROKEN, "a certificate of the authority was not yet valid at the time it states"),
    ("EKU", State.BROKEN, "its certificate is not one for time stamps"),
    ("unsuitable certificate purpose", State.BROKEN, "its certificate is not one for time stamps"),
    ("PKIStatus", State.NOT_CHECKED, "granted with changes; look at it with: openssl ts -reply -text -in FILE"),
    ("ertificates neither found", State.NOT_CHECKED, "it holds no certificate of the authority"),
    ("signer certificate not found", State.NOT_CHECKED, "it does not hold the certificate of its signer"),
)


class NoToken(EvidenceChanged):
    """An answer of an authority that holds no token; says what it holds instead."""


class Refused(NoToken):
    """The authority answered that it gives no token."""


@dataclass(frozen=True)
class Token:
    """A time stamp token taken apart; nothing of it is verified yet."""

    time: dt.datetime
    accuracy_s: float | None
    nonce: int | None
    hash_name: str
    digest: bytes
    signer: Certificate | None
    response: Any

    def fits(self, content: bytes) -> bool:
        """Whether it is over these bytes."""
        return hashlib.new(self.hash_name, content).digest() == self.digest

    def words(self) -> str:
        """The time it states, and who states it; by itself no more than a claim."""
        within = f" (within {self.accuracy_s:g} s)" if self.accuracy_s else ""
        name = printable(self.signer.subject.rfc4514_string())[:120] if self.signer else "an authority it does not name"
        return f"{self.time.strftime('%Y-%m-%dT%H:%M:%SZ')}{within}, says {name}"


def read_token(raw: bytes) -> Token:
    """The token in an authority's answer.

    Raises
    ------
    Refused
        The authority refused to give one, with its reason.
    NoToken
        The answer is garbage, or is over a hash that is not accepted.
    """
    from rfc3161_client import decode_timestamp_response

    try:
        try:
            response = decode_timestamp_response(raw)
        except ValueError as error:
            if "InvalidSetOrdering" not in str(error):
                raise
            response = decode_timestamp_response(_sorted(raw))
        if response.status not in (0, 1):
            raise Refused(_refusal(response.status, response.status_string))
        return _taken_apart(response)
    except _faults() as error:
        raise NoToken(f"no answer of a time stamping authority ({_kind(error)})") from error


def _faults() -> tuple[type[Exception], ...]:
    """What the libraries raise for bytes that are no token (each met while feeding changed ones)."""
    from cryptography.x509 import InvalidVersion
    from rfc3161_client import VerificationError

    return (ValueError, TypeError, KeyError, OverflowError, InvalidVersion, VerificationError)


def _kind(error: Exception) -> str:
    return printable(str(error).removeprefix("ASN.1 parse error: ParseError "))[:80] or type(error).__name__


def _refusal(status: int, strings: list[str]) -> str:
    name = STATUS[status] if 0 <= status < len(STATUS) else "unknown"
    said = "; ".join(printable(text.encode("utf-8", "replace").decode())[:120] for text in strings[:3])
    return f"the authority gave no token: status {status} ({name}){': ' * bool(said)}{said}"


def _taken_apart(response: Any) -> Token:
    from cryptography.x509 import load_der_x509_certificate

    info = response.tst_info
    algorithm = info.message_imprint.hash_algorithm.dotted_string
    if algorithm not in HASHES:
        raise NoToken(f"over a hash that is not accepted: {algorithm}")
    certificates = [load_der_x509_certificate(certificate) for certificate in response.signed_data.certificates]
    signers = {(signer.issuer, signer.serial_number) for signer in response.signed_data.signer_infos}
    accuracy = info.accuracy
    return Token(
        time=info.gen_time.astimezone(dt.UTC),
        accuracy_s=accuracy and accuracy.seconds + (accuracy.millis or 0) / 1e3 + (accuracy.micros or 0) / 1e6,
        nonce=info.nonce,
        hash_name=HASHES[algorithm],
        digest=info.message_imprint.message,
        signer=next((one for one in certificates if (one.issuer, one.serial_number) in signers), None),
        response=response,
    )


def verify_token(token: Token, content: bytes, roots: Sequence[Certificate]) -> tuple[State, str]:
    """Whether a token was made over these bytes by an authority that a given root vouches for.

    Certificates must be valid at the time the token states, not now: that is what a token is for. Whether one was
    revoked is not looked up.
    """
    from rfc3161_client import VerifierBuilder

    if not token.fits(content):
        return State.BROKEN, "it is over other bytes than the statement"
    if not roots:
        return State.NOT_CHECKED, "give the root certificate of the authority with --tsa-root to check its signature"
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(token.response, content)
    except _faults() as error:
        said = str(error)
        found = next(((state, words) for mark, state, words in ANSWERS if mark in said), None)
        return found or (State.BROKEN, "its signature is not right")
    return State.VERIFIED, "signature and certificates are right"


Part = tuple[int, int, int]  # where an element starts, where its content starts, where both end


def _sorted(raw: bytes) -> bytes:
    """The answer with the certificates of its token in the order of DER; the same bytes where it holds none.

    TimeStampResp → ContentInfo → SignedData → the set with tag [0] (RFC 3161 section 2.4.2, RFC 5652 section 5.1).
    """
    [answer] = _parts(raw, 0, len(raw))
    _, token = _parts(raw, *answer[1:])
    _, content = _parts(raw, *token[1:])
    [signed] = _parts(raw, *content[1:])
    for start, inside, end in _parts(raw, *signed[1:]):
        if raw[start] == 0xA0:
            certificates = sorted(raw[first:last] for first, _, last in _parts(raw, inside, end))
            return raw[:inside] + b"".join(certificates) + raw[end:]
    return raw


def _parts(raw: bytes, start: int, end: int) -> Iterator[Part]:
    """The DER elements between two places."""
    while start < end:
        size = raw[start + 1] if start + 1 < end else 0x80
        inside = start + 2
        if size & 0x80:
            count = size & 0x7F
            inside += count
            size = int.from_bytes(raw[start + 2 : inside], "big")
            if not 0 < count <= 4:
                raise ValueError("length of an element that DER does not have")
        if inside + size > end:
            raise ValueError("an element longer than what holds it")
        yield start, inside, inside + size
        start = inside + size
