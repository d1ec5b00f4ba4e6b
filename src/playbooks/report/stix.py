"""Facts about values as a STIX 2.1 bundle: the values as observables, their sightings, and what is known as notes.

Ids are made from what they stand for, and times from the records: the same case gives the same bytes. A note states no
malice, and no indicator is made: that a value was looked at says nothing against it.
Reference: OASIS, STIX Version 2.1.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from playbooks.report.inert import visible

if TYPE_CHECKING:
    from playbooks.lookup import Fact

NAMESPACE = uuid.UUID("6f6b3a52-0f0e-5f1a-9c27-6d1b8f0b7a11")  # of the kit: ids of others are made in theirs
UNDATED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # of a note that rests on no record
HASHES = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}
MARKINGS = {
    "CLEAR": "TLP_WHITE",
    "GREEN": "TLP_GREEN",
    "AMBER": "TLP_AMBER",
    "AMBER+STRICT": "TLP_RED",
    "RED": "TLP_RED",
}


def name_based(name: str) -> str:
    """The UUID of this name in the namespace of the kit, the same each time and everywhere."""
    return str(uuid.uuid5(NAMESPACE, name))


def stix_text(facts: Iterable[Fact], case_id: str = "", tlp: str = "AMBER") -> str:
    """A bundle of everything in `facts`, as JSON text.

    `AMBER+STRICT` has no marking in STIX 2.1; RED stands for it, which is narrower.
    """
    import stix2

    by_value: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        by_value.setdefault((fact.value, fact.type), []).append(fact)
    marking = getattr(stix2, MARKINGS[tlp])
    objects = [
        one for (value, kind), known in by_value.items() for one in _objects(value, kind, known, case_id, marking)
    ]
    text = "".join(str(one.id) for one in objects)
    bundle = stix2.Bundle(objects=[marking, *objects], id=f"bundle--{name_based(text)}")
    return str(bundle.serialize(pretty=True)) + "\n"


def _objects(value: str, kind: str, known: list[Fact], case_id: str, marking: Any) -> Iterator[Any]:
    import stix2

    observable = _observable(value, kind)
    yield observable
    seen = [
        f for f in known if f.fact == "sighting" and f.times and f.first_seen is not None and f.last_seen is not None
    ]
    last = max((f.last_seen.to_pydatetime() for f in seen if f.last_seen is not None), default=UNDATED)
    common = {"created": last, "modified": last, "object_refs": [observable.id], "object_marking_refs": [marking.id]}
    if seen:
        first = min(f.first_seen.to_pydatetime() for f in seen if f.first_seen is not None)
        times = max(f.times or 0 for f in seen)
        name = f"{case_id}|{observable.id}|{first.isoformat()}|{last.isoformat()}|{times}"
        yield stix2.ObservedData(
            id=f"observed-data--{name_based(name)}",
            first_observed=first,
            last_observed=last,
            number_observed=min(times, 999_999_999),
            **common,
        )
    content = "\n".join(_line(fact) for fact in known)
    yield stix2.Note(
        id=f"note--{name_based(f'{case_id}|{observable.id}|{content}')}",
        abstract=f"What case {case_id} knows of it" if case_id else "What the catalogue knows of it",
        content=content,
        **common,
    )


def _observable(value: str, kind: str) -> Any:
    import stix2

    if kind == "hash":
        return stix2.File(hashes={HASHES[len(value)]: value})
    if kind == "url":
        return stix2.URL(value=value)
    if kind == "ip":
        return stix2.IPv6Address(value=value) if ":" in value else stix2.IPv4Address(value=value)
    return stix2.DomainName(value=value)


def _line(fact: Fact) -> str:
    refs = f" [{', '.join(fact.refs)}]" if fact.refs else ""
    return visible(f"{fact.fact}: {fact.says} ({fact.source}){refs}").replace("\n", " ")
