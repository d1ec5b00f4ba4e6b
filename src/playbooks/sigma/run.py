"""All rules of a case over all its evidence: matches with their records, and what became of every rule."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from playbooks import engine, schema
from playbooks.case import Case
from playbooks.evidence import items
from playbooks.sigma.backend import NotConvertible, condition_of
from playbooks.sigma.conditions import Node, fields_of
from playbooks.sigma.correlations import MAX_EVENTS, Correlation, Event, correlated, correlations_of
from playbooks.sigma.matching import BY_NAME, Passed, run_items
from playbooks.sigma.plans import Asked, Plan
from playbooks.sigma.rule_files import RuleFiles, printable, read_rule_files
from playbooks.sigma.rules import NOT_CONVERTED, NOT_PARSED, Rule, parse_rules
from playbooks.sigma.sources import LogSource, sources_of

if TYPE_CHECKING:
    import pandas as pd

OWN_RULES = "kit"  # how the kit's own rules are called in paths
MATCHED, CLEAR, BLIND = "matched", "clear", "blind"
STATUSES = (MATCHED, CLEAR, BLIND, NOT_CONVERTED, NOT_PARSED)
MAX_LISTED = 10_000  # matches of one rule that are listed; its count is that of all
MAX_REFS = 100  # of one match of a correlation rule
WHO = "coalesce(actor_user_name, actor_session_issuer, actor_user_uid)"
WHAT = "coalesce(resource_name, resource_uid)"


@dataclass(frozen=True)
class Outcome:
    """What became of one rule.

    `status` is matched, clear, blind, not converted or not parsed; `matches` counts all matches, `records` the records
    that were looked at, of `log_sources`; `reason` says the rest in words.
    """

    rule_id: str
    title: str
    level: str
    path: str
    document: int
    status: str
    matches: int
    records: int
    log_sources: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class SigmaRun:
    """Matches (`schema.SIGMA_MATCHES`), the outcome of each rule, and what the rules were."""

    matches: pd.DataFrame
    outcomes: tuple[Outcome, ...]
    others: int
    rules_sha256: str

    def counts(self) -> dict[str, int]:
        """How many rules ended how; together they are the rules given."""
        found = Counter(outcome.status for outcome in self.outcomes)
        return {status: found[status] for status in STATUSES}

    @classmethod
    def from_json(cls, stated: dict[str, Any], matches: pd.DataFrame) -> SigmaRun:
        """A run as `as_json` wrote it, and its matches."""
        outcomes = (Outcome(**{**one, "log_sources": tuple(one["log_sources"])}) for one in stated["rules"])
        return cls(matches, tuple(outcomes), stated["files_that_are_no_rules"], stated["rules_sha256"])

    def as_json(self) -> dict[str, Any]:
        """Everything but the matches, for a file beside them."""
        return {
            "rules_sha256": self.rules_sha256,
            "files_that_are_no_rules": self.others,
            "rules": [asdict(outcome) for outcome in self.outcomes],
        }


def rule_files(case: Case) -> RuleFiles:
    """The kit's own rules and those that the case names, as they lie on the disk now."""
    own = resources.files("playbooks.knowledge").joinpath("sigma_rules")
    with resources.as_file(own) as folder:
        roots = [(OWN_RULES, folder), *((name, case.path / name) for name in case.config.sigma_rules)]
        return read_rule_files(roots)


def run_sigma(case: Case, given: RuleFiles) -> SigmaRun:
    """Run Sigma rules over the records of a case that became events.

    Parameters
    ----------
    case
        The case; its evidence is normalised.
    given
        The rules, as `rule_files` read them.

    Returns
    -------
    SigmaRun
        One outcome a rule, in the order of the files; matches in order of time.
    """
    return _Run(case, given).done()


@dataclass(frozen=True)
class _Record:
    """What the event of a matched record says."""

    time: dt.datetime | None
    principal: str | None
    resource: str | None


NOTHING = _Record(None, None, None)


