"""Which steps lead to each other, across principals, as an abuse of serverless code would.

identity change or refused call → create or modify → permission or trigger → run → downstream → evasion, within a
window (TimeWindow of AN1053). Steps belong together where one principal made them, or one handed the next a key,
rights or a role, or changed the function that ran, or whose role called on.

Innocent when: a first release makes its role, its function and its permission in one go; an administrator gives
rights to a pipeline that deploys soon after. Such chains score low, because nothing in them is handed out and used.
A pipeline that does all of it every day has a baseline that knows each step: such a chain stays below `CHAIN_FROM`.
Cannot see: runs without data events, steps further apart than the window, and people who share one principal.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from playbooks import schema
from playbooks.scoping.chain_links import CREDENTIALS, FUNCTION, RIGHTS, ROLE, TAKING, Link, links_between
from playbooks.scoping.control_plane import REFUSALS, plain
from playbooks.scoping.known_acts import Acts, is_known
from playbooks.scoping.logging_effects import EFFECT, LOGGING
from playbooks.scoping.logging_state import LESS, MORE, SAME
from playbooks.scoping.stages import joined, rising
from playbooks.scoping.tunables import Tunables, looked_at

if TYPE_CHECKING:
    import numpy.typing as npt

    from playbooks.engine import Tables

STAGES = ("preparation", "change", "permission or trigger", "run", "downstream", "evasion")
STAGE_OF_PHASE = {
    "identity": 0, "create": 1, "modify-code": 1, "modify-config": 1, "permission": 2, "trigger": 2, "invoke": 3,
    "defence-evasion": 5, LOGGING: 5,
}  # fmt: skip
EVADING = STAGES.index("evasion")
DOWNSTREAM = STAGES.index("downstream")
MIN_STAGES = 3  # two are every deployment
RUN_SLOT = "10min"  # runs of one function by one principal within it are one step
MOST_HANDS = 3  # links in a row: beyond, everybody is linked to everybody
MOST_STEPS = 40  # shown of one chain
MAX_REFS = 20
CALLS_NAMED = 5
# What each fact adds to a score; the sum is cut at 1. A first release has stages and little else.
STAGE_WEIGHT = 0.1  # each stage after the first: a first release reaches three or four
CREDENTIALS_USED = 0.2  # a key or password was made for somebody, who then took part
SAME_ADDRESS = 0.15  # maker and user of what was handed over share an address: an administrator does not use it
OWN_RIGHTS = 0.15  # somebody gave rights or a key to themselves
RIGHTS_USED = 0.1  # rights were given to somebody who then took part: so do administrators
REFUSED = 0.05  # tools of the house are refused too, and novelty counts refusals by itself
EXPOSED = 0.15  # something was opened to strangers
NEW_DOWNSTREAM = 0.15  # the function's role called what it did not call in the baseline
EVASION = 0.15  # what is recorded was changed
NOVELTY = 0.15  # times the highest novelty among its steps
KNOWN_SHARE = 0.45  # of the sum, where the baseline knows each step of its principal: always below CHAIN_FROM
CHAIN_FROM = 0.5  # from here on a chain has more than what a deployment has

LINK = ["linked_by", "kind", "handed_by", "handed_ref"]
STEP = ["time", "stage", "principal", "operation", "resource", "source_ip", "ref", *LINK]
SHOWN = ("time", "principal", "operation", "resource", "source_ip", "handed_by", "handed_ref", "ref")
LEAST_TELLING_FIRST = (ROLE, RIGHTS, FUNCTION, CREDENTIALS)  # a function's own role is given rights at each release
JUDGED = ["exposure", "novelty", "allowed_by", "refused", "own_rights", "is_new", "known"]


@dataclass(frozen=True)
class Links:
    """Links by their source, and the window within which they count."""

    by_source: Mapping[str, list[Link]]
    window: pd.Timedelta

    def from_root(self, root: str) -> dict[str, list[Link]]:
        """Who is reached from `root`, by links that follow each other in time; for each the last link to them."""
        reached: dict[str, list[Link]] = defaultdict(list)
        front = list(self.by_source.get(root, ()))
        seen: set[Link] = set()
        for _ in range(MOST_HANDS):
            following = []
            for link in front:
                if link in seen or link.target == root:
                    continue
                seen.add(link)
                reached[link.target].append(link)
                later = self.by_source.get(link.target, ())
                following += [one for one in later if link.time <= one.time <= link.time + self.window]
            front = following
        return reached


def chains(
    activity: pd.DataFrame,
    tables: Tables,
    role_links: pd.DataFrame,
    downstream: pd.DataFrame,
    tunables: Tunables | None = None,
    known: Acts = frozenset(),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Chains, the highest score first, and their steps.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY` in order of time, with their effect on logs (`with_effect`) where it is known.
    role_links
        Rows of `schema.ROLE_LINKS`.
    downstream
        Calls of functions' roles (`role_activity.calls_by_hour`).
    tunables
        What is looked at, and within which window.
    known
        What each principal did in the baseline (`known_acts`).

    Returns
    -------
    tuple of pandas.DataFrame
        Exactly the columns of `schema.CHAINS` and `schema.CHAIN_STEPS`. A chain has at least three stages, and more
        than a deployment: an identity change, a refusal, a new call downstream, or evasion.
    """
    tunables = tunables or Tunables()
    window = pd.Timedelta(minutes=tunables.time_window_minutes)
    steps = pd.concat([_steps(looked_at(activity, tunables), known), _downstream(downstream)], ignore_index=True)
    steps = steps.sort_values(["time", "ref"], kind="stable", ignore_index=True)
    by_source: dict[str, list[Link]] = defaultdict(list)
    for link in links_between(activity, tables, role_links):
        by_source[link.source].append(link)
    found = list(_without_parts(_found(steps, Links(by_source, window))))
    rows = [_row(one) for one in found]
    heads = pd.DataFrame(rows, columns=list(schema.CHAINS.names))
    heads = heads.sort_values(["score", "start", "chain"], ascending=[False, True, True], kind="stable")
    order = {chain: place for place, chain in enumerate(heads["chain"])}
    parts = sorted((_told(one, row["chain"]) for one, row in zip(found, rows, strict=True)), key=lambda p: order[p[0]])
    told = [step for _, several in parts for step in several]
    return plain(heads.reset_index(drop=True)), plain(pd.DataFrame(told, columns=list(schema.CHAIN_STEPS.names)))


