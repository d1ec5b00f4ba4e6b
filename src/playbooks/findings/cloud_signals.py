"""What the control-plane events of one resource say, each kind of signal by itself.

A deployment is none of these. Who acted, what was opened, what was silenced, which tool was used and in which order
are told apart, because each has innocent readings of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from playbooks.findings.signal import Signal
from playbooks.knowledge.characteristics import load_characteristics
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.control_plane import REFUSALS
from playbooks.scoping.logging_effects import EFFECT, SAID, UNTIL
from playbooks.scoping.logging_state import LESS, UNKNOWN
from playbooks.scoping.novelty import SLIGHT

NOVELTY_FROM = 0.5  # from here on more than an address or a client is new
# Weights add up as independent chances (see signal.score); none alone reaches .5.
NOVELTY_WEIGHT = 0.45  # times the novelty: who acts says most, and first releases are new too
EXPOSURE_WEIGHT = 0.35  # open to strangers: some endpoints are meant to be
TOOL_WEIGHT = 0.4  # the published user agent of a tool; an exercise has it too
EVASION_WEIGHT = 0.35  # less is recorded than before: also when one log is replaced by another
EVASION_UNKNOWN_WEIGHT = 0.15  # a log was changed, and nothing in evidence says from what
COLLECTOR_WEIGHT = 0.4  # our collection only reads: containment by the same people looks like this, and theft too
# One kind: how a change came about. Weak, since small houses deploy so every day, and it is said only where no
# baseline shows that this principal always does.
BY_HAND_WEIGHT = 0.2  # a user's credentials, where pipelines have roles; hires and hotfixes look like this
NOT_TOLD_WEIGHT = 0.15  # the record names no principal, or not what kind it is
ATTEMPT_WEIGHT = 0.15  # a change that failed: tools try before a role is ready, and so do intruders
REFUSED_WEIGHT = 0.25  # refused for want of rights: somebody reached for what is not theirs
HAND_PHASES = frozenset({"create", "modify-code", "modify-config", "permission", "trigger", "defence-evasion"})
# Techniques of calls that give somebody a way in: keys, passwords, rights, new users.
GRANTS = ("T1098", "T1136")
REPEATED = {
    "collector": {"change", "novelty"},
    "evasion": {"change"},
}  # kinds beside which a fact of a kind is no second
NOBODY = "Somebody whom the record does not name"
SOON = pd.Timedelta(hours=1)  # a change so soon after the creation belongs to the same sitting


def started(rows: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are runs that the control plane started; those that callers start are data events, and many."""
    runs = rows.loc[rows.phase == "invoke", ["provider", "service", "operation"]].drop_duplicates()
    managed = [key for key in runs.itertuples(index=False, name=None) if _is_management(*key)]
    told = pd.MultiIndex.from_frame(rows[["provider", "service", "operation"]])
    return pd.Series(told.isin(managed) if managed else False, index=rows.index, dtype=bool)


def _is_management(provider: object, service: object, operation: object) -> bool:
    if not isinstance(provider, str) or not isinstance(operation, str):
        return False
    known = load_operations().find(provider, service if isinstance(service, str) else None, operation)
    return known is not None and known.phase == "invoke" and known.log_class == "management"


def signals_of(rows: pd.DataFrame) -> list[Signal]:
    """Every signal of one resource's events, by kind and weight.

    Parameters
    ----------
    rows
        Its rows of `schema.CLOUD_ACTIVITY` with their effect on logs and column `started`, all covered by the
        allow-list or none.
    """
    found = [*_novelty(rows), *_exposure(rows), *_tools(rows), *_evasion(rows), *_collectors(rows)]
    return [*found, *_by_hand(rows), *_attempts(rows)]


