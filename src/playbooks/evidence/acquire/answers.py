"""What somebody else's machine answered, as evidence: JSON lines, one answer a line, hashed before it is parsed.

How a collector uses it, whatever it asks (a cloud, a SIEM, a lake)::

    with private_folder(case) as folder:
        with AnswerFile(folder / "siem-acquisition.jsonl") as answers:
            answers.write(Answer("sentinel", "workspace", "query", {"text": kql}, asked, answered,
                                 Outcome.ANSWERED, body=raw))
        acquired = keep(case, answers, attachments=[folder / "rows.parquet"], collector={"arn": who})

The folder lies on the case's own file system and is gone afterwards, so a collection that is broken off
leaves nothing in the bag. `keep` puts the lines and the attachments into the bag and writes the act
`acquired` into the custody chain. The format `acquired_answers` reads the lines into the table of the
same name; an answer that was refused becomes a blind spot.

Each line is ASCII, whatever the answer held: a terminal that prints it cannot be steered by it.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

from playbooks.case import Case
from playbooks.errors import PlaybookError
from playbooks.evidence import custody, preserve

VERSION = 1
FOLDER = ".acquiring"


class Outcome(StrEnum):
    """What became of a question.

    *Absent* is an answer: there is no such thing. *Refused* and *failed* are none: what is there stays
    unknown. *Unchanged* and *gone* compare with an earlier acquisition of the same case.
    """

    ANSWERED = "answered"
    ABSENT = "absent"
    REFUSED = "refused"
    FAILED = "failed"
    UNCHANGED = "unchanged"
    GONE = "gone"


@dataclass(frozen=True)
class Answer:
    """One question and what came back.

    Parameters
    ----------
    source, service, operation
        Who was asked for what: `aws`, `lambda`, `GetPolicy`.
    request
        The parameters as they were sent; JSON values, no secrets.
    asked, answered
        UTC; when the (last) request left and when its answer was whole.
    outcome
        See `Outcome`.
    region, account, resource
        Where, and what it is about; empty where that says nothing.
    status
        Status of HTTP; None without an answer.
    error
        `code: message` of a refusal or a failure.
    body
        The bytes as they were received; hashed here, before anything reads them.
    stored
        What is stored in place of `body` where it must not be stored as it is; `redacted` says why.
    parsed
        The answer as JSON where its body is none (XML, CBOR), so that a question can read it.
    more
        Further facts of the line, such as `same_as`.
    """

    source: str
    service: str
    operation: str
    request: Mapping[str, Any]
    asked: dt.datetime
    answered: dt.datetime
    outcome: Outcome
    region: str = ""
    account: str = ""
    resource: str = ""
    status: int | None = None
    error: str = ""
    body: bytes | None = None
    stored: bytes | None = None
    redacted: str = ""
    parsed: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> dict[str, Any]:
        """The answer as it is written; what is empty is left out."""
        facts = {
            "source": self.source,
            "service": self.service,
            "operation": self.operation,
            "request": dict(self.request),
            "region": self.region,
            "account": self.account,
            "resource": self.resource,
            "asked": stamp(self.asked),
            "answered": stamp(self.answered),
            "outcome": self.outcome.value,
            "status": self.status,
            "error": self.error,
            **_body(self),
            "parsed": self.parsed,
            **self.more,
        }
        kept = {name: value for name, value in facts.items() if value not in (None, "") or name == "body"}
        return {"acquired": VERSION, **kept}


def stamp(moment: dt.datetime) -> str:
    """UTC with microseconds and a zone."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _body(answer: Answer) -> dict[str, Any]:
    if answer.body is None:
        return {}
    facts = {"sha256": hashlib.sha256(answer.body).hexdigest(), "size": len(answer.body)}
    if answer.redacted:
        return {**facts, "redacted": answer.redacted, **_text(answer.stored)}
    return {**facts, **_text(answer.body)}


def _text(body: bytes | None) -> dict[str, Any]:
    if body is None:
        return {"body": None}
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode("ascii"), "body_encoding": "base64"}


