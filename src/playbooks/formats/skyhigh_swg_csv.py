"""Skyhigh (McAfee) Secure Web Gateway, cloud: the CSV of the reporting API, one request a line under its header.

`source_ip` is the address that the cloud saw, `client_ip` the device's own. Which columns there are depends on the
version asked for; the header names them.
Reference: Skyhigh Security documentation, "Secure Web Gateway: reporting fields".
"""

from playbooks.formats.format import Clock, Columns, Format

FORMAT = Format(
    name="skyhigh_swg_csv",
    product="Skyhigh (McAfee) Secure Web Gateway, CSV",
    table="http_activity",
    cut=Columns(
        delimiter=",",
        fields=(
            *("username", "source_ip", "client_ip", "client_system_name", "process_name", "http_action", "uri_scheme"),
            *("requested_host", "requested_path", "destination_ip", "destination_port", "http_status_code", "result"),
            *("client_to_server_bytes", "server_to_client_bytes", "request_timestamp_epoch", "user_agent_comment"),
            *("referer", "block_reason"),
        ),
        keys=frozenset({"source_ip", "http_action", "requested_host", "request_timestamp_epoch"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        epoch_time(r.request_timestamp_epoch)  AS time,
        coalesce(address(r.client_ip), address(r.source_ip))  AS src_endpoint_ip,
        said(r.client_system_name)  AS src_endpoint_hostname,
        said(r.username)            AS actor_user_name,
        said(r.process_name)        AS actor_process_name,
        hostname(r.requested_host)  AS dst_endpoint_hostname,
        address(r.destination_ip)   AS dst_endpoint_ip,
        port(r.destination_port)    AS dst_endpoint_port,
        said(r.http_action)         AS http_request_http_method,
        CASE WHEN r.http_action <> 'CONNECT'
             THEN said(r.uri_scheme) || '://' || said(r.requested_host) || coalesce(said(r.requested_path), '/') END
                                    AS http_request_url_string,
        said(r.user_agent_comment)  AS http_request_user_agent,
        said(r.referer)             AS http_request_referrer,
        small(nullif(r.http_status_code, '0'))  AS http_response_code,
        amount(r.client_to_server_bytes)  AS traffic_bytes_out,
        amount(r.server_to_client_bytes)  AS traffic_bytes_in,
        CASE WHEN said(r.block_reason) IS NOT NULL OR upper(r.result) LIKE 'BLOCK%' OR upper(r.result) LIKE 'DENIED%'
             THEN 'blocked' ELSE 'allowed' END  AS disposition
    """,
    shows="client, user, process, URL, bytes both ways, what the policy decided",
    cannot_show="path inside tunnels; a user agent that is only named by product and version",
    reference="Skyhigh Security documentation, Secure Web Gateway reporting fields",
)
