"""Check time stamps: is a token over the seal's statement, by an authority that a given root vouches for?"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.errors import UsageError
from playbooks.evidence import custody
from playbooks.evidence.checks import Check, State
from playbooks.evidence.custody import Fault
from playbooks.evidence.inputs import printable
from playbooks.evidence.public_keys import key_file
from playbooks.evidence.seal_statement import (
    FOLDER,
    STAMPED,
    NoSeal,
    beside,
    numbers,
    recorded,
    small_file,
    statement_file,
)
from playbooks.evidence.timestamp_token import NoToken, Refused, Token, read_token, verify_token

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

OFF = "no seal has one; options.timestamp_url in case.yaml names an authority to ask"


def load_roots(path: Path) -> list[Certificate]:
    """The root certificates in a PEM file.

    Raises
    ------
    UsageError
        It holds none.
    """
    from cryptography.x509 import load_pem_x509_certificates

    content = key_file(path)
    try:
        return load_pem_x509_certificates(content)
    except ValueError as error:
        raise UsageError(
            f"{printable(path)} holds no certificate that can be read. Expected the root certificate of the time "
            "stamping authority in PEM: -----BEGIN CERTIFICATE-----"
        ) from error


def check_tokens(case: Case, roots: Sequence[Certificate] = ()) -> list[Check]:
    """Check the time stamp of every seal that has one, or for which one was asked; changes nothing.

    Parameters
    ----------
    case
        The case.
    roots
        Root certificates that are trusted. Without any, a token is at best *not checked*.

    Returns
    -------
    list of Check
        One for each such seal. The newest is named `time stamp`, older ones `time stamp 0001`; where there is
        none, one says so.
    """
    chain = custody.entries(case.custody)
    asked = recorded(chain, STAMPED)
    found = [(number, beside(statement_file(case, number), ".tsr")) for number in reversed(numbers(case, chain))]
    checks = [
        _check(case, number, file, asked.get(number), roots)
        for number, file in found
        if number in asked or os.path.lexists(file)
    ]
    if not checks:
        return [Check("time stamp", State.NOT_PRESENT, OFF)]
    return [replace(checks[0], name="time stamp"), *checks[1:]]


def _check(
    case: Case, number: int, file: Path, record: Mapping[str, Any] | None, roots: Sequence[Certificate]
) -> Check:
    state, words = _judged(case, number, file, record, roots)
    name = f"time stamp {number:04d}"
    where = f"{FOLDER}/{file.name}"
    return Check(name, state, f"{number:04d}: {words}", (Fault(where, words),) if state is State.BROKEN else ())


def _judged(
    case: Case, number: int, file: Path, record: Mapping[str, Any] | None, roots: Sequence[Certificate]
) -> tuple[State, str]:
    failed = record is not None and record.get("outcome") != "success"
    if failed and record and record.get("answer_sha256") is None and not os.path.lexists(file):
        return State.NOT_PRESENT, f"asked for, and none given: {_reason(record)}"
    try:
        raw = small_file(file)
    except NoSeal as error:
        return State.BROKEN, f"{error}" + ", though the chain says that an answer was kept" * (record is not None)
    if record is not None and record.get("answer_sha256") != hashlib.sha256(raw).hexdigest():
        return State.BROKEN, "not the answer that the chain recorded: it was replaced"
    if failed and record:
        return State.NOT_PRESENT, f"asked for, and none given: {_reason(record)}"
    state, words = check_token(statement_file(case, number), raw, roots)
    return state, words + "; nothing in the chain records that it was asked for" * (record is None)


def _reason(record: Mapping[str, Any]) -> str:
    text = str(record.get("reason")).encode("utf-8", "backslashreplace").decode("utf-8")
    return printable(text)[:300]


def check_token(statement: Path, raw: bytes, roots: Sequence[Certificate]) -> tuple[State, str]:
    """What an authority's raw answer is worth as a time stamp over a statement, and why."""
    try:
        content = small_file(statement)
    except NoSeal as error:
        return State.BROKEN, f"the statement is {error}, so there is nothing that the token is over"
    try:
        token = read_token(raw)
    except Refused as error:
        return State.NOT_PRESENT, str(error)
    except NoToken as error:
        return State.BROKEN, str(error)
    state, words = verify_token(token, content, roots)
    if state is State.VERIFIED:
        return state, f"the statement existed before {token.words()}; {words}{_since(token)}"
    claim = "" if state is State.BROKEN else f"claims {token.words()}; "
    return state, claim + words


def _since(token: Token) -> str:
    """A certificate that ran out after the token was made takes nothing from it, but should be known."""
    if token.signer is None or token.signer.not_valid_after_utc > dt.datetime.now(dt.UTC):
        return ""
    return f"; its certificate ran out on {token.signer.not_valid_after_utc.date()}, after that time"
