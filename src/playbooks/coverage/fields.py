"""Fields present: per source and table, how many records carry what decides a question, and what is blind without.

A share is taken over the records that could carry the field: server names over TLS, paths over HTTPS, answers over
queries that were not refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playbooks.coverage.sources import Source, Stream, membership
from playbooks.engine import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

PRESENT_FROM = 0.95  # a few records without are the noise of any log
NAMED_PROXIES = 200
PATH = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?/[^#]*"
RHYTHM, KNOWN, CHANGES = "egress_rhythm", "known_indicators", "function_changes"
RUNS, EXPOSED, TAMPERED = "function_runs", "public_exposure", "logging_tampered"
AUDIT = (CHANGES, EXPOSED, TAMPERED)


@dataclass(frozen=True)
class Field:
    """A field that decides something: what it is, for which questions, and what cannot be said without it.

    `enough` is the share from which it counts as present: many calls name no resource, many answers are empty.
    """

    name: str
    table: str
    label: str
    questions: tuple[str, ...]
    without: str
    enough: float = PRESENT_FROM


FIELDS = (
    Field("query_hostname", "dns_activity", "name asked for", (RHYTHM, KNOWN), "which name was asked for"),
    Field("answers", "dns_activity", "answers", (RHYTHM, KNOWN), "which address a name had, and CNAMEs behind it", 0.5),
    Field("client", "dns_activity", "client", (RHYTHM, KNOWN), "which host asked"),
    Field("process", "dns_activity", "process", (), "which program asked"),
    Field("host", "http_activity", "host", (RHYTHM, KNOWN), "which server a request went to"),
    Field("path", "http_activity", "URL path", (KNOWN,), "which tenant of a shared host was asked, and for what"),
    Field("https_path", "http_activity", "path of HTTPS requests", (KNOWN,), "what went through tunnels (CONNECT)"),
    Field("user_agent", "http_activity", "user agent", (RHYTHM, KNOWN), "what kind of program sent a request", 0.8),
    Field("referrer", "http_activity", "referrer", (), "whether a person followed a link", 0.1),
    Field("response_code", "http_activity", "response code", (), "whether the server answered or refused"),
    Field("client", "http_activity", "client", (RHYTHM, KNOWN), "which host sent the request"),
    Field("client_behind_proxy", "http_activity", "client behind a proxy", (RHYTHM,), "who stands behind a proxy"),
    Field("user", "http_activity", "user", (), "who was signed in"),
    Field("process", "http_activity", "process", (), "which program sent the request"),
    Field("bytes", "http_activity", "bytes both ways", (), "how much left the house"),
    Field("address", "network_activity", "address reached", (RHYTHM, KNOWN), "where a connection went"),
    Field("sni", "network_activity", "server name (SNI)", (RHYTHM, KNOWN), "which name stands behind a shared address"),
    Field("ja3", "network_activity", "JA3", (), "which TLS client it was"),
    Field("ja4", "network_activity", "JA4", (), "which TLS client it was"),
    Field("client", "network_activity", "client", (RHYTHM, KNOWN), "which host connected"),
    Field("client_behind_proxy", "network_activity", "client behind a proxy", (RHYTHM,), "who stands behind a proxy"),
    Field("user", "network_activity", "user", (), "who was signed in"),
    Field("process", "network_activity", "process", (), "which program connected"),
    Field("bytes", "network_activity", "bytes both ways", (), "how much left the house"),
    Field("principal", "api_activity", "principal", (*AUDIT, RUNS), "who did it", 0.5),
    Field("source_address", "api_activity", "caller's address", (CHANGES,), "from where it was done", 0.5),
    Field("user_agent", "api_activity", "user agent", (CHANGES,), "with which tool it was done", 0.5),
    Field("resource", "api_activity", "resource", (*AUDIT, RUNS), "to which function it was done", 0.3),
    Field("status", "api_activity", "status", AUDIT, "whether it was done or refused"),
    Field(
        "request", "api_activity", "request parameters", (EXPOSED, CHANGES), "what exactly was changed, for whom", 0.3
    ),
)


def fields(tables: Tables, sources: list[Source], streams: list[Stream], asked: Iterable[Mapping[str, Any]]) -> Any:
    """How many records of each source and table carry each deciding field.

    Parameters
    ----------
    asked
        Questions of the kit with `id` and `answerable`.

    Returns
    -------
    list of dict
        `source, name, table, field, label, filled, of, share` (null where no record could carry it), `state`
        (present, in part, absent, not applicable), `questions` (`id`, `effect`: blind or weak), `without`.
    """
    blind = {question["id"]: not question["answerable"] for question in asked}
    proxies = proxy_addresses(tables)
    rows = []
    for table in dict.fromkeys(field.table for field in FIELDS):
        counts = _counts(tables, table, sources, proxies)
        for stream in (stream for stream in streams if stream.table == table):
            found = counts.get(stream.source.number, {})
            rows += [_row(stream, field, found, blind) for field in FIELDS if field.table == table]
    return rows


def _row(stream: Stream, field: Field, found: Mapping[str, int], blind: Mapping[str, bool]) -> dict[str, Any]:
    filled, of = found.get(f"{field.name}_has", 0) or 0, found.get(f"{field.name}_of", 0) or 0
    share = round(filled / of, 4) if of else None
    state = "not applicable" if share is None else _state(filled, of, field.enough)
    hurt = state in ("absent", "in part")
    effects = [{"id": name, "effect": "blind" if blind[name] else "weak"} for name in field.questions if name in blind]
    return {
        "source": stream.source.label,
        "name": stream.name,
        "table": stream.table,
        "field": field.name,
        "label": field.label,
        "filled": filled,
        "of": of,
        "share": share,
        "state": state,
        "questions": effects if hurt else [],
        "without": field.without if hurt else "",
    }


def _state(filled: int, of: int, enough: float) -> str:
    return "absent" if not filled else "present" if filled >= enough * of else "in part"


def proxy_addresses(tables: Tables) -> list[str]:
    """Addresses that web logs name as a proxy, or that clients on the wire ask to CONNECT."""
    import ibis

    http = tables.http_activity
    on_wire = http.filter((http.http_request_http_method.upper() == "CONNECT") & http.metadata_uid.notnull())
    known = ibis.union(
        http.select(address=http.proxy_endpoint_ip), on_wire.select(address=on_wire.dst_endpoint_ip), distinct=True
    )
    found = known.filter(known.address.notnull()).order_by("address").limit(NAMED_PROXIES)
    return [str(address) for address in found.to_pyarrow()["address"].to_pylist()]


def _counts(tables: Tables, name: str, sources: list[Source], proxies: list[str]) -> dict[int, dict[str, int]]:
    """Per source number and field, the records that carry it and those that could."""
    table = tables[name]
    tests = {
        "dns_activity": _of_dns,
        "http_activity": lambda rows: _of_http(rows, proxies),
        "network_activity": lambda rows: _of_network(rows, proxies),
        "api_activity": _of_api,
    }[name](table)
    counted = table.group_by("evidence_id").aggregate(
        **{
            f"{field}_{part}": test.cast("int64").sum()
            for field, (has, could) in tests.items()
            for part, test in (("has", has & could), ("of", could))
        }
    )
    owned = counted.inner_join(membership(sources), "evidence_id")
    columns = [column for column in counted.columns if column != "evidence_id"]
    summed = owned.group_by("source").aggregate(**{column: owned[column].sum() for column in columns})
    return {row.pop("source"): row for row in summed.to_pyarrow().to_pylist()}


Test = tuple["ir.BooleanValue", "ir.BooleanValue"]  # carries it, could carry it


def _every(table: ir.Table) -> ir.BooleanValue:
    return table.evidence_id.notnull()


def _client(table: ir.Table) -> ir.BooleanValue:
    return table.src_endpoint_ip.notnull() | table.src_endpoint_hostname.notnull()


def _process(table: ir.Table) -> ir.BooleanValue:
    return table.actor_process_name.notnull() | table.actor_process_file_path.notnull()


def _bytes(table: ir.Table) -> ir.BooleanValue:
    return table.traffic_bytes_out.notnull() & table.traffic_bytes_in.notnull()


def _of_dns(dns: ir.Table) -> dict[str, Test]:
    every = _every(dns)
    answered = dns.rcode.isnull() | (dns.rcode.upper() == "NOERROR")
    return {
        "query_hostname": (dns.query_hostname.notnull(), every),
        "answers": ((dns.answers.length() > 0).fill_null(False), answered),
        "client": (_client(dns), every),
        "process": (_process(dns), every),
    }


def _of_http(http: ir.Table, proxies: list[str]) -> dict[str, Test]:
    every, url = _every(http), http.http_request_url_string
    tunnel = (http.http_request_http_method.upper() == "CONNECT").fill_null(False)
    path = url.re_search(PATH).fill_null(False) & ~tunnel
    https = (
        tunnel | (http.dst_endpoint_port == 443).fill_null(False) | url.lower().startswith("https:").fill_null(False)
    )
    return {
        "host": (http.dst_endpoint_hostname.notnull() | http.dst_endpoint_ip.notnull(), every),
        "path": (path, every),
        "https_path": (path, https),
        "user_agent": (http.http_request_user_agent.notnull(), every),
        "referrer": (http.http_request_referrer.notnull(), every),
        "response_code": (http.http_response_code.notnull(), every),
        "client": (_client(http), every),
        "client_behind_proxy": (~http.src_endpoint_ip.isin(proxies).fill_null(False), every),
        "user": (http.actor_user_name.notnull(), every),
        "process": (_process(http), every),
        "bytes": (_bytes(http), every),
    }


def _of_network(network: ir.Table, proxies: list[str]) -> dict[str, Test]:
    every = _every(network)
    handshake = network.tls_version.notnull() | network.tls_sni.notnull() | network.tls_ja3.notnull()
    secured = handshake | network.tls_ja4.notnull() | (network.dst_endpoint_port == 443).fill_null(False)
    return {
        "address": (network.dst_endpoint_ip.notnull(), every),
        "sni": (network.tls_sni.notnull(), secured),
        "ja3": (network.tls_ja3.notnull(), secured),
        "ja4": (network.tls_ja4.notnull(), secured),
        "client": (_client(network), every),
        "client_behind_proxy": (~network.src_endpoint_ip.isin(proxies).fill_null(False), every),
        "user": (network.actor_user_name.notnull(), every),
        "process": (_process(network), every),
        "bytes": (_bytes(network), every),
    }


def _of_api(api: ir.Table) -> dict[str, Test]:
    every = _every(api)
    return {
        "principal": (api.actor_user_name.notnull() | api.actor_user_uid.notnull(), every),
        "source_address": (api.src_endpoint_ip.notnull(), every),
        "user_agent": (api.http_request_user_agent.notnull(), every),
        "resource": (api.resource_name.notnull() | api.resource_uid.notnull(), every),
        "status": (api.status.notnull(), every),
        "request": (api.request.notnull(), every),
    }
