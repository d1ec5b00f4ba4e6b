"""Look-ups outside as evidence: each question to each provider, its answer as it came, and what became of it.

Asking is the caller's: here every question gets a line, whatever happens, and no more are asked in a minute than
allowed. What a provider was asked and answered can be read from the evidence later, without asking again.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from playbooks.case import Case
from playbooks.evidence.acquire.answers import Acquired, Answer, AnswerFile, Outcome, keep, private_folder

SOURCE = "lookup"
OPERATION = "look up"
MOST_BYTES = 4 << 20  # of an answer that is kept


@dataclass(frozen=True)
class Question:
    """One observable for one provider."""

    observable: str
    observable_type: str
    provider: str


@dataclass(frozen=True)
class Reply:
    """What came: the outcome, the bytes, and what was made of them."""

    outcome: Outcome
    body: bytes = b""
    error: str = ""
    status: int | None = None
    made_of_it: Mapping[str, Any] = field(default_factory=dict)


def acquire_lookups(
    case: Case,
    questions: Sequence[Question],
    ask: Callable[[Question], Reply],
    per_minute: int,
    timeout_s: float,
) -> Acquired:
    """Ask each question once and keep what came of it.

    Parameters
    ----------
    case
        The case that the answers become evidence of.
    questions
        What may leave the house, each once.
    ask
        Asks one question; what it raises is a failure of that question alone.
    per_minute
        Questions that may leave in a minute.
    timeout_s
        Seconds after which a question counts as failed.

    Returns
    -------
    Acquired
        `counts` add up to the number of questions.
    """
    with private_folder(case) as folder:
        with AnswerFile(folder / "lookups.jsonl") as answers:
            for number, question in enumerate(questions):
                if number:
                    time.sleep(60 / per_minute)
                answers.write(_answer(question, ask, timeout_s))
        return keep(case, answers, operation=OPERATION, source=SOURCE, questions=len(questions))


def _answer(question: Question, ask: Callable[[Question], Reply], timeout_s: float) -> Answer:
    asked = dt.datetime.now(dt.UTC)
    reply = _in_time(question, ask, timeout_s)
    body, error, outcome = reply.body, reply.error, reply.outcome
    if len(body) > MOST_BYTES:
        body, error, outcome = b"", f"an answer of {len(body):,} bytes; not kept", Outcome.FAILED
    return Answer(
        SOURCE,
        question.provider,
        OPERATION,
        {"observable": question.observable, "observable_type": question.observable_type},
        asked,
        dt.datetime.now(dt.UTC),
        outcome,
        resource=question.observable,
        status=reply.status,
        error=error,
        body=body or None,
        parsed=dict(reply.made_of_it) or None,
    )


def _in_time(question: Question, ask: Callable[[Question], Reply], timeout_s: float) -> Reply:
    """The reply, or why there is none: a provider is foreign code, and what it raises costs its own question."""
    aside = ThreadPoolExecutor(1)
    asked = aside.submit(ask, question)
    aside.shutdown(wait=False)  # a question that hangs is left to itself
    if not wait([asked], timeout=timeout_s).done:
        return Reply(Outcome.FAILED, error=f"no answer within {timeout_s:g} s")
    if (error := asked.exception()) is not None:
        return Reply(Outcome.FAILED, error=f"{type(error).__name__}: {str(error)[:200]}")
    return asked.result()
