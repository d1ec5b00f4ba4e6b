"""Acquire the objects of a TAXII 2.1 collection, read-only, as evidence: pages as they came, and what became of each.

Each page is a file of its own, which the format `stix_bundle` reads like any bundle; beside them a line for each
request says what was asked, when, and what came. Credentials are read from an environment variable and written nowhere.
A redirect is not followed: it would carry them elsewhere.
Reference: OASIS, TAXII Version 2.1, Get Objects.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from playbooks import __version__
from playbooks.case import Case
from playbooks.errors import AllFailed, UsageError
from playbooks.evidence.acquire.answers import Acquired, Answer, AnswerFile, Outcome, keep, private_folder, stamp

MEDIA_TYPE = "application/taxii+json;version=2.1"
OPERATION = "get objects"
TIMEOUT_S = 60
PAGE_BYTES = 64 << 20  # a page is held in memory as a whole
BLOCK = 1 << 20
MOST_PAGES = 10_000
PAGE_OBJECTS = 1_000
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Collection:
    """A collection at its server: URL as given, with a final slash, and its id."""

    url: str
    host: str
    id: str


@dataclass(frozen=True)
class _Page:
    """What one request came to; `more` is the parameter that asks for the next page."""

    answer: Answer
    raw: bytes
    objects: int
    next: str


def acquire_taxii(
    case: Case, url: str, added_after: dt.datetime | None = None, secret_env: str | None = None
) -> Acquired:
    """Ask a collection for its objects, page by page, and keep every answer.

    Parameters
    ----------
    case
        The case that the answers become evidence of.
    url
        URL of the collection, `…/collections/ID/`; https, or http on this machine.
    added_after
        Only objects that were added later; with a zone.
    secret_env
        Name of an environment variable: `user:password` for Basic, or a whole `Bearer …`. None: without.

    Returns
    -------
    Acquired
        The lines are the evidence item, the pages its attachments. `unanswered` holds a request that failed: what
        would have followed is unknown.

    Raises
    ------
    UsageError
        The URL, the moment or the variable is not valid; nothing was sent.
    AllFailed
        Not one page came; that is in the bag, and a blind spot.
    """
    collection = collection_of(url)
    headers = {"Accept": MEDIA_TYPE, "User-Agent": f"playbooks/{__version__}", **_authorization(secret_env)}
    if added_after is not None and added_after.tzinfo is None:
        raise UsageError(f"added_after {added_after} has no zone, and none is guessed. Write 2026-03-10T00:00:00Z.")
    with private_folder(case) as folder:
        files: list[Path] = []
        with AnswerFile(folder / "taxii-acquisition.jsonl") as answers:
            for number, page in enumerate(_pages(collection, headers, added_after), 1):
                answers.write(page.answer)
                if page.objects:
                    files.append(folder / f"taxii-page-{number:05d}.json")
                    files[-1].write_bytes(page.raw)
        acquired = keep(case, answers, files, operation=OPERATION, source="taxii", collection=collection.url)
    if not acquired.counts.get(Outcome.ANSWERED):
        raise AllFailed(
            f"{collection.url}: {page.answer.error or page.answer.outcome}. It is recorded as {acquired.evidence_id}; "
            "what the collection holds stays unknown. Correct the URL or the credentials and ask again."
        )
    return acquired


def moment(text: str | None) -> dt.datetime | None:
    """A moment as somebody wrote it; None for none.

    Raises
    ------
    UsageError
        It is no moment with a zone.
    """
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"added_after {text!r}: expected a time such as 2026-03-10T00:00:00Z.") from error
    if found.tzinfo is None:
        raise UsageError(f"added_after {text} has no zone, and none is guessed. Write 2026-03-10T00:00:00Z.")
    return found


def collection_of(url: str) -> Collection:
    """The collection that a URL names.

    Raises
    ------
    UsageError
        It is no URL of a collection, holds credentials, or would send them in the clear.
    """
    parts = urlsplit(url)
    place, _, name = parts.path.rstrip("/").rpartition("/")
    if not place.endswith("/collections") or not name or parts.query or parts.fragment:
        raise UsageError(f"{parts.hostname or 'the URL'}: expected the URL of a collection, …/collections/ID/.")
    if parts.username or parts.password:
        raise UsageError(f"{parts.hostname}: credentials do not belong into a URL. Name an environment variable.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise UsageError(f"{parts.hostname or 'the URL'}: expected https; http only to this machine.")
    return Collection(url.rstrip("/") + "/", parts.netloc, name)


def _authorization(secret_env: str | None) -> dict[str, str]:
    if secret_env is None:
        return {}
    secret = os.environ.get(secret_env, "")
    if not secret or not secret.isprintable():
        raise UsageError(f"environment variable {secret_env}: not set, or no line of text. Expected user:password.")
    if secret.startswith("Bearer "):
        return {"Authorization": secret}
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode("ascii")}


def _pages(collection: Collection, headers: dict[str, str], added_after: dt.datetime | None) -> Iterator[_Page]:
    """Page after page, up to the last one or to the first that is no answer."""
    # a server may give fewer; some answer a request for the next page only where a limit stands in it
    parameters = {"limit": str(PAGE_OBJECTS)} | ({"added_after": _moment(added_after)} if added_after else {})
    seen: set[tuple[str, str]] = set()  # some servers give one name to every next page: its content tells a circle
    for number in range(MOST_PAGES):
        page = _page(collection, headers, parameters, last_allowed=number == MOST_PAGES - 1, seen=seen)
        yield page
        if not page.next:
            return
        seen.add((page.next, _digest(page.raw)))
        parameters = {**parameters, "next": page.next}


def _page(
    collection: Collection,
    headers: dict[str, str],
    parameters: dict[str, str],
    last_allowed: bool,
    seen: set[tuple[str, str]],
) -> _Page:
    asked = dt.datetime.now(dt.UTC)
    request = {"url": collection.url + "objects/", **parameters}
    facts: dict[str, Any] = {"resource": collection.id}

    def answered(outcome: Outcome, raw: bytes = b"", objects: int = 0, next_page: str = "", **told: Any) -> _Page:
        more = {"size": len(raw), "sha256": _digest(raw), "objects": objects} if raw else {}
        line = Answer(
            *("taxii", collection.host, OPERATION, request, asked, dt.datetime.now(dt.UTC), outcome),
            **(facts | told | {"more": more | told.get("more", {})}),
        )
        return _Page(line, raw, objects, next_page)

    try:
        status, raw, last_added = _received(f"{request['url']}?{urlencode(parameters)}".rstrip("?"), headers)
    except urllib.error.HTTPError as error:
        outcome = {401: Outcome.REFUSED, 403: Outcome.REFUSED, 404: Outcome.ABSENT}.get(error.code, Outcome.FAILED)
        return answered(outcome, status=error.code, error=f"{error.code}: {_plain(str(error.reason))}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return answered(Outcome.FAILED, error=f"{type(error).__name__}: {_plain(str(error))}")
    try:
        objects, next_page = _content(raw)
    except (ValueError, RecursionError) as error:
        return answered(Outcome.FAILED, raw, status=status, error=f"no TAXII envelope: {_plain(str(error))}")
    more: dict[str, Any] = {"more": {"last_added": last_added}} if last_added else {}
    again = (next_page, _digest(raw)) in seen
    if again or (next_page and last_allowed):
        fault = "the pages go in a circle" if again else f"more than {MOST_PAGES:,} pages"
        # what came is kept; what would have followed is not known
        return answered(Outcome.FAILED, raw, objects, status=status, error=fault, **more)
    return answered(Outcome.ANSWERED, raw, objects, next_page, status=status, **more)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer that says so, not another request."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _received(url: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
    """Status, bytes, and the server's word of when the last of these objects was added."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # `collection_of` allows https, or loopback
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
        return int(answer.status), _read(answer), _plain(answer.headers.get("X-TAXII-Date-Added-Last", ""))


def _read(answer: IO[bytes]) -> bytes:
    held = bytearray()
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=10 * TIMEOUT_S)
    while block := answer.read(BLOCK):
        held += block
        if len(held) > PAGE_BYTES:
            raise ValueError(f"a page of more than {PAGE_BYTES >> 20} MB; not read further")
        if dt.datetime.now(dt.UTC) > until:
            raise TimeoutError(f"a page took more than {10 * TIMEOUT_S} s")
    return bytes(held)


def _content(raw: bytes) -> tuple[int, str]:
    """How many objects a page holds, and what asks for the next one."""
    found = json.loads(raw)
    objects = found.get("objects", []) if isinstance(found, dict) else None
    if not isinstance(objects, list):
        raise ValueError("an object with a list of objects was expected")
    if not found.get("more"):
        return len(objects), ""
    if not isinstance(found.get("next"), str) or not found["next"]:
        raise ValueError("it says that there is more, and not how to ask for it")
    return len(objects), str(found["next"])


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _moment(moment: dt.datetime) -> str:
    return stamp(moment).replace("+00:00", "Z")


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]
