"""osquery results log: differential and event rows of the socket tables, one JSON object a row.

`process_open_sockets` shows sockets that were open when the query ran, `socket_events` and `bpf_socket_events`
calls as they happened; queries may add columns of `processes` and `hash`. Rows of other queries are unread, with the
query named. `removed` means that a socket is gone; listening and unconnected sockets are no connection.
Does not read snapshots that hold many rows in one record (`--logger_snapshot_event_type` writes single rows).
Reference: osquery documentation, "Logging", results log; osquery schema, socket tables.
"""

from playbooks.formats.format import Clock, Format, Json, Part

# an accepted call came from the other end; the socket tables do not say who began
_IN = "coalesce(r.columns.action, r.columns.syscall) IN ('accept', 'accept4')"
_NO_PEER = "('', '-', '0.0.0.0', '::', '0', '0:0:0:0:0:0:0:0')"

FORMAT = Format(
    name="osquery_results",
    product="osquery results log, socket tables",
    cut=Json(
        keys=frozenset({"name", "hostIdentifier", "unixTime", "columns"}),
        shape="""{"name": "VARCHAR", "hostIdentifier": "VARCHAR", "unixTime": "VARCHAR", "action": "VARCHAR",
                  "columns": {"action": "VARCHAR", "syscall": "VARCHAR", "status": "VARCHAR", "path": "VARCHAR",
                    "process_name": "VARCHAR", "cmdline": "VARCHAR", "sha256": "VARCHAR", "username": "VARCHAR",
                    "uid": "VARCHAR", "auid": "VARCHAR", "protocol": "VARCHAR", "local_address": "VARCHAR",
                    "local_port": "VARCHAR", "remote_address": "VARCHAR", "remote_port": "VARCHAR",
                    "state": "VARCHAR", "time": "VARCHAR", "eid": "VARCHAR"}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.name",
    parts=(
        Part(
            table="network_activity",
            when="r.columns.remote_address IS NOT NULL",
            columns=f"""
        -- event rows carry their own time; for the others the moment of the query is all there is
        coalesce(epoch_time(r.columns.time), epoch_time(r.unixTime))  AS time,
        address(CASE WHEN {_IN} THEN r.columns.remote_address ELSE nullif(r.columns.local_address, '') END)
                                    AS src_endpoint_ip,
        port(CASE WHEN {_IN} THEN r.columns.remote_port ELSE nullif(r.columns.local_port, '0') END)
                                    AS src_endpoint_port,
        CASE WHEN {_IN} THEN NULL ELSE hostname(r.hostIdentifier) END  AS src_endpoint_hostname,
        address(CASE WHEN {_IN} THEN nullif(r.columns.local_address, '') ELSE r.columns.remote_address END)
                                    AS dst_endpoint_ip,
        port(CASE WHEN {_IN} THEN r.columns.local_port ELSE r.columns.remote_port END)  AS dst_endpoint_port,
        CASE WHEN {_IN} THEN hostname(r.hostIdentifier) END  AS dst_endpoint_hostname,
        coalesce(said(r.columns.username), said(r.columns.uid), said(r.columns.auid))  AS actor_user_name,
        coalesce(said(r.columns.process_name), file_name(r.columns.path))
                                    AS actor_process_name,
        said(r.columns.path)        AS actor_process_file_path,
        said(r.columns.cmdline)     AS actor_process_cmd_line,
        said(r.columns.sha256)      AS actor_process_file_hash,
        -- socket_events leaves the protocol 0
        protocol(nullif(r.columns.protocol, '0'))  AS connection_info_protocol_name,
        coalesce(lower(said(r.columns.status)), lower(said(r.columns.state)))  AS disposition,
        said(r.columns.eid)         AS metadata_uid
    """,
        ),
    ),
    status=(
        ("r.action = 'removed'", "status line: the socket is gone (removed); no new connection"),
        (
            f"r.columns.remote_address IN {_NO_PEER}",
            "status line: a socket without another end (listening or not connected)",
        ),
    ),
    shows="which process of which host had a connection to which address and port, and when it was seen",
    cannot_show="connections between two runs of the query; who began it; names, bytes, paths",
    reference="osquery documentation, results log; schema of process_open_sockets, socket_events, bpf_socket_events",
)
