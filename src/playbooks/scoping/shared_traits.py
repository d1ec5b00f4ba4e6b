"""Who else shares a trait with a finding, who is affected, when did it begin, and what left?

A trait is something that a finding's contacts have and ordinary ones seldom: the tenant label, the destination, the
path, a fingerprint, a user agent, a program, or the rhythm. Tenant and destination are followed as they are; the
others only where few sources and few destinations have them, and what is not followed is said.

Innocent when: the program behind the trait is the house's own, or a service that several teams use.
Cannot see: sources behind a proxy or address translation; traits that the logs of a source do not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.scoping.egress_events import within
from playbooks.scoping.question import Question
from playbooks.scoping.watched import outside_entries, table_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

QUESTION = Question(
    id="shared_traits",
    hypothesis="A",
    title="Which other sources share a trait with a finding, since when, and what left?",
    needs=(("http_activity", "dst_endpoint_hostname"), ("network_activity", "dst_endpoint_ip")),
    innocent_when=(
        "The program behind the trait is the house's own, or a service that several teams use.",
        "One browser or library has the same fingerprint on every host that runs it.",
    ),
    cannot_see=(
        "Sources behind a proxy or address translation whose own log is not in evidence.",
        "Traits that the logs of a source do not hold: a tunnel shows no path, a flow no fingerprint.",
        "What the bytes were: TLS, CONNECT and packet heads are counted with them.",
    ),
)
FEW_SOURCES, FEW_SHARE = 5, 0.02  # a trait of more sources than both is common software
FEW_DESTINATIONS = 20  # a browser or an operating system goes to more places than this with one fingerprint
SHORT_PATH = 8  # characters; `/`, `/api`, `/login` name nobody
PERIOD_TOLERANCE = 0.05
RHYTHM_FROM = 0.5  # beacon score of a source that is said to share a rhythm
RARE_CLIENTS = 2  # clients of the destination it calls
MOST_FINDINGS, MOST_SOURCES, MOST_REFS, MOST_LISTED = 60, 200, 5, 5
BEGINS_WITHIN_S = 3600  # of the first record of any contact: it may have begun before the records
BY_VALUE = {"user agent": "user_agent", "path": "path_id", "fingerprint": "fingerprint", "process": "process"}
FOLLOWED = {"destination": "dst", **BY_VALUE}
Trait = tuple[str, str, str]  # finding, kind, value
Key = tuple[str, str]  # finding, source


@dataclass(frozen=True)
class Scope:
    """Rows of `schema.SCOPE`, what was not followed, and how many sources and findings stand in no row."""

    rows: pd.DataFrame
    notes: tuple[str, ...]
    left_out: int
    findings_left_out: int


def shared_traits(
    found: Mapping[str, Any], pairs: pd.DataFrame, contacts: ir.Table, tables: Tables, case: CaseFile
) -> Scope:
    """Sources that share a trait with findings and leads of hypothesis A.

    Parameters
    ----------
    found, pairs
        Findings and leads, and rows of `schema.EGRESS_PAIRS`.
    contacts
        Every contact with the outside, over all of the evidence.
    tables, case
        Event tables (for host names), and the case (its window).
    """
    entries = outside_entries(found)
    looked = entries[:MOST_FINDINGS]
    if not looked:
        return Scope(_frame([]), (), 0, 0)
    contacts = contacts.mutate(path_id=contacts.path.re_replace(r"[?#].*$", ""))
    followed, notes = _traits(looked, pairs, within(contacts, case.window))
    matches = _matches(contacts, followed)
    shares = _shares(matches)
    for key, value in _same_rhythm(looked, pairs).items():
        shares.setdefault(key, []).append(value)
    volumes = _volumes(matches)
    chosen, left_out = _chosen(looked, volumes)
    seen = matches.semi_join(table_of(("finding", "src"), chosen), ["finding", "src"])
    edges = _span_of_records(contacts)
    lists = {name: _lists(seen, name) for name in ("dst", "user", "process")}
    names, refs = _host_names(tables, {src for _, src in chosen}), _refs(seen)
    subjects = {(entry["id"], src) for entry in looked for src in entry["subjects"].get("src", ())}
    rows = [
        {
            "finding": key[0],
            "src": key[1],
            "is_subject": key in subjects,
            "hostnames": names.get(key[1], []),
            "users": lists["user"].get(key, []),
            "processes": lists["process"].get(key, []),
            "destinations": lists["dst"].get(key, []),
            "shares": shares.get(key, []),
            **volumes[key],
            "counted_in": "; ".join(f"{way}: {where}" for way, where in sorted(volumes[key]["counted_in"].items())),
            "began": _began(volumes[key]["first_seen"], edges, case),
            "refs": refs.get(key, []),
        }
        for key in chosen
    ]
    return Scope(_frame(rows), notes, left_out, len(entries) - len(looked))


def _traits(
    entries: list[Mapping[str, Any]], pairs: pd.DataFrame, seen: ir.Table
) -> tuple[list[Trait], tuple[str, ...]]:
    """Traits to follow: destinations of the tenant, and what few sources and destinations have; and what is common."""
    told: list[Trait] = []
    for entry in entries:
        tenants = set(entry["subjects"].get("tenant", ()))
        listed = pairs[pairs.dst.isin(entry["subjects"]["dst"])]
        entries_of = set(listed.catalogue_id.dropna())
        same = pairs[pairs.tenant.isin(tenants) & pairs.catalogue_id.isin(entries_of)]
        hosts = dict.fromkeys([*entry["subjects"]["dst"], *sorted(set(same.dst))])
        shared = _shared_hosts(pairs, tenants)
        told += [(entry["id"], "destination", dst) for dst in hosts if dst not in shared]
    notes: list[str] = []
    for kind in BY_VALUE:
        told += _of_few(kind, entries, seen, notes)
    return told, tuple(notes)


def _shared_hosts(pairs: pd.DataFrame, tenants: set[str]) -> set[str]:
    """Hosts of all customers, whose tenant stands in the path: the host alone is no trait."""
    by_path = pairs[(pairs.matched_by == "path") & pairs.tenant.isin(tenants)]
    return set(by_path.dst)


def _of_few(kind: str, entries: list[Mapping[str, Any]], seen: ir.Table, notes: list[str]) -> list[Trait]:
    """Values of one column that contacts of a finding have, where few sources and destinations have them."""
    column = BY_VALUE[kind]
    ends = [(e["id"], src, dst) for e in entries for src in e["subjects"]["src"][:MOST_SOURCES]
            for dst in e["subjects"]["dst"][:MOST_SOURCES]]  # fmt: skip
    theirs = table_of(("finding", "client", "towards"), ends)
    named = seen.filter(seen[column].notnull(), seen[column] != "")
    if kind == "path":
        named = named.filter(named[column].length() >= SHORT_PATH)
    own = named.inner_join(theirs, [named.src == theirs.client, named.dst == theirs.towards])
    values = own.select("finding", value=own[column]).distinct()
    only = values.select("value").distinct()
    everyone = named.inner_join(only, named[column] == only["value"]).group_by("value").agg(
        sources=ibis._.src.nunique(), places=ibis._.dst.nunique()
    )  # fmt: skip
    clients = max(int(seen.src.nunique().execute()), 1)
    few = max(FEW_SOURCES, int(FEW_SHARE * clients))
    rows = values.inner_join(everyone, "value").order_by("finding", "value").limit(2000).to_pyarrow().to_pylist()
    common = {row["value"]: row for row in rows if row["sources"] > few or row["places"] > FEW_DESTINATIONS}
    notes += [
        f"{kind.capitalize()} “{value[:80]}” is common ({row['sources']:,} sources, {row['places']:,} destinations): "
        "not followed."
        for value, row in list(common.items())[:MOST_LISTED]
    ]
    if len(common) > MOST_LISTED:
        notes.append(f"{len(common) - MOST_LISTED:,} more values of {kind} are common: not followed.")
    return [(row["finding"], kind, row["value"]) for row in rows if row["value"] not in common]


def _matches(contacts: ir.Table, followed: list[Trait]) -> ir.Table:
    """Contacts that show a trait, with `finding`, `kind` and `value`."""
    traits = table_of(("finding", "kind", "value"), followed)
    parts = []
    for kind, column in FOLLOWED.items():
        mine = traits.filter(traits.kind == kind)
        parts.append(contacts.inner_join(mine, contacts[column] == mine["value"]))
    return ibis.union(*parts)


def _shares(matches: ir.Table) -> dict[Key, list[str]]:
    """Which traits each source shares, those of most contacts first."""
    counts = matches.group_by("finding", "src", "kind", "value").agg(n=ibis._.count())
    place = ibis.row_number().over(
        group_by=[counts.finding, counts.src, counts.kind], order_by=[counts.n.desc(), counts["value"]]
    )
    counts = counts.mutate(place=place)
    rows = (
        counts.filter(counts.place < MOST_LISTED).order_by("finding", "src", "kind", "place").to_pyarrow().to_pylist()
    )
    shares: dict[Key, list[str]] = {}
    for row in rows:
        shares.setdefault((row["finding"], row["src"]), []).append(f"{row['kind']}: {row['value'][:160]}")
    return shares


def _same_rhythm(entries: list[Mapping[str, Any]], pairs: pd.DataFrame) -> dict[Key, str]:
    """Sources that call a rare destination at the period of a finding, by (finding, source)."""
    found: dict[Key, str] = {}
    scored = pairs[(pairs.beacon_score >= RHYTHM_FROM) & (pairs.clients <= RARE_CLIENTS)]
    for entry in entries:
        mine = pairs.src.isin(entry["subjects"]["src"]) & pairs.dst.isin(entry["subjects"]["dst"])
        periods = pairs[mine & (pairs.beacon_score >= RHYTHM_FROM)].beacon_period_s.dropna()
        for period in periods.head(MOST_LISTED):
            near = scored[(scored.beacon_period_s - period).abs() <= PERIOD_TOLERANCE * period]
            for row in near.itertuples(index=False):
                words = f"rhythm: about every {row.beacon_period_s:,.0f} s ({row.dst})"
                found.setdefault((entry["id"], str(row.src)), words)
    return found


def _volumes(matches: ir.Table) -> dict[Key, dict[str, Any]]:
    """Span, contacts and bytes of each source, in the telemetry that saw most; each record once."""
    record = ["finding", "src", "time", "evidence_id", "record_no", "format", "source", "bytes_out", "bytes_in"]
    each = matches.select(*record).distinct()
    parts = each.group_by("finding", "src", "format", "source").agg(
        first=ibis._.time.min(), last=ibis._.time.max(), n=ibis._.count(),
        sent=ibis._.bytes_out.sum(), came=ibis._.bytes_in.sum(),
    )  # fmt: skip
    found: dict[Key, dict[str, Any]] = {}
    for row in parts.order_by("finding", "src", "format", "source").to_pyarrow().to_pylist():
        _added(found.setdefault((row["finding"], row["src"]), {}), row)
    return found


def _added(told: dict[str, Any], row: Mapping[str, Any]) -> None:
    """Put one telemetry's figures of a source in: contacts and bytes are never summed over logs of the same."""
    told["first_seen"] = min(told.get("first_seen", row["first"]), row["first"])
    told["last_seen"] = max(told.get("last_seen", row["last"]), row["last"])
    told["connections"] = max(told.get("connections", 0), row["n"])
    told.setdefault("bytes_out", None)
    told.setdefault("bytes_in", None)
    told.setdefault("counted_in", {})
    for name, value in (("bytes_out", row["sent"]), ("bytes_in", row["came"])):
        if value is not None and (told[name] is None or value > told[name]):
            told[name] = value
            told["counted_in"] = {**told["counted_in"], name: f"{row['format']}, {row['n']:,} contacts"}


