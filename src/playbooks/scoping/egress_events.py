"""Every contact with the outside, from all telemetry, as one relation.

A row is one record in which a client of the estate reached for a destination outside it. Names come from
the record, else from another record of the same connection, else from the DNS answers that the same client
received. Nothing is added up here: one connection may stand in several logs.

Every step is one join that keeps the rows in passing: a wide relation that is used twice would be written
down whole by the engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from playbooks.case import CaseFile, Window
from playbooks.engine import Tables
from playbooks.scoping.addresses import INTERNAL, not_external
from playbooks.scoping.dns_naming import ADDRESS_SHAPE, internal_names, named_by_dns
from playbooks.scoping.forwarded import with_clients
from playbooks.scoping.joins import beside

CONTACT_QUERY_TYPES = ("A", "AAAA", "CNAME", "HTTPS", "SVCB")  # asked in order to connect
OTHER_QUERY_TYPES_UNKNOWN = ("", "-", "UNKNOWN")
SERVER_PORTS_BELOW = 1024  # a one-way flow from such a port to a higher one is the answer of a server of ours
# types by which a host answers what came in (replies, unreachable, time exceeded); sensors log them as a call
# of ours, with the type as source port. A port scan from outside thus looks like steady egress.
ICMP_ANSWERS = (0, 3, 4, 5, 11, 12, 14)
ICMP6_ANSWERS = (1, 2, 3, 4, 129)
# names that no public resolver answers: RFC 6762, 6761, 8375, 9476; reverse lookups are no contacts
LOCAL_SUFFIXES = (".local", ".localhost", ".internal", ".arpa", ".localdomain", ".lan")
PATH_SHAPE = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?(/[^#]*)"
HOST_SHAPE = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:\[\]]+|\[[^\]]*\])"
COLUMNS = (
    *("time", "src", "dst", "dst_name", "dst_ip", "source", "format", "naming", "bytes_out", "bytes_in"),
    *("ip_bytes_out", "user_agent", "path", "fingerprint", "process", "user", "duration_ms"),
    *("uid", "evidence_id", "record_no", "disposition", "by_proxy"),
)


def egress_events(tables: Tables, case: CaseFile) -> ir.Table:
    """All contacts of the estate with the outside, over the whole of the evidence.

    Parameters
    ----------
    tables
        Event tables of the case.
    case
        Internal ranges are taken from it; the window is not applied here (see `within`).

    Returns
    -------
    ibis Table
        Columns `COLUMNS`. `source` is dns, http, tls or flow; `dst` is `dst_name` where there is one, else `dst_ip`;
        `naming` says where the name comes from: record, connection, dns, or, without a name, ambiguous (several were
        answered with that address) or none. `by_proxy`: `src` is a proxy, and X-Forwarded-For names no client behind
        it. `fingerprint` is `ja4:…`, else `ja3:…`; `process` the path of the image, else its name. Aware UTC.
    """
    logged = tables.http_activity
    tables = replace(tables, http_activity=with_clients(logged, case))
    places = _places(tables, case)
    internal = places.filter(places.place == INTERNAL)
    proxies = _proxies(tables.http_activity, internal)
    dns = _of_clients(_dns(tables.dns_activity), internal)
    wire = _of_clients(ibis.union(_http(tables.http_activity), _network(tables.network_activity)), internal)
    names = _connection_names(logged, tables.network_activity)
    wire = _named_by_connection(_without_proxy_address(wire, proxies), names)
    wire = named_by_dns(wire, dns)
    contacts = ibis.union(
        wire.select(*_CARRIED, "naming"), dns.mutate(naming=ibis.literal("record")).select(*_CARRIED, "naming")
    )
    contacts = _outward(contacts, places, dns)
    contacts = beside(contacts, proxies, contacts.src == proxies.address)
    dst = contacts.dst_name.fill_null(contacts.dst_ip)
    return contacts.mutate(dst=dst, by_proxy=contacts.address.notnull()).select(*COLUMNS)


def within(events: ir.Table, window: Window | None) -> ir.Table:
    """The events of a window (start included, end excluded); all of them without a window."""
    if window is None:
        return events
    start, end = (_moment(moment) for moment in (window.start, window.end))
    return events.filter(events.time >= start, events.time < end)


def _moment(moment: dt.datetime) -> ir.Value:
    return ibis.literal(moment.astimezone(dt.UTC), type="timestamp('UTC')")


_CARRIED = (
    *("time", "src", "dst_name", "dst_ip", "source", "format", "bytes_out", "bytes_in", "user_agent", "path"),
    *("ip_bytes_out", "fingerprint", "process", "user", "duration_ms", "uid", "evidence_id", "record_no"),
    "disposition",
)
_NO_TEXT = ibis.null("string")


def _record(table: ir.Table, source: ir.Value | str) -> dict[str, ir.Value]:
    """Columns that every table has; without an address the logged name of the client stands for it."""
    return {
        "time": table.time,
        "src": table.src_endpoint_ip.fill_null(table.src_endpoint_hostname),
        "src_is_address": table.src_endpoint_ip.notnull(),
        "source": ibis.literal(source) if isinstance(source, str) else source,
        "format": table.format,
        "process": table.actor_process_file_path.fill_null(table.actor_process_name),
        "user": table.actor_user_name,
        "duration_ms": table.duration_ms,
        "uid": table.metadata_uid,
        "evidence_id": table.evidence_id,
        "record_no": table.record_no,
        "disposition": table.disposition,
    }


def _http(http: ir.Table) -> ir.Table:
    url = http.http_request_url_string
    named = _destination(http.dst_endpoint_hostname.fill_null(url.re_extract(HOST_SHAPE, 1).nullif("")))
    literal = named.re_search(ADDRESS_SHAPE).fill_null(False)
    tunnel = (http.http_request_http_method.upper() == "CONNECT").fill_null(False)
    return http.select(
        **_record(http, "http"),
        dst_name=ibis.ifelse(literal, _NO_TEXT, named),
        dst_ip=ibis.ifelse(literal, named, http.dst_endpoint_ip),
        bytes_out=http.traffic_bytes_out,
        bytes_in=http.traffic_bytes_in,
        ip_bytes_out=ibis.null("int64"),
        fingerprint=_fingerprint(http),
        user_agent=http.http_request_user_agent,
        path=ibis.ifelse(tunnel, _NO_TEXT, url.re_extract(PATH_SHAPE, 1).nullif("")),
        through=http.proxy_endpoint_ip,
    )


def _network(network: ir.Table) -> ir.Table:
    handshake = reduce(
        lambda some, name: some | network[name].notnull(),
        ("tls_version", "tls_ja3", "tls_ja4"),
        network.tls_sni.notnull(),
    )
    named = _destination(network.tls_sni.fill_null(network.dst_endpoint_hostname))
    literal = named.re_search(ADDRESS_SHAPE).fill_null(False)
    rows = network.select(
        **_record(network, ibis.ifelse(handshake, "tls", "flow")),
        dst_name=ibis.ifelse(literal, _NO_TEXT, named),
        dst_ip=network.dst_endpoint_ip,
        bytes_out=network.traffic_bytes_out,
        bytes_in=network.traffic_bytes_in,
        ip_bytes_out=network.traffic_ip_bytes_out,
        fingerprint=_fingerprint(network),
        user_agent=_NO_TEXT,
        path=_NO_TEXT,
        through=_NO_TEXT,
        answers_back=_answers_back(network),
    )
    return rows.filter(~rows.answers_back).drop("answers_back")


def _answers_back(network: ir.Table) -> ir.BooleanValue:
    """Records in which our side only answers: of logs that know one direction, and of ICMP."""
    one_way = network.traffic_bytes_in.isnull() & network.metadata_uid.isnull()
    from_server = (network.src_endpoint_port < SERVER_PORTS_BELOW) & (network.dst_endpoint_port >= SERVER_PORTS_BELOW)
    six = network.src_endpoint_ip.contains(":")
    kind = network.src_endpoint_port
    answer = ibis.ifelse(six, kind.isin(ICMP6_ANSWERS), kind.isin(ICMP_ANSWERS))
    icmp = network.connection_info_protocol_name.startswith("icmp") & network.metadata_uid.notnull()
    return (one_way & from_server).fill_null(False) | (icmp & answer).fill_null(False)


def _fingerprint(table: ir.Table) -> ir.StringValue:
    """JA4 of the client's handshake, else JA3, with its kind before it."""
    return ("ja4:" + table.tls_ja4).fill_null("ja3:" + table.tls_ja3)