class _Run:
    def __init__(self, case: Case, given: RuleFiles) -> None:
        self.case, self.given = case, given
        self.rules = parse_rules(given.documents)
        self.faults = {rule.key: (rule.state, rule.fault) for rule in self.rules if rule.state}
        self.nodes: dict[int, Node] = {}
        self.sources: dict[int, tuple[LogSource, ...]] = {}
        for rule in self.rules:
            if not rule.state and not rule.is_correlation:
                self._convert(rule)
        self.correlations, faults = correlations_of(self.rules)
        self.faults |= faults
        self.passed: dict[str, Passed] = {}
        self.records: dict[str, dict[int, _Record]] = {}
        self.cut: dict[int, str] = {}  # correlation rules that could not count every match, and why

    def _convert(self, rule: Rule) -> None:
        self.sources[rule.key] = sources_of(rule.source)
        try:
            self.nodes[rule.key] = condition_of(rule.parsed)
        except NotConvertible as error:
            self.faults[rule.key] = (NOT_CONVERTED, printable(str(error), 300))

    def done(self) -> SigmaRun:
        evidence = [item for item in items(self.case) if item.is_in_bag(self.case)]
        self.passed = run_items(self.case, evidence, self._plans())
        self.records = {name: self._records_of(name, passed) for name, passed in self.passed.items()}
        found: dict[int, list[dict[str, Any]]] = {}
        fed = {key for one in self.correlations for key in one.rules}
        hidden = {key for one in self.correlations if not one.generate for key in one.rules}
        for rule in self.rules:
            if rule.key in self.nodes:
                found[rule.key] = [] if rule.key in hidden else list(self._rows(rule))
        events = {key: list(self._events(key)) for key in fed if key in self.nodes}
        counts = {key: self._count(key) for key in self.nodes}
        for one in self.correlations:
            found[one.key] = self._correlate(one, events)
            counts[one.key] = len(found[one.key])
            found[one.key] = [] if one.key in hidden else found[one.key]
        rows = [row for listed in found.values() for row in listed[:MAX_LISTED]]
        outcomes = tuple(self._outcome(rule, counts.get(rule.key, 0), rule.key in hidden) for rule in self.rules)
        return SigmaRun(_frame(rows), outcomes, self.given.others, self.given.sha256)

    def _plans(self) -> Iterator[Plan]:
        keep: dict[int, dict[str, None]] = {}
        for one in self.correlations:
            for key in one.rules:
                keep.setdefault(key, {}).update(dict.fromkeys(one.keep(key)))
        asked: dict[tuple[str, str], tuple[LogSource, list[Asked]]] = {}
        for key, node in self.nodes.items():
            rule = Asked(key, node, tuple(keep.get(key, ())), MAX_EVENTS if key in keep else MAX_LISTED)
            for source, form in _once_each(self.sources[key]):
                asked.setdefault((source.name, form), (source, []))[1].append(rule)
        for (_, form), (source, rules) in asked.items():
            yield Plan(source, BY_NAME[form], tuple(rules))

    def _records_of(self, evidence_id: str, passed: Passed) -> dict[int, _Record]:
        """Time, principal and resource of matched records; of several events in one record the first."""
        numbers = sorted({number for hits in passed.hits.values() for number in hits.numbers})
        if not numbers:
            return {}
        con = engine.connect()
        con.register("matched", pa.table({"record_no": pa.array(numbers, pa.int64())}))
        rows = con.execute(
            f"SELECT record_no, min(time), min({WHO}), min({WHAT}) FROM read_parquet(?) SEMI JOIN matched "
            "USING (record_no) GROUP BY record_no",
            [str(self.case.events / "api_activity" / f"{evidence_id}.parquet")],
        )
        return {number: _Record(*rest) for number, *rest in rows.fetchall()}

    def _rows(self, rule: Rule) -> Iterator[dict[str, Any]]:
        for evidence_id, passed in self.passed.items():
            hits = passed.hits.get(rule.key)
            for number in hits.numbers if hits else ():
                record = self.records[evidence_id].get(number, NOTHING)
                yield _row(rule, "event", record, f"{evidence_id}:{number}", [], self._in_window([record.time]))

    def _in_window(self, times: Iterable[dt.datetime | None]) -> bool | None:
        """Whether any of these times lies in the window of the case; None where there is no window, or no time."""
        window, known = self.case.config.window, [time for time in times if time is not None]
        return any(window.start <= time < window.end for time in known) if window and known else None

    def _count(self, key: int) -> int:
        return sum(passed.hits[key].count for passed in self.passed.values() if key in passed.hits)

    def _events(self, key: int) -> Iterator[Event]:
        for evidence_id, passed in self.passed.items():
            hits = passed.hits.get(key)
            for place, number in enumerate(hits.numbers if hits else ()):
                time = self.records[evidence_id].get(number, NOTHING).time
                if time is not None and hits is not None:
                    kept = hits.kept[place] if hits.kept else {}
                    yield Event(time.timestamp(), f"{evidence_id}:{number}", key, kept)

    def _correlate(self, one: Correlation, events: dict[int, list[Event]]) -> list[dict[str, Any]]:
        """The matches of a correlation rule; they are events themselves for those that count them."""
        if reason := self._blocked(one):
            self.faults[one.key] = reason
            return []
        matches = correlated(one, (event for key in dict.fromkeys(one.rules) for event in events.get(key, ())))
        if uncounted := self._uncounted(one):
            self.cut[one.key] = uncounted
        rule = self.rules[one.key]
        events[one.key] = []
        rows = []
        for match in matches:
            first, *more = dict.fromkeys(event.ref for event in match.events)
            names = dict(zip(one.group_by, ([value] for value in match.group), strict=True))
            events[one.key].append(replace(match.events[-1], rule=one.key, fields=names))
            inside = self._in_window(self._record(event.ref).time for event in match.events)
            rows.append(_row(rule, one.kind, self._record(first), first, more, inside))
        return rows

    def _blocked(self, one: Correlation) -> tuple[str, str] | None:
        """Why a correlation rule cannot be answered: a rule that it counts could not be."""
        for key in one.rules:
            if key in self.cut:  # some of its matches are known, and how many are not is said
                continue
            outcome = self._outcome(self.rules[key], 0, False)
            if outcome.status not in (MATCHED, CLEAR):
                state = BLIND if outcome.status == BLIND else NOT_CONVERTED
                return state, f"the rule ‘{outcome.title}’ that it counts is {outcome.status}: {outcome.reason}"
        return None

    def _uncounted(self, one: Correlation) -> str:
        """Which rules match more often than a correlation rule counts; empty where it counts all their matches."""
        told = [self.cut[key] for key in dict.fromkeys(one.rules) if key in self.cut]
        for key in dict.fromkeys(one.rules):
            held = sum(len(passed.hits[key].numbers) for passed in self.passed.values() if key in passed.hits)
            if key in self.nodes and held < (count := self._count(key)):
                told.append(f"of the {count:,} matches of ‘{self.rules[key].title}’ the first {held:,} were counted")
        return "; ".join(dict.fromkeys(told))

    def _record(self, ref: str) -> _Record:
        evidence_id, _, number = ref.partition(":")
        return self.records[evidence_id].get(int(number), NOTHING)

    def _outcome(self, rule: Rule, matches: int, hidden: bool) -> Outcome:
        status, reason = self.faults.get(rule.key, ("", ""))
        sources = self.sources.get(rule.key, ())
        counted = {source.name: self._looked_at(source) for source in sources}
        records = sum(counted.values())
        if not status and rule.is_correlation:
            status, reason = MATCHED if matches else CLEAR, "over the matches of the rules that it counts"
            if cut := self.cut.get(rule.key):  # what was not counted could fit
                status, reason = MATCHED if matches else BLIND, f"cut: {cut}"
        elif not status and not records:
            status, reason = BLIND, _why_blind(rule, sources)
        elif not status:
            status = MATCHED if matches else CLEAR
            looked = (f"{number:,} of {name}" for name, number in counted.items() if number)
            reason = f"records looked at: {', '.join(looked)}{self._absent(rule, sources)}"
        if hidden:
            reason += "; its matches count in a correlation rule only"
        names = tuple(name for name, number in counted.items() if number)
        return Outcome(
            rule.id, rule.title, rule.level, rule.path, rule.document, status, matches, records, names, reason
        )

    def _looked_at(self, source: LogSource) -> int:
        return sum(passed.records.get(source.name, 0) for passed in self.passed.values())

    def _absent(self, rule: Rule, sources: Iterable[LogSource]) -> str:
        """The fields of a rule that no record had: a rule that needs one of them could not match."""
        seen = {name for source in sources for one in self.passed.values() for name in one.seen.get(source.name, ())}
        absent = [printable(name, 80) for name in fields_of(self.nodes[rule.key]) if name not in seen]
        return f"; in none of them stands {', '.join(absent[:8])}" if absent else ""


