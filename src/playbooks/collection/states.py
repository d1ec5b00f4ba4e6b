"""Whether what could be collected is in evidence already: by its records, or by an answer that was acquired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.collection.observed import Observed
from playbooks.knowledge.volatility import Kind

NOT_YET, IN_PART, IN_EVIDENCE, NOT_COLLECTABLE = "not yet", "in part", "in evidence", "not collectable"
GLOBAL = "global"  # region of answers about a whole account
QUALIFIED = ("function", "layer")
ALONE = frozenset({"detector-findings"})  # of an account, and no part of its audit records
THERE = frozenset({"answered", "absent", "unchanged", "gone"})  # outcomes after which nothing is left to ask


@dataclass(frozen=True)
class Given:
    """One answer that was acquired: what was asked about what, what became of it, and its record."""

    ref: str
    operation: str
    resource: str
    region: str
    account: str
    outcome: str

    def is_about(self, seen: Observed) -> bool:
        """Whether the answer speaks of this resource: in its account and region, by its name or its ARN."""
        if seen.account and self.account and seen.account != self.account:
            return False
        if seen.region and self.region not in ("", GLOBAL, seen.region) and seen.part != "role":
            return False
        if seen.entity == "account":
            return True
        kind = seen.part if seen.part in QUALIFIED else None
        if kind is None:
            return self.resource == seen.name or self.resource.endswith((f"/{seen.name}", f":{seen.name}"))
        whole = f"{self.resource}:"  # a version or an alias may stand behind the name
        by_name = whole.startswith(f"{seen.name}:") or f":{kind}:{seen.name}:" in whole
        return by_name or self.resource == f"/aws/lambda/{seen.name}"


@dataclass(frozen=True)
class State:
    """One of the four states, the evidence behind it, and what is lacking in words."""

    state: str
    evidence: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def by_operation(given: Iterable[Given]) -> dict[str, list[Given]]:
    """Answers by what was asked: thousands of them are compared with each thing seen."""
    answers: dict[str, list[Given]] = {}
    for one in given:
        answers.setdefault(one.operation, []).append(one)
    return answers


def state_of(
    kind: Kind, seen: Observed, given: Mapping[str, Iterable[Given]], spots: Iterable[Mapping[str, Any]]
) -> State:
    """What of a kind of evidence is there of something seen.

    Parameters
    ----------
    kind, seen
        What can be collected, and of what.
    given
        Answers that were acquired (`by_operation`).
    spots
        The blind-spot register.
    """
    if not kind.collectable:
        return State(NOT_COLLECTABLE)
    asked = tuple(str(spot["missing"]) for spot in spots if spot["id"] in kind.blind_spots)
    if seen.entity in ("source", "account") and kind.id not in ALONE:
        gaps = tuple(str(spot["missing"]) for spot in spots if _is_gap_of(spot, seen))
        lacking = (*asked, *gaps) if seen.refs else ()
        return State(IN_PART if lacking else IN_EVIDENCE if seen.refs else NOT_YET, seen.refs, lacking)
    mine = [one for name in kind.acquired_by for one in given.get(name, ()) if one.is_about(seen)]
    there = [one for one in mine if one.outcome in THERE]
    missing = [name for name in kind.acquired_by if name not in {one.operation for one in there}]
    if not there:
        return State(NOT_YET, (), tuple(f"{one.operation}: {one.outcome}" for one in mine))
    items = tuple(dict.fromkeys(one.ref.partition(":")[0] for one in there))
    return State(IN_PART if missing else IN_EVIDENCE, items, tuple(missing))


def _is_gap_of(spot: Mapping[str, Any], seen: Observed) -> bool:
    return str(spot["id"]).startswith("gap-") and str(spot["id"]).removeprefix("gap-") in seen.formats
