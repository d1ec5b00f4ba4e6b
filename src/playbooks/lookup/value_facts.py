"""Everything that a case knows of one value: class, tenant, ownership, sightings, intelligence, resolutions, findings.

Nothing is asked outside. Without a case only the catalogue speaks. A fact without refs comes from a list, not from a
record. Cannot see: events without a time, and columns that are no host, address, URL or hash (bodies, command lines).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.enrichment.ownership import Judge
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.public_suffixes import registrable
from playbooks.lookup.address_facts import address_facts
from playbooks.lookup.values import HASH_NAMES, Value
from playbooks.scoping.address_ranges import publishers
from playbooks.scoping.addresses import parse

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import Case, CaseFile
    from playbooks.engine import Tables

MAX_REFS = 5
PROCESS_HASH = ("actor_process_file_hash",)
CALLED = ("dst_endpoint_hostname", "tls_sni")
ENDS = ("src_endpoint_ip", "dst_endpoint_ip")
# type of a value → the tables and columns in which it is looked for
SEEN_IN: dict[str, dict[str, tuple[str, ...]]] = {
    "domain": {
        "dns_activity": ("query_hostname", "answers"),
        "http_activity": CALLED,
        "network_activity": CALLED,
        "system_activity": CALLED[:1],
    },
    "ip": {
        "dns_activity": (*ENDS, "answers"),
        "http_activity": ENDS,
        "network_activity": ENDS,
        "api_activity": ENDS[:1],
        "system_activity": ENDS,
    },
    "url": {"http_activity": ("http_request_url_string",), "system_activity": ("http_request_url_string",)},
    "hash": {
        "dns_activity": PROCESS_HASH,
        "http_activity": PROCESS_HASH,
        "network_activity": PROCESS_HASH,
        "system_activity": (*PROCESS_HASH, "process_file_hash"),
    },
}


@dataclass(frozen=True)
class Fact:
    """One thing that is known of a value; `source` says from where, `refs` the records behind it (at most five)."""

    value: str
    type: str
    fact: str
    says: str
    source: str
    first_seen: pd.Timestamp | None = None
    last_seen: pd.Timestamp | None = None
    times: int | None = None
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What a case holds; tables of `schema.EGRESS_PAIRS`, `RESOURCES`, `CLOUD_ACTIVITY`, `ENRICHMENT`, `RESOLUTIONS`,
    `LINKS`, `NAME_FACTS`."""

    case: Case
    tables: Tables
    pairs: pd.DataFrame
    resources: pd.DataFrame
    activity: pd.DataFrame
    intel: pd.DataFrame
    resolutions: pd.DataFrame
    links: pd.DataFrame
    names: pd.DataFrame

    @property
    def config(self) -> CaseFile:
        return self.case.config


def facts_of(value: Value, known: Known | None = None) -> list[Fact]:
    """The facts about a value, in a fixed order of kinds.

    Parameters
    ----------
    value
        From `values.read_value`; of a URL the facts of its host follow its own.
    known
        The case; null where there is none.
    """
    found = list(_catalogue(value))
    if known is None:
        return found
    found += [
        *_ownership(value, known),
        *_ranges(value, known),
        *_databases(value, known),
        *_names(value, known),
        *_sightings(value, known),
        *_contacts(value, known),
    ]
    found += [*_resolved(value, known), *_intelligence(value, known), *_findings(value, known)]
    if value.type == "url" and value.host:
        address = parse(value.host)
        host = Value(str(address), "ip") if address else Value(value.host, "domain", value.host)
        found += [fact for fact in facts_of(host, known) if fact.fact not in ("catalogue", "tenant", "ownership")]
    return found


def _catalogue(value: Value) -> Iterator[Fact]:
    name = "catalogue " + load_catalogue().version
    if value.type == "hash":
        yield Fact(value.text, value.type, "hash", HASH_NAMES[len(value.text)], "its length")
        return
    if value.type == "ip" or value.host is None:
        yield Fact(
            value.text, value.type, "catalogue", "an address names no service: ranges and records are asked", name
        )
        return
    match = load_catalogue().classify(value.host, value.path)
    if match is None:
        says = f"no serverless service of the catalogue; registered name {registrable(value.host)}"
        yield Fact(value.text, value.type, "catalogue", says, name)
        return
    says = f"{match.provider} {match.service} ({match.id}, {match.category}), confidence {match.confidence}"
    yield Fact(value.text, value.type, "catalogue", says, name)
    if match.tenant:
        yield Fact(value.text, value.type, "tenant", f"{match.tenant} ({match.tenant_kind})", name)
    elif match.shared:
        yield Fact(value.text, value.type, "tenant", "not told: the host serves every customer", name)