def _steps(activity: pd.DataFrame, known: Acts) -> pd.DataFrame:
    """Rows of the table that are a stage; a fault of use is none, and a role taken is no change of an identity."""
    stage = _by_effect(activity["phase"].map(STAGE_OF_PHASE).astype("float64"), activity)
    failed = activity["outcome"] == "failure"
    refused = failed & activity["outcome_detail"].astype(str).str.lower().str.contains(REFUSALS)
    stage = stage.mask(failed & ~refused | activity["operation_base"].isin(TAKING))
    stage = stage.mask(refused & stage.notna(), 0.0)
    identity = (activity["phase"] == "identity") & ~failed
    rows = activity.assign(
        stage=stage,
        operation=activity["operation_base"],
        refused=refused,
        own_rights=identity & (activity["resource"] == activity["principal"]),
        is_new=False,
        **dict.fromkeys(LINK),
        known=is_known(activity, known),
    )
    rows = rows[rows["stage"].notna() & rows["principal"].notna()]
    runs = rows[rows["phase"] == "invoke"]
    slot = runs.assign(slot=runs["time"].dt.floor(RUN_SLOT)).duplicated(["principal", "resource", "slot"])
    return rows.drop(index=runs.index[slot])[[*STEP, *JUDGED]]


def _by_effect(stage: pd.Series[float], activity: pd.DataFrame) -> pd.Series[float]:
    """Less recorded is evasion, whatever it is called; as much or more is none."""
    if EFFECT not in activity.columns:
        return stage
    effect = activity[EFFECT]
    stage = stage.mask((stage == EVADING) & effect.isin([MORE, SAME]))
    return stage.mask(effect == LESS, float(EVADING))


def _downstream(calls: pd.DataFrame) -> pd.DataFrame:
    """Calls of functions' roles; those that the baseline of the role lacks are new, and others only shown.

    What a role called before, or has no baseline to be compared with, makes no chain unknown.
    """
    return calls.assign(
        stage=float(DOWNSTREAM), principal=calls["role"], resource=calls["service"], is_new=calls["new"],
        exposure=None, novelty=float("nan"), allowed_by=None, refused=False, own_rights=False,
        **dict.fromkeys(LINK),
        known=~calls["new"].astype(bool),
    )[[*STEP, *JUDGED]]  # fmt: skip


