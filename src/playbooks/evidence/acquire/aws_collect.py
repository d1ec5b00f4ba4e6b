"""One region of an account, or the account itself: the plan carried out, each answer written as it comes.

Nothing stops a collection but a full disk: a refused call, garbage or silence is a line of its own.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from playbooks.case_file import Window
from playbooks.evidence.acquire.answers import Answer, AnswerFile, Outcome, full_disk_named
from playbooks.evidence.acquire.aws_client import Account, Limits, Reply
from playbooks.evidence.acquire.aws_cloudtrail import copy_trail
from playbooks.evidence.acquire.aws_package import fetch_package
from playbooks.evidence.acquire.aws_plan import ACCOUNT_KINDS, PLAN, Call
from playbooks.evidence.acquire.aws_things import Thing, text, thing
from playbooks.evidence.acquire.earlier import Known, fingerprint_of, key_of
from playbooks.evidence.acquire.environment import hidden

SOURCE = "aws"
NUMBERS = frozenset({"VersionNumber", "startTime", "endTime"})
MINUTE_S, FIVE_MINUTES_S, HOUR_S = 60, 300, 3600
DAY = dt.timedelta(days=1)
FIFTEEN_DAYS = 15 * DAY  # CloudWatch keeps minutes that long


@dataclass(frozen=True)
class Job:
    """What one worker collects; plain data, so that it can be sent to another process.

    `region` is what the clients use and `label` what the answers are filed under: things of the whole
    account are asked in some region and belong to none. `key` hides environment values; None keeps them.
    """

    profile: str | None
    account: str
    region: str
    label: str
    folder: Path
    things: tuple[tuple[Thing, str], ...]
    functions: tuple[str, ...] = ()
    window: Window | None = None
    logs: bool = True
    endpoint_url: str | None = None
    limits: Limits = field(default_factory=Limits)
    key: bytes | None = None
    known: Mapping[str, Known] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    trails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What a job brought: its lines, its attachments, what is left for the account, what was asked."""

    file: Path
    attachments: tuple[Path, ...]
    left: tuple[tuple[Thing, str], ...]
    answered: frozenset[str]
    asked: frozenset[str]


Told = Callable[[str], None]


def collect(job: Job, told: Told | None = None) -> Part:
    """Carry out the plan for what the job names, and for all that is named by the answers.

    Parameters
    ----------
    job
        What to collect.
    told
        Called with the name of each thing before it is asked about.
    """
    account = Account(job.profile, job.region, job.endpoint_url, job.limits)
    job = replace(job, folder=job.folder / job.label)
    job.folder.mkdir()
    with AnswerFile(job.folder / "part.jsonl") as answers:
        collection = Collection(job, account, answers)
        collection.run(told or (lambda _: None))
        for location in job.trails:
            copy_trail(collection, location, told or (lambda _: None))
    return Part(
        answers.file,
        tuple(collection.attachments),
        tuple(collection.left),
        frozenset(collection.answered),
        frozenset(collection.asked),
    )