def _ownership(value: Value, known: Known) -> Iterator[Fact]:
    if value.host is None:
        return
    pairs = known.pairs[known.pairs.dst.str.lower() == value.host]
    for state, reason in pairs[["ownership", "ownership_reason"]].drop_duplicates().itertuples(index=False):
        refs = next(iter(pairs[pairs.ownership_reason == reason].ownership_refs), ())
        yield Fact(value.text, value.type, "ownership", f"{state}: {reason}", "inventory and audit records",
                   refs=tuple(refs)[:MAX_REFS])  # fmt: skip
    if not len(pairs):
        match = load_catalogue().classify(value.host, value.path)
        day = max([*known.pairs.last_seen.dropna(), *known.activity.time.dropna()], default=None)
        judge = Judge(known.resources, known.activity, known.config)
        tenant, service = (match.tenant, match.id) if match else (None, None)
        one = judge.of(value.host, tenant, service, day.date() if day is not None else dt.date.max)
        yield Fact(value.text, value.type, "ownership", f"{one.state}: {one.reason}", "inventory and audit records",
                   refs=one.refs[:MAX_REFS])  # fmt: skip


def _ranges(value: Value, known: Known) -> Iterator[Fact]:
    if value.type != "ip":
        return
    for one in publishers([value.text], known.tables.address_ranges, known.config).values():
        place = ", ".join(part for part in (one.service, one.region) if part)
        says = f"in a range that {one.provider} publishes" + (f" ({place})" if place else "") + "; low confidence"
        yield Fact(value.text, value.type, "address range", says, "address ranges in evidence")


def _databases(value: Value, known: Known) -> Iterator[Fact]:
    if value.type != "ip":
        return
    listed: Iterator[Any] = address_facts(known.case, [value.text])[0].itertuples(index=False)
    for row in listed:
        told = {"AS": row.asn, "": row.as_organisation, "country": row.country}
        says = ", ".join(f"{name} {text}".strip() for name, text in told.items() if pd.notna(text))
        built = f", built {row.built:%Y-%m-%d}" if pd.notna(row.built) else ""
        yield Fact(value.text, value.type, "address", f"{says} ({row.network})", f"{row.database}{built}",
                   refs=(str(row.ref),))  # fmt: skip


def _names(value: Value, known: Known) -> Iterator[Fact]:
    """What its name says, and files about names in evidence; of a destination of this case."""
    listed: Iterator[Any] = known.names[known.names.name == value.text].itertuples(index=False)
    for row in listed:
        others = f"; beside {', '.join(row.siblings[:5])}" if len(row.siblings) else ""
        yield Fact(value.text, value.type, "name", f"{row.fact}: {row.reason}{others}", "name facts",
                   refs=tuple(row.refs)[:MAX_REFS])  # fmt: skip


def _sightings(value: Value, known: Known) -> Iterator[Fact]:
    seen = 0
    for name, columns in SEEN_IN[value.type].items():
        table = known.tables[name]
        for column in columns:
            found = _sighted(table, column, value)
            if found is not None:
                seen += 1
                first, last, times, refs = found
                says = f"{times:,} records, as {column}"
                yield Fact(value.text, value.type, "sighting", says, name, first, last, times, refs)
    if not seen:
        yield Fact(value.text, value.type, "sighting", "in no event of this case that has a time", "all event tables")