def _found(steps: pd.DataFrame, links: Links) -> Iterator[pd.DataFrame]:
    """Steps of each chain, with how each is linked to what was before."""
    steps = steps.assign(stamp=steps["time"].dt.as_unit("ns").astype("int64"))
    mine = {str(name): rows for name, rows in steps.groupby("principal", sort=True)}
    runs = {str(name): rows for name, rows in steps[steps["stage"] == STAGES.index("run")].groupby("resource")}
    roots = [name for name, rows in mine.items() if rows["stage"].isin([0.0, 1.0, 2.0]).any()]
    for root in roots:
        parts = [mine[root], *_reached(links.from_root(root), mine, links.window)]
        whole = pd.concat([*parts, *_runs_of(pd.concat(parts), runs, links.window)])
        whole = whole[~whole.index.duplicated()].sort_index(kind="stable")
        if whole["stage"].nunique() < MIN_STAGES:
            continue
        for start, end in joined(rising(whole["time"], whole["stage"], links.window, MIN_STAGES)):
            chain = whole[(whole["time"] >= start) & (whole["time"] <= end)]
            if _is_more_than_a_deployment(chain):
                yield chain


def _reached(
    reached: Mapping[str, list[Link]], mine: Mapping[str, pd.DataFrame], window: pd.Timedelta
) -> Iterator[pd.DataFrame]:
    """Steps of whom the root handed something to, within the window after it; the most telling link is named."""
    for name, several in reached.items():
        if name not in mine:
            continue
        rows = mine[name].copy()
        for kind in LEAST_TELLING_FIRST:
            of_kind = sorted((link for link in several if link.kind == kind), key=lambda link: (link.time, link.ref))
            if of_kind:
                at = _last_before(rows, [link.time for link in of_kind], window)
                last = [of_kind[place] for place in at[at >= 0]]
                told = [(f"{one.words} ({one.ref})", kind, one.source, one.ref) for one in last]
                rows.loc[at >= 0, LINK] = pd.DataFrame(told, index=rows.index[at >= 0], columns=LINK, dtype=object)
        yield rows[rows["linked_by"].notna()]


def _runs_of(steps: pd.DataFrame, runs: Mapping[str, pd.DataFrame], window: pd.Timedelta) -> Iterator[pd.DataFrame]:
    """Runs of what was changed in the chain, by anybody, within the window after the change."""
    changes = steps[steps["stage"].isin([1.0, 2.0]) & ~steps["refused"] & steps["resource"].isin(list(runs))]
    for resource, changed in changes.sort_values(["time", "ref"], kind="stable").groupby("resource", sort=True):
        rows = runs[str(resource)]
        at = _last_before(rows, list(changed["time"]), window)
        rows, at = rows[at >= 0], at[at >= 0]
        who = [changed["principal"].iloc[place] for place in at]
        words = [f"runs {resource}, which {one} changed" for one in who]
        refs = [changed["ref"].iloc[place] for place in at]
        yield rows.assign(linked_by=words, kind="run", handed_by=who, handed_ref=refs)


def _last_before(rows: pd.DataFrame, moments: list[pd.Timestamp], window: pd.Timedelta) -> npt.NDArray[np.int64]:
    """For each row the place of the last moment up to it and within the window; -1 where there is none."""
    stamps = np.array([moment.as_unit("ns").value for moment in moments], dtype=np.int64)
    times = rows["stamp"].to_numpy()
    at = np.searchsorted(stamps, times, side="right") - 1
    near = (at >= 0) & (times - stamps[np.maximum(at, 0)] <= window.value)
    return np.where(near, at, -1)


def _is_more_than_a_deployment(chain: pd.DataFrame) -> bool:
    telling = chain["stage"].isin([float(STAGES.index("preparation")), float(STAGES.index("evasion"))])
    return bool(telling.any() or chain["is_new"].astype(bool).any() or (chain["kind"] == CREDENTIALS).any())