class Collection:
    """The things still to be asked about, and what was asked so far."""

    def __init__(self, job: Job, account: Account, answers: AnswerFile) -> None:
        self.job = job
        self.account = account
        self.answers = answers
        self.todo = deque(job.things)
        self.queued = {one for one, _ in job.things}
        self.left: list[tuple[Thing, str]] = []
        self.buses: list[Thing] = []
        self.attachments: list[Path] = []
        self.packages = set(job.packages)
        self.asked: set[str] = set()
        self.answered: set[str] = set()
        self.moments = _moments(job.window)

    def run(self, told: Told) -> None:
        """Ask about everything that is named, until nothing new is."""
        while self.todo:
            one, parent = self.todo.popleft()
            told(one.name)
            if one.kind == "package":
                self._package(one, parent)
            for call in PLAN:
                if call.per == one.kind and self._wanted(call):
                    for asked in self._repeated(call, one):
                        self._pages(call, asked, parent)

    def ask(self, service: str, operation: str, request: Mapping[str, Any]) -> Reply:
        """One question, unless the acquisition was broken off meanwhile: its folder is gone then."""
        if not self.job.folder.is_dir():
            raise CancelledError(f"{operation} was not asked: the acquisition was broken off.")
        return self.account.ask(service, operation, request)

    def _wanted(self, call: Call) -> bool:
        if call.windowed and (not self.job.window or (call.operation == "FilterLogEvents" and not self.job.logs)):
            return False
        return call.scope == "any" or call.scope == ("named" if self.job.functions else "all")

    def _repeated(self, call: Call, one: Thing) -> Iterator[Thing]:
        if call.across:
            yield from (one.beside(bus) for bus in self.buses or [thing("bus", bus="default")])
        else:
            yield one

    def _pages(self, call: Call, asked: Thing, parent: str) -> None:
        """Ask, page after page, until the service has no more or a limit is reached."""
        request = _parameters(call, {**dict(asked.fields), **self.moments})
        token, tokens = "", set[str]()
        for page in count(1):
            key = key_of(self.job.account, self.job.label, call.service, call.operation, request, page)
            if key in self.asked:
                return  # two things led to the same question
            if bound := self._bound(page, token in tokens):
                self.write(call.service, call.operation, request, asked.name, bound, key, parent, page)
                return
            tokens.add(token)
            sent = {**request, call.pages[0]: token} if call.pages and token else request
            reply = self.ask(call.service, call.operation, sent)
            self.write(call.service, call.operation, sent, asked.name, reply, key, parent, page)
            if reply.outcome is not Outcome.ANSWERED:
                return
            for found in call.gives(reply.parsed, asked) if call.gives else ():
                self._queue(found, key, call)
            parent = key if page == 1 else parent
            token = text(reply.parsed, call.pages[1]) if call.pages else ""
            if not token:
                return

    def _bound(self, page: int, again: bool) -> Reply | None:
        """Why the next page is not asked for; None where it may be."""
        why = ""
        if page > self.job.limits.pages:
            why = f"more than {self.job.limits.pages:,} pages: the rest was not asked for"
        elif again:
            why = "the service names the same next page again: not asked for"
        elif len(self.asked) >= self.job.limits.calls:
            why = f"more than {self.job.limits.calls:,} calls: not asked"
        now = dt.datetime.now(dt.UTC)
        return Reply(Outcome.FAILED, now, now, 0, code="OutOfBounds", message=why) if why else None

    def _queue(self, found: Thing, key: str, call: Call) -> None:
        if found in self.queued:
            return
        self.queued.add(found)
        if found.kind != "package" and (strange := found.strange()):
            now = dt.datetime.now(dt.UTC)
            words = f"{found.kind} with {', '.join(strange)} that AWS does not allow: not asked about"
            reply = Reply(Outcome.FAILED, now, now, 0, code="StrangeName", message=words)
            self.write(call.service, call.operation, {}, found.name, reply, "", key)
        elif found.kind == "bus":
            self.buses.append(found)
        elif found.kind in ACCOUNT_KINDS and self.job.region == self.job.label:
            self.left.append((found, key))
        else:
            self.todo.append((found, key))

    def _package(self, package: Thing, parent: str) -> None:
        request = {"of": package.name, "url": package["location"].partition("?")[0]}
        key = key_of(self.job.account, self.job.label, "s3", "GetObject", {"of": package.name}, 1)
        if package["stated"] in self.packages:
            self.asked.add(key)
            now = dt.datetime.now(dt.UTC)
            more = {"same_as": f"sha256:{package['stated']}", "key": key, "parent": parent}
            self._write(
                Answer(
                    SOURCE, "s3", "GetObject", request, now, now, Outcome.UNCHANGED, resource=package.name, more=more
                )
            )
            self.answered.add(key)
            return
        fetched = fetch_package(package, self.job.folder, self.job.limits, self.job.endpoint_url)
        if fetched.file:
            self.attachments.append(fetched.file)
            self.packages.add(str(fetched.facts["sha256"]))
            self.answered.add(key)
        self.write("s3", "GetObject", request, package.name, fetched.reply, key, parent, more=fetched.facts)

    def write(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        resource: str,
        reply: Reply,
        key: str,
        parent: str,
        page: int = 1,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one reply: in full, or as unchanged where the case holds the same answer already."""
        self.asked.add(key)
        if reply.outcome in (Outcome.ANSWERED, Outcome.ABSENT):
            self.answered.add(key)
        stored, redacted = reply.body, ""
        if service == "lambda" and self.job.key is not None and reply.body is not None:
            stored, redacted = hidden(reply.body, self.job.key)
        parsed = None if _is_json(stored) or service == "lambda" else _plain(reply.parsed) or None
        mark = fingerprint_of(reply.outcome, stored, parsed, reply.code)
        facts = {"key": key, "parent": parent, "page": page, "fingerprint": mark, "request_id": reply.request_id}
        known = self.job.known.get(key)
        same = known is not None and known.fingerprint == mark and known.outcome == reply.outcome and not more
        answer = Answer(
            SOURCE,
            service,
            operation,
            request,
            reply.asked,
            reply.answered,
            Outcome.UNCHANGED if same else reply.outcome,
            resource=resource,
            status=reply.status,
            error=f"{reply.code}: not stored with a body that is redacted" if redacted and reply.code else reply.error,
            body=None if same else reply.body,
            stored=stored,
            redacted=redacted,
            parsed=None if same else parsed,
            more={
                **facts,
                "attempts": reply.attempts,
                **({"same_as": known.ref} if same and known else {}),
                **(more or {}),
            },
        )
        apart = operation == "LookupEvents" and answer.outcome is Outcome.ANSWERED
        self._write(self._apart(answer) if apart else answer)

    def _apart(self, answer: Answer) -> Answer:
        """Pages of audit records go into a file of their own, byte for byte, for the format of these records."""
        file = self.job.folder / f"lookup-events-{self.job.account}-{self.job.label}.json"
        if file not in self.attachments:
            self.attachments.append(file)
        with full_disk_named(file), file.open("ab") as pages:
            pages.write((answer.body or b"") + b"\n")
        kept = {**answer.more, "kept_in": file.name}
        return replace(answer, stored=None, redacted="kept byte for byte in a file of its own", more=kept)

    def _write(self, answer: Answer) -> None:
        self.answers.write(replace(answer, region=self.job.label, account=self.job.account))


def _moments(window: Window | None) -> dict[str, str]:
    """The window in the ways services ask for it, and the finest period of metrics that it allows."""
    if window is None:
        return {}
    length = window.end - window.start
    age = dt.datetime.now(dt.UTC) - window.start
    fine = MINUTE_S if length <= DAY and age <= FIFTEEN_DAYS else FIVE_MINUTES_S
    return {
        "start": window.start.astimezone(dt.UTC).isoformat(),
        "end": window.end.astimezone(dt.UTC).isoformat(),
        "start_ms": str(int(window.start.timestamp() * 1000)),
        "end_ms": str(int(window.end.timestamp() * 1000)),
        "period_s": str(fine if length <= FIFTEEN_DAYS else HOUR_S),
    }


def _parameters(call: Call, fields: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a call with the fields of a thing put in."""
    given: dict[str, Any] = {}
    for name, value in call.parameters.items():
        filled = value(fields) if callable(value) else value.format_map(fields)
        given[name] = int(filled) if name in NUMBERS else filled
    return given


def _is_json(body: bytes | None) -> bool:
    return body is not None and body.lstrip()[:1] in (b"{", b"[")


def _plain(value: Any) -> Any:
    """A parsed answer as JSON values."""
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, dt.datetime) else value


__all__ = ["SOURCE", "Job", "Part", "Told", "collect"]
