"""What would leave the house is said before anything does; what was answered is evidence and is not asked again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks import guide
from playbooks.case import Case, new_case, open_case
from playbooks.enrichment import lookup_plan
from playbooks.errors import UsageError
from playbooks.evidence import items
from playbooks.evidence.acquire import lookups as keeping
from playbooks.guide import lookups as verbs

RULES = {"providers": ["Loopback"], "tlp_max": "GREEN", "per_minute": 6000, "timeout_s": 2}
KEY = "key-of-ours"


def plan_of(*pairs: dict[str, Any], intel: tuple[dict[str, Any], ...] = (), **config: Any) -> dict[str, Any]:
    frame = t.pairs(*pairs) if pairs else t.pairs(t.pair()).head(0)
    found = lookup_plan(frame, t.intel(*intel), t.config(lookups=RULES, **config), 20)
    return dict(zip(found.observable, found.why_not.where(found.why_not.notna(), None), strict=True))


def known(observable: str, tlp: str | None, kind: str = "domain") -> dict[str, Any]:
    return {"observable": observable, "observable_type": kind, "tlp": tlp}


@pytest.mark.parametrize(
    ("dst", "kind", "why"),
    [
        ("relay.workers.dev", "fqdn", None),
        ("8.8.8.8", "ip", None),
        ("10.1.2.3", "ip", "an address that is not public"),
        ("192.0.2.9", "ip", "an address that is not public"),
        ("fd00::1", "ip", "an address that is not public"),
        ("files.corp", "fqdn", "no public name"),
        ("printer", "fqdn", "no public name"),
        ("host.ours.example.com", "fqdn", "ours"),
        ("ours.example.com", "fqdn", "ours"),
        ("notours.example.com", "fqdn", None),
    ],
)
def test_private_and_own_names_never_leave(dst: str, kind: str, why: str | None) -> None:
    estate = {"own": {"zones": ["ours.example.com"]}}
    assert plan_of(t.pair(dst=dst, kind=kind), estate=estate) == {dst: why}


@pytest.mark.parametrize(
    ("marks", "leaves"),
    [
        *[((), True), (("GREEN",), True), (("white",), True), (("RED", "GREEN"), True)],
        *[(("AMBER",), False), (("RED",), False), ((None,), False), (("AMBER+STRICT", "AMBER"), False)],
        (("nonsense",), False),
    ],
)
def test_what_is_known_only_from_items_above_the_highest_marking_never_leaves(
    marks: tuple[str | None, ...], leaves: bool
) -> None:
    intel = tuple(known("relay.workers.dev", mark) for mark in marks)
    [why] = plan_of(t.pair(dst="relay.workers.dev"), intel=intel).values()
    assert (why is None) is leaves


def test_what_is_owned_and_a_url_with_a_query_never_leave() -> None:
    owned = t.pair(dst="edge.workers.dev", ownership="owned-approved")
    urls = (known("https://a.workers.dev/x?token=1", "GREEN", "url"), known("https://a.workers.dev/x", "GREEN", "url"))
    assert plan_of(owned, intel=urls) == {
        "edge.workers.dev": "ours",
        "https://a.workers.dev/x?token=1": "a URL with a query or a user: it may hold what is ours",
        "https://a.workers.dev/x": None,
    }


def test_without_a_provider_there_is_nothing_to_leave() -> None:
    assert len(lookup_plan(t.pairs(t.pair()), t.intel(), t.config(), 20)) == 0


@pytest.fixture
def served() -> Iterator[tuple[str, list[str], dict[str, Callable[[BaseHTTPRequestHandler], None]]]]:
    """A service on this machine: what it was asked, and odd answers by the observable."""
    asked: list[str] = []
    odd: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            asked.append(name)
            odd.get(name, lambda h: reply(h, json.dumps({"score": 9 if name.startswith("bad") else 0}).encode()))(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked, odd
    server.shutdown()
    server.server_close()


def reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def desk(url: str) -> Any:
    """TILookup of msticpy with an HTTP provider of msticpy's own kind."""
    from playbooks.enrichment.ti_provider import tilookup

    offered = tilookup()
    from msticpy.context.http_provider import APILookupParams
    from msticpy.context.tiproviders.ti_http_provider import HttpTIProvider
    from msticpy.context.tiproviders.ti_provider_base import ResultSeverity

    class Loopback(HttpTIProvider):  # type: ignore[misc]
        PROVIDER_NAME = "Loopback"
        _BASE_URL = url
        _QUERIES: ClassVar[dict[str, Any]] = {"dns": APILookupParams(path="/dns/{observable}", headers={"X-Key": KEY})}
        _REQUIRED_PARAMS: ClassVar[list[str]] = []

        def parse_results(self, response: dict[str, Any]) -> tuple[bool, Any, Any]:
            high = response["RawResult"]["score"] > 5
            return high, ResultSeverity.high if high else ResultSeverity.information, response["RawResult"]

    return offered(primary_providers=[Loopback()])


