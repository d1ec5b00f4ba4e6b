"""AWS Network Firewall logs: Suricata EVE records in `event`, with the firewall's name around them.

A flow is logged once for each direction: bytes are what its source sent. Alert logs are the only ones
that name hosts; they exist where a rule alerts or drops.
Reference: AWS Network Firewall Developer Guide, "Contents of a firewall log".
"""

from playbooks.formats.format import Clock, Format, Json, Part

FORMAT = Format(
    name="aws_network_firewall",
    product="AWS Network Firewall",
    cut=Json(
        keys=frozenset({"firewall_name", "event_timestamp", "event"}),
        shape="""{"firewall_name": "VARCHAR", "event_timestamp": "VARCHAR",
                  "event": {"timestamp": "VARCHAR", "event_type": "VARCHAR", "flow_id": "VARCHAR",
                    "src_ip": "VARCHAR", "src_port": "VARCHAR", "dest_ip": "VARCHAR", "dest_port": "VARCHAR",
                    "proto": "VARCHAR", "alert": {"action": "VARCHAR"}, "dns": "JSON",
                    "tls": {"sni": "VARCHAR", "version": "VARCHAR", "ja3": {"hash": "VARCHAR"},
                            "ja3s": {"hash": "VARCHAR"}},
                    "http": {"hostname": "VARCHAR", "url": "VARCHAR", "http_method": "VARCHAR",
                             "http_user_agent": "VARCHAR", "status": "VARCHAR", "length": "VARCHAR"},
                    "netflow": {"pkts": "VARCHAR", "bytes": "VARCHAR", "start": "VARCHAR", "end": "VARCHAR"}}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.event.event_type",
    parts=(
        Part(
            table="network_activity",
            when="r.event.event_type = 'netflow'",
            columns="""
                coalesce(iso_time(r.event.netflow.start), iso_time(r.event.timestamp))  AS time,
                said(r.event.flow_id)       AS metadata_uid,
                address(r.event.src_ip)     AS src_endpoint_ip,
                port(r.event.src_port)      AS src_endpoint_port,
                address(r.event.dest_ip)    AS dst_endpoint_ip,
                port(r.event.dest_port)     AS dst_endpoint_port,
                lower(said(r.event.proto))  AS connection_info_protocol_name,
                amount(r.event.netflow.bytes)  AS traffic_bytes_out,
                amount(r.event.netflow.pkts)  AS traffic_packets_out,
                date_diff('millisecond', iso_time(r.event.netflow.start), iso_time(r.event.netflow."end"))
                                            AS duration_ms
            """,
        ),
        Part(
            table="dns_activity",
            when="r.event.event_type = 'alert' AND r.event.dns IS NOT NULL",
            columns="""
                iso_time(r.event.timestamp)  AS time,
                said(r.event.flow_id)       AS metadata_uid,
                address(r.event.src_ip)     AS src_endpoint_ip,
                port(r.event.src_port)      AS src_endpoint_port,
                address(r.event.dest_ip)    AS dst_endpoint_ip,
                port(r.event.dest_port)     AS dst_endpoint_port,
                lower(said(r.event.proto))  AS connection_info_protocol_name,
                hostname(coalesce(json_extract_string(r.event.dns, '$.query[0].rrname'),
                                  json_extract_string(r.event.dns, '$.queries[0].rrname'),
                                  json_extract_string(r.event.dns, '$.rrname')))  AS query_hostname,
                coalesce(json_extract_string(r.event.dns, '$.query[0].rrtype'),
                         json_extract_string(r.event.dns, '$.queries[0].rrtype'),
                         json_extract_string(r.event.dns, '$.rrtype'))  AS query_type,
                lower(said(r.event.alert.action))  AS disposition
            """,
        ),
        Part(
            table="http_activity",
            when="r.event.event_type = 'alert' AND r.event.dns IS NULL AND r.event.http.hostname IS NOT NULL",
            columns="""
                iso_time(r.event.timestamp)  AS time,
                said(r.event.flow_id)       AS metadata_uid,
                address(r.event.src_ip)     AS src_endpoint_ip,
                port(r.event.src_port)      AS src_endpoint_port,
                address(r.event.dest_ip)    AS dst_endpoint_ip,
                port(r.event.dest_port)     AS dst_endpoint_port,
                url_host(r.event.http.hostname)  AS dst_endpoint_hostname,
                lower(said(r.event.proto))  AS connection_info_protocol_name,
                said(r.event.http.http_method)  AS http_request_http_method,
                CASE WHEN r.event.http.http_method <> 'CONNECT' THEN said(r.event.http.url) END
                                            AS http_request_url_string,
                said(r.event.http.http_user_agent)  AS http_request_user_agent,
                small(r.event.http.status)  AS http_response_code,
                amount(r.event.http.length)  AS traffic_bytes_in,
                lower(said(r.event.alert.action))  AS disposition
            """,
        ),
        Part(
            table="network_activity",
            when="r.event.event_type = 'alert' AND r.event.dns IS NULL AND r.event.http.hostname IS NULL",
            columns="""
                iso_time(r.event.timestamp)  AS time,
                said(r.event.flow_id)       AS metadata_uid,
                address(r.event.src_ip)     AS src_endpoint_ip,
                port(r.event.src_port)      AS src_endpoint_port,
                address(r.event.dest_ip)    AS dst_endpoint_ip,
                port(r.event.dest_port)     AS dst_endpoint_port,
                hostname(r.event.tls.sni)   AS dst_endpoint_hostname,
                lower(said(r.event.proto))  AS connection_info_protocol_name,
                hostname(r.event.tls.sni)   AS tls_sni,
                CASE WHEN r.event.tls.version <> 'UNDETERMINED' THEN said(r.event.tls.version) END  AS tls_version,
                said(r.event.tls.ja3.hash)  AS tls_ja3,
                said(r.event.tls.ja3s.hash)  AS tls_ja3s,
                lower(said(r.event.alert.action))  AS disposition
            """,
        ),
    ),
    shows="flows through the firewall, one row a direction; where a rule alerts: names, URLs and the verdict",
    cannot_show="names of connections that no rule alerts on; users and processes",
    reference="AWS Network Firewall Developer Guide, Contents of a firewall log",
)
