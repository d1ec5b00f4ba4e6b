"""What contacts and flows of a watched host say around first contact: new destinations, uploads, other machines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import ibis

from playbooks.knowledge.lifecycle import load_lifecycle
from playbooks.scoping.addresses import INTERNAL, not_external
from playbooks.scoping.watched import Watched, moment, spans, table_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import CaseFile
    from playbooks.engine import Tables

HISTORY_HOURS = 24  # of contacts before it, for a destination to be called new
NEW_WITHIN_HOURS = 1  # before first contact: what a lure leads to is visited at once
NEW_SHOWN = 20
UPLOAD_BYTES = 5_000_000  # to one destination around first contact; forms and mail stay below
# ports by which machines are administered or their shares opened (IANA): a first connection tells of movement
ADMINISTRATION = {22: "ssh", 135: "epmap", 139: "netbios-ssn", 445: "microsoft-ds", 3389: "ms-wbt-server",
                  5900: "rfb", 5985: "wsman", 5986: "wsmans"}  # fmt: skip
MANY_MACHINES = 20  # first connections to more machines than this are a search
Row = dict[str, Any]
ROW = ("finding", "who", "first_contact", "time", "evidence_id", "record_no")


def contact_rows(contacts: ir.Table, tables: Tables, case: CaseFile, hosts: list[Watched]) -> list[Row]:
    """Rows of all hosts: `ROW`, `rule` (its place), `of_stage`, and the fields that its sentence names."""
    if not hosts:
        return []
    towards = table_of(("of", "towards"), [(host.finding, dst) for host in hosts for dst in host.destinations])
    return [
        *_first_contacts(contacts, hosts, towards),
        *_new_destinations(contacts, hosts, towards),
        *_uploads(contacts, hosts, towards),
        *_inside(tables.network_activity, case, hosts),
    ]


def _of_hosts(contacts: ir.Table, hosts: Iterable[Watched]) -> ir.Table:
    each = spans(hosts)
    return contacts.inner_join(each, contacts.src == each.who)


def _first(rows: ir.Table, by: list[str], order: str = "time") -> ir.Table:
    """The first row of each group; rows of one moment in the order of their records."""
    place = ibis.row_number().over(
        group_by=[rows[name] for name in by], order_by=[rows[order], rows.evidence_id, rows.record_no]
    )
    numbered = rows.mutate(place=place)
    return numbered.filter(numbered.place == 0).drop("place")


def _first_contacts(contacts: ir.Table, hosts: list[Watched], towards: ir.Table) -> Iterable[Row]:
    """First contact with a destination of the finding, once for each kind of telemetry."""
    mine = _of_hosts(contacts, hosts)
    mine = mine.inner_join(towards, [mine.finding == towards["of"], mine.dst == towards.towards])
    rows = _first(mine, ["finding", "who", "source"]).select(*ROW, "source", "process", "user", target="dst")
    for row in _listed(rows):
        more = [f"by {row['process']}"] if row["process"] else []
        message = f" ({', '.join([row['source'], *more])})"
        yield _row(row, "first-contact", message=message, by="address")


def _new_destinations(contacts: ir.Table, hosts: list[Watched], towards: ir.Table) -> Iterable[Row]:
    """Destinations that nobody of the estate had contacted in the records until the host did, just before."""
    mine = _of_hosts(contacts, hosts)
    opened = mine.first_contact - ibis.interval(hours=NEW_WITHIN_HOURS)
    near = mine.filter(mine.time >= opened, mine.time < mine.first_contact)
    near = near.anti_join(towards, [near.finding == towards["of"], near.dst == towards.towards])
    begins = contacts.aggregate(begins=ibis._.time.min()).to_pyarrow()["begins"][0].as_py()
    near = near.filter(near.time >= moment(begins + dt.timedelta(hours=HISTORY_HOURS)))
    first = _first(near, ["finding", "who", "dst"])
    seen = contacts.semi_join(first, "dst").group_by("dst").agg(begins=ibis._.time.min())
    fresh = first.inner_join(seen, "dst")
    rows = _counted(fresh.filter(fresh.time == fresh.begins)).select(*ROW, "of_stage", target="dst")
    for row in _listed(rows):
        yield _row(row, "new-destination", by="address", of_stage=row["of_stage"])


def _counted(rows: ir.Table) -> ir.Table:
    """The nearest of each host, with the number of all."""
    mine = [rows.finding, rows.who]
    rows = rows.mutate(
        of_stage=ibis._.count().over(group_by=mine),
        place=ibis.row_number().over(group_by=mine, order_by=[rows.time.desc(), rows.dst]),
    )
    return rows.filter(rows.place < NEW_SHOWN)


def _uploads(contacts: ir.Table, hosts: list[Watched], towards: ir.Table) -> Iterable[Row]:
    """Destinations that were sent more than came back, from first contact on, by the telemetry that saw most."""
    mine = _of_hosts(contacts, hosts)
    mine = mine.filter(mine.time >= mine.first_contact, mine.time < mine.until, mine.bytes_out.notnull())
    sums = mine.group_by("finding", "who", "dst", "format").agg(sent=mine.bytes_out.sum(), came=mine.bytes_in.sum())
    large = sums.filter(sums.sent >= UPLOAD_BYTES, sums.sent > sums.came.fill_null(0))
    same = ["finding", "who", "dst", "format"]
    largest = _first(mine.inner_join(large, same).mutate(order=-ibis._.bytes_out), same, "order")
    rows = _first(largest.mutate(order=-ibis._.sent), ["finding", "who", "dst"], "order")
    theirs = towards.mutate(theirs=ibis.literal(True))
    rows = rows.left_join(theirs, [rows.finding == theirs["of"], rows.dst == theirs.towards])
    for row in _listed(rows.select(*ROW, "sent", "theirs", target="dst")):
        rule = "upload-to-destination" if row["theirs"] else "upload-elsewhere"
        yield _row(row, rule, bytes=f"{row['sent']:,}", by="address")


def _inside(network: ir.Table, case: CaseFile, hosts: list[Watched]) -> Iterable[Row]:
    """First connections to other machines inside, by ports of administration, after first contact."""
    flows = network.mutate(src=network.src_endpoint_ip.fill_null(network.src_endpoint_hostname))
    flows = flows.filter(flows.dst_endpoint_port.isin(list(ADMINISTRATION)), flows.dst_endpoint_ip.notnull())
    mine = _of_hosts(flows, hosts)
    ends = mine.select("dst_endpoint_ip").distinct().to_pyarrow()["dst_endpoint_ip"].to_pylist()
    ours = [end for end, place in not_external(ends, case.estate.internal_ranges).items() if place == INTERNAL]
    mine = mine.filter(mine.dst_endpoint_ip.isin(ours), mine.dst_endpoint_ip != mine.who)
    first = _first(mine, ["finding", "who", "dst_endpoint_ip", "dst_endpoint_port"])
    first = first.filter(first.time >= first.first_contact, first.time < first.until)
    rows = first.select(*ROW, target="dst_endpoint_ip", port="dst_endpoint_port")
    reached: dict[tuple[str, str], list[Row]] = {}
    for row in _listed(rows):
        reached.setdefault((row["finding"], row["who"]), []).append(row)
    for several in reached.values():
        yield from _movement(several)


def _movement(rows: list[Row]) -> Iterable[Row]:
    machines = {row["target"] for row in rows}
    if len(machines) > MANY_MACHINES:
        ports = ", ".join(str(port) for port in sorted({row["port"] for row in rows}))
        words = f"first connections of the host to {len(machines):,} machines inside, port {ports}, from here on"
        yield _row(rows[0], "many-machines", message=words, by="address")
    for row in rows[: MANY_MACHINES + 1]:
        told = {"port": f"{row['port']} ({ADMINISTRATION[row['port']]})", "message": _later(row)}
        yield _row(row, "administration-port", **told, by="address", of_stage=len(rows))


def _later(row: Row) -> str:
    seconds = (row["time"] - row["first_contact"]).total_seconds()
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} minutes"


def _row(row: Row, rule: str, of_stage: int | None = None, **fields: Any) -> Row:
    """A row of `rule`; `of_stage` counts all rows of it where only some are given."""
    known = load_lifecycle()
    number = known.number_of(rule)
    rank = 0 if known.every_rule[number].telling else 2
    return {**row, "rule": number, "of_stage": of_stage, "group": rule, "rank": rank, **fields}


def _listed(rows: ir.Table) -> list[Row]:
    listed: list[Row] = rows.order_by("time", "evidence_id", "record_no").limit(20_000).to_pyarrow().to_pylist()
    return listed


def wire_channels(contacts: ir.Table, network: ir.Table, case: CaseFile, hosts: list[Watched]) -> dict[Any, set[str]]:
    """Which channels of the wire saw each host around first contact: (finding, source) → ids."""
    mine = _of_hosts(contacts, hosts)
    mine = mine.filter(mine.time >= mine.since, mine.time < mine.until)
    counts = mine.group_by("finding", "who").agg(volumes=mine.bytes_out.count()).to_pyarrow().to_pylist()
    found: dict[Any, set[str]] = {}
    for row in counts:
        found[row["finding"], row["who"]] = {"destinations"} | ({"volumes"} if row["volumes"] else set())
    for key in _seen_inside(network, case, hosts):
        found.setdefault(key, set()).add("inside")
    return found


def _seen_inside(network: ir.Table, case: CaseFile, hosts: list[Watched]) -> set[tuple[str, str]]:
    """Hosts that a log reports around first contact which shows machines inside reaching such ports of each other.

    A sensor at the way out sees resolvers and proxies inside and still no movement between machines.
    """
    administered = network.filter(network.dst_endpoint_port.isin(list(ADMINISTRATION)))
    ends = administered.select("format", "src_endpoint_ip", "dst_endpoint_ip").distinct()
    addresses = ibis.union(ends.select(a="src_endpoint_ip"), ends.select(a="dst_endpoint_ip"), distinct=True)
    texts = addresses.filter(addresses.a.notnull()).to_pyarrow()["a"].to_pylist()
    ours = [text for text, place in not_external(texts, case.estate.internal_ranges).items() if place == INTERNAL]
    if not ours:
        return set()
    inner = table_of(("address",), [(text,) for text in ours])
    others = inner.select(other="address")
    both = ends.inner_join(inner, ends.src_endpoint_ip == inner.address)
    both = both.inner_join(others, both.dst_endpoint_ip == others.other).select("format").distinct()
    flows = network.mutate(src=network.src_endpoint_ip.fill_null(network.src_endpoint_hostname))
    mine = _of_hosts(flows.semi_join(both, "format"), hosts)
    rows = mine.filter(mine.time >= mine.since, mine.time < mine.until).select("finding", "who").distinct()
    return {(row["finding"], row["who"]) for row in rows.to_pyarrow().to_pylist()}