class Results:
    """As much of a case's results as the verbs read."""

    def __init__(self, *names: str) -> None:
        self.pairs, self.intel = t.pairs(*(t.pair(dst=name) for name in names)), t.intel()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = new_case(tmp_path / "case", "L-1")
    file = made.path / "case.yaml"
    allowed = file.read_text().replace("online_lookups: false", "online_lookups: true")
    file.write_text(allowed + f"lookups: {json.dumps(RULES)}\n")
    return open_case(made.path)


def statuses(view: Any) -> dict[str, str]:
    frame: pd.DataFrame = view.data
    return dict(zip(frame.observable, frame.status, strict=True))


def test_every_question_has_an_outcome_the_answers_are_evidence_and_are_not_asked_again(
    case: Case, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked, odd = served
    odd["garbage.workers.dev"] = lambda h: reply(h, b"<html>")
    odd["refused.workers.dev"] = lambda h: reply(h, b"no", 401)
    odd["absent.workers.dev"] = lambda h: reply(h, b"{}", 404)
    odd["silent.workers.dev"] = lambda h: time.sleep(4)
    names = ("bad.workers.dev", "good.workers.dev", *odd, "printer")
    monkeypatch.setattr(verbs, "results_of", lambda _: Results(*names))
    assert set(statuses(guide.lookup(case)).values()) == {"not asked", "no public name"}
    assert asked == [] and items(case) == []

    first = guide.lookup(case, send=True, desk=desk(url))
    expected = {
        "bad.workers.dev": "answered",
        "good.workers.dev": "answered",
        "garbage.workers.dev": "failed",
        "refused.workers.dev": "refused",
        "absent.workers.dev": "absent",
        "silent.workers.dev": "failed",
        "printer": "no public name",
    }
    assert statuses(first) == expected
    assert sorted(asked) == sorted({*names} - {"printer"})
    listed = first.data.set_index("observable").listed
    assert (listed["bad.workers.dev"], listed["good.workers.dev"]) == (True, False)

    asked.clear()
    offline = guide.lookup(case)
    pd.testing.assert_frame_equal(offline.data, first.data)
    guide.lookup(case, send=True, desk=desk(url))  # another one: a desk remembers
    assert sorted(asked) == ["garbage.workers.dev", "refused.workers.dev", "silent.workers.dev"], "only what is open"
    kept = b"".join(item.file(case).read_bytes() for item in items(case))
    assert KEY.encode() not in kept
    assert b'{\\"score\\": 9}' in kept, "the answer as it came"


def test_nothing_is_sent_without_a_provider_or_to_one_that_is_not_configured(
    case: Case, tmp_path: Path, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "results_of", lambda _: Results("bad.workers.dev"))
    with pytest.raises(UsageError, match=r"online_lookups: false`\. Nothing was sent"):
        guide.lookup(new_case(tmp_path / "other", "L-2"), send=True)
    nobody = case.config.model_copy(update={"lookups": case.config.lookups.model_copy(update={"providers": []})})
    with pytest.raises(UsageError, match="no provider"):
        guide.lookup(Case(case.path, nobody), send=True)
    url, asked, _ = served
    other = case.config.model_copy(update={"lookups": case.config.lookups.model_copy(update={"providers": ["OTX"]})})
    with pytest.raises(UsageError, match="OTX not configured"):
        guide.lookup(Case(case.path, other), send=True, desk=desk(url))
    assert asked == [] and items(case) == []


def test_no_more_questions_leave_in_a_minute_than_allowed(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(keeping.time, "sleep", waited.append)
    questions = [keeping.Question(f"h{n}.example.com", "domain", "P") for n in range(4)]
    answered = keeping.Reply(keeping.Outcome.ANSWERED, b"{}")
    acquired = keeping.acquire_lookups(case, questions, lambda _: answered, per_minute=6, timeout_s=5)
    assert waited == [10.0, 10.0, 10.0]
    assert sum(acquired.counts.values()) == len(questions)


def test_a_provider_that_raises_and_a_bomb_of_an_answer_cost_their_own_question(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 10)
    replies = {"a": keeping.Reply(keeping.Outcome.ANSWERED, b"x" * 11), "b": keeping.Reply(keeping.Outcome.ANSWERED)}
    questions = [keeping.Question(name, "domain", "P") for name in ("a", "b", "c")]
    acquired = keeping.acquire_lookups(case, questions, lambda q: replies[q.observable], per_minute=6000, timeout_s=5)
    assert dict(acquired.counts) == {"failed": 2, "answered": 1}
