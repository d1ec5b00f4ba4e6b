"""A TAXII collection becomes evidence page by page; whatever a server answers has an outcome, and no secret is kept."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.cli.acquiring import app
from playbooks.errors import AllFailed, SomeFailed, UsageError
from playbooks.evidence import custody, items
from playbooks.evidence.acquire import taxii
from playbooks.evidence.acquire.taxii import acquire_taxii, collection_of
from playbooks.normalise import normalise

SECRET = "reader:a-secret-of-ours"
PAGE = 2
Reply = Callable[[BaseHTTPRequestHandler], None]


def indicator(n: int) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--33fe3b22-0201-47cf-85d0-{n:012d}",
        "created": "2026-03-10T09:00:00.000Z",
        "modified": "2026-03-10T09:00:00.000Z",
        "pattern_type": "stix",
        "pattern": f"[domain-name:value = 'h{n}.example.test']",
        "valid_from": "2026-03-10T09:00:00Z",
    }


OBJECTS = [indicator(n) for n in range(5)]


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", taxii.MEDIA_TYPE)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def conforming(handler: BaseHTTPRequestHandler) -> None:
    """Pages, `added_after` (object n was added in minute n) and Basic, as the standard has them."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
    if handler.headers.get("Authorization") != taxii._authorization("TAXII_TEST")["Authorization"]:
        return send(handler, b'{"title": "who are you?"}', 401)
    if handler.headers["Accept"] != taxii.MEDIA_TYPE:
        return send(handler, b"", 406)
    after = asked.get("added_after", "2026-03-10T00:00:00.000000Z")
    held = [one for n, one in enumerate(OBJECTS) if f"2026-03-10T00:{n + 1:02d}:00.000000Z" > after]
    start = int(asked.get("next", "0"))
    page: dict[str, Any] = {"objects": held[start : start + PAGE]}
    if start + PAGE < len(held):
        page |= {"more": True, "next": str(start + PAGE)}
    return send(handler, json.dumps(page).encode(), X_TAXII_Date_Added_Last="2026-03-10T00:05:00Z")


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setenv("TAXII_TEST", SECRET)
    return new_case(tmp_path / "case", "T-1")


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(reply: Reply) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                reply(self)

            def log_message(self, *_: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/api/collections/91a7b528/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def lines(case: Case) -> list[dict[str, Any]]:
    [item] = [one for one in items(case) if one.name.endswith("acquisition.jsonl")]
    return [json.loads(line) for line in item.file(case).read_text(encoding="ascii").splitlines()]


def test_every_page_is_evidence_that_is_read_as_a_bundle(case: Case, serve: Callable[[Reply], str]) -> None:
    acquired = acquire_taxii(case, serve(conforming), secret_env="TAXII_TEST")
    assert (acquired.counts, len(acquired.attachments)) == ({"answered": 3}, 3)
    readings = normalise(case)
    assert sum(one.tables.get("indicators", 0) for one in readings) == len(OBJECTS)
    assert [line["objects"] for line in lines(case)] == [2, 2, 1]
    assert [line["request"].get("next") for line in lines(case)] == [None, "2", "4"]
    by_id = {one.evidence_id: one.sha256 for one in items(case)}
    assert sorted(line["sha256"] for line in lines(case)) == sorted(by_id[i] for i in acquired.attachments.values())
    [entry] = [one for one in custody.entries(case.custody) if one["activity"] == "acquired"]
    assert entry["source"] == "taxii"


def test_only_what_was_added_later_is_asked_for(case: Case, serve: Callable[[Reply], str]) -> None:
    moment = dt.datetime(2026, 3, 10, 1, 3, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    acquire_taxii(case, serve(conforming), added_after=moment, secret_env="TAXII_TEST")
    [line] = lines(case)
    assert (line["objects"], line["request"]["added_after"]) == (2, "2026-03-10T00:03:00.000000Z")


def test_the_credentials_stand_nowhere_in_the_case(case: Case, serve: Callable[[Reply], str]) -> None:
    acquire_taxii(case, serve(conforming), secret_env="TAXII_TEST")
    sent = taxii._authorization("TAXII_TEST")["Authorization"].split()[1]
    for file in (file for file in case.path.rglob("*") if file.is_file()):
        content = file.read_bytes()
        assert b"a-secret-of-ours" not in content and sent.encode() not in content, file


BAD: dict[str, tuple[Reply, str, str]] = {
    "a refusal": (lambda h: send(h, b"{}", 401), "refused", "401"),
    "no such collection": (lambda h: send(h, b"{}", 404), "absent", "404"),
    "a server at its end": (lambda h: send(h, b"{}", 500), "failed", "500"),
    "a redirect": (lambda h: send(h, b"", 302, Location="http://192.0.2.9/"), "failed", "302"),
    "garbage": (lambda h: send(h, b"\xff<html>"), "failed", "no TAXII envelope"),
    "a list": (lambda h: send(h, b"[]"), "failed", "an object with a list of objects"),
    "a number of objects": (lambda h: send(h, b'{"objects": 7}'), "failed", "an object with a list of objects"),
    "a bomb of brackets": (lambda h: send(h, b"[" * 200_000), "failed", "no TAXII envelope"),
    "more, and not how": (lambda h: send(h, b'{"more": true, "objects": []}'), "failed", "not how to ask"),
    "a body cut off": (lambda h: send(h, b'{"objects"', Content_Length="99"), "failed", ""),
    "a page without end": (lambda h: send(h, b" " * 5000), "failed", "MB; not read further"),
    "silence": (lambda h: threading.Event().wait(2) and None, "failed", "imed out"),
}


@pytest.mark.parametrize("kind", BAD)
def test_whatever_a_server_answers_has_an_outcome_and_is_recorded(
    case: Case, serve: Callable[[Reply], str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taxii, "TIMEOUT_S", 0.5)
    if kind == "a page without end":
        monkeypatch.setattr(taxii, "PAGE_BYTES", 1000)
    reply, outcome, words = BAD[kind]
    with pytest.raises(AllFailed):
        acquire_taxii(case, serve(reply))
    [line] = lines(case)
    assert line["outcome"] == outcome
    assert words in line["error"]


def test_a_server_that_gives_one_name_to_every_next_page_is_read_to_its_end(
    case: Case, serve: Callable[[Reply], str]
) -> None:
    left = [json.dumps({"more": n < 2, "next": "same", "objects": OBJECTS[n : n + 1]}).encode() for n in range(3)]
    acquired = acquire_taxii(case, serve(lambda h: send(h, left.pop(0))))
    assert (acquired.counts, left) == ({"answered": 3}, [])


def test_pages_that_go_in_a_circle_end_and_what_came_is_kept(case: Case, serve: Callable[[Reply], str]) -> None:
    page = json.dumps({"more": True, "next": "again", "objects": OBJECTS[:1]}).encode()
    acquired = acquire_taxii(case, serve(lambda h: send(h, page)))
    assert dict(acquired.counts) == {"answered": 1, "failed": 1}
    assert lines(case)[-1]["error"] == "the pages go in a circle"
    assert len(acquired.attachments) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://taxii.example/api/collections/1/",
        "https://user:word@taxii.example/api/collections/1/",
        "https://taxii.example/api/",
        "file:///etc/collections/passwd",
        "https://taxii.example/api/collections/1/?added_after=x",
    ],
)
def test_a_url_that_is_none_of_a_collection_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        collection_of(url)
    assert "word" not in str(caught.value)


def test_a_moment_without_zone_and_a_variable_that_is_not_set_are_refused(case: Case) -> None:
    url = "https://taxii.example/api/collections/1/"
    with pytest.raises(UsageError, match="no zone"):
        acquire_taxii(case, url, added_after=dt.datetime(2026, 3, 10))
    with pytest.raises(UsageError, match="NOT_SET"):
        acquire_taxii(case, url, secret_env="NOT_SET")
    assert items(case) == []


def test_the_verb_and_the_command_take_the_same_and_say_what_is_missing(
    case: Case, serve: Callable[[Reply], str]
) -> None:
    view = guide.acquire_taxii(case, serve(conforming), "2026-03-10T00:03:00Z", "TAXII_TEST")
    assert view.tables[0].rows.to_dict("records") == [{"evidence": "E001", "pages": 1, "answered": 1}]
    page = json.dumps({"more": True, "next": "again", "objects": OBJECTS[:1]}).encode()
    done = CliRunner().invoke(app, ["acquire", "taxii", str(case.path), serve(lambda h: send(h, page))])
    assert done.exit_code == SomeFailed.exit_code
    assert "2 pages with objects  1 answered, 1 failed" in done.output