def _without_parts(found: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Chains that are no part of another, the longest first."""
    kept: dict[str, list[frozenset[str]]] = defaultdict(list)
    for chain in sorted(found, key=lambda rows: (-len(rows), rows["time"].iloc[0], rows["principal"].iloc[0])):
        refs = frozenset(chain["ref"])
        if not any(refs <= other for other in kept[str(chain["ref"].iloc[0])]):
            for ref in refs:
                kept[ref].append(refs)
            yield chain


def _row(chain: pd.DataFrame) -> dict[str, Any]:
    score, reasons, parts = judged(chain)
    allowed = chain["allowed_by"]
    shown = chain.drop_duplicates(["stage", "principal", "operation", "resource"])
    told = f"{chain['time'].iloc[0].isoformat()}\x1f{chain['ref'].iloc[0]}\x1f{chain['principal'].iloc[0]}"
    return {
        "chain": "C-" + hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:8],
        "score": score,
        "reasons": reasons,
        **parts,
        "stages": [STAGES[int(stage)] for stage in sorted(set(chain["stage"]))],
        "principals": list(dict.fromkeys(chain["principal"])),
        "resources": sorted(set(chain.loc[chain["stage"] != DOWNSTREAM, "resource"].dropna())),
        "start": chain["time"].iloc[0],
        "end": chain["time"].iloc[-1],
        "steps": len(shown),
        "allowed_by": "; ".join(dict.fromkeys(allowed)) if allowed.notna().all() else None,
        "refs": list(dict.fromkeys([*chain.drop_duplicates("stage")["ref"], *shown["ref"]]))[:MAX_REFS],
    }


def judged(chain: pd.DataFrame) -> tuple[float, list[str], dict[str, float]]:
    """The score of one chain, 0 to 1, what it adds up from, and what of it other signals may say as well.

    More facts never lower it; that the baseline knows every step does.
    """
    weighing = chain[(chain["stage"] != DOWNSTREAM) | chain["is_new"].astype(bool)]
    stages = [STAGES[int(stage)] for stage in sorted(set(weighing["stage"]))]
    highest = chain["novelty"].max()
    shared = {
        "exposure_part": EXPOSED * bool(chain["exposure"].notna().any()),
        "evasion_part": EVASION * bool((chain["stage"] == EVADING).any()),
        "novelty_part": NOVELTY * (0.0 if pd.isna(highest) else float(highest)),
    }
    new = chain[chain["is_new"].astype(bool)]
    facts = [
        (STAGE_WEIGHT * (len(stages) - 1), f"{len(stages)} stages: {', '.join(stages)}"),
        *_handed_over(chain),
        (OWN_RIGHTS * chain["own_rights"].any(), "somebody gave rights or a key to themselves"),
        (REFUSED * chain["refused"].any(), f"{int(chain['refused'].sum())} refused call(s) among the steps"),
        (shared["exposure_part"], "; ".join(dict.fromkeys(chain["exposure"].dropna()))),
        (NEW_DOWNSTREAM * (not new.empty), _called_anew(new)),
        (shared["evasion_part"], "what is recorded was changed"),
        (shared["novelty_part"], f"novelty of its steps up to {0.0 if pd.isna(highest) else highest:.2f}"),
    ]
    share = KNOWN_SHARE if chain["known"].all() else 1.0
    score = round(share * min(1.0, float(sum(weight for weight, _ in facts))), 2)
    reasons = [words for weight, words in facts if weight]
    if share < 1:
        reasons.append("the baseline knows every step of its principal: counted less")
    return score, reasons, {name: round(share * part, 3) for name, part in shared.items()}


def _called_anew(calls: pd.DataFrame) -> str:
    told = [
        f"{role} called {', '.join(list(dict.fromkeys(mine['operation']))[:CALLS_NAMED])}"
        for role, mine in calls.groupby("principal", sort=True)
    ]
    return f"a function's role called what it did not call before: {'; '.join(told)}"


def _handed_over(chain: pd.DataFrame) -> Iterator[tuple[float, str]]:
    for kind, weight, what in ((CREDENTIALS, CREDENTIALS_USED, "credentials"), (RIGHTS, RIGHTS_USED, "rights")):
        used = chain[chain["kind"] == kind]
        if used.empty:
            continue
        who = ", ".join(dict.fromkeys(used["principal"]))
        yield weight, f"{what} were handed over and used by {who}: {used['linked_by'].iloc[0]}"
        shared = set(used["source_ip"].dropna()) & set(chain.loc[chain["kind"].isna(), "source_ip"].dropna())
        if shared and kind == CREDENTIALS:
            yield SAME_ADDRESS, f"maker and user share the address {min(shared)}"


def _told(chain: pd.DataFrame, name: str) -> tuple[str, list[dict[str, Any]]]:
    """Rows of `schema.CHAIN_STEPS`: the first of equal steps, in order."""
    shown = chain.drop_duplicates(["stage", "principal", "operation", "resource"]).head(MOST_STEPS)
    rows = []
    for number, step in enumerate(shown.itertuples(index=False), 1):
        linked = step.linked_by if isinstance(step.linked_by, str) else f"same principal, {step.principal}"
        told = {"chain": name, "step": number, "stage": STAGES[int(float(str(step.stage)))]}
        told |= {"linked_by": linked if number > 1 else None, "handed_over": step.kind}
        rows.append(told | {column: getattr(step, column) for column in SHOWN})
    return name, rows
