"""One pass over an evidence item: the fields that rules ask for, and all conditions over them, run by run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from playbooks import engine
from playbooks.case import Case
from playbooks.cores import cores
from playbooks.evidence import Item
from playbooks.formats import FORMATS, Format
from playbooks.normalise import detect, formats_of
from playbooks.normalise.cut import cut
from playbooks.normalise.mappers import chunk_of
from playbooks.normalise.mixed import as_records
from playbooks.normalise.records import Records
from playbooks.normalise.statements import Statements
from playbooks.normalise.text import read_text
from playbooks.sigma.plans import Asked, Plan

Numbers = npt.NDArray[np.int64]
BY_NAME: dict[str, Format] = {form.name: form for form in FORMATS}


@dataclass
class Hits:
    """What one rule matched in one item: how often; record numbers in order; and the kept fields of each, by name."""

    count: int = 0
    numbers: list[int] = field(default_factory=list)
    kept: list[dict[str, list[str]]] = field(default_factory=list)


@dataclass
class Passed:
    """What one item gave: hits by rule, records looked at by log source, and fields seen by log source."""

    hits: dict[int, Hits] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(default_factory=dict)


def run_items(case: Case, evidence: Iterable[Item], plans: Iterable[Plan]) -> dict[str, Passed]:
    """Run plans over the records of items that became events of their formats.

    Returns
    -------
    dict of str to Passed
        By evidence id, for items with such records; others are not read.
    """
    passed: dict[str, Passed] = {}
    wanted: list[tuple[Item, list[tuple[Plan, Numbers]]]] = []
    every = tuple(plans)
    con = engine.connect()
    for item in evidence:
        asked = [(plan, numbers) for plan in every if len(numbers := _numbers(con, case, item, plan))]
        if asked:
            wanted.append((item, asked))
            passed[item.evidence_id] = _counted(asked)
    for found in _in_order(task for item, asked in wanted for task in _tasks(case, item, asked)):
        _add(passed[found.evidence_id], found)
    return passed


def _counted(asked: list[tuple[Plan, Numbers]]) -> Passed:
    passed = Passed()
    for plan, numbers in asked:
        name = plan.source.name
        passed.records[name] = passed.records.get(name, 0) + len(numbers)
        passed.seen.setdefault(name, set())
    return passed


def _numbers(con: duckdb.DuckDBPyConnection, case: Case, item: Item, plan: Plan) -> Numbers:
    """The records of an item that a plan speaks of, in order."""
    file = case.events / "api_activity" / f"{item.evidence_id}.parquet"
    if not file.is_file():
        return np.empty(0, np.int64)
    codes = plan.source.codes.get(plan.form.name, ())
    listed = ", ".join(map(engine.text_literal, codes))
    coded = f" AND metadata_event_code IN ({listed})" if codes else ""
    found = con.execute(
        f"SELECT DISTINCT record_no FROM read_parquet(?) WHERE format = ?{coded} ORDER BY record_no",
        [str(file), plan.form.name],
    )
    return np.asarray(found.fetchnumpy()["record_no"], dtype=np.int64)


@dataclass(frozen=True)
class _Task:
    """A run of records to be asked; `first` is the number of the first, `wanted` those of them that count."""

    evidence_id: str
    plan: Plan
    records: Records
    first: int
    wanted: Numbers


def _tasks(case: Case, item: Item, wanted: list[tuple[Plan, Numbers]]) -> Iterator[_Task]:
    own = formats_of(case)
    detection = detect(item.file(case), own)
    name = detection.format.name if detection.format else ""
    first = 1
    for run in cut(read_text(item.file(case)), detection.layout):
        for plan, numbers in wanted:
            low, high = np.searchsorted(numbers, [first, first + len(run)])
            if high > low:
                records = run if plan.form.name == name else as_records(run.texts, plan.form)
                yield _Task(item.evidence_id, plan, records, first, numbers[low:high])
        first += len(run)


@dataclass(frozen=True)
class _Found:
    """The hits of one task: by rule, and the fields that had a value."""

    evidence_id: str
    plan: Plan
    hits: dict[int, Hits]
    seen: set[str]


def _in_order(tasks: Iterator[_Task]) -> Iterator[_Found]:
    """Tasks done on as many threads as there are cores, in their order; few are waiting at any time."""
    count = cores()
    free: SimpleQueue[Statements] = SimpleQueue()
    for _ in range(count):
        free.put(Statements(closed=True, clock=None))
    waiting: deque[Future[_Found]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="sigma") as threads:
        for task in tasks:
            waiting.append(threads.submit(_done, free, task))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    while not free.empty():
        free.get().close()


def _done(free: SimpleQueue[Statements], task: _Task) -> _Found:
    ask = free.get()
    try:
        return _ask(ask, task)
    finally:
        free.put(ask)


def _ask(ask: Statements, task: _Task) -> _Found:
    plan = task.plan
    numbers = pa.array(np.arange(task.first, task.first + len(task.records), dtype=np.int64))
    chunk = chunk_of(task.records, numbers, plan.form)
    whole = len(task.wanted) == len(task.records)
    if not whole:
        chunk = chunk.filter(pc.is_in(chunk["record_no"], pa.array(task.wanted)))
    ask.put("chunk", chunk)
    rows = ask.rows(plan.extraction(task.records, guarded=not whole))
    several = pc.is_valid(rows["json"])
    found = _Found(task.evidence_id, plan, {}, set())
    _match(ask, found, rows.filter(pc.invert(several)), several=False)
    if pc.any(several).as_py():
        _match(ask, found, plan.lists(rows.filter(several)), several=True)
    return found


def _match(ask: Statements, found: _Found, rows: pa.Table, several: bool) -> None:
    """Ask all conditions of one table of fields at once."""
    plan = found.plan
    if not rows.num_rows or not plan.rules:
        return
    ask.put("lists" if several else "fields", rows)  # two names: a plan speaks of one schema
    truths = ask.rows(plan.matching(several))
    for place, rule in enumerate(plan.rules):
        at = pc.indices_nonzero(truths[f"r{place}"])
        if len(at):
            _keep(found, rule, rows.select(_kept_columns(plan, rule.keep)).take(at))
    for number, name in enumerate(plan.names):
        column = rows[f"v{number}" if several else f"l{number}"]
        if column.null_count < len(column) and not (several and not pc.sum(pc.list_value_length(column)).as_py()):
            found.seen.add(name)


def _kept_columns(plan: Plan, keep: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(["record_no", *(plan.as_is[name] for name in keep)]))


def _keep(found: _Found, rule: Asked, rows: pa.Table) -> None:
    hits = found.hits.setdefault(rule.key, Hits())
    hits.count += rows.num_rows
    rows = rows.slice(0, rule.limit)
    hits.numbers += rows["record_no"].to_pylist()
    if rule.keep:
        columns = {name: rows[found.plan.as_is[name]].to_pylist() for name in rule.keep}
        hits.kept += [{name: _listed(column[row]) for name, column in columns.items()} for row in range(rows.num_rows)]


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _add(passed: Passed, found: _Found) -> None:
    """Join what a run gave to what the item gave before; in the order of records, and no more of them than asked."""
    passed.seen[found.plan.source.name] |= found.seen
    limits = {rule.key: rule.limit for rule in found.plan.rules}
    for key, hits in found.hits.items():
        all_of_it = passed.hits.setdefault(key, Hits())
        room = max(0, limits[key] - len(all_of_it.numbers))
        all_of_it.count += hits.count
        all_of_it.numbers += hits.numbers[:room]
        all_of_it.kept += hits.kept[:room]
