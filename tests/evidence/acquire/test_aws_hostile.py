"""A server that means harm: whatever it answers is bounded, kept, inert, and sends the collector nowhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.evidence.acquire.aws_front import only_credentials

from playbooks.case import Case, new_case
from playbooks.errors import AllFailed
from playbooks.evidence import items, require_intact
from playbooks.evidence.acquire.aws import Wanted, acquire_aws
from playbooks.evidence.acquire.aws_client import Limits
from playbooks.evidence.acquire.aws_package import Fetched, fetch_package
from playbooks.evidence.acquire.aws_things import thing
from playbooks.normalise import Source, read

LIMITS = Limits(answer_bytes=1 << 20, package_bytes=1 << 20, pages=5, attempts=1, throttle_waits_s=(), read_seconds=5)
Answering = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    only_credentials(monkeypatch)


@contextmanager
def server(answering: Answering) -> Iterator[tuple[str, list[str]]]:
    """A server that answers as it likes: its address, and the paths that it was asked for."""
    paths: list[str] = []

    class Door(BaseHTTPRequestHandler):
        wbufsize = -1

        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            paths.append(self.path)
            answering(self)

        do_GET = do_POST = _any  # noqa: N815  # names of http.server

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", paths
    finally:
        running.shutdown()
        running.server_close()


def send(to: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    to.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        to.send_header(name, value)
    to.end_headers()
    to.wfile.write(body)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "AWS-3")


def acquired(case: Case, url: str, **more: Any) -> list[dict[str, Any]]:
    """The lines of an acquisition, whether or not one call was answered."""
    try:
        acquire_aws(case, Wanted(**{"regions": ("us-east-1",), "endpoint_url": url, "limits": LIMITS, **more}))
    except AllFailed:
        assert items(case)
    item = items(case)[0]
    rows = list(read(Source(item.evidence_id, item.file(case))))
    assert sum(len(part.unread) for part in rows) == 0
    require_intact(case)
    return [json.loads(line) for line in item.file(case).read_text(encoding="ascii").splitlines()]


def listing(**answer: Any) -> Answering:
    """ListFunctions answers this, everything else an empty object."""

    def answering(to: BaseHTTPRequestHandler) -> None:
        body = answer if to.path.split("?")[0].rstrip("/").endswith("/functions") else {}
        send(to, json.dumps(body).encode())

    return answering


BODIES = {
    "nothing": b"",
    "half an object": b'{"Functions": [{"FunctionName": "a',
    "a list": b"[]",
    "null": b"null",
    "a number where a list belongs": b'{"Functions": 5, "EventBuses": 5, "Aliases": true, "trailList": "x"}',
    "things where names belong": b'{"Functions": [{"FunctionName": null}, 7, {"FunctionName": {"a": 1}}, ["x"]]}',
    "bytes that are no text": b"\xff\xfe\x00\x01",
    "brackets without end": b"[" * 200_000,
    "objects without end": b'{"a":' * 100_000,
    "a page of HTML": b"<html><script>alert(1)</script></html>",
    "an XML bomb": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>',
    "a time without end": b'{"Schedules": [{"CreationDate": 1e999}], "EventSourceMappings": [{"LastModified": 1e300}]}',
}


REFUSED = ("nothing", "null", "brackets without end", "a page of HTML")


@pytest.mark.parametrize(("name", "status"), [*((name, 200) for name in BODIES), *((name, 403) for name in REFUSED)])
def test_garbage_is_kept_and_stops_nothing(name: str, status: int, case: Case) -> None:
    body = BODIES[name]
    with server(lambda to: send(to, body, status)) as (url, _):
        lines = acquired(case, url, functions=("orders",))
    told = {line["operation"]: line for line in lines}
    assert {"GetAccountSettings", "GetFunction", "ListEventBuses", "DescribeTrails"} <= set(told)
    assert told["GetAccountSettings"]["sha256"] == hashlib.sha256(body).hexdigest()
    if status == 403:
        assert {line["outcome"] for line in lines} == {"refused"}


def test_pages_without_end_are_left_after_a_limit(case: Case) -> None:
    number = [0]

    def answering(to: BaseHTTPRequestHandler) -> None:
        number[0] += 1
        listing(Functions=[], NextMarker=f"next-{number[0]}")(to)

    with server(answering) as (url, _):
        lines = acquired(case, url)
    pages = [line for line in lines if line["operation"] == "ListFunctions"]
    assert [line["page"] for line in pages] == [1, 2, 3, 4, 5, 6]
    assert [line["outcome"] for line in pages] == [*["answered"] * 5, "failed"]
    assert pages[-1]["error"] == "OutOfBounds: more than 5 pages: the rest was not asked for"
    assert pages[1]["request"]["Marker"].startswith("next-")


def test_a_page_that_leads_to_itself_is_asked_for_once(case: Case) -> None:
    with server(listing(Functions=[], NextMarker="again")) as (url, _):
        pages = [line for line in acquired(case, url) if line["operation"] == "ListFunctions"]
    assert [line["outcome"] for line in pages] == ["answered", "answered", "failed"]
    assert pages[-1]["error"] == "OutOfBounds: the service names the same next page again: not asked for"


@pytest.mark.parametrize("stated", [True, False], ids=["with its length", "without its length"])
def test_an_answer_of_300_megabytes_is_not_taken(stated: bool, case: Case) -> None:
    sent = [0]

    def answering(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        if stated:
            to.send_header("Content-Length", str(300 << 20))
        to.end_headers()
        try:
            for _ in range(300):
                to.wfile.write(b" " * (1 << 20))
                sent[0] += 1
        except OSError:
            to.close_connection = True

    def only_settings(to: BaseHTTPRequestHandler) -> None:
        answering(to) if "account-settings" in to.path else send(to, b"{}")

    with server(only_settings) as (url, _):
        lines = acquired(case, url, functions=("orders",))
    (line,) = [line for line in lines if line["operation"] == "GetAccountSettings"]
    assert line["outcome"] == "failed"
    assert line["error"] == "OutOfBounds: the answer is larger than 1,048,576 bytes: not taken"
    assert sent[0] < 30
    assert sum(item.size for item in items(case)) < 1 << 20


def test_an_answer_that_breaks_off_is_a_failure(case: Case) -> None:
    def answering(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Content-Length", "1000")
        to.end_headers()
        to.wfile.write(b'{"Functions": []}')
        to.close_connection = True

    with server(answering) as (url, _):
        lines = acquired(case, url, functions=("orders",))
    assert {line["outcome"] for line in lines} == {"failed"}


NAMES = [
    "../../x",
    "..",
    "a/../../b",
    "\x1b[31mred",
    "a\nb",
    "\u202egnp",
    "x" * 3000,
    "",
    "a b\u0000",
    "{role}",
    "a?b=c",
]


def test_names_that_AWS_does_not_allow_are_never_asked_about(case: Case) -> None:  # noqa: N802  # its name
    with server(listing(Functions=[{"FunctionName": name} for name in [*NAMES, "good"]])) as (url, paths):
        lines = acquired(case, url)
    strange = [line for line in lines if line.get("error", "").startswith("StrangeName")]
    assert [line.get("resource", "") for line in strange] == [name for name in NAMES if name]
    assert {line["request"]["FunctionName"] for line in lines if "FunctionName" in line["request"]} == {"good"}
    functions = {path.split("/functions/")[1].split("/")[0].split("?")[0] for path in paths if "/functions/" in path}
    assert functions == {"good"}


def test_nothing_of_an_answer_can_steer_a_terminal(case: Case) -> None:
    with server(listing(Functions=[{"FunctionName": "\x1b]0;x\x07"}], Note="\u009b31m\u2028")) as (url, _):
        acquired(case, url)
    assert set(items(case)[0].file(case).read_bytes()) <= {*range(0x20, 0x7F), 0x0A}


# ----------------------------------------------------------------------------------------------- links


def fetched(folder: Path, location: str, endpoint_url: str | None, stated: str = "") -> Fetched:
    package = thing("package", of="../../orders:1", location=location, image="", stated=stated)
    folder.mkdir(exist_ok=True)
    return fetch_package(package, folder, LIMITS, endpoint_url)


LINKS = {
    "http://169.254.169.254/latest/meta-data/": None,
    "http://bucket.s3.amazonaws.com/x": None,
    "https://evil.example/x": None,
    "https://amazonaws.com.evil.example/x": None,
    "https://user@evil.example\\.amazonaws.com@evil.example/x": None,
    "https://x.amazonaws.com:8443/x": None,
    "file:///etc/passwd": None,
    "ftp://x.amazonaws.com/x": None,
    "https://[::1/x": None,
    "s3://": None,
    "https://bucket.s3.amazonaws.com/x": "http://127.0.0.1:1",
    "http://127.0.0.1:2/x": "http://127.0.0.1:1",
}


@pytest.mark.parametrize(("location", "endpoint_url"), LINKS.items(), ids=LINKS.keys())
def test_a_link_that_leads_elsewhere_is_not_followed(location: str, endpoint_url: str | None, tmp_path: Path) -> None:
    got = fetched(tmp_path / "us-east-1", location, endpoint_url)
    assert (got.reply.outcome, got.reply.code, got.file) == ("refused", "NotFollowed", None)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with server(lambda to: send(to, b"", 302, Location="/elsewhere")) as (url, paths):
        got = fetched(tmp_path / "us-east-1", f"{url}/x", url)
    assert (got.reply.code, got.file, paths) == ("HTTP 302", None, ["/x"])


def test_a_package_that_is_too_large_or_short_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "us-east-1"
    with server(lambda to: send(to, b"x" * (3 << 20))) as (url, _):
        assert fetched(folder, f"{url}/x", url).reply.code == "OutOfBounds"
    with server(lambda to: send(to, b"short", **{"Content-Length": "10"})) as (url, _):
        got = fetched(folder, f"{url}/x", url)
    assert (got.reply.outcome, got.file) == ("failed", None)
    with server(lambda to: send(to, b"", 403)) as (url, _):
        assert fetched(folder, f"{url}/x", url).reply.outcome == "refused"
    assert list(folder.iterdir()) == []


def test_a_package_that_is_not_what_lambda_states_is_kept_and_said_not_to_agree(tmp_path: Path) -> None:
    with server(lambda to: send(to, b"other code")) as (url, _):
        got = fetched(tmp_path / "us-east-1", f"{url}/x", url, stated="ab" * 32)
    assert got.file is not None and got.file.read_bytes() == b"other code"
    assert got.file.parent == tmp_path / "us-east-1"
    digest = hashlib.sha256(b"other code").hexdigest()
    assert got.facts == {
        "sha256": digest,
        "size": 10,
        "kept_in": got.file.name,
        "stated_sha256": "ab" * 32,
        "agrees": False,
    }
