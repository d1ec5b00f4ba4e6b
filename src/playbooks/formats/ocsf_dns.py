"""OCSF DNS Activity (class 4003) as JSON: what Security Lake and pipelines that normalise make of resolver logs.

A copy of another log: look at the original where you have it. OCSF times are milliseconds since the epoch; text
without a zone, as some stores export it, is asked for.
Reference: Open Cybersecurity Schema Framework, class DNS Activity.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="ocsf_dns",
    product="OCSF DNS Activity, JSON",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"class_uid", "time", "query"}),
        shape="""{"time": "VARCHAR", "class_uid": "VARCHAR", "rcode": "VARCHAR", "rcode_id": "VARCHAR",
                  "disposition": "VARCHAR", "action": "VARCHAR", "duration": "VARCHAR", "answers": "JSON",
                  "query": {"hostname": "VARCHAR", "type": "VARCHAR"},
                  "metadata": {"uid": "VARCHAR"},
                  "src_endpoint": {"ip": "VARCHAR", "port": "VARCHAR", "hostname": "VARCHAR",
                    "instance_uid": "VARCHAR"},
                  "dst_endpoint": {"ip": "VARCHAR", "port": "VARCHAR", "hostname": "VARCHAR"},
                  "actor": {"user": {"name": "VARCHAR"}, "process": {"name": "VARCHAR", "cmd_line": "VARCHAR",
                    "file": {"path": "VARCHAR"}}},
                  "connection_info": {"protocol_name": "VARCHAR"}}""",
        only=(("class_uid", "4003"),),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.time)               AS time,
        said(r.metadata.uid)        AS metadata_uid,
        address(r.src_endpoint.ip)  AS src_endpoint_ip,
        port(r.src_endpoint.port)   AS src_endpoint_port,
        coalesce(said(r.src_endpoint.hostname), said(r.src_endpoint.instance_uid))  AS src_endpoint_hostname,
        said(r.actor.user.name)     AS actor_user_name,
        said(r.actor.process.name)  AS actor_process_name,
        said(r.actor.process.file.path)  AS actor_process_file_path,
        said(r.actor.process.cmd_line)   AS actor_process_cmd_line,
        address(r.dst_endpoint.ip)  AS dst_endpoint_ip,
        port(r.dst_endpoint.port)   AS dst_endpoint_port,
        hostname(r.dst_endpoint.hostname)  AS dst_endpoint_hostname,
        lower(said(r.connection_info.protocol_name))  AS connection_info_protocol_name,
        hostname(r.query.hostname)  AS query_hostname,
        dns_type(r.query.type)      AS query_type,
        -- names are written NoError, NXDomain; 99 means another one, which `rcode` then tells
        upper(coalesce(said(r.rcode), dns_rcode(nullif(r.rcode_id, '99'))))  AS rcode,
        CASE WHEN json_array_length(r.answers) > 0
             THEN list_transform(json_extract_string(r.answers, '$[*].rdata'), lambda a: rtrim(a, '.')) END
                                    AS answers,
        amount(r.duration)          AS duration_ms,
        nullif(lower(coalesce(nullif(said(r.disposition), 'Unknown'), said(r.action))), 'unknown')  AS disposition
    """,
    shows="what the original log showed: client, name, answers",
    cannot_show="what was lost when the original was normalised",
    reference="Open Cybersecurity Schema Framework, class DNS Activity (4003)",
)