def _sighted(
    table: ir.Table, column: str, value: Value
) -> tuple[pd.Timestamp, pd.Timestamp, int, tuple[str, ...]] | None:
    held = table[column]
    text = value.text.lower() if value.type != "url" else value.text
    if column == "answers":
        wanted = table.filter(held.contains(text))
    else:
        wanted = table.filter((held if value.type in ("ip", "url") else held.lower()) == text)
    told: Any = wanted.aggregate(times=wanted.count(), first=wanted.time.min(), last=wanted.time.max()).execute()
    if not int(told.times.iloc[0]):
        return None
    rows = wanted.order_by("time", "evidence_id", "record_no").select("evidence_id", "record_no").limit(MAX_REFS)
    refs = tuple(f"{row.evidence_id}:{row.record_no}" for row in rows.execute().itertuples(index=False))
    return pd.Timestamp(told["first"].iloc[0]), pd.Timestamp(told["last"].iloc[0]), int(told.times.iloc[0]), refs


def _contacts(value: Value, known: Known) -> Iterator[Fact]:
    pairs = known.pairs[(known.pairs.dst.str.lower() == value.text) | (known.pairs.src == value.text)]
    listed: Iterator[Any] = pairs.sort_values(["first_seen", "src", "dst"], kind="stable").itertuples(index=False)
    for row in listed:
        says = f"{row.src} → {row.dst}, {row.connections:,} contacts ({', '.join(row.sources)})"
        yield Fact(value.text, value.type, "contact", says, "egress pairs", row.first_seen, row.last_seen,
                   int(row.connections), tuple(row.refs)[:MAX_REFS])  # fmt: skip


def _resolved(value: Value, known: Known) -> Iterator[Fact]:
    rows = known.resolutions
    mine: Iterator[Any] = rows[(rows.name == value.text) | (rows.answer == value.text)].itertuples(index=False)
    for row in mine:
        says = f"{row.name} was answered with {row.answer}"
        yield Fact(value.text, value.type, "resolution", says, "DNS records", row.first_seen, row.last_seen,
                   int(row.times), (row.ref,))  # fmt: skip


def _intelligence(value: Value, known: Known) -> Iterator[Fact]:
    """What was weighed against sightings; and items that name the value, or a domain above it, although unseen."""
    weighed = known.intel[known.intel.observable.str.lower() == value.text.lower()]
    listed: Iterator[Any] = weighed.itertuples(index=False)
    for row in listed:
        yield _item(value, row, f"{row.state}, matched on {row.matched_on}", row.ref)
    if len(weighed):
        return
    names = [value.text, *_parents(value)]
    items = known.tables.indicators
    found: Any = items.filter(items.indicator.isin(names)).order_by("evidence_id", "record_no").execute()
    for row in found.itertuples(index=False):
        yield _item(value, row, "not weighed: no destination of this case", f"{row.evidence_id}:{row.record_no}")


def _parents(value: Value) -> list[str]:
    labels = value.text.split(".") if value.type == "domain" else []
    return [".".join(labels[start:]) for start in range(1, len(labels) - 1)]


def _item(value: Value, row: Any, state: str, ref: str) -> Fact:
    confidence = f", confidence {int(row.confidence)}" if pd.notna(row.confidence) else ""
    until = f", valid until {row.valid_until:%Y-%m-%d}" if pd.notna(row.valid_until) else ""
    about = f": {row.description}" if isinstance(row.description, str) and row.description else ""
    says = f"{row.indicator} ({state}{confidence}{until}){about}"
    source = row.source if isinstance(row.source, str) and row.source else ref.partition(":")[0]
    return Fact(value.text, value.type, "intelligence", says, source, refs=(ref,))


def _findings(value: Value, known: Known) -> Iterator[Fact]:
    mine = known.links[(known.links.entity.str.lower() == value.text) | (known.links.who == value.text)]
    for finding, rows in mine.groupby("finding", sort=True):
        verdict = next((v for v in rows.verdict if isinstance(v, str)), None)
        says = f"{finding}: {', '.join(rows.signal.drop_duplicates())}" + (f"; decided {verdict}" if verdict else "")
        yield Fact(value.text, value.type, "finding", says, "findings, leads and what was set aside", rows.time.min(),
                   rows.time.max(), len(rows), tuple(rows.ref.drop_duplicates())[:MAX_REFS])  # fmt: skip


def as_frame(facts: Iterable[Fact]) -> pd.DataFrame:
    """Facts as a table: value, type, fact, says, source, first_seen, last_seen, times, refs."""
    rows = [vars(fact) | {"refs": list(fact.refs)} for fact in facts]
    frame = pd.DataFrame(rows, columns=list(Fact.__dataclass_fields__))
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype({"times": "Int64"})