def _dns(dns: ir.Table) -> ir.Table:
    kind = dns.query_type.upper()
    to_connect = kind.isin([*CONTACT_QUERY_TYPES, *OTHER_QUERY_TYPES_UNKNOWN]) | kind.isnull()
    exists = (dns.rcode.upper() != "NXDOMAIN").fill_null(True)
    rows = dns.filter(to_connect, exists, dns.query_hostname.notnull())
    return rows.select(
        **_record(rows, "dns"),
        dst_name=_destination(rows.query_hostname),
        dst_ip=_NO_TEXT,
        bytes_out=ibis.null("int64"),
        bytes_in=ibis.null("int64"),
        ip_bytes_out=ibis.null("int64"),
        fingerprint=_NO_TEXT,
        user_agent=_NO_TEXT,
        path=_NO_TEXT,
        answers=rows.answers,
    )


def _destination(name: ir.StringValue) -> ir.StringValue:
    """Lower case, without final dot and without the brackets of an IPv6 literal."""
    return name.lower().re_replace(r"^\[|\]$|\.$", "").nullif("")


def _places(tables: Tables, case: CaseFile) -> ir.Table:
    """(address, place) of every address in the tables that does not lead out."""
    http, network, dns = tables.http_activity, tables.network_activity, tables.dns_activity
    hosts = http.select(host=http.dst_endpoint_hostname).distinct().select(address=_destination(ibis._.host))
    columns = (
        *(http.src_endpoint_ip, http.dst_endpoint_ip, network.src_endpoint_ip, network.dst_endpoint_ip),
        *(dns.src_endpoint_ip, dns.answers.unnest()),
    )
    literals = hosts.filter(hosts.address.re_search(ADDRESS_SHAPE))
    found = ibis.union(literals, *(column.name("address").as_table() for column in columns), distinct=True)
    texts = found.filter(found.address.notnull()).to_pyarrow()["address"]
    return _lookup(
        not_external(pa.concat_arrays([pa.array([], pa.string()), *texts.chunks]), case.estate.internal_ranges)
    )