class AnswerFile:
    """A file of answers being written; counts what became of them. Used by one thread at a time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.counts: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.first: str | None = None
        self.last: str | None = None
        self._stream = file.open("xb")

    def write(self, answer: Answer) -> int:
        """Write one answer; gives the number of its line, which is its record number in the bag."""
        line = answer.line()
        self.add_raw(json.dumps(line, ensure_ascii=True, separators=(",", ":"), default=str).encode("ascii"), line)
        return self.counts.total()

    def add_raw(self, raw: bytes, line: Mapping[str, Any]) -> None:
        """Take over a line that another `AnswerFile` wrote."""
        with full_disk_named(self.file):
            self._stream.write(raw.rstrip(b"\n") + b"\n")
        self.counts[str(line["outcome"])] += 1
        if line["outcome"] in (Outcome.REFUSED, Outcome.FAILED):
            self.unanswered[f"{line['service']} {line['operation']}"] += 1
        self.first = min(filter(None, (self.first, str(line["asked"]))))
        self.last = max(filter(None, (self.last, str(line["answered"]))))

    def __enter__(self) -> AnswerFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with full_disk_named(self.file):
            self._stream.close()


@contextmanager
def full_disk_named(file: Path) -> Iterator[None]:
    """A full disk is something the operator can act on; any other error of the disk keeps its traceback."""
    try:
        yield
    except OSError as error:
        if error.errno != 28:
            raise
        raise PlaybookError(
            f"{file.name}: the disk is full while acquiring. Nothing of this acquisition was added; the case is "
            "intact. Free space and acquire again."
        ) from error


@contextmanager
def private_folder(case: Case) -> Iterator[Path]:
    """A folder only this user can read, beside the bag; removed with all it holds when the work ends.

    What an acquisition that was killed left behind is removed first. A lock tells it from the folder of
    another one that is at work; the lock lies beside the folder, so that nobody takes it for an answer.
    """
    place = case.path / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    _clear(place)
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        with _lock_of(folder).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        _remove(folder)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def _clear(place: Path) -> None:
    for lock in place.glob("*.lock"):
        with lock.open("a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # another acquisition is at work there
            _remove(lock.with_suffix(""))


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _lock_of(folder).unlink(missing_ok=True)


@dataclass(frozen=True)
class Acquired:
    """An acquisition in the bag: its evidence id, what became of the questions, and its attachments by id."""

    evidence_id: str
    counts: Mapping[str, int]
    unanswered: Mapping[str, int]
    attachments: Mapping[str, str]
    entry: Mapping[str, Any]


def _source_of(case: Case, path: Path) -> str:
    """What the chain states as the source: the private folder is gone in a moment, the path in it tells something."""
    return f"acquired: {preserve.printable(Path(*path.relative_to(case.path / FOLDER).parts[1:]))}"


def keep(
    case: Case,
    answers: AnswerFile,
    attachments: Sequence[Path] = (),
    progress: Callable[[int], None] = lambda _: None,
    **facts: Any,
) -> Acquired:
    """Put a finished file of answers and its attachments into the bag, and write the act `acquired`.

    Parameters
    ----------
    case
        The case.
    answers
        The file, closed.
    attachments
        Files that are evidence of their own: packages, pages of a log.
    progress
        Told the number of bytes just copied.
    **facts
        For the custody chain: `source`, `collector` (`arn`, `user_agent`, `access_key_id`), `tools`,
        what was asked for. JSON values, no secrets.

    Returns
    -------
    Acquired

    Raises
    ------
    PlaybookError
        A file could not be added to the bag.
    """
    added = preserve.add(
        case,
        [answers.file, *attachments],
        progress,
        source_of=lambda path: _source_of(case, path),
    )
    refused = [f"{one.source.name}: {one.note}" for one in added if one.item is None]
    if refused:
        raise PlaybookError(
            f"{case.path}: acquired files could not be added to the bag: {'; '.join(refused)}. "
            "What was added before stays; acquire again."
        )
    items = [one.item for one in added if one.item is not None]
    files = [
        {"evidence_id": item.evidence_id, "file": path.name, "sha256": item.sha256, "size": item.size}
        for item, path in zip(items[1:], attachments, strict=True)
    ]
    entry = custody.append(
        case.custody,
        case.config.case_id,
        "acquired",
        evidence_id=items[0].evidence_id,
        sha256=items[0].sha256,
        counts=dict(sorted(answers.counts.items())),
        unanswered=dict(sorted(answers.unanswered.items())),
        first=answers.first,
        last=answers.last,
        attachments=files,
        **facts,
    )
    by_name = {str(file["file"]): str(file["evidence_id"]) for file in files}
    return Acquired(items[0].evidence_id, dict(answers.counts), dict(answers.unanswered), by_name, entry)
