"""What earlier acquisitions of a case hold, so that a later one stores only what changed.

Two answers are the same when the same question of the same account gives the same content. Content is
compared without what is new in every answer: ids of requests, signatures of links, tokens of next pages.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.case import Case
from playbooks.evidence import custody, preserve
from playbooks.evidence.acquire.answers import Outcome

FLEETING = frozenset(
    {"ResponseMetadata", "RequestId", "requestId", "NextToken", "nextToken", "NextMarker", "Marker", "nextForwardToken"}
)
SIGNED = re.compile(r"([?&])X-Amz-[\w-]+=[^&#\s\"\\<]*")
SAME = (Outcome.ANSWERED.value, Outcome.ABSENT.value)


@dataclass(frozen=True)
class Known:
    """The last good answer to one question: its record, its content, and the question that led to it."""

    ref: str
    fingerprint: str
    outcome: str
    parent: str
    service: str
    operation: str
    request: Mapping[str, Any]
    region: str
    resource: str


def key_of(account: str, region: str, service: str, operation: str, request: Mapping[str, Any], page: int) -> str:
    """The id of a question; the token of a page is none of it, its number is."""
    told = [account, region, service, operation, request, page]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:24]


def fingerprint_of(outcome: Outcome, body: bytes | None, parsed: Any = None, code: str = "") -> str:
    """The id of a content: equal where nothing but the fleeting differs.

    Parameters
    ----------
    outcome, code
        What became of the question, and the code of an error: its words may hold ids.
    body
        The answer as it is stored.
    parsed
        The answer as JSON, where `body` is none.
    """
    content: Any = code
    if outcome is Outcome.ANSWERED:
        content = parsed if parsed is not None else _json(body)
        if isinstance(content, Mapping):
            content = {name: value for name, value in content.items() if name not in FLEETING}
    text = SIGNED.sub(r"\1", json.dumps([outcome.value, content], sort_keys=True, ensure_ascii=False, default=str))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _json(body: bytes | None) -> Any:
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        return (body or b"").decode("utf-8", "backslashreplace")


def earlier_answers(case: Case, source: str, account: str) -> dict[str, Known]:
    """By question, the newest good answer that the case holds; what is gone by now is not in it.

    Parameters
    ----------
    case
        The case.
    source, account
        Whose answers.
    """
    files = {item.evidence_id: item.file(case) for item in preserve.items(case)}
    known: dict[str, Known] = {}
    for entry in custody.entries(case.custody):
        wanted = entry.get("activity") == "acquired" and entry.get("source") == source
        if not wanted or entry.get("account") != account or entry.get("evidence_id") not in files:
            continue
        evidence_id = str(entry["evidence_id"])
        with files[evidence_id].open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                _take(known, json.loads(line), f"{evidence_id}:{number}")
    return known


def _take(known: dict[str, Known], line: Mapping[str, Any], ref: str) -> None:
    key = str(line.get("key", ""))
    if line["outcome"] == Outcome.GONE:
        known.pop(key, None)
    elif key and line["outcome"] in SAME:
        known[key] = Known(
            ref,
            str(line.get("fingerprint", "")),
            str(line["outcome"]),
            str(line.get("parent", "")),
            str(line["service"]),
            str(line["operation"]),
            line["request"],
            str(line.get("region", "")),
            str(line.get("resource", "")),
        )


def gone(known: Mapping[str, Known], answered: set[str], asked: set[str]) -> list[str]:
    """Questions that nothing led to any more, though what led to them before was answered now.

    Where the listing itself was refused, what it named is unknown, not gone.

    Parameters
    ----------
    known
        Earlier answers by question.
    answered, asked
        Questions that were answered now, and all that were asked.
    """
    state: dict[str, bool] = {}

    def is_gone(key: str) -> bool:
        if key not in state:
            state[key] = False  # a circle of questions leads nowhere
            parent = known[key].parent
            named_by_nobody = parent in answered or (parent in known and is_gone(parent))
            state[key] = key not in asked and bool(parent) and named_by_nobody
        return state[key]

    return [key for key, one in known.items() if one.outcome == Outcome.ANSWERED and is_gone(key)]
