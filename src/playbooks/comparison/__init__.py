"""Two sets of results compared by their files: what differs before the results, and what differs in them.

Nothing is computed anew. The files say what changed; where more than one thing changed before the results, they do
not say which of them did it, and the comparison does not either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from playbooks.case import Case
from playbooks.comparison.change import CAUSES, EFFECTS, Change, differing
from playbooks.comparison.results import naming, result_changes
from playbooks.comparison.side import RunRecord, Side, Step, side_of


@dataclass(frozen=True)
class Comparison:
    """Every difference of two cases, and what could not be compared.

    Attributes
    ----------
    first, second
        Folder, case id and run of each side, in words.
    same_items
        Items of evidence that both sides hold, byte for byte; None where a side has no manifest.
    changes
        In the order of `CAUSES`, then of `EFFECTS`.
    not_compared, notes
        Sentences: what is lacking, and why results may not belong to what stands beside them.
    """

    first: str
    second: str
    same_items: int | None
    changes: tuple[Change, ...]
    not_compared: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def causes(self) -> tuple[Change, ...]:
        """What differs before the results."""
        return tuple(change for change in self.changes if change.part in CAUSES)

    @property
    def effects(self) -> tuple[Change, ...]:
        """What differs in the results."""
        return tuple(change for change in self.changes if change.part in EFFECTS)

    @property
    def verdict(self) -> str:
        """The comparison in a sentence or two; never more than the files say."""
        if not self.changes:
            return "No difference in what could be compared." if self.not_compared else "No difference."
        causes, effects = len(self.causes), len(self.effects)
        counts = f"{_counted(causes, 'difference')} before the results, {_counted(effects, 'difference')} in them."
        if not effects:
            return f"{counts} The results are the same."
        if not causes:
            return (
                f"{counts} These files name no cause. Expected one: check both cases with playbooks verify, and run "
                "both again with playbooks run."
            )
        if causes == 1:
            return f"{counts} The one before them is the only cause that these files name."
        return f"{counts} Which of the {causes} did what, these files do not say: change one, run, and compare again."

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "first": self.first,
            "second": self.second,
            "differs": bool(self.changes),
            "verdict": self.verdict,
            "same_items": self.same_items,
            "changes": [asdict(change) for change in self.changes],
            "not_compared": list(self.not_compared),
            "notes": list(self.notes),
        }


def compare(first: Case, second: Case) -> Comparison:
    """Compare the results of two cases, or of one case before and after, by their files.

    Raises
    ------
    CaseError
        A side has no results, or a file of it is not what the kit writes.
    """
    one, other = side_of(first), side_of(second)
    named = naming(one, other)
    changes = (*_causes(one, other), *result_changes(one, other, named))
    sides = (("first", one), ("second", other))
    return Comparison(
        _label(one),
        _label(other),
        _same_items(one, other),
        changes,
        (
            *(f"The {word} case has {lack} are not compared." for word, side in sides for lack in side.lacking),
            *_only_in("first", one, other),
            *_only_in("second", other, one),
        ),
        tuple(f"The {word} case: {note}." for word, side in sides for note in side.notes),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _label(side: Side) -> str:
    run = f"run of {side.run.started}" if side.run else "no run on record"
    return f"{side.case.path} ({side.case.config.case_id}, {run})"


def _same_items(one: Side, other: Side) -> int | None:
    if one.evidence is None or other.evidence is None:
        return None
    return len(one.evidence.keys() & other.evidence.keys())


def _causes(one: Side, other: Side) -> Iterator[Change]:
    yield from _evidence(one, other)
    yield from differing("version", one.found.versions, other.found.versions)
    if one.run and other.run:
        yield from differing("version", _packages(one.run), _packages(other.run))
        yield from differing("own format", one.run.own_formats, other.run.own_formats)
        for step, same in _steps_of_both(one.run, other.run):
            yield from differing("version", step.notebook_sha256, same.notebook_sha256, f"notebook {step.name}")
            yield from differing("parameter", step.parameters, same.parameters, step.name)
    stated, restated = (side.case.config.model_dump(mode="json") for side in (one, other))
    yield from differing("case.yaml", stated, restated)
    yield from differing("decision", one.decided, other.decided)


def _packages(run: RunRecord) -> dict[str, str]:
    """Versions without that of the kit, which stands in `findings.json` too."""
    return {name: version for name, version in run.versions.items() if name != "playbooks"}


def _steps_of_both(one: RunRecord, other: RunRecord) -> Iterator[tuple[Step, Step]]:
    known = {step.name: step for step in other.steps}
    return ((step, known[step.name]) for step in one.steps if step.name in known)


def _only_in(word: str, one: Side, other: Side) -> Iterator[str]:
    """What one side has and the other has not, so that it cannot be compared."""
    if one.run and other.run and (steps := _names(one.run) - _names(other.run)):
        yield f"Only the last run of the {word} case did {', '.join(sorted(steps))}: they are not compared."
    if files := one.files.keys() - other.files.keys():
        yield f"Only the {word} case holds {', '.join(f'results/{name}' for name in sorted(files))}: not compared."


def _names(run: RunRecord) -> set[str]:
    return {step.name for step in run.steps}


def _evidence(one: Side, other: Side) -> Iterator[Change]:
    if one.evidence is None or other.evidence is None:
        return
    for sha, name in one.evidence.items():
        if sha not in other.evidence:
            yield Change("evidence", name, "removed", first=f"SHA-256 {sha}")
        elif other.evidence[sha] != name:
            yield Change("evidence", name, "other name, same bytes", name, other.evidence[sha])
    for sha, name in other.evidence.items():
        if sha not in one.evidence:
            yield Change("evidence", name, "added", second=f"SHA-256 {sha}")


__all__ = ["CAUSES", "EFFECTS", "Change", "Comparison", "compare"]
