"""msticpy's TILookup with the user's own providers, asked one question at a time; used only where somebody sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from playbooks.enrichment.ti_provider import msticpy_type, tilookup
from playbooks.errors import UsageError
from playbooks.evidence.acquire.answers import Outcome
from playbooks.evidence.acquire.lookups import Question, Reply

OUTCOMES = {401: Outcome.REFUSED, 403: Outcome.REFUSED, 404: Outcome.ABSENT}
NO_JSON = "There was a problem parsing results"


def desk_of(providers: Sequence[str]) -> Any:
    """TILookup with these providers, as msticpyconfig.yaml configures them.

    Raises
    ------
    UsageError
        One of them is not configured; nothing was sent.
    """
    return checked(tilookup()(providers=list(providers)), providers)


def checked(desk: Any, providers: Sequence[str]) -> Any:
    """The desk, if it has all these providers."""
    missing = sorted(set(providers) - set(desk.loaded_providers))
    if missing:
        raise UsageError(
            f"lookups: {', '.join(missing)} not configured in msticpyconfig.yaml (there: "
            f"{', '.join(sorted(desk.loaded_providers)) or 'none'}). Nothing was sent."
        )
    return desk


def asking(desk: Any) -> Callable[[Question], Reply]:
    """A function that asks the desk one question."""

    def ask(question: Question) -> Reply:
        received: list[Any] = []

        def kept(response: Any) -> None:
            response.read()
            received.append(response)

        provider = desk.loaded_providers[question.provider]
        client = getattr(provider, "_httpx_client", None)
        if client is not None:  # msticpy hands on what it made of an answer; the bytes are seen here
            client.event_hooks = {"request": [], "response": [kept]}
        asyncio.set_event_loop(asyncio.new_event_loop())
        kind = msticpy_type(question.observable, question.observable_type)
        asked = {question.observable: kind or question.observable_type}
        return _reply(desk.lookup_iocs(asked, providers=[question.provider], progress=False), received)

    return ask


def _reply(found: Any, received: list[Any]) -> Reply:
    body = bytes(received[-1].content) if received else b""
    status = int(received[-1].status_code) if received else None
    if found is None or len(found) == 0:
        return Reply(Outcome.FAILED, body, "msticpy gave no row: its provider does not take such an observable", status)
    row = found.iloc[0].to_dict()
    raw = row.get("RawResult")
    body = body or json.dumps(raw, default=str).encode()
    if status is not None and not 200 <= status < 300:
        return Reply(OUTCOMES.get(status, Outcome.FAILED), body, f"{status}: {str(row.get('Details'))[:200]}", status)
    if isinstance(raw, str) and raw.startswith(NO_JSON):
        return Reply(Outcome.FAILED, body, "the answer is no JSON", status)
    if not received and row.get("Status") not in (0, None):
        return Reply(Outcome.FAILED, body, f"status {row.get('Status')}: {str(row.get('Details'))[:200]}")
    made = {"listed": bool(row.get("Result")), "severity": str(row.get("Severity")), "answer": raw}
    return Reply(Outcome.ANSWERED, body, "", status, made)
