"""OCSF as lakes keep it, in nested columns, to the columns of `schema`: one Ibis expression for every engine.

Classes API Activity (6003), Network Activity (4001), HTTP Activity (4002) and DNS Activity (4003), versions 1.0 to 1.8.
A lake that lacks a field has null there. Reference: Open Cybersecurity Schema Framework; Amazon Security Lake User
Guide, OCSF source identification and partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ibis

from playbooks import schema
from playbooks.engine.lake import FORMAT

if TYPE_CHECKING:
    import ibis.expr.types as ir

IBIS = {
    "VARCHAR": "string",
    "VARCHAR[]": "array<string>",
    "BIGINT": "int64",
    "BIGINT[]": "array<int64>",
    "INTEGER": "int32",
    "TIMESTAMPTZ": "timestamp('UTC', 6)",
}
MAPPED_V4 = r"^::ffff:([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$"
VERSION_SUFFIX = r"(20[0-9]{6}(v[0-9]+)?|20[0-9]{2}_[0-9]{2}_[0-9]{2})$"
Column = Callable[["Row"], "ir.Value | None"]


class Row:
    """The nested columns of a lake table, by path; a path that the lake lacks is None."""

    def __init__(self, table: ir.Table) -> None:
        self._table = table

    def at(self, path: str) -> ir.Value | None:
        """What stands at `path`: names with dots between; `[]` takes the first of a list."""
        value: ir.Value | None = None
        kind = self._table.schema().as_struct()
        for name in path.split("."):
            plain = name.removesuffix("[]")
            if not kind.is_struct() or plain not in kind.names:
                return None
            value = self._table[plain] if value is None else value[plain]
            kind = kind[plain]
            if name.endswith("[]"):
                if not kind.is_array():
                    return None
                value, kind = value[0], kind.value_type
        return value

    def text(self, *paths: str) -> ir.Value | None:
        """The first of these that says something."""
        found = [value.cast("string") for value in map(self.at, paths) if value is not None]
        said = [value.strip().nullif("").nullif("-") for value in found]
        return ibis.coalesce(*said) if said else None

    def lower(self, *paths: str) -> ir.Value | None:
        found = self.text(*paths)
        return None if found is None else found.lower()

    def whole(self, *paths: str) -> ir.Value | None:
        found = [value.try_cast("int64") for value in map(self.at, paths) if value is not None]
        return ibis.coalesce(*found) if found else None


def _text(*paths: str) -> Column:
    return lambda row: row.text(*paths)


def _lower(*paths: str) -> Column:
    return lambda row: row.lower(*paths)


def _whole(*paths: str) -> Column:
    return lambda row: row.whole(*paths)


def _address(*paths: str) -> Column:
    def column(row: Row) -> ir.Value | None:
        found = row.lower(*paths)
        return None if found is None else ibis.coalesce(found.re_extract(MAPPED_V4, 1).nullif(""), found)

    return column


def _host(*paths: str) -> Column:
    def column(row: Row) -> ir.Value | None:
        found = row.lower(*paths)
        return None if found is None else found.re_replace(r"\.+$", "")

    return column


def _time(row: Row) -> ir.Value | None:
    found = row.at("time")
    if found is None or found.type().is_timestamp():
        return found
    return found.cast("int64").as_timestamp("ms").cast("timestamp('UTC', 6)")


def _answers(row: Row) -> ir.Value | None:
    found = row.at("answers")
    if found is None or not found.type().is_array() or not found.type().value_type.is_struct():
        return None
    told = found.map(lambda one: one["rdata"].re_replace(r"\.+$", ""))
    return ibis.ifelse(found.length() > 0, told, ibis.null("array<string>"))


def _status(row: Row) -> ir.Value | None:
    number, word = row.text("status_id"), row.lower("status")
    error = row.text("api.response.error")
    tests = [
        *([(error.notnull(), "failure")] if error is not None else []),
        *([(number == "2", "failure"), (number == "1", "success")] if number is not None else []),
        *([(word == "failure", "failure"), (word == "success", "success")] if word is not None else []),
    ]
    return ibis.cases(*tests) if tests else None


def _detail(row: Row) -> ir.Value | None:
    error, words = row.text("api.response.error"), row.text("api.response.error_message", "status_detail")
    if error is None or words is None:
        return words if error is None else error
    return ibis.coalesce(error + ": " + words, error, words)


def _base(row: Row) -> ir.Value | None:
    found = row.text("api.operation", "activity_name")
    return None if found is None else found.re_replace(VERSION_SUFFIX, "")


def _disposition(row: Row) -> ir.Value | None:
    found = row.lower("disposition", "action")
    return None if found is None else found.nullif("unknown").substitute({"denied": "blocked"})


SHARED: Mapping[str, Column] = {
    "time": _time,
    "metadata_uid": _text("metadata.uid", "connection_info.uid"),
    "src_endpoint_ip": _address("src_endpoint.ip"),
}
ENDS: Mapping[str, Column] = {
    **SHARED,
    "src_endpoint_port": _whole("src_endpoint.port"),
    "src_endpoint_hostname": _text("src_endpoint.hostname", "src_endpoint.instance_uid"),
    "actor_user_name": _text("actor.user.name"),
    "actor_process_name": _text("actor.process.name", "actor.process.file.name"),
    "actor_process_file_path": _text("actor.process.file.path"),
    "actor_process_cmd_line": _text("actor.process.cmd_line"),
    "dst_endpoint_ip": _address("dst_endpoint.ip"),
    "dst_endpoint_port": _whole("dst_endpoint.port"),
    "connection_info_protocol_name": _lower("connection_info.protocol_name"),
    "activity_name": _text("activity_name"),
    "disposition": _disposition,
    "duration_ms": _whole("duration"),
    "tls_sni": _host("tls.sni"),
    "tls_version": _text("tls.version"),
    "tls_ja3": _text("tls.ja3_hash.value"),
    "tls_ja3s": _text("tls.ja3s_hash.value"),
    "tls_certificate_issuer": _text("tls.certificate.issuer"),
    "traffic_bytes_out": _whole("traffic.bytes_out", "traffic.bytes"),
    "traffic_bytes_in": _whole("traffic.bytes_in"),
    "traffic_packets_out": _whole("traffic.packets_out", "traffic.packets"),
    "traffic_packets_in": _whole("traffic.packets_in"),
}
CLASSES: Mapping[str, Mapping[str, Column]] = {
    "network_activity": {
        **ENDS,
        "dst_endpoint_hostname": _host("dst_endpoint.hostname", "dst_endpoint.domain", "tls.sni"),
    },
    "http_activity": {
        **ENDS,
        "dst_endpoint_hostname": _host("http_request.url.hostname", "dst_endpoint.hostname"),
        "proxy_endpoint_ip": _address("proxy_endpoint.ip", "proxy.ip"),
        "http_request_http_method": _text("http_request.http_method"),
        "http_request_url_string": _text("http_request.url.url_string", "http_request.url.path"),
        "http_request_user_agent": _text("http_request.user_agent"),
        "http_request_referrer": _text("http_request.referrer"),
        "http_response_code": _whole("http_response.code"),
    },
    "dns_activity": {
        **ENDS,
        "dst_endpoint_hostname": _host("dst_endpoint.hostname", "dst_endpoint.domain"),
        "query_hostname": _host("query.hostname"),
        "query_type": _text("query.type"),
        "rcode": lambda row: None if (found := row.text("rcode")) is None else found.upper(),
        "answers": _answers,
    },
    "api_activity": {
        **SHARED,
        "src_endpoint_ip": _address("src_endpoint.ip", "src_endpoint.domain", "src_endpoint.svc_name"),
        "actor_user_name": _text("actor.user.name"),
        "actor_user_uid": _text("actor.user.uid"),
        "actor_user_type": _text("actor.user.type"),
        "actor_session_issuer": _text("actor.session.issuer"),
        "actor_session_uid": _text("actor.user.credential_uid", "actor.session.credential_uid", "actor.session.uid"),
        "actor_invoked_by": _text("actor.invoked_by"),
        "api_operation": _text("api.operation", "activity_name"),
        "api_operation_base": _base,
        "api_service_name": _lower("api.service.name", "metadata.product.name"),
        "cloud_provider": _text("cloud.provider"),
        "cloud_account_uid": _text("cloud.account.uid", "cloud.account_uid", "actor.user.account.uid"),
        "cloud_region": _text("cloud.region"),
        "resource_name": _text("resources[].name"),
        "resource_uid": _text("resources[].uid"),
        "status": _status,
        "status_detail": _detail,
        "http_request_user_agent": _text("http_request.user_agent"),
        "metadata_event_code": _text("metadata.event_code", "metadata.product.feature.name"),
        "request": _text("api.request.data"),
        "response": _text("api.response.data"),
    },
}


def flat(rows: ir.Table, name: str) -> ir.Table:
    """The rows of one class with the columns of its table.

    Parameters
    ----------
    rows
        Nested columns, and `evidence_id`, `record_no` beside them.
    name
        Table of `schema`.
    """
    table, row = schema.EVENT_TABLES[name], Row(rows)
    mine = CLASSES[name]

    def value(column: schema.Column) -> ir.Value:
        found = mine[column.name](row) if column.name in mine else None
        kind = IBIS[column.type]
        return ibis.null(kind) if found is None else found.cast(kind)

    made = {column.name: value(column) for column in table.columns}
    made |= {"evidence_id": rows.evidence_id, "record_no": rows.record_no, "format": ibis.literal(FORMAT)}
    found: ir.Table = rows.filter(rows.class_uid == table.class_uid).select(**made)
    return found.filter(found.time.notnull())


def class_and_time(rows: ir.Table) -> ir.Table:
    """`record_no`, `class_uid` and `time` of every row; null where a lake lacks the column."""
    row = Row(rows)
    uid, time = row.whole("class_uid"), _time(row)
    kind = IBIS["TIMESTAMPTZ"]
    return rows.select(
        record_no=rows.record_no,
        class_uid=ibis.null("int64") if uid is None else uid,
        time=ibis.null(kind) if time is None else time.cast(kind),
    )


def known_classes() -> dict[int, str]:
    """OCSF class → the table that its rows are read into."""
    return {uid: name for name in CLASSES if (uid := schema.EVENT_TABLES[name].class_uid) is not None}
