"""Suricata EVE JSON: DNS, HTTP, TLS, QUIC and flows, each in its table; alerts, files and other protocols besides.

A flow is dated by its start: `timestamp` of a flow is the moment at which Suricata gave it up. `netflow` records
(one a direction) repeat the flows and stand with the other kinds. An answer from port 53 has the server as its source;
client and server stand here as in a query. The scheme of a URL is not logged: a path stays one. An alert carries the
counts of its flow up to then; the record of the flow has the sum. Some shippers drop `event_type`: a record that
holds an alert is one.
Reference: Suricata User Guide, "EVE JSON Format", versions 1 to 3 of the DNS record.
"""

from playbooks.formats.format import Clock, Format, Json, Part

FORMAT = Format(
    name="suricata_eve",
    product="Suricata EVE",
    cut=Json(
        keys=frozenset({"timestamp", "event_type"}),
        any_of=frozenset({"flow_id", "stats"}),
        shape="""{"timestamp": "VARCHAR", "event_type": "VARCHAR", "flow_id": "VARCHAR", "src_ip": "VARCHAR",
                  "src_port": "VARCHAR", "dest_ip": "VARCHAR", "dest_port": "VARCHAR", "proto": "VARCHAR",
                  "dns": {"type": "VARCHAR", "rrname": "VARCHAR", "rrtype": "VARCHAR", "rcode": "VARCHAR",
                          "rdata": "VARCHAR", "ttl": "VARCHAR", "answers": "JSON", "queries": "JSON",
                          "grouped": "JSON"},
                  "http": {"hostname": "VARCHAR", "http_port": "VARCHAR", "url": "VARCHAR",
                           "http_method": "VARCHAR", "http_user_agent": "VARCHAR", "http_refer": "VARCHAR",
                           "status": "VARCHAR", "length": "VARCHAR", "xff": "VARCHAR"},
                  "tls": {"sni": "VARCHAR", "version": "VARCHAR", "issuerdn": "VARCHAR", "ja4": "VARCHAR",
                          "ja3": {"hash": "VARCHAR"}, "ja3s": {"hash": "VARCHAR"}},
                  "quic": {"sni": "VARCHAR", "version": "VARCHAR", "ja3": {"hash": "VARCHAR"},
                           "ja3s": {"hash": "VARCHAR"}, "ja4": "VARCHAR"},
                  "flow": {"start": "VARCHAR", "end": "VARCHAR", "bytes_toserver": "VARCHAR",
                           "bytes_toclient": "VARCHAR", "pkts_toserver": "VARCHAR", "pkts_toclient": "VARCHAR",
                           "state": "VARCHAR"},
                  "alert": {"action": "VARCHAR", "signature": "VARCHAR", "signature_id": "VARCHAR",
                            "category": "VARCHAR", "severity": "VARCHAR"},
                  "anomaly": {"event": "VARCHAR", "type": "VARCHAR", "layer": "VARCHAR"},
                  "fileinfo": {"filename": "VARCHAR", "sha256": "VARCHAR", "md5": "VARCHAR"},
                  "dhcp": {"type": "VARCHAR", "dhcp_type": "VARCHAR", "assigned_ip": "VARCHAR",
                           "client_mac": "VARCHAR", "hostname": "VARCHAR"},
                  "ssh": {"client": {"software_version": "VARCHAR"}, "server": {"software_version": "VARCHAR"}},
                  "smb": {"command": "VARCHAR", "filename": "VARCHAR", "share": "VARCHAR", "status": "VARCHAR",
                          "ntlmssp": {"user": "VARCHAR", "host": "VARCHAR"}},
                  "krb5": {"msg_type": "VARCHAR", "cname": "VARCHAR", "error_code": "VARCHAR"},
                  "rdp": {"event_type": "VARCHAR", "cookie": "VARCHAR", "client": {"client_name": "VARCHAR"}},
                  "smtp": {"helo": "VARCHAR", "mail_from": "VARCHAR"},
                  "ftp": {"command": "VARCHAR", "command_data": "VARCHAR"},
                  "app_proto": "VARCHAR", "host": "VARCHAR", "xff": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.event_type",
    status=(("r.event_type IN ('stats', 'engine')", "status line: Suricata about itself"),),
    parts=(
        Part(
            table="dns_activity",
            when="r.event_type = 'dns'",
            columns="""
                iso_time(r.timestamp)       AS time,
                said(r.flow_id)             AS metadata_uid,
                address(CASE WHEN r.dns.type IN ('answer', 'response') AND r.src_port = '53'
                             THEN r.dest_ip ELSE r.src_ip END)  AS src_endpoint_ip,
                port(CASE WHEN r.dns.type IN ('answer', 'response') AND r.src_port = '53'
                          THEN r.dest_port ELSE r.src_port END)  AS src_endpoint_port,
                address(CASE WHEN r.dns.type IN ('answer', 'response') AND r.src_port = '53'
                             THEN r.src_ip ELSE r.dest_ip END)  AS dst_endpoint_ip,
                port(CASE WHEN r.dns.type IN ('answer', 'response') AND r.src_port = '53'
                          THEN r.src_port ELSE r.dest_port END)  AS dst_endpoint_port,
                lower(said(r.proto))        AS connection_info_protocol_name,
                -- version 3 lists the queries
                hostname(coalesce(r.dns.rrname, json_extract_string(r.dns.queries, '$[0].rrname')))
                                            AS query_hostname,
                coalesce(said(r.dns.rrtype), json_extract_string(r.dns.queries, '$[0].rrtype'))  AS query_type,
                said(r.dns.rcode)           AS rcode,
                -- version 1 writes a record for each answer; later ones list them, or group them by type
                list_transform(coalesce(
                    CASE WHEN json_type(r.dns.answers) = 'ARRAY'
                         THEN json_extract_string(r.dns.answers, '$[*].rdata') END,
                    CASE WHEN json_type(r.dns.grouped) = 'OBJECT'
                         THEN list_concat(list_concat(json_extract_string(r.dns.grouped, '$.CNAME[*]'),
                                                      json_extract_string(r.dns.grouped, '$.A[*]')),
                                          json_extract_string(r.dns.grouped, '$.AAAA[*]')) END,
                    CASE WHEN said(r.dns.rdata) IS NOT NULL THEN [r.dns.rdata] END), lambda a: rtrim(a, '.'))
                                            AS answers,
                -- grouped answers have none
                coalesce(answer_ttls(r.dns.answers, 'rdata'), CASE WHEN said(r.dns.rdata) IS NOT NULL
                         THEN ttls([r.dns.ttl]) END)  AS answers_ttl
            """,
        ),
        Part(
            table="http_activity",
            when="r.event_type = 'http'",
            columns="""
                iso_time(r.timestamp)       AS time,
                said(r.flow_id)             AS metadata_uid,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                address(r.dest_ip)          AS dst_endpoint_ip,
                port(r.dest_port)           AS dst_endpoint_port,
                url_host(r.http.hostname)   AS dst_endpoint_hostname,
                lower(said(r.proto))        AS connection_info_protocol_name,
                said(r.http.http_method)    AS http_request_http_method,
                CASE WHEN r.http.http_method <> 'CONNECT' THEN said(r.http.url) END  AS http_request_url_string,
                said(r.http.http_user_agent)  AS http_request_user_agent,
                said(r.http.http_refer)     AS http_request_referrer,
                coalesce(said(r.xff), said(r.http.xff))  AS http_request_x_forwarded_for,
                small(r.http.status)        AS http_response_code,
                amount(r.http.length)       AS traffic_bytes_in
            """,
        ),
        Part(
            table="network_activity",
            when="r.event_type = 'tls'",
            columns="""
                iso_time(r.timestamp)       AS time,
                said(r.flow_id)             AS metadata_uid,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                address(r.dest_ip)          AS dst_endpoint_ip,
                port(r.dest_port)           AS dst_endpoint_port,
                hostname(r.tls.sni)         AS dst_endpoint_hostname,
                lower(said(r.proto))        AS connection_info_protocol_name,
                hostname(r.tls.sni)         AS tls_sni,
                said(r.tls.version)         AS tls_version,
                said(r.tls.issuerdn)        AS tls_certificate_issuer,
                said(r.tls.ja3.hash)        AS tls_ja3,
                said(r.tls.ja3s.hash)       AS tls_ja3s,
                said(r.tls.ja4)             AS tls_ja4
            """,
        ),
        Part(
            table="network_activity",
            when="r.event_type = 'quic'",
            columns="""
                iso_time(r.timestamp)       AS time,
                said(r.flow_id)             AS metadata_uid,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                address(r.dest_ip)          AS dst_endpoint_ip,
                port(r.dest_port)           AS dst_endpoint_port,
                hostname(r.quic.sni)        AS dst_endpoint_hostname,
                lower(said(r.proto))        AS connection_info_protocol_name,
                hostname(r.quic.sni)        AS tls_sni,
                said(r.quic.ja3.hash)       AS tls_ja3,
                said(r.quic.ja3s.hash)      AS tls_ja3s,
                said(r.quic.ja4)            AS tls_ja4
            """,
        ),
        Part(
            table="network_activity",
            when="r.event_type = 'flow'",
            columns="""
                coalesce(iso_time(r.flow.start), iso_time(r.timestamp))  AS time,
                said(r.flow_id)             AS metadata_uid,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                address(r.dest_ip)          AS dst_endpoint_ip,
                port(r.dest_port)           AS dst_endpoint_port,
                lower(said(r.proto))        AS connection_info_protocol_name,
                amount(r.flow.bytes_toserver)  AS traffic_bytes_out,
                amount(r.flow.bytes_toclient)  AS traffic_bytes_in,
                amount(r.flow.pkts_toserver)  AS traffic_packets_out,
                amount(r.flow.pkts_toclient)  AS traffic_packets_in,
                date_diff('millisecond', iso_time(r.flow.start), iso_time(r.flow."end"))  AS duration_ms,
                said(r.flow.state)          AS disposition
            """,
        ),
        Part(
            table="system_activity",
            when="r.event_type IS NOT NULL OR r.alert IS NOT NULL",
            columns="""
                iso_time(r.timestamp)       AS time,
                said(r.flow_id)             AS metadata_uid,
                CASE WHEN r.alert IS NOT NULL THEN 2004 WHEN r.event_type = 'dhcp' THEN 4004
                     WHEN r.event_type = 'fileinfo' THEN 1001 ELSE 0 END  AS class_uid,
                -- the kind of the record, then what it says itself
                concat_ws(': ', coalesce(said(r.event_type), CASE WHEN r.alert IS NOT NULL THEN 'alert' END),
                    coalesce(said(r.anomaly.event), said(r.smb.command), said(r.krb5.msg_type), said(r.rdp.event_type),
                             said(r.ftp.command), said(r.dhcp.dhcp_type), said(r.dhcp.type)))  AS activity_name,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                hostname(coalesce(r.dhcp.hostname, r.smb.ntlmssp.host, r.rdp.client.client_name, r.smtp.helo))
                                            AS src_endpoint_hostname,
                address(r.dest_ip)          AS dst_endpoint_ip,
                port(r.dest_port)           AS dst_endpoint_port,
                coalesce(url_host(r.http.hostname), hostname(r.tls.sni), hostname(r.dns.rrname))
                                            AS dst_endpoint_hostname,
                lower(said(r.proto))        AS connection_info_protocol_name,
                said(r.host)                AS device_hostname,
                coalesce(said(r.smb.ntlmssp.user), said(r.krb5.cname), said(r.rdp.cookie), said(r.smtp.mail_from))
                                            AS user_name,
                coalesce(said(r.fileinfo.filename), said(r.smb.filename), said(r.smb.share),
                         said(r.ftp.command_data))  AS file_path,
                said(r.http.http_method)    AS http_request_http_method,
                said(r.http.url)            AS http_request_url_string,
                said(r.http.http_user_agent)  AS http_request_user_agent,
                small(r.http.status)        AS http_response_code,
                amount(r.flow.bytes_toserver)  AS traffic_bytes_out,
                amount(r.flow.bytes_toclient)  AS traffic_bytes_in,
                amount(r.flow.pkts_toserver)  AS traffic_packets_out,
                amount(r.flow.pkts_toclient)  AS traffic_packets_in,
                said(r.alert.signature)     AS finding_title,
                said(r.alert.severity)      AS severity,
                said(r.alert.action)        AS disposition,
                coalesce(said(r.smb.status), said(r.krb5.error_code))  AS status_detail,
                -- what the columns of this table do not hold
                nullif(concat_ws(', ', said(r.alert.category),
                    'client: ' || said(r.ssh.client.software_version),
                    'server: ' || said(r.ssh.server.software_version),
                    'assigned: ' || said(r.dhcp.assigned_ip), 'mac: ' || said(r.dhcp.client_mac),
                    'sha256: ' || said(r.fileinfo.sha256), 'md5: ' || said(r.fileinfo.md5)), '')
                                            AS message
            """,
        ),
    ),
    shows="names asked for and answers, web requests, TLS names and fingerprints, flows with bytes; alerts, files",
    cannot_show="users and processes, but what a protocol tells in the clear; what stands inside TLS",
    reference="Suricata User Guide, EVE JSON Format",
)