def _lookup(places: dict[str, str]) -> ir.Table:
    schema = pa.schema([("address", pa.string()), ("place", pa.string())])
    return ibis.memtable(pa.table([list(places), list(places.values())], schema=schema))


def _of_clients(rows: ir.Table, internal: ir.Table) -> ir.Table:
    """Rows whose client is ours; a client known only by name was named by our own log."""
    joined = beside(rows, internal, rows.src == internal.address)
    by_name = joined.src.notnull() & ~joined.src_is_address
    return joined.filter(joined.address.notnull() | by_name).drop("address", "place", "src_is_address")


def _proxies(http: ir.Table, internal: ir.Table) -> ir.Table:
    """Internal addresses of web proxies.

    Named by a log, or the end of a CONNECT that a sensor saw on the wire (it carries a connection id); in a
    proxy's own log the destination of a CONNECT is the server.
    """
    named = http.filter(http.proxy_endpoint_ip.notnull()).select(address=http.proxy_endpoint_ip)
    on_wire = (http.http_request_http_method.upper() == "CONNECT") & http.metadata_uid.notnull()
    reached = http.filter(on_wire, http.dst_endpoint_ip.notnull()).select(address=http.dst_endpoint_ip)
    known = ibis.union(named, reached, distinct=True)
    return known.semi_join(internal, "address")


def _without_proxy_address(wire: ir.Table, proxies: ir.Table) -> ir.Table:
    """On the leg from a client to a proxy the address is the proxy's and says nothing of the destination."""
    joined = beside(wire, proxies, wire.dst_ip == proxies.address)
    towards = joined.address.notnull() | (joined.through == joined.dst_ip).fill_null(False)
    return joined.mutate(dst_ip=ibis.ifelse(towards, _NO_TEXT, joined.dst_ip)).drop("address", "through")


def _connection_names(http: ir.Table, network: ir.Table) -> ir.Table:
    """(client, connection, name) of each record that names where its connection leads."""
    handshakes = network.filter(network.metadata_uid.notnull(), network.tls_sni.notnull())
    requests = http.filter(http.metadata_uid.notnull(), http.dst_endpoint_hostname.notnull())
    named = ibis.union(
        handshakes.select(by_src="src_endpoint_ip", by_uid="metadata_uid", name=_destination(handshakes.tls_sni)),
        requests.select(
            by_src="src_endpoint_ip", by_uid="metadata_uid", name=_destination(requests.dst_endpoint_hostname)
        ),
    )
    return named.filter(~named.name.re_search(ADDRESS_SHAPE))


def _named_by_connection(wire: ir.Table, named: ir.Table) -> ir.Table:
    """Names a record without one by others of the same client and connection, where all that hold a name agree."""
    names = named.group_by("by_src", "by_uid").agg(known=named.name.min(), other=named.name.max())
    names = names.filter(names.known == names.other).drop("other")
    joined = beside(wire, names, [wire.src == names.by_src, wire.uid == names.by_uid], named)
    naming = ibis.cases((joined.dst_name.notnull(), "record"), (joined.known.notnull(), "connection"), else_="none")
    return joined.mutate(dst_name=joined.dst_name.fill_null(joined.known), naming=naming).drop(
        "by_src", "by_uid", "known"
    )


def _outward(contacts: ir.Table, places: ir.Table, dns: ir.Table) -> ir.Table:
    """Contacts that lead out: an outside address, or, without an address, a public name."""
    columns = contacts.columns
    placed = beside(contacts, places, contacts.dst_ip == places.address)
    inside = internal_names(dns, places)
    joined = beside(placed, inside, placed.dst_name == inside.name, dns)
    by_name = _public(joined.dst_name) & joined.name.isnull()
    return joined.filter(ibis.ifelse(joined.dst_ip.notnull(), joined.place.isnull(), by_name)).select(*columns)


def _public(name: ir.StringValue) -> ir.BooleanValue:
    local: Iterable[ir.BooleanValue] = (name.endswith(suffix) for suffix in LOCAL_SUFFIXES)
    return name.contains(".") & ~reduce(lambda one, other: one | other, local)