def _chosen(entries: list[Mapping[str, Any]], volumes: Mapping[Key, Mapping[str, Any]]) -> tuple[list[Key], int]:
    """The sources of each finding that get a row: its own first, then those of most contacts."""
    chosen: list[Key] = []
    for entry in entries:
        own = set(entry["subjects"].get("src", ()))
        mine = [key for key in volumes if key[0] == entry["id"]]
        mine.sort(key=lambda key: (key[1] not in own, -volumes[key]["connections"], key[1]))
        chosen += mine[:MOST_SOURCES]
    return chosen, len(volumes) - len(chosen)


def _lists(seen: ir.Table, column: str) -> dict[Key, list[str]]:
    """The most frequent values of a column for each source."""
    named = seen.filter(seen[column].notnull(), ~seen[column].isin(["", "-"]))
    counts = named.group_by("finding", "src", value=named[column]).agg(n=ibis._.count())
    place = ibis.row_number().over(group_by=[counts.finding, counts.src], order_by=[counts.n.desc(), counts["value"]])
    counts = counts.mutate(place=place)
    found: dict[Key, list[str]] = {}
    for row in counts.filter(counts.place < MOST_LISTED).order_by("finding", "src", "place").to_pyarrow().to_pylist():
        found.setdefault((row["finding"], row["src"]), []).append(row["value"])
    return found


