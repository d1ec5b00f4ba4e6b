"""Many cases over an Executor: each in a process of its own, retried with back-off, set aside when it stays broken.

The state of a batch is what its journal and the cases say. A batch that was killed is started again and goes on;
two batches on one list share the work, for a case has one run at a time and a run over unchanged inputs is kept.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from playbooks import kit
from playbooks.batch.attempt import Ended, Order, attempt
from playbooks.batch.executors import executor
from playbooks.batch.journal import DONE, FAILED, RUNNING, SET_ASIDE, WAITING, Entry, Journal
from playbooks.batch.queue import Task, tasks_of
from playbooks.batch.summary import summarised
from playbooks.case import CASE_FILE
from playbooks.errors import CaseBusy, CaseError, EvidenceChanged, UsageError

# what no second attempt can change
FINAL = (UsageError.exit_code, CaseError.exit_code, EvidenceChanged.exit_code)
STATE_FILES = (CASE_FILE, "evidence/tagmanifest-sha256.txt", "decisions.jsonl")
LOOK_EVERY_S = 1.0
AGAIN_AFTER_S = 2.0


@dataclass(frozen=True)
class Rules:
    """How a batch treats its cases.

    Attributes
    ----------
    workers
        Cases at a time.
    attempts
        Failed attempts after which a case is set aside.
    back_off_s
        Seconds before the second attempt; doubled for each further one.
    again
        Whether to try cases that were set aside, though nothing about them changed.
    limits
        An order whose limits hold for every case; its case is not read.
    """

    workers: int
    attempts: int = 2
    back_off_s: float = 5.0
    again: bool = False
    limits: Order = field(default_factory=lambda: Order(""))


@dataclass(order=True)
class _Due:
    at: float
    number: int
    task: Task = field(compare=False)


def run_batch(
    tasks: Sequence[Task],
    journal: Journal,
    pool: Executor,
    rules: Rules,
    told: Callable[[Entry], None] = lambda _entry: None,
) -> None:
    """Run every case until it is done or set aside; what happened stands in the journal, and nothing is raised for it.

    Parameters
    ----------
    tasks
        The cases.
    journal
        Where it is written down as it happens.
    pool
        Runs `attempt` for a case: threads of this process, or a cluster's.
    rules
        How cases are treated.
    told
        Called after each change of a case.
    """
    numbers = count()
    waiting = [_Due(0.0, next(numbers), task) for task in tasks if not _is_set_aside(task, journal, rules)]
    running: dict[Future[Ended], Task] = {}
    while waiting or running:
        while waiting and len(running) < rules.workers and waiting[0].at <= time.monotonic():
            task = heapq.heappop(waiting).task
            told(journal.write(str(task.case), state=RUNNING, state_of=_state_of(task.case)))
            running[pool.submit(attempt, _order(task, rules))] = task
        if not running:
            time.sleep(max(0.0, min(LOOK_EVERY_S, waiting[0].at - time.monotonic())))
            continue
        for future in wait(running, LOOK_EVERY_S, FIRST_COMPLETED).done:
            task = running.pop(future)
            entry, wait_s = _settled(task, _ended(future), journal, rules)
            if entry.state in (WAITING, FAILED):
                heapq.heappush(waiting, _Due(time.monotonic() + wait_s, next(numbers), task))
            told(entry)


def _order(task: Task, rules: Rules) -> Order:
    limits = {name: value for name, value in vars(rules.limits).items() if name not in ("case", "parameters")}
    return Order(str(task.case), dict(task.parameters), **limits)


def _ended(future: Future[Ended]) -> Ended:
    """How it ended; what the executor itself raises (its worker is gone) is a failed attempt like any other."""
    error = future.exception()
    if error is None:
        return future.result()
    return Ended(1, 0.0, f"the worker did not bring it to an end: {type(error).__name__}: {error}")


def _settled(task: Task, ended: Ended, journal: Journal, rules: Rules) -> tuple[Entry, float]:
    """Write down how an attempt ended; gives the seconds to wait where it is to be tried again."""
    case = str(task.case)
    facts = {"exit_code": ended.code, "seconds": ended.seconds, "error": ended.words}
    if ended.code == 0:
        return journal.write(case, state=DONE, attempts=0, **facts), 0.0
    if ended.code == CaseBusy.exit_code:  # somebody else is at it: no failure of the case
        return journal.write(case, state=WAITING, **facts), AGAIN_AFTER_S
    failed = journal.entry(case).attempts + 1
    if ended.code in FINAL or failed >= rules.attempts:
        return journal.write(case, state=SET_ASIDE, attempts=failed, **facts), 0.0
    return journal.write(case, state=FAILED, attempts=failed, **facts), rules.back_off_s * 2 ** (failed - 1)


def _is_set_aside(task: Task, journal: Journal, rules: Rules) -> bool:
    """Whether a case failed for good and nothing about it has changed since."""
    entry = journal.entry(str(task.case))
    if entry.state != SET_ASIDE:
        return False
    if not rules.again and entry.state_of == _state_of(task.case):
        return True
    journal.write(str(task.case), state=WAITING, attempts=0)
    return False


def _state_of(case: Path) -> str:
    """A digest of all that an attempt depends on; a file that is not there counts as such."""
    digest = hashlib.sha256(kit.fingerprint().encode())
    for name in STATE_FILES:
        file = case / name
        digest.update(file.read_bytes() if file.is_file() else b"none")
    return digest.hexdigest()


__all__ = ["Entry", "Journal", "Order", "Rules", "Task", "executor", "run_batch", "summarised", "tasks_of"]
