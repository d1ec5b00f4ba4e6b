"""Ask a time stamping authority (RFC 3161) for a token over a seal's statement. Off unless the case names one.

Only the hash of the statement leaves the house, to the one address in `case.yaml`; redirects are not followed. The
raw answer is kept, whatever it is. A failure is recorded in the custody chain and told; it stops nothing, because a
seal without a time stamp is still a seal.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks import __version__
from playbooks.case import Case
from playbooks.errors import UsageError
from playbooks.evidence import custody
from playbooks.evidence.disk import disk_full, is_full, write_durably
from playbooks.evidence.inputs import printable
from playbooks.evidence.seal_statement import FILE, STAMPED, NoSeal, beside, small_file
from playbooks.evidence.timestamp_token import NoToken, Token, read_token

SILENCE_S = 20  # no byte for so long: given up
PATIENCE_S = 60  # an answer that drips in
LARGEST_ANSWER = 1 << 20
BLOCK = 1 << 16


@dataclass(frozen=True)
class Stamp:
    """What came of asking an authority: the time it states, or why there is none."""

    authority: str
    file: Path | None
    time: str = ""
    failure: str = ""


class _Failed(Exception):  # never leaves this module
    """Why there is no token."""


class _AsItComes(urllib.request.HTTPErrorProcessor):
    """Every answer is taken as it comes: no redirect is followed, no error page is thrown away."""

    def http_response(self, request: urllib.request.Request, response: http.client.HTTPResponse) -> Any:
        return response

    https_response = http_response


def request_token(case: Case, statement: Path) -> Stamp | None:
    """Ask the authority of the case for a token over a statement.

    Parameters
    ----------
    case
        The case; `options.timestamp_url` is the authority. None: nothing is sent.
    statement
        Statement of a seal of this case.

    Returns
    -------
    Stamp or None
        The outcome, recorded in the custody chain; None where the case names no authority.

    Raises
    ------
    UsageError
        The file is no statement of this case, or an authority was asked about it before.
    PlaybookError
        The disk is full.
    """
    url = case.config.options.timestamp_url
    if url is None:
        return None
    content = _statement(statement)
    answer = beside(statement, ".tsr")
    if os.path.lexists(answer):
        raise UsageError(f"{answer} exists: an authority was asked already. Seal again to ask again.")
    stamp, raw = _asked(url, content, answer)
    if stamp.file is not None:
        _keep(answer, raw)
    facts = {"stamped_time": stamp.time} if stamp.time else {"reason": stamp.failure}
    custody.append(
        case.custody,
        case.config.case_id,
        STAMPED,
        seal=int(statement.name.partition(".")[0]),
        authority=stamp.authority,
        outcome="failure" if stamp.failure else "success",
        answer_sha256=hashlib.sha256(raw).hexdigest() if stamp.file else None,
        **facts,
    )
    return stamp


def _statement(file: Path) -> bytes:
    try:
        match = FILE.fullmatch(file.name)
        if match is None or match[2]:
            raise NoSeal("not named like a statement")
        return small_file(file)
    except NoSeal as error:
        raise UsageError(f"{printable(file)}: {error}. Expected a statement such as seals/0001.json") from error


def _keep(answer: Path, raw: bytes) -> None:
    try:
        write_durably(answer, raw)
    except OSError as error:
        if is_full(error):
            raise disk_full(answer) from error
        raise


def _asked(url: str, content: bytes, answer: Path) -> tuple[Stamp, bytes]:
    """Ask, and judge the answer; gives the outcome, and the raw answer where there is one to keep."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder(content, HashAlgorithm.SHA256, nonce=True, cert_req=True)
    request = builder.build()
    authority = _without_secrets(url)
    try:
        wrong, raw = _posted(url, request.as_bytes())
    except _Failed as error:
        return Stamp(authority, None, failure=str(error)), b""
    try:
        if wrong:
            raise _Failed(wrong)
        token = _accepted(raw, content, request.nonce)
    except _Failed as error:
        return Stamp(authority, answer, failure=str(error)), raw
    return Stamp(authority, answer, time=token.time.isoformat(timespec="seconds").replace("+00:00", "Z")), raw


def _without_secrets(url: str) -> str:
    """Scheme, host and path: a name and password, or a key in the query, have no place in the chain."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return "(an address that cannot be read)"
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")[:200]


def _accepted(raw: bytes, content: bytes, nonce: int | None) -> Token:
    """The token, if it answers this question. Whether its signature is right is checked with the root at hand."""
    try:
        token = read_token(raw)
    except NoToken as error:
        raise _Failed(str(error)) from error
    if not token.fits(content):
        raise _Failed("the token is over other bytes")
    if token.nonce != nonce:
        raise _Failed("the token answers another request: its nonce is not the one that was sent")
    return token


def _posted(url: str, query: bytes) -> tuple[str, bytes]:
    """What is wrong with the status of the answer, empty where nothing is, and the body, whatever it is."""
    headers = {"Content-Type": "application/timestamp-query", "User-Agent": f"playbooks/{__version__}"}
    try:
        request = urllib.request.Request(url, query, headers)  # noqa: S310  # the case file takes http and https only
        with urllib.request.build_opener(_AsItComes).open(request, timeout=SILENCE_S) as answer:
            return _wrong(answer), _body(answer)
    except urllib.error.URLError as error:
        raise _Failed(f"not reached: {printable(str(error.reason))[:200]}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Failed(f"not answered: {printable(str(error) or type(error).__name__)[:200]}") from error


def _wrong(answer: http.client.HTTPResponse) -> str:
    if answer.status == 200:
        return ""
    elsewhere = answer.headers.get("Location") if 300 <= answer.status < 400 else None
    if elsewhere is None:
        return f"HTTP {answer.status}"
    place = printable(elsewhere.encode("utf-8", "replace").decode())[:200]
    return f"HTTP {answer.status}: it sends on to {place}, which is not followed; if right, put it in case.yaml"


def _body(answer: http.client.HTTPResponse) -> bytes:
    started, found = time.monotonic(), b""
    while block := answer.read1(BLOCK):
        found += block
        if len(found) > LARGEST_ANSWER:
            raise _Failed(f"the answer is larger than {LARGEST_ANSWER >> 20} MiB; not kept")
        if time.monotonic() - started > PATIENCE_S:
            raise _Failed(f"the answer was not complete after {PATIENCE_S} s; not kept")
    return found
