"""Packages behind the links that Lambda hands out: fetched whole, hashed, compared, never unpacked.

A link is an answer like any other. It is followed only to AWS itself over TLS (or to the endpoint that the
operator named), never to where it redirects, and never without end.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from playbooks.evidence.acquire.answers import Outcome, full_disk_named
from playbooks.evidence.acquire.aws_client import BLOCK, USER_AGENT, Limits, OutOfBounds, Reply
from playbooks.evidence.acquire.aws_things import Thing

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")
LONGEST_NAME = 60


@dataclass(frozen=True)
class Fetched:
    """What became of a link: the file where there is one, the reply, and what the line says of both."""

    reply: Reply
    file: Path | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def fetch_package(package: Thing, folder: Path, limits: Limits, endpoint_url: str | None) -> Fetched:
    """Fetch one package into `folder`.

    Parameters
    ----------
    package
        A thing of kind `package`: `location`, `image`, `stated` (SHA-256 as Lambda states it), `of`.
    folder
        Where the file is made.
    limits
        How large and slow it may be.
    endpoint_url
        The endpoint that the operator named instead of AWS; None for AWS.

    Returns
    -------
    Fetched
    """
    asked = dt.datetime.now(dt.UTC)
    if not package["location"]:
        words = f"the code is a container image, which is not fetched: {package['image']}"
        return Fetched(_reply(asked, Outcome.FAILED, "NotCollected", words), facts={"image": package["image"]})
    if why := _not_followed(package["location"], endpoint_url):
        return Fetched(_reply(asked, Outcome.REFUSED, "NotFollowed", why))
    file = folder / _file_name(package, folder.name)
    try:
        digest, size, status = _download(package["location"], file, limits)
    except HTTPError as error:
        error.close()
        outcome = Outcome.REFUSED if 400 <= error.code < 500 else Outcome.FAILED
        return Fetched(_reply(asked, outcome, f"HTTP {error.code}", str(error.reason)[:200], error.code))
    except (OutOfBounds, HTTPException, TimeoutError, ConnectionError, OSError, ValueError) as error:
        file.unlink(missing_ok=True)
        return Fetched(_reply(asked, Outcome.FAILED, type(error).__name__, str(error)[:2000]))
    facts = {"sha256": digest, "size": size, "kept_in": file.name}
    if package["stated"]:
        facts |= {"stated_sha256": package["stated"], "agrees": digest == package["stated"]}
    return Fetched(_reply(asked, Outcome.ANSWERED, status=status), file, facts)


def _not_followed(location: str, endpoint_url: str | None) -> str:
    """Why a link is not followed; empty where it is."""
    try:
        link, named = urlsplit(location), urlsplit(endpoint_url or "")
        host, own = link.hostname or "", (named.scheme, named.hostname, named.port)
        if endpoint_url:
            fits = (link.scheme, link.hostname, link.port) == own
        else:
            fits = link.scheme == "https" and link.port in (None, 443) and host.endswith(AWS_HOSTS)
    except ValueError:
        return "the link cannot be read"
    expected = "the endpoint that was named" if endpoint_url else "AWS over TLS"
    return "" if fits else f"the link leads to {link.scheme}://{host}, and is followed to {expected} only"


def _file_name(package: Thing, region: str) -> str:
    """A plain name; the digest of what it is of keeps two of them apart."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", package["of"].rpartition(":layer:")[2]).strip("-.")[:LONGEST_NAME]
    return f"package-{region}-{plain}-{hashlib.sha256(package['of'].encode()).hexdigest()[:8]}.zip"


def _download(location: str, file: Path, limits: Limits) -> tuple[str, int, int]:
    """Stream a link into a file; gives SHA-256, size and status."""
    import urllib.request

    class Straight(urllib.request.HTTPRedirectHandler):
        """A link that leads elsewhere is not followed: urllib then raises what the server answered."""

        def redirect_request(self, *_: Any) -> None:
            return None

    opener = urllib.request.build_opener(Straight)
    request = urllib.request.Request(location, headers={"User-Agent": USER_AGENT})  # noqa: S310  # scheme was checked
    seconds = limits.connect_seconds + limits.read_seconds
    digest, size, end = hashlib.sha256(), 0, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=4 * limits.answer_seconds)
    with opener.open(request, timeout=seconds) as response, file.open("xb") as target:
        while block := response.read(BLOCK):
            size += len(block)
            if size > limits.package_bytes or dt.datetime.now(dt.UTC) > end:
                raise OutOfBounds(f"the package is larger than {limits.package_bytes:,} bytes, or too slow: not taken")
            with full_disk_named(file):
                target.write(block)
            digest.update(block)
        stated = response.headers.get("Content-Length", "")
        if stated.isdecimal() and int(stated) != size:
            raise ConnectionError(f"{size:,} of {int(stated):,} bytes came: not taken")
        return digest.hexdigest(), size, int(response.status)


def _reply(asked: dt.datetime, outcome: Outcome, code: str = "", message: str = "", status: int | None = None) -> Reply:
    return Reply(outcome, asked, dt.datetime.now(dt.UTC), 1, status, code, " ".join(message.split()))
