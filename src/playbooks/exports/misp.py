"""A case as one MISP event: destinations of findings as attributes, each with its records, and annotations in words.

`to_ids`, which makes a sensor act, is on only for a destination of a finding that is one customer's alone: never for a
lead, for a host of ours or for one that serves everybody, for a fingerprint (every program with that library has it) or
for an address that acted in our cloud (others stand behind it too). Distribution is "this organisation only".
Reference: MISP core format (misp-standard.org); object templates and types as PyMISP ships them. Nothing is contacted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from playbooks.exports.hosts import grounds, kind_of_host, listed, pairs_of, why_none
from playbooks.exports.material import Made, Material
from playbooks.knowledge.attack import TECHNIQUES

if TYPE_CHECKING:
    import pandas as pd
    from pymisp import MISPAttribute, MISPEvent

ONLY_US, AS_THE_EVENT = 0, 5  # distribution
ONGOING, UNDEFINED = 1, 4  # analysis, threat level
NETWORK = "Network activity"
SHOWN_REFS = 20
JA3_CHARS = 32
MOST_CHARS = 60_000  # of a text; MISP's column holds 65,535 bytes


@dataclass(frozen=True)
class _Told:
    """What one finding or lead says of one value: its type in MISP, whether a sensor may act on it, where it stands."""

    entry: Mapping[str, Any]
    stands_as: str
    kind: str
    value: str
    said: str
    refs: Sequence[str]
    to_ids: bool = False
    category: str = NETWORK


def misp_event(material: Material) -> Made:
    """One event; importing it twice changes nothing, as every UUID is made from case and content."""
    from pymisp import MISPEvent

    event = MISPEvent()
    first = min((one["first_seen"] for one in material.findings["findings"]), default=material.last_seen().isoformat())
    event.from_dict(
        uuid=material.id_of("misp-event", ""),
        info=_line(f"{material.case_id}: {material.title or 'a case of suspected serverless command and control'}"),
        date=first[:10],
        timestamp=_seconds(material.last_seen()),
        distribution=ONLY_US,
        analysis=ONGOING,
        threat_level_id=UNDEFINED,
        published=False,
    )
    event.add_tag(f"tlp:{material.tlp.lower()}")
    for technique in sorted({name for one in material.findings["findings"] for name in one["attack"]}):
        name = TECHNIQUES[technique].name.rpartition(": ")[2]  # the galaxy names a sub-technique without its technique
        event.add_tag(f'misp-galaxy:mitre-attack-pattern="{name} - {technique}"')
    left_out: list[str] = []
    told: dict[tuple[str, str], list[_Told]] = {}
    for is_finding, entry in material.told():
        for one in _values(entry, is_finding, material, left_out):
            told.setdefault((one.kind, one.value), []).append(one)
    made = {key: _attribute(event, same, material) for key, same in told.items()}
    for is_finding, entry in material.told():
        of = [made[key] for key, same in told.items() if any(one.entry is entry for one in same)]
        last = dt.datetime.fromisoformat(entry["last_seen"])
        _annotate(event, material, entry["id"], _words(entry, is_finding, material), last, of)
    _annotate(event, material, "answers", "\n".join(map(_line, material.answers())), material.last_seen(), [])
    text = json.dumps({"Event": json.loads(event.to_json())}, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    armed = sum(one.to_ids for one in event.attributes)
    return Made(text.encode("ascii"), f"{len(made)} attributes, {armed} of them for sensors", tuple(left_out))


def _attribute(event: MISPEvent, told: Sequence[_Told], material: Material) -> MISPAttribute:
    """One attribute of a value, whoever names it: MISP takes a value once an event."""
    kind, value = told[0].kind, told[0].value
    last = max(dt.datetime.fromisoformat(one.entry["last_seen"]) for one in told)
    made = event.add_attribute(
        kind,
        value,
        uuid=material.id_of("misp-attribute", f"{kind}|{value}"),
        category=told[0].category,
        to_ids=any(one.to_ids for one in told),
        comment=". ".join(dict.fromkeys(_line(f"{_whose(one)}: {one.said}{_refs(one.refs)}") for one in told)),
        distribution=AS_THE_EVENT,
        timestamp=_seconds(last),
        first_seen=min(dt.datetime.fromisoformat(one.entry["first_seen"]) for one in told),
        last_seen=last,
    )
    assert not isinstance(made, list)  # of one value
    return made


def _whose(told: _Told) -> str:
    return f"{told.entry['id']} ({told.stands_as})"


def _words(entry: Mapping[str, Any], is_finding: bool, material: Material) -> str:
    stands_as = "finding" if is_finding else "lead: one kind of signal, or too little weight"
    text = f"{entry['id']} ({stands_as}). {_line(entry['title'])}\n{grounds(entry, material)}\nInnocent if:"
    return text + "".join(f"\n- {_line(one)}" for one in entry["innocent_if"])


def _values(entry: Mapping[str, Any], is_finding: bool, material: Material, left_out: list[str]) -> Iterator[_Told]:
    mine = pairs_of(entry, material.tables["egress_pairs"])
    refs = tuple(dict.fromkeys(ref for signal in entry["signals"] for ref in signal["refs"]))
    told = partial(_Told, entry, "finding" if is_finding else "lead")
    for dst in entry["subjects"].get("dst", ()):
        rows = mine[mine.dst == dst]
        kind = {"ipv4-addr": "ip-dst", "ipv6-addr": "ip-dst", "domain-name": "hostname"}.get(kind_of_host(dst), "")
        if why := why_none(rows) if kind else "it is no host":
            left_out.append(f"no attribute of {dst} ({entry['id']}): {why}")
            continue
        yield told(kind, dst, "destination", refs, is_finding)
        for print_kind, value, ref in _fingerprints(rows):
            category = "Other" if print_kind == "text" else NETWORK
            yield told(print_kind, value, f"TLS client on the way to {dst}", (ref,), category=category)
        for url, urls in _urls(entry["id"], dst, material.tables["links"]):
            yield told("url", url, "named by a record", urls)
    for src in entry["subjects"].get("src", ()) if entry["hypothesis"] == "B" else ():
        if kind_of_host(src).startswith("ip") and not material.is_inside(src):
            yield told("ip-src", src, "source of acts in our own cloud; others may stand behind it", refs)
    for name in entry["subjects"].get("principal", ()):
        yield told("target-user", name, "identity of ours", refs, category="Targeting data")


def _fingerprints(rows: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Type, value and first record of each fingerprint of a TLS client; MISP has a type for JA3 alone."""
    for prints, refs in zip(rows.fingerprints, rows.fingerprint_refs, strict=True):
        for told, ref in zip(listed(prints), listed(refs), strict=False):
            scheme, _, value = told.partition(":")
            is_ja3 = scheme == "ja3" and len(value) == JA3_CHARS
            yield ("ja3-fingerprint-md5", value, ref) if is_ja3 else ("text", told, ref)


