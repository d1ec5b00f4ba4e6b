"""Findings as a STIX 2.1 bundle: groupings, what was seen, indicators of outside hosts, and notes with the records.

No threat actor, no campaign, no attribution: the kit knows of none. An indicator says `anomalous-activity`, and
`malicious-activity` only where an analyst confirmed the finding. None is made of our own hosts, nor of a host that
serves every customer of a provider: it would speak against them all.
Reference: OASIS, STIX Version 2.1; its appendix A has the scale of confidence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from playbooks.exports.hosts import grounds, kind_of_host, pairs_of, why_none
from playbooks.exports.material import Made, Material

if TYPE_CHECKING:
    import pandas as pd

CONFIDENCE: Mapping[str, int] = {"low": 15, "moderate": 50, "high": 85}  # the middle of None/Low/Med/High
MOST_SEEN = 999_999_999  # the standard allows no more


def stix_bundle(material: Material) -> Made:
    """One bundle: each finding with what belongs to it, and a note with the answer to every question."""
    import stix2

    from playbooks.report.stix import MARKINGS

    marking = getattr(stix2, MARKINGS[material.tlp])
    objects: dict[str, Any] = {}
    left_out: list[str] = []
    for entry in material.findings["findings"]:
        for one in _of_finding(entry, material, marking.id, left_out):
            objects.setdefault(str(one.id), one)
    asked = _answers(material, marking.id, [id for id in objects if id.startswith("grouping--")])
    everything = [marking, _maker(), *objects.values(), asked]
    bundle_id = material.id_of("bundle", "".join(str(one.id) for one in everything))
    bundle = stix2.Bundle(objects=everything, id=f"bundle--{bundle_id}")
    if leads := len(material.findings["leads"]):
        left_out.append(f"{leads} leads: one kind of signal is not for others to act on")
    text = str(bundle.serialize(pretty=True, ensure_ascii=True)) + "\n"
    return Made(text.encode("ascii"), f"{len(material.findings['findings'])} findings", tuple(left_out))


def _of_finding(entry: Mapping[str, Any], material: Material, marking: str, left_out: list[str]) -> Iterator[Any]:
    import stix2

    first, last = (dt.datetime.fromisoformat(entry[edge]) for edge in ("first_seen", "last_seen"))
    common = {"created": last, "modified": last, "object_marking_refs": [marking], "created_by_ref": _maker().id}
    common["confidence"] = CONFIDENCE[entry["argument"]["confidence"]["word"]]
    seen = [*_observables(entry["subjects"], marking)]
    yield from seen
    refs = [one.id for one in seen]
    if refs:
        observed = stix2.ObservedData(
            id=f"observed-data--{material.id_of('observed-data', entry['id'])}",
            first_observed=first,
            last_observed=last,
            number_observed=_times(entry, material.tables["egress_pairs"]),
            object_refs=list(refs),
            **common,
        )
        yield observed
        refs.append(observed.id)
        for one in _indicated(entry, material, common, observed, left_out):
            yield one
            refs.append(one.id)
    note = stix2.Note(
        id=f"note--{material.id_of('note', entry['id'])}",
        abstract=f"What {entry['id']} rests on",
        content=grounds(entry, material),
        object_refs=refs or [_maker().id],
        **common,
    )
    yield note
    yield stix2.Grouping(
        id=f"grouping--{material.id_of('finding', entry['id'])}",
        name=f"{entry['id']}: {entry['title']}",
        description=f"Case {material.case_id}. Score {entry['score']}: it orders findings and is no probability. "
        f"Innocent if: {' '.join(entry['innocent_if'])}",
        context="suspicious-activity",
        object_refs=[*refs, note.id],
        external_references=[{"source_name": "mitre-attack", "external_id": name} for name in entry["attack"]],
        **common,
    )


@cache
def _maker() -> Any:
    """Who says so: this kit, no person. What has nothing else to refer to refers to it."""
    import stix2

    from playbooks.report.stix import UNDATED, name_based

    maker_id = f"identity--{name_based('identity|playbooks')}"
    return stix2.Identity(id=maker_id, name="playbooks", identity_class="system", created=UNDATED, modified=UNDATED)


def _times(entry: Mapping[str, Any], pairs: pd.DataFrame) -> int:
    """Contacts of the pairs it names; of what has none, the records that it cites."""
    mine = pairs_of(entry, pairs)
    cited = {ref for signal in entry["signals"] for ref in signal["refs"]}
    return max(1, min(int(mine.connections.sum()) or len(cited), MOST_SEEN))


def _observables(subjects: Mapping[str, list[str]], marking: str) -> Iterator[Any]:
    import stix2

    for value in (*subjects.get("src", ()), *subjects.get("dst", ())):
        kind = kind_of_host(value)
        if not kind:
            continue
        made = {"ipv4-addr": stix2.IPv4Address, "ipv6-addr": stix2.IPv6Address, "domain-name": stix2.DomainName}[kind]
        yield made(value=value, object_marking_refs=[marking])
    for name in subjects.get("principal", ()):
        yield stix2.UserAccount(account_login=name, object_marking_refs=[marking])


def _indicated(
    entry: Mapping[str, Any], material: Material, common: Mapping[str, Any], observed: Any, left_out: list[str]
) -> Iterator[Any]:
    """Indicators, each with the relationship to what was seen."""
    import stix2

    dated = {**common, "valid_from": observed.first_observed}
    for indicator in _indicators(entry, material, dated, left_out):
        yield indicator
        yield stix2.Relationship(
            id=f"relationship--{material.id_of('based-on', indicator.id)}",
            relationship_type="based-on",
            source_ref=indicator.id,
            target_ref=observed.id,
            **common,
        )


def _indicators(
    entry: Mapping[str, Any], material: Material, common: Mapping[str, Any], left_out: list[str]
) -> Iterator[Any]:
    import stix2

    confirmed = (entry.get("decision") or {}).get("verdict") == "confirmed"
    mine = pairs_of(entry, material.tables["egress_pairs"])
    for dst in entry["subjects"].get("dst", ()):
        kind = kind_of_host(dst)
        if why := why_none(mine[mine.dst == dst]) if kind else "it is no host":
            left_out.append(f"no indicator of {dst} ({entry['id']}): {why}")
            continue
        value = stix2.EqualityComparisonExpression(stix2.ObjectPath(kind, ["value"]), stix2.StringConstant(dst))
        yield stix2.Indicator(
            id=f"indicator--{material.id_of('indicator', entry['id'] + dst)}",
            name=dst,
            description=entry["title"],
            indicator_types=["malicious-activity" if confirmed else "anomalous-activity"],
            pattern=str(stix2.ObservationExpression(value)),
            pattern_type="stix",
            **common,
        )


def _answers(material: Material, marking: str, groupings: list[str]) -> Any:
    import stix2

    last = material.last_seen()
    content = "\n".join(" ".join(line.split()) for line in material.answers())
    return stix2.Note(
        id=f"note--{material.id_of('answers', content)}",
        abstract=f"What was asked in case {material.case_id}, and answered",
        content=content,
        object_refs=groupings or [_maker().id],
        created=last,
        modified=last,
        created_by_ref=_maker().id,
        object_marking_refs=[marking],
    )
