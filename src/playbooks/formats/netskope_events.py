"""Netskope events and alerts of the REST API as JSON: page, application, connection, alert and network records.

Empty texts and zeros stand for what is not known. `srcip` is the address that Netskope saw, `userip` that of the
device. The URL has no scheme; `protocol` tells it. Audit records among them are read as `netskope_audit` reads them.
Reference: Netskope documentation, REST API v2, events and alerts, "Common fields".
"""

from playbooks.formats.format import Clock, Format, Json, Part
from playbooks.formats.netskope_audit import FORMAT as AUDIT

WHO = """
        epoch_time(r.timestamp)     AS time,
        said(r._id)                 AS metadata_uid,
        -- as Netskope saw it; behind that stands the device's own address
        coalesce(address(r.srcip), address(r.userip))  AS src_endpoint_ip,
        port(nullif(r.srcport, '0'))  AS src_endpoint_port,
        said(r.hostname)            AS src_endpoint_hostname,
        said(r."user")              AS actor_user_name,
        port(nullif(r.dstport, '0'))  AS dst_endpoint_port,
        amount(r.client_bytes)      AS traffic_bytes_out,
        amount(r.server_bytes)      AS traffic_bytes_in,
        CASE lower(r.action) WHEN 'allow' THEN 'allowed' WHEN 'block' THEN 'blocked' ELSE lower(said(r.action)) END
                                    AS disposition,
        -- what the user did in an application: Upload, Browse, …
        said(r.activity)            AS activity_name,"""

FORMAT = Format(
    name="netskope_events",
    product="Netskope events and alerts, JSON",
    cut=Json(
        keys=frozenset({"_id", "timestamp", "user", "access_method"}),
        shape="""{"_id": "VARCHAR", "timestamp": "VARCHAR", "type": "VARCHAR", "user": "VARCHAR",
                  "access_method": "VARCHAR", "audit_log_event": "VARCHAR", "is_netskope_personnel": "VARCHAR",
                  "supporting_data": "JSON", "srcip": "VARCHAR", "userip": "VARCHAR", "srcport": "VARCHAR",
                  "hostname": "VARCHAR", "dstip": "VARCHAR", "dstport": "VARCHAR", "dsthost": "VARCHAR",
                  "domain": "VARCHAR", "url": "VARCHAR", "protocol": "VARCHAR", "useragent": "VARCHAR",
                  "referer": "VARCHAR", "action": "VARCHAR", "client_bytes": "VARCHAR", "server_bytes": "VARCHAR",
                  "client_packets": "VARCHAR", "server_packets": "VARCHAR", "conn_duration": "VARCHAR",
                  "ip_protocol": "VARCHAR", "activity": "VARCHAR"}""",
        envelopes=("result", "data"),
    ),
    clock=Clock.ASK,
    kind="coalesce(said(r.type), 'unnamed')",
    parts=(
        Part(
            table="api_activity",
            when="said(r.audit_log_event) IS NOT NULL",
            columns=AUDIT.columns,
        ),
        Part(
            table="network_activity",
            when="said(r.audit_log_event) IS NULL AND r.type = 'network'",
            columns=f"""{WHO}
        address(coalesce(said(r.dstip), CASE WHEN is_address(r.dsthost) THEN r.dsthost END))  AS dst_endpoint_ip,
        hostname(CASE WHEN NOT is_address(r.dsthost) THEN r.dsthost END)  AS dst_endpoint_hostname,
        lower(said(r.ip_protocol))  AS connection_info_protocol_name,
        amount(r.client_packets)    AS traffic_packets_out,
        amount(r.server_packets)    AS traffic_packets_in
    """,
        ),
        Part(
            table="http_activity",
            when="said(r.audit_log_event) IS NULL AND coalesce(r.type, '') <> 'network' AND said(r.url) IS NOT NULL",
            columns=f"""{WHO}
        address(r.dstip)            AS dst_endpoint_ip,
        coalesce(url_host(r.url), hostname(r.domain))  AS dst_endpoint_hostname,
        CASE WHEN contains(r.url, '://') THEN '' WHEN upper(r.protocol) LIKE 'HTTPS%' THEN 'https://'
             WHEN upper(r.protocol) LIKE 'HTTP%' THEN 'http://' ELSE '' END || r.url  AS http_request_url_string,
        said(r.useragent)           AS http_request_user_agent,
        said(r.referer)             AS http_request_referrer,
        -- whole seconds
        millis(nullif(r.conn_duration, '0'))  AS duration_ms
    """,
        ),
    ),
    shows="user, device, URL or host, application traffic and bytes of connections, verdicts; what admins did",
    cannot_show="method and status code; single requests: page and application events sum several up",
    reference="Netskope documentation, REST API v2 events and alerts",
)