def _refs(seen: ir.Table) -> dict[Key, list[str]]:
    """The first records of each source, and the last."""
    each = seen.select("finding", "src", "time", "evidence_id", "record_no").distinct()
    mine, order = [each.finding, each.src], [each.time, each.evidence_id, each.record_no]
    backwards = [column.desc() for column in order]
    each = each.mutate(
        place=ibis.row_number().over(group_by=mine, order_by=order),
        behind=ibis.row_number().over(group_by=mine, order_by=backwards),
    )
    edge = each.filter((each.place < MOST_REFS - 1) | (each.behind == 0))
    found: dict[Key, list[str]] = {}
    for row in edge.order_by("finding", "src", "place").to_pyarrow().to_pylist():
        found.setdefault((row["finding"], row["src"]), []).append(f"{row['evidence_id']}:{row['record_no']}")
    return found


def _host_names(tables: Tables, addresses: Iterable[str]) -> dict[str, list[str]]:
    """Host names that records show with an address, at any time."""
    wanted = sorted(addresses)
    parts = [
        table.filter(table.src_endpoint_ip.isin(wanted), table.src_endpoint_hostname.notnull()).select(
            src="src_endpoint_ip", name=table.src_endpoint_hostname.lower()
        )
        for table in (tables.dns_activity, tables.http_activity, tables.network_activity, tables.system_activity)
    ]
    found: dict[str, list[str]] = {}
    both = ibis.union(*parts, distinct=True)
    for row in both.order_by("src", "name").limit(10_000).to_pyarrow().to_pylist():
        if len(found.setdefault(row["src"], [])) < MOST_LISTED:
            found[row["src"]].append(row["name"])
    return found


def _span_of_records(contacts: ir.Table) -> Any:
    return contacts.aggregate(first=ibis._.time.min()).to_pyarrow()["first"][0].as_py()


def _began(first: Any, begins: Any, case: CaseFile) -> str:
    """When it began, as far as the records reach."""
    if begins is not None and (first - begins).total_seconds() <= BEGINS_WITHIN_S:
        return f"where the records begin ({begins:%Y-%m-%d %H:%M} UTC): it may have begun before"
    for name, span in (("in the baseline", case.baseline), ("in the window", case.window)):
        if span is not None and span.start <= first < span.end:
            return name
    return "in the records" if case.window is None else "before the window" if first < case.window.start else "after it"


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(schema.SCOPE.names))
    for column in schema.SCOPE.columns:
        if column.type == "TIMESTAMPTZ":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True)
        elif column.type == "BIGINT":
            frame[column.name] = frame[column.name].astype("Int64")
    return frame