def _urls(finding: str, dst: str, links: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """URLs at that destination which its records, or the intelligence in them, name; with their records."""
    named = links.entity.astype("string").str.contains(f"://{dst}/", regex=False, na=False)
    for url, rows in links[(links.finding == finding) & named].groupby("entity", sort=True):
        yield str(url), list(rows.ref)


def _annotate(
    event: MISPEvent, material: Material, about: str, text: str, time: dt.datetime, of: list[MISPAttribute]
) -> None:
    from pymisp import MISPObject

    note = MISPObject("annotation", standalone=False)
    note.from_dict(uuid=material.id_of("misp-object", about), timestamp=_seconds(time), distribution=AS_THE_EVENT)
    for relation, value in (("type", "Annotation"), ("format", "text"), ("text", text[:MOST_CHARS])):
        attribute = note.add_attribute(relation, value=value)
        assert attribute is not None
        attribute.uuid = material.id_of("misp-object-attribute", f"{about}|{relation}")
        attribute.timestamp = _seconds(time)
    for one in of:
        reference = note.add_reference(one.uuid, "annotates")
        reference.uuid = material.id_of("misp-reference", f"{about}|{one.uuid}")
        reference.timestamp = _seconds(time)
    event.add_object(note)


def _refs(refs: Sequence[str]) -> str:
    more = f" and {len(refs) - SHOWN_REFS} more" if len(refs) > SHOWN_REFS else ""
    return f"; records {', '.join(refs[:SHOWN_REFS])}{more}" if refs else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _seconds(time: dt.datetime) -> int:
    return int(time.timestamp())