def _once_each(sources: Iterable[LogSource]) -> Iterator[tuple[LogSource, str]]:
    """Log sources and their formats; of log sources that share the records of a format the first alone."""
    taken: set[tuple[str, tuple[str, ...]]] = set()
    for source in sources:
        for form in source.dialects:
            records = form, source.codes.get(form, ())
            if records not in taken:
                taken.add(records)
                yield source, form


def _why_blind(rule: Rule, sources: tuple[LogSource, ...]) -> str:
    if not sources:
        return f"no mapping: the kit knows no records for the log source {rule.source.words()}"
    formats = sorted({_records_wanted(source, form) for source in sources for form in source.dialects})
    if not formats:
        return "; ".join(source.blind for source in sources)
    return f"no telemetry: the case holds no records of {' or '.join(formats)}"


def _records_wanted(source: LogSource, form: str) -> str:
    codes = source.codes.get(form)
    return f"{form} ({', '.join(codes)})" if codes else form


def _row(rule: Rule, kind: str, record: _Record, ref: str, more: list[str], in_window: bool | None) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "tags": list(rule.tags),
        "kind": kind,
        "time": record.time,
        "in_window": in_window,
        "principal": record.principal,
        "resource": record.resource,
        "ref": ref,
        "refs": more[:MAX_REFS],
        "path": rule.path,
        "document": rule.document,
    }


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(schema.SIGMA_MATCHES.names))
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame.sort_values(["time", "title", "path", "document", "ref"], ignore_index=True)
