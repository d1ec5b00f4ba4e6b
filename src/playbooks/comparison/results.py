"""How the results of two sides differ: outcomes, findings, leads and rows set aside, by their stable ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playbooks.comparison.change import Change, text_of
from playbooks.comparison.side import Entry, Found, Outcome, Side, Signal

LISTS = {"findings": "finding", "leads": "lead", "suppressed": "set aside"}
OWN_WORDS = {"outcomes", "limits", "versions", *LISTS}  # of findings.json: told by themselves
TOLD = {"id", "signals", "title", "would_be", "allowed_by", "score", "decision"}
ITEM = re.compile(r"\bE\d{3,}\b")


@dataclass(frozen=True)
class Naming:
    """How the items of one side are named on the other: the same bytes may have another evidence id there.

    `of_second` maps an evidence id of the second side to that of the first, or to words that are no id where the
    first lacks the item; `only_first` and `only_second` hold the items that one side alone has.
    """

    of_second: dict[str, str]
    only_first: dict[str, str]
    only_second: dict[str, str]

    def as_first(self, text: str) -> str:
        """A text of the second side with the evidence ids of the first, to compare by."""
        return ITEM.sub(lambda found: self.of_second.get(found[0], found[0]), text)


def naming(first: Side, second: Side) -> Naming:
    """The naming of two sides; names change nothing where a side has no manifest."""
    if first.evidence is None or second.evidence is None:
        return Naming({}, {}, {})
    ids = {sha: _id(name) for sha, name in first.evidence.items()}
    of_second = {_id(name): ids.get(sha, f"{_id(name)} of the second") for sha, name in second.evidence.items()}
    return Naming(of_second, _alone_in(first.evidence, second.evidence), _alone_in(second.evidence, first.evidence))


def _alone_in(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """Evidence id → name of the items that one side has and the other has not."""
    return {_id(name): name for sha, name in one.items() if sha not in other}


def _id(name: str) -> str:
    return name.partition("-")[0]


def result_changes(first: Side, second: Side, named: Naming) -> Iterator[Change]:
    """Every difference between two results, outcomes first."""
    yield from _outcomes(first.found, second.found, named.as_first)
    before, after = _placed(first.found), _placed(second.found)
    for name in dict.fromkeys((*after, *before)):
        if name not in before:
            yield _alone(name, "appeared", *after[name], first.found, named.only_second)
        elif name not in after:
            yield _alone(name, "gone", *before[name], second.found, named.only_first)
        else:
            yield from _of_both(before[name], after[name], named)
    yield from _limits(first.found.limits, second.found.limits, named.as_first)
    was, now = (side.found.model_dump(mode="json", exclude=OWN_WORDS) for side in (first, second))
    for name in _differing_names(was, now, named.as_first):
        yield Change("other result", f"{name} in results/findings.json", "changed")
    for file in sorted(first.files.keys() & second.files.keys()):
        if first.files[file] != second.files[file]:
            yield Change("other result", f"results/{file}", "other bytes")


def _limits(first: list[str], second: list[str], as_first: Callable[[str], str]) -> Iterator[Change]:
    kept = {as_first(limit) for limit in second}
    yield from (Change("limit", "limits", "removed", first=limit) for limit in first if limit not in kept)
    yield from (Change("limit", "limits", "added", second=one) for one in second if as_first(one) not in first)


def _outcomes(first: Found, second: Found, as_first: Callable[[str], str]) -> Iterator[Change]:
    for name in dict.fromkeys((*first.outcomes, *second.outcomes)):
        before, after = first.outcomes.get(name), second.outcomes.get(name)
        if before is None or after is None:
            change = "asked by the second alone" if before is None else "asked by the first alone"
            yield Change("outcome", name, change, _answer(before), _answer(after))
        elif before.outcome != after.outcome or before.reason != as_first(after.reason):
            change = "answer" if before.outcome != after.outcome else "reason"
            yield Change("outcome", name, change, _answer(before), _answer(after))


def _answer(outcome: Outcome | None) -> str | None:
    return f"{outcome.outcome}: {outcome.reason}" if outcome else None


def _placed(found: Found) -> dict[str, tuple[str, Entry]]:
    placed: dict[str, tuple[str, Entry]] = {}
    for key, place in LISTS.items():
        for entry in getattr(found, key):
            placed.setdefault(entry.id, (place, entry))
    return placed


def _alone(name: str, change: str, place: str, entry: Entry, other: Found, only: dict[str, str]) -> Change:
    score = f", score {entry.score:g}" if entry.score is not None else ""
    told = f"{place}: {entry.words}{score}"
    refs = tuple(dict.fromkeys(ref for signal in entry.signals for ref in signal.refs))
    why = _cites(refs, only)
    unlisted = other.leads_total - len(other.leads)
    if unlisted > 0 and place == "lead":
        why = "; ".join(filter(None, (why, f"the other side lists {len(other.leads)} of {other.leads_total} leads")))
    if change == "appeared":
        return Change("finding", name, change, None, told, refs, why)
    return Change("finding", name, change, told, None, refs, why)


def _cites(refs: Iterable[str], only: dict[str, str]) -> str:
    """The items among the records that the other side does not hold."""
    cited = dict.fromkeys(ref.partition(":")[0] for ref in refs)
    names = [only[item] for item in cited if item in only]
    return f"cites {', '.join(names)}, which the other side does not hold" if names else ""


def _of_both(before: tuple[str, Entry], after: tuple[str, Entry], named: Naming) -> Iterator[Change]:
    (was_in, was), (is_in, now) = before, after
    if was_in != is_in:
        yield Change("finding", now.id, "moved", was_in, is_in, why=_why_moved(was_in, was, is_in, now))
    for change, first, second in (
        ("title", was.words, now.words),
        ("score", was.score, now.score),
        ("confidence", was.confidence, now.confidence),
        ("decision", was.decision, now.decision),
        ("set aside by", was.allowed_by, now.allowed_by),
    ):
        aside = "set aside" in (was_in, is_in) and was_in != is_in  # a row set aside has no score and no argument
        if first != second and not (aside and change in ("score", "confidence", "set aside by")):
            yield Change("finding", now.id, change, _shown(first), _shown(second))
    yield from _signals(was, now, named)
    if (was_in == "set aside") == (is_in == "set aside"):
        one, other = (entry.model_dump(mode="json", exclude=TOLD) for entry in (was, now))
        if names := _differing_names(one, other, named.as_first):
            yield Change("finding", now.id, f"also differs in {', '.join(names)}")


def _shown(value: Any) -> str | None:
    return None if value in (None, "") else text_of(value)


def _why_moved(was_in: str, was: Entry, is_in: str, now: Entry) -> str:
    if is_in == "set aside":
        return f"set aside: {now.allowed_by}"
    return f"no longer set aside: {was.allowed_by}" if was_in == "set aside" else ""


def _signals(was: Entry, now: Entry, named: Naming) -> Iterator[Change]:
    before = {(signal.kind, signal.sentence): signal for signal in was.signals}
    after = {(signal.kind, named.as_first(signal.sentence)): signal for signal in now.signals}
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old is None and new is not None:
            why = _cites(new.refs, named.only_second)
            yield Change("finding", now.id, "signal added", second=_told(new), refs=tuple(new.refs), why=why)
        elif new is None and old is not None:
            why = _cites(old.refs, named.only_first)
            yield Change("finding", now.id, "signal removed", _told(old), refs=tuple(old.refs), why=why)
        elif old and new and old.weight != new.weight:
            yield Change("finding", now.id, "signal weighs", _told(old), _told(new), tuple(new.refs))
        elif old and new and set(old.refs) != {named.as_first(ref) for ref in new.refs}:
            why = _cites(new.refs, named.only_second)
            yield Change("finding", now.id, "signal cites", _told(old), _told(new), tuple(new.refs), why)


def _told(signal: Signal) -> str:
    return f"{signal.kind} {signal.weight:g}: {signal.sentence}"


def _differing_names(first: dict[str, Any], second: dict[str, Any], as_first: Callable[[str], str]) -> list[str]:
    names = sorted(first.keys() | second.keys())
    return [n for n in names if text_of(first.get(n)) != as_first(text_of(second.get(n)))]
