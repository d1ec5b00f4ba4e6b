"""The argument of a finding: how its records may be read, how sure it is, what would change that, what can be done.

Nothing is found here. Facts of findings and leads are laid beside the readings of `knowledge.readings`: which of them
speak for an innocent reading, which against it, with their records. Options to contain are listed in their order, with
what each does to evidence, and are carried out by nobody but people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from playbooks.argument.confidence import SCALE, confidence
from playbooks.argument.facts import Fact, by_id, of_cloud, of_egress, of_signals
from playbooks.knowledge.containment import load_containment
from playbooks.knowledge.operations import PLATFORM_NAMES
from playbooks.knowledge.readings import Reading, load_readings
from playbooks.scoping.baseline_contacts import Before

FITS, AGAINST, OPEN, UNTOLD = "fits", "spoken against", "open", "not told by these records"
NAMES_SHOWN = 3
NAMELESS = {"src": "the client", "dst": "the destination", "resource": "the resource", "principal": "the principal"}
ACQUIRED, COMPROMISED = "T1583.007", "T1584.007"
BOTH = f"Whether its infrastructure was acquired ({ACQUIRED}) or compromised ({COMPROMISED}) stays open."


@dataclass(frozen=True)
class Known:
    """What the argument rests on besides the findings.

    Attributes
    ----------
    pairs, activity
        Rows of `schema.EGRESS_PAIRS` and `schema.CLOUD_ACTIVITY`.
    before
        Destination → contacts of the baseline.
    formats
        Evidence id → format of its records.
    lacking
        What `deciding_fields` gives.
    has_change_list
        Whether the case names its approved changes.
    """

    pairs: pd.DataFrame
    activity: pd.DataFrame
    before: Mapping[str, Before] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    lacking: Sequence[Mapping[str, Any]] = ()
    has_change_list: bool = False


def argued(found: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """The content of `findings.json` with `argument` at each finding and lead, and the scale of its words.

    Returns
    -------
    dict
        `argument` holds `confidence` (`word`, `because`), `readings` (each `says, innocent, stands, for, against,
        decides`), `infrastructure`, `mind` (`lower`, `raise`: what would change ours) and `containment` (each
        `option, effect, evidence, undo`, in order).
    """
    told = {
        kind: [entry | {"argument": _argument(entry, kind == "findings", known, found)} for entry in found[kind]]
        for kind in ("findings", "leads")
    }
    return {**found, **told, "confidence_scale": dict(SCALE)}


def _argument(entry: Mapping[str, Any], is_finding: bool, known: Known, found: Mapping[str, Any]) -> dict[str, Any]:
    rows = _cloud_rows(entry, known.activity) if entry["hypothesis"] == "B" else known.activity.head(0)
    facts = by_id([*of_signals(entry), *_besides(entry, rows, known)])
    kinds = frozenset(signal["kind"] for signal in entry["signals"] if signal["weight"] > 0)
    readings = [_read(one, facts, kinds) for one in load_readings().of(entry["hypothesis"], frozenset(facts))]
    items = {ref.partition(":")[0] for signal in entry["signals"] for ref in signal["refs"]}
    formats = {known.formats[item] for item in items if item in known.formats}
    innocent = [one for one in readings if one["innocent"]]
    independent = (
        signal["kind"] for signal in entry["signals"] if signal["weight"] > 0 and signal.get("decides", True)
    )
    word, because = confidence(independent, formats, is_finding, innocent)
    return {
        "confidence": {"word": word, "because": because},
        "readings": readings,
        "infrastructure": _infrastructure(entry, facts, found),
        "mind": {"lower": _lower(innocent), "raise": [*_raise(entry, readings, known)]},
        "containment": _containment(entry, rows, facts),
    }


def _besides(entry: Mapping[str, Any], rows: pd.DataFrame, known: Known) -> Iterator[Fact]:
    if entry["hypothesis"] == "B":
        yield from of_cloud(rows, known.has_change_list)
        return
    subjects = entry["subjects"]
    mine = known.pairs[known.pairs.src.isin(subjects["src"]) & known.pairs.dst.isin(subjects["dst"])]
    yield from of_egress(entry, mine, known.before)


def _cloud_rows(entry: Mapping[str, Any], activity: pd.DataFrame) -> pd.DataFrame:
    """The records that the signals cite, and further ones of the same resource, account and principals."""
    cited = {ref for signal in entry["signals"] for ref in signal["refs"]}
    subjects = entry["subjects"]
    same = activity.resource.isin(subjects.get("resource", [])) & activity.principal.isin(subjects.get("principal", []))
    if accounts := subjects.get("account"):
        same &= activity.account.isin(accounts)
    return activity[same | activity.ref.isin(cited)]


def _read(reading: Reading, facts: Mapping[str, Sequence[Fact]], kinds: frozenset[str]) -> dict[str, Any]:
    """One reading with the facts on both sides; what the finding rests on makes no innocent reading fit by itself."""
    speaks_for = [fact for name in reading.speaks_for for fact in facts.get(name, ())]
    against = [fact for name in reading.speaks_against for fact in facts.get(name, ())]
    besides = [fact for fact in speaks_for if not reading.innocent or fact.id not in kinds]
    return {
        "reading": reading.id,
        "says": reading.says,
        "innocent": reading.innocent,
        "stands": _stands(bool(speaks_for), bool(besides), bool(against)),
        "for": [fact.as_json() for fact in speaks_for],
        "against": [fact.as_json() for fact in against],
        "decides": list(reading.decides),
    }


def _stands(is_told: bool, is_told_besides: bool, is_opposed: bool) -> str:
    if is_opposed:
        return OPEN if is_told else AGAINST
    if is_told_besides:
        return FITS
    return OPEN if is_told else UNTOLD


def _infrastructure(
    entry: Mapping[str, Any], facts: Mapping[str, Sequence[Fact]], found: Mapping[str, Any]
) -> str | None:
    """Acquired or compromised: both stay open unless what is our own was found changed, and people confirmed it."""
    if not {ACQUIRED, COMPROMISED} & set(entry["attack"]):
        return None
    if "ownership" not in facts:
        return BOTH
    own = facts["ownership"][0]
    told = " ".join(own.sentence.split())
    cited = set(own.refs)
    for other in found["findings"]:
        decision = other.get("decision") or {}
        theirs = {ref for signal in other["signals"] for ref in signal["refs"]}
        if other["hypothesis"] == "B" and decision.get("verdict") == "confirmed" and cited & theirs:
            return f"{COMPROMISED}: it is our own, and {other['id']} is confirmed by {decision['analyst']}. {told}"
    return f"Our own endpoint, changed: {COMPROMISED} is likelier than {ACQUIRED} and is not decided by it. {told}"


def _lower(innocent: Iterable[Mapping[str, Any]]) -> list[str]:
    """What would settle an innocent reading, those that the records leave most room for first."""
    room = {FITS: 0, UNTOLD: 1, OPEN: 2, AGAINST: 3}
    ordered = sorted(innocent, key=lambda one: room[one["stands"]])
    return list(dict.fromkeys(step for one in ordered for step in one["decides"]))


def _raise(entry: Mapping[str, Any], readings: Iterable[Mapping[str, Any]], known: Known) -> Iterator[str]:
    """What would settle the reading of abuse, and fields that this case lacks for it."""
    yield from (step for one in readings if not one["innocent"] for step in one["decides"])
    for lack in known.lacking:
        if entry["id"] in lack["findings"]:
            yield f"{lack['label']}, which this case lacks here: {lack['recommend']}"


def _containment(
    entry: Mapping[str, Any], rows: pd.DataFrame, facts: Mapping[str, Sequence[Fact]]
) -> list[dict[str, Any]]:
    platforms = frozenset(PLATFORM_NAMES.get(str(name).lower(), str(name)) for name in rows.provider.dropna().unique())
    own = rows[rows.resource.isin(entry["subjects"].get("resource", []))]
    types = frozenset(str(name) for name in own.resource_type.dropna().unique())
    names = _Names({key: values for key, values in entry["subjects"].items() if values})
    return [
        {
            "option": one.option.format_map(names),
            "effect": one.effect,
            "evidence": one.evidence,
            "undo": one.undo,
            "confidence": one.confidence,
        }
        for one in load_containment().of(entry["hypothesis"], platforms, types, frozenset(facts))
    ]


class _Names(dict[str, list[str]]):
    """What a finding names, for sentences: at most `NAMES_SHOWN`, and plain words where it names nothing."""

    def __getitem__(self, key: str) -> Any:
        names = self.get(key)
        if not names:
            return NAMELESS[key]
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        return ", ".join(names[:NAMES_SHOWN]) + more


__all__ = ["SCALE", "Known", "argued"]
