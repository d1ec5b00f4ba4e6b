"""osquery results log: differential and event rows, one JSON object a row, and snapshots with all their rows.

`process_open_sockets` shows sockets that were open when the query ran, `socket_events` and `bpf_socket_events`
calls as they happened; queries may add columns of `processes` and `hash`. The rows of these are connections; of other
queries each row is kept with its name and what common columns it has. `removed` means that something is gone: of a
socket that is no connection. Listening and unconnected sockets are none either.
Reference: osquery documentation, "Logging", results log, snapshot and batch formats; osquery schema.
"""

import re

from playbooks.formats.format import Clock, Format, Json, Part

_NO_PEER = "('', '-', '0.0.0.0', repeat(':', 2), '0', '0:0:0:0:0:0:0:0')"
# a row, a snapshot of rows, or the rows that a batch added
_ROWS = """coalesce(json_extract(r.snapshot, '$[*]'), json_extract(r.diffResults, '$.added[*]'),
    CASE WHEN r.columns IS NOT NULL THEN [r.columns] END)"""
_PEERS = f"list_filter({_ROWS}, lambda row: json_extract_string(row, '$.remote_address') NOT IN {_NO_PEER})"
_SOCKETS = f"json_extract_string({_ROWS}[1], '$.remote_address') IS NOT NULL"


def _of(sql: str) -> str:
    """`@name` is the column `name` of the row."""
    return re.sub(r"@(\w+)", r"json_extract_string(item, '$.\1')", sql)


# an accepted call came from the other end; the socket tables do not say who began
_IN = "coalesce(@action, @syscall) IN ('accept', 'accept4')"
_TIME = """
        -- event rows carry their own time; for the others the moment of the query is all there is
        coalesce(epoch_time(digits_of(@time)), epoch_time(r.unixTime))  AS time,"""

FORMAT = Format(
    name="osquery_results",
    product="osquery results log",
    cut=Json(
        keys=frozenset({"name", "hostIdentifier", "unixTime"}),
        any_of=frozenset({"columns", "snapshot", "diffResults"}),
        shape="""{"name": "VARCHAR", "hostIdentifier": "VARCHAR", "unixTime": "VARCHAR", "action": "VARCHAR",
                  "columns": "JSON", "snapshot": "JSON", "diffResults": "JSON"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.name",
    parts=(
        Part(
            table="network_activity",
            when=_SOCKETS,
            each=_PEERS,
            columns=_of(f"""{_TIME}
        address(CASE WHEN {_IN} THEN @remote_address ELSE nullif(@local_address, '') END)  AS src_endpoint_ip,
        port(CASE WHEN {_IN} THEN @remote_port ELSE nullif(@local_port, '0') END)  AS src_endpoint_port,
        CASE WHEN {_IN} THEN NULL ELSE hostname(r.hostIdentifier) END  AS src_endpoint_hostname,
        address(CASE WHEN {_IN} THEN nullif(@local_address, '') ELSE @remote_address END)  AS dst_endpoint_ip,
        port(CASE WHEN {_IN} THEN @local_port ELSE @remote_port END)  AS dst_endpoint_port,
        CASE WHEN {_IN} THEN hostname(r.hostIdentifier) END  AS dst_endpoint_hostname,
        coalesce(said(@username), said(@uid), said(@auid))  AS actor_user_name,
        coalesce(said(@process_name), said(@name), file_name(@path))  AS actor_process_name,
        said(@path)                 AS actor_process_file_path,
        said(@cmdline)              AS actor_process_cmd_line,
        said(@sha256)               AS actor_process_file_hash,
        -- socket_events leaves the protocol 0
        protocol(nullif(@protocol, '0'))  AS connection_info_protocol_name,
        coalesce(lower(said(@status)), lower(said(@state)))  AS disposition,
        said(@eid)                  AS metadata_uid
    """),
        ),
        Part(
            table="system_activity",
            when="r.name IS NOT NULL",
            each=_ROWS,
            columns=_of(f"""{_TIME}
        CASE WHEN @pid IS NOT NULL THEN 1007 WHEN @target_path IS NOT NULL THEN 1001 ELSE 0 END  AS class_uid,
        concat_ws(': ', r.name, coalesce(said(@action), said(r.action)))  AS activity_name,
        hostname(r.hostIdentifier)  AS device_hostname,
        address(CASE WHEN is_address(@host) THEN @host END)  AS src_endpoint_ip,
        coalesce(said(@username), said(@user), said(@uid), said(@auid))  AS user_name,
        CASE WHEN @pid IS NOT NULL THEN coalesce(said(@process_name), said(@name), file_name(@path)) END
                                    AS process_name,
        CASE WHEN @pid IS NOT NULL THEN said(@path) END  AS process_file_path,
        CASE WHEN @pid IS NOT NULL THEN said(@cmdline) END  AS process_cmd_line,
        CASE WHEN @pid IS NOT NULL THEN said(@sha256) END  AS process_file_hash,
        coalesce(said(@target_path), CASE WHEN @pid IS NULL THEN said(@path) END)  AS file_path,
        CAST(item AS VARCHAR)       AS message,
        said(@eid)                  AS metadata_uid
    """),
        ),
    ),
    status=(
        (f"len({_ROWS}) = 0", "status line: the query had no rows, or added none"),
        (f"r.action = 'removed' AND {_SOCKETS}", "status line: the socket is gone (removed); no new connection"),
        (
            f"{_SOCKETS} AND len({_PEERS}) = 0",
            "status line: a socket without another end (listening or not connected)",
        ),
    ),
    shows="which process of which host had a connection to where, and when it was seen; the rows of all other queries",
    cannot_show="connections between two runs of the query; who began it; names, bytes, paths",
    reference="osquery documentation, results log; osquery schema",
)
