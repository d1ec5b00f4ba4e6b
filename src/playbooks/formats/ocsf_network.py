"""OCSF Network Activity (class 4001) as JSON, as security lakes and normalising pipelines write it.

Where a source counts only one direction (flow logs), `traffic.bytes` is what the source sent. Profiles add the
process, the user and the TLS handshake.
Reference: Open Cybersecurity Schema Framework, class Network Activity, versions 1.0 to 1.8.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="ocsf_network",
    product="OCSF Network Activity",
    table="network_activity",
    cut=Json(
        keys=frozenset({"class_uid", "time", "src_endpoint", "dst_endpoint"}),
        only=(("class_uid", "4001"),),
        shape="""{"class_uid": "VARCHAR", "time": "VARCHAR", "start_time": "VARCHAR", "end_time": "VARCHAR",
                  "duration": "VARCHAR", "disposition": "VARCHAR", "action": "VARCHAR", "status_code": "VARCHAR",
                  "metadata": {"uid": "VARCHAR"},
                  "src_endpoint": {"ip": "VARCHAR", "port": "VARCHAR", "hostname": "VARCHAR",
                                   "instance_uid": "VARCHAR"},
                  "dst_endpoint": {"ip": "VARCHAR", "port": "VARCHAR", "hostname": "VARCHAR", "domain": "VARCHAR"},
                  "connection_info": {"protocol_name": "VARCHAR", "protocol_num": "VARCHAR", "uid": "VARCHAR"},
                  "traffic": {"bytes": "VARCHAR", "bytes_in": "VARCHAR", "bytes_out": "VARCHAR",
                              "packets": "VARCHAR", "packets_in": "VARCHAR", "packets_out": "VARCHAR"},
                  "tls": {"sni": "VARCHAR", "version": "VARCHAR", "ja3_hash": {"value": "VARCHAR"},
                          "ja3s_hash": {"value": "VARCHAR"}, "certificate": {"issuer": "VARCHAR"}},
                  "actor": {"user": {"name": "VARCHAR"},
                            "process": {"name": "VARCHAR", "cmd_line": "VARCHAR", "file": {"path": "VARCHAR"}}}}""",
        envelopes=("Records", "events"),
    ),
    clock=Clock.ASK,
    status=(
        ("r.status_code = 'NODATA'", "status line: no traffic in this interval (NODATA)"),
        ("r.status_code = 'SKIPDATA'", "status line: records were skipped in this interval (SKIPDATA)"),
    ),
    columns=r"""
        stamp(r."time")             AS time,
        coalesce(said(r.metadata.uid), said(r.connection_info.uid))  AS metadata_uid,
        address(r.src_endpoint.ip)  AS src_endpoint_ip,
        port(r.src_endpoint.port)   AS src_endpoint_port,
        coalesce(said(r.src_endpoint.hostname), said(r.src_endpoint.instance_uid))  AS src_endpoint_hostname,
        said(r.actor."user".name)   AS actor_user_name,
        said(r.actor.process.name)  AS actor_process_name,
        said(r.actor.process.file.path)  AS actor_process_file_path,
        said(r.actor.process.cmd_line)  AS actor_process_cmd_line,
        address(r.dst_endpoint.ip)  AS dst_endpoint_ip,
        port(r.dst_endpoint.port)   AS dst_endpoint_port,
        hostname(coalesce(said(r.dst_endpoint.hostname), said(r.dst_endpoint.domain), said(r.tls.sni)))
                                    AS dst_endpoint_hostname,
        coalesce(lower(said(r.connection_info.protocol_name)), protocol(r.connection_info.protocol_num))
                                    AS connection_info_protocol_name,
        hostname(r.tls.sni)         AS tls_sni,
        said(r.tls.version)         AS tls_version,
        said(r.tls.ja3_hash.value)  AS tls_ja3,
        said(r.tls.ja3s_hash.value)  AS tls_ja3s,
        said(r.tls.certificate.issuer)  AS tls_certificate_issuer,
        coalesce(amount(r.traffic.bytes_out), amount(CASE WHEN r.traffic.bytes_in IS NULL THEN r.traffic.bytes END))
                                    AS traffic_bytes_out,
        amount(r.traffic.bytes_in)  AS traffic_bytes_in,
        coalesce(amount(r.traffic.packets_out),
                 amount(CASE WHEN r.traffic.packets_in IS NULL THEN r.traffic.packets END))  AS traffic_packets_out,
        amount(r.traffic.packets_in)  AS traffic_packets_in,
        coalesce(whole(CASE WHEN regexp_matches(r.duration, '^\d{1,15}$') THEN r.duration END),
                 whole(CASE WHEN regexp_matches(r.end_time, '^\d{13}$') THEN r.end_time END)
               - whole(CASE WHEN regexp_matches(r.start_time, '^\d{13}$') THEN r.start_time END))  AS duration_ms,
        CASE lower(coalesce(said(r.disposition), said(r.action))) WHEN 'denied' THEN 'blocked'
             ELSE lower(coalesce(said(r.disposition), said(r.action))) END  AS disposition
    """,
    shows="connections with bytes and verdict; process, user and TLS names where the pipeline has them",
    cannot_show="what the pipeline left out of the original log",
    reference="Open Cybersecurity Schema Framework, Network Activity",
)