def settled(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Signals in order of kind and weight, each with whether it decides beside the others.

    What only repeats another fact decides nothing: a change of a log of unknown effect beside the change itself, and
    a mark of our collection beside a change or its novelty, since who contains acts on what was changed.
    """
    found = list(signals)
    others = {kind: {one.kind for one in found if one.decides and one.kind != kind} for kind in REPEATED}
    told = [
        replace(one, decides=False) if _repeats(one) and others[one.kind] <= REPEATED[one.kind] else one
        for one in found
    ]
    return tuple(sorted(told, key=lambda one: (one.kind, -one.weight, one.sentence)))


def _repeats(signal: Signal) -> bool:
    return signal.kind == "collector" or (signal.kind == "evasion" and signal.weight < EVASION_WEIGHT)


def _succeeded(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows.outcome == "success"]


def _records(rows: pd.DataFrame) -> tuple[str, ...]:
    """All records of these operations: that of the beginning, and those that tell how it ended."""
    both = zip(rows.ref, rows.further_refs, strict=True)
    return tuple(ref for first, later in both for ref in (first, *(later if later is not None else ())))


def _novelty(rows: pd.DataFrame) -> Iterator[Signal]:
    """Somebody did what they never did in the baseline."""
    new = _succeeded(rows)
    new = new[new.novelty.notna() & (new.novelty >= NOVELTY_FROM)]
    for principal, acts in new.groupby("principal", sort=True):
        top = acts.loc[acts.novelty.idxmax()]
        reasons = "; ".join(str(reason) for reason in top.reasons)
        operations = ", ".join(dict.fromkeys(acts.operation_base))
        sentence = f"{principal} called {operations}, unlike anything in the baseline: {reasons}."
        yield Signal("novelty", sentence, NOVELTY_WEIGHT * float(acts.novelty.max()), _records(acts))


def _exposure(rows: pd.DataFrame) -> Iterator[Signal]:
    for opened, acts in _succeeded(rows).groupby("exposure", sort=True):
        who = ", ".join(dict.fromkeys(acts.principal.dropna()))
        yield Signal("exposure", f"{who} opened it: {opened}.", EXPOSURE_WEIGHT, _records(acts))


def _unusual(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that no baseline knows as this principal's habit, whatever their hour; without a baseline, all."""
    return rows[rows.novelty.isna() | (rows.novelty > SLIGHT)]


def _by_hand(rows: pd.DataFrame) -> Iterator[Signal]:
    """Changes, rights given and runs started by hand: with a user's credentials, or nobody says whose."""
    grants = rows.attack.map(lambda ids: any(str(one).startswith(GRANTS) for one in ids)).astype(bool)
    done = rows[rows.phase.isin(HAND_PHASES) | ((rows.phase == "identity") & grants) | rows.started]
    # a mark of our own collection says the same already
    done = _unusual(_succeeded(done[~done.by_user.eq(False) & done.collector.isna()]))
    for (principal, known), acts in done.groupby([_named(done), done.by_user.notna()], sort=True):
        names = ", ".join(dict.fromkeys(acts.operation_base))
        whose = "with a user's credentials, not a pipeline's" if known else "and the record does not say whose it is"
        sentence = f"{principal} called {names} {whose}{_after_creation(rows, acts)}."
        yield Signal("change", sentence, BY_HAND_WEIGHT if known else NOT_TOLD_WEIGHT, _records(acts))


def _named(rows: pd.DataFrame) -> pd.Series[Any]:
    return rows.principal.fillna(NOBODY)


def _after_creation(rows: pd.DataFrame, acts: pd.DataFrame) -> str:
    """How soon after its creation the code was replaced, in words; empty where that is not seen."""
    made, replaced = _succeeded(rows[rows.phase == "create"]), acts[acts.phase == "modify-code"]
    if made.empty or replaced.empty:
        return ""
    since = replaced.time.min() - made.time.min()
    if not pd.Timedelta(0) <= since <= SOON:
        return ""
    minutes = max(1, round(since / pd.Timedelta(minutes=1)))
    return f"; its code was replaced {minutes} min after {made.principal.iloc[0]} created it"


def _attempts(rows: pd.DataFrame) -> Iterator[Signal]:
    """Changes that failed: what was tried, and what it would have opened."""
    failed = _unusual(rows[(rows.outcome == "failure") & rows.phase.isin(HAND_PHASES | {"identity"})])
    for principal, acts in failed.groupby(_named(failed), sort=True):
        reasons = acts.outcome_detail.fillna("no reason given").astype(str)
        refused = reasons.str.lower().str.contains(REFUSALS).any()
        names = ", ".join(dict.fromkeys(acts.operation_base))
        would = "; it would have opened it: " + ", ".join(dict.fromkeys(acts.exposure.dropna()))
        told = would if acts.exposure.notna().any() else ""
        sentence = f"{principal} tried {names} and failed ({', '.join(dict.fromkeys(reasons))}){told}."
        yield Signal("change", sentence, REFUSED_WEIGHT if refused else ATTEMPT_WEIGHT, _records(acts))


def _tools(rows: pd.DataFrame) -> Iterator[Signal]:
    """User agents of known offensive tools; an exercise is labelled by them, not hidden."""
    for tool, agent, acts in _by_tool(rows):
        sentence = f"User agent “{agent[:120]}” is that of {tool}; an exercise has it too."
        yield Signal("tool", sentence, TOOL_WEIGHT, _records(acts))


def _by_tool(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    traits = load_characteristics()
    for agent, acts in rows.groupby("user_agent", sort=True):
        for trait in traits.seen_in("http_request_user_agent", str(agent)):
            if trait.strength == "distinct":
                yield trait.tool, str(agent), acts


def exercises(rows: pd.DataFrame) -> tuple[str, ...]:
    """A sentence for each tool of exercises whose user agent the rows bear."""
    tools = sorted({tool for tool, _, _ in _by_tool(rows)})
    return tuple(
        f"Consistent with an exercise or test with {tool}, which anybody may use: ask who ordered it." for tool in tools
    )


def _evasion(rows: pd.DataFrame) -> Iterator[Signal]:
    """Changes after which less is recorded, and those of which nobody can tell; as much or more is no signal."""
    acts = _succeeded(rows)
    for effect, weight in ((LESS, EVASION_WEIGHT), (UNKNOWN, EVASION_UNKNOWN_WEIGHT)):
        done = acts[acts[EFFECT] == effect]
        for principal, mine in done.groupby(_named(done), sort=True):
            changes = zip(mine.operation_base, mine[SAID], mine[UNTIL], strict=True)
            told = "; ".join(dict.fromkeys(f"{name}: {said}{_until(until)}" for name, said, until in changes))
            what = "less is recorded since" if effect == LESS else "whether less is recorded since, nothing tells"
            yield Signal("evasion", f"{principal} changed what is recorded ({what}): {told}.", weight, _records(mine))


def _until(moment: Any) -> str:
    return "" if pd.isna(moment) else f", until {moment:%Y-%m-%d %H:%M} UTC"


def _collectors(rows: pd.DataFrame) -> Iterator[Signal]:
    """A mark of our own collection on what no collection does."""
    for (why, outcome), acts in rows.groupby(["collector", "outcome"], sort=True):
        names = ", ".join(dict.fromkeys(acts.operation_base))
        tried = "tried" if outcome == "failure" else "done"
        yield Signal("collector", f"{names} {tried}: {why}.".replace("?.", "?"), COLLECTOR_WEIGHT, _records(acts))
