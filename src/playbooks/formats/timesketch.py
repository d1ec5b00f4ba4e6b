"""Timesketch timelines and plaso's events, as CSV or JSON lines: whatever somebody made a timeline of.

A row has a message, a stamp and what the stamp means; plaso adds the fields of its parser under `data_type`. Acts in
clouds, web requests, Sysmon connections and queries, and the Windows firewall become what they are elsewhere; every
other row is what a host reports. `datetime` is the stamp with its zone; without zone the microseconds of `timestamp`
count, else the zone is asked for. Rows that plaso calls "Not a time" are undated. A copy: look at the original where
you have it.
Reference: Timesketch documentation, "Import timelines" (CSV, JSONL); plaso, output modules and event data types.
"""

from playbooks.formats.format import Clock, Format, Json, Part
from playbooks.formats.windows_events import CONNECTION_COLUMNS, DNS_COLUMNS, of, plain, xml_value
from playbooks.formats.windows_events import FIELDS as EVENT_FIELDS

FIELDS = (
    *("message", "datetime", "timestamp", "timestamp_desc", "data_type", "display_name", "hostname", "computer_name"),
    *("username", "user", "severity", "url", "full_path", "filename", "executable", "path", "title", "tag"),
    # clouds
    *("access_key", "account_identifier", "cloud_trail_event", "event_name", "event_source", "source_ip"),
    *("user_identity_arn", "caller", "client_ip", "event_data_identifier", "operation_name", "resource_identifier"),
    *("resource_provider", "subscription_identifier", "caller_ip", "method_name", "principal_email", "service_name"),
    *("resource_name", "status_code", "user_agent", "log_name", "audit_record_identifier", "object_identifier"),
    *(
        "organization_identifier",
        "record_type",
        "result_status",
        "user_identifier",
        "user_key",
        "user_type",
        "workload",
    ),
    # web
    *("http_request", "http_request_referer", "http_request_user_agent", "http_response_bytes", "http_response_code"),
    *("ip_address", "server_name", "cs_host", "cs_uri_query", "cs_username", "dest_ip", "dest_port", "http_method"),
    *(
        "http_status",
        "received_bytes",
        "sent_bytes",
        "requested_uri_stem",
        "s_computername",
        "cs_referrer",
        "time_taken",
    ),
    *("client_port", "original_request_host", "request_host", "request_uri", "request_query", "request"),
    *("source_ip_address", "source_port", "destination_ip_address", "destination_port", "elb_status_code"),
    *("domain_name", "page_transition_type", "referrer", "from_visit"),
    # hosts
    *("event_identifier", "source_name", "record_number", "xml_string", "action", "protocol", "destination_ip"),
)
TIME = """
        CASE WHEN r.timestamp_desc <> 'Not a time' OR r.timestamp_desc IS NULL THEN coalesce(
             iso_time(r.datetime), epoch_time(nullif(digits_of(r.timestamp), '0')), case_clock(r.datetime),
             stamp(r.timestamp)) END  AS time,"""
CLOUD = "('aws:cloudtrail:entry', 'azure:activitylog:entry', 'gcp:log:entry', 'microsoft365:audit_log:entry')"
TRAIL = "CASE WHEN json_valid(r.cloud_trail_event) THEN r.cloud_trail_event END"
SERVERS = "('apache:access_log:entry', 'iis:log:line', 'azure:application_gateway_access:entry', 'aws:elb:access')"
VISITS = (
    "(r.data_type LIKE '%:page_visited' OR r.data_type LIKE 'safari:history:visit%' OR r.data_type LIKE "
    "'%:file_downloaded' OR r.data_type LIKE '%:downloads:download' OR r.data_type LIKE 'msie%:url%')"
)
PROVIDER = """CASE regexp_extract(r.data_type, '^[^:]+') WHEN 'aws' THEN 'AWS' WHEN 'azure' THEN 'Azure'
             WHEN 'gcp' THEN 'GCP' ELSE 'Microsoft 365' END"""
OPERATION = "coalesce(said(r.method_name), said(r.operation_name), said(r.event_name))"
# "GET /x HTTP/1.1"; a load balancer writes the whole URL
LINE = "coalesce(said(r.http_request), said(r.request))"
SYSMON = "(r.data_type LIKE 'windows:evt%' AND r.xml_string LIKE '%Microsoft-Windows-Sysmon%')"
DNS_CLIENT = (
    "(r.data_type LIKE 'windows:evt%' AND r.event_identifier = '3008' "
    "AND r.xml_string LIKE '%Microsoft-Windows-DNS-Client%')"
)
HOST = "coalesce(said(r.hostname), said(r.computer_name))"
XML = {plain(name): xml_value("r.xml_string", name) for name in EVENT_FIELDS} | {
    "§host": HOST,
    "§provider": "r.source_name",
    "§id": "r.event_identifier",
}
RECORD_ID = f"""
        {HOST} || '/' || said(r.source_name) || '/' || said(r.record_number)  AS metadata_uid,"""
CLASS = """CASE WHEN r.data_type LIKE 'fs:%' OR r.data_type LIKE '%:file_entry' THEN 1001
             WHEN r.data_type LIKE 'windows:prefetch%' THEN 1007
             WHEN r.data_type LIKE 'windows:registry:service%' THEN 201004
             WHEN r.data_type LIKE 'windows:task%' OR r.data_type LIKE '%task_scheduler%' OR r.data_type LIKE '%cron%'
             THEN 1006
             WHEN r.data_type LIKE 'windows:registry%' THEN 201001
             WHEN r.data_type LIKE 'syslog:ssh%' OR r.data_type LIKE '%:utmp%' THEN 3002
             WHEN r.data_type LIKE 'windows:evt%' AND r.event_identifier IN ('4624', '4625', '4634', '4648') THEN 3002
             WHEN r.data_type LIKE 'windows:evt%' AND r.event_identifier IN ('4688', '4689') THEN 1007
             WHEN r.data_type LIKE 'dhcp%' THEN 4004 ELSE 0 END"""

FORMAT = Format(
    name="timesketch",
    product="Timesketch and plaso timelines, CSV or JSON lines",
    cut=Json(
        keys=frozenset({"message", "timestamp_desc"}),
        any_of=frozenset({"datetime", "timestamp"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    kind="r.data_type",
    undated="r.timestamp_desc = 'Not a time'",
    parts=(
        Part(
            table="api_activity",
            when=f"r.data_type IN {CLOUD} AND {OPERATION} IS NOT NULL",
            columns=f"""{TIME}
                coalesce(json_extract_string({TRAIL}, '$.eventID'), said(r.event_data_identifier),
                         said(r.audit_record_identifier))  AS metadata_uid,
                lower(coalesce(said(r.source_ip), said(r.client_ip), said(r.caller_ip),
                               json_extract_string({TRAIL}, '$.sourceIPAddress')))  AS src_endpoint_ip,
                coalesce(nullif(said(r.username), 'N/A'), said(r.principal_email), said(r.caller),
                         said(r.user_identifier))  AS actor_user_name,
                coalesce(said(r.user_identity_arn), said(r.user_key),
                         json_extract_string({TRAIL}, '$.userIdentity.arn'))  AS actor_user_uid,
                coalesce(json_extract_string({TRAIL}, '$.userIdentity.type'), said(r.user_type))  AS actor_user_type,
                coalesce(said(r.access_key), json_extract_string({TRAIL}, '$.userIdentity.accessKeyId'))
                                            AS actor_session_uid,
                {OPERATION}                 AS api_operation,
                -- some services of AWS append an API version to the name; Azure writes names in capitals
                CASE WHEN r.data_type LIKE 'azure:%' THEN lower({OPERATION})
                     ELSE regexp_replace({OPERATION}, '(20\\d{{6}}(v\\d+)?|20\\d\\d_\\d\\d_\\d\\d)$', '') END
                                            AS api_operation_base,
                lower(coalesce(said(r.event_source), said(r.service_name), said(r.resource_provider),
                               said(r.workload)))  AS api_service_name,
                {PROVIDER}                  AS cloud_provider,
                coalesce(said(r.account_identifier), lower(said(r.subscription_identifier)),
                         said(r.organization_identifier), said(regexp_extract(r.log_name, '^projects/([^/]+)/', 1)))
                                            AS cloud_account_uid,
                json_extract_string({TRAIL}, '$.awsRegion')  AS cloud_region,
                coalesce(json_extract_string({TRAIL}, '$.requestParameters.functionName'),
                         said(regexp_extract(r.resource_name, '([^/]+)/?$', 1)),
                         lower(said(regexp_extract(r.resource_identifier, '([^/]+)/?$', 1))),
                         said(r.object_identifier))  AS resource_name,
                coalesce(said(r.resource_name), lower(said(r.resource_identifier)), said(r.object_identifier))
                                            AS resource_uid,
                CASE WHEN json_extract_string({TRAIL}, '$.errorCode') IS NOT NULL THEN 'failure'
                     WHEN r.data_type = 'aws:cloudtrail:entry' AND {TRAIL} IS NOT NULL THEN 'success'
                     WHEN lower(r.result_status) IN ('failed', 'failure', 'false') THEN 'failure'
                     WHEN lower(r.result_status) IN ('succeeded', 'success', 'true') THEN 'success' END  AS status,
                json_extract_string({TRAIL}, '$.errorCode')  AS status_detail,
                coalesce(said(r.user_agent), json_extract_string({TRAIL}, '$.userAgent'))  AS http_request_user_agent,
                coalesce(json_extract_string({TRAIL}, '$.eventCategory'), said(r.record_type))  AS metadata_event_code,
                json_extract_string({TRAIL}, '$.requestParameters')  AS request,
                json_extract_string({TRAIL}, '$.responseElements')  AS response""",
        ),
        Part(
            table="http_activity",
            when=f"r.data_type IN {SERVERS} OR ({VISITS} AND r.url LIKE '%://%')",
            columns=f"""{TIME}
                address(coalesce(said(r.source_ip), said(r.ip_address), said(r.client_ip), said(r.source_ip_address)))
                                            AS src_endpoint_ip,
                port(coalesce(said(r.source_port), said(r.client_port)))  AS src_endpoint_port,
                -- a browser's history lies on the machine that browsed
                CASE WHEN r.data_type NOT IN {SERVERS} THEN {HOST} END  AS src_endpoint_hostname,
                coalesce(said(r.cs_username), said(r.username), said(r."user"))  AS actor_user_name,
                address(coalesce(said(r.dest_ip), said(r.destination_ip_address)))  AS dst_endpoint_ip,
                port(coalesce(said(r.dest_port), said(r.destination_port)))  AS dst_endpoint_port,
                coalesce(url_host(said(r.cs_host)), url_host(nullif(regexp_extract({LINE}, '[A-Za-z]+://[^ ]+'), '')),
                         url_host(nullif(regexp_extract(r.url, '^[A-Za-z]+://.*'), '')),
                         url_host(said(r.original_request_host)), url_host(said(r.request_host)),
                         hostname(r.domain_name), hostname(r.server_name), hostname(r.s_computername))
                                            AS dst_endpoint_hostname,
                coalesce(said(r.http_method), nullif(regexp_extract({LINE}, '^[A-Z]+'), ''))
                                            AS http_request_http_method,
                coalesce(CASE WHEN r.url LIKE '%://%' THEN r.url END,
                         nullif(regexp_extract({LINE}, '^[A-Z]+ ([^ ]+)', 1), ''),
                         said(r.requested_uri_stem) || coalesce('?' || said(r.cs_uri_query), ''),
                         said(r.request_uri) || coalesce('?' || said(r.request_query), ''))  AS http_request_url_string,
                coalesce(said(r.http_request_user_agent), said(r.user_agent))  AS http_request_user_agent,
                coalesce(said(r.http_request_referer), said(r.cs_referrer), said(r.referrer))
                                            AS http_request_referrer,
                small(coalesce(said(r.http_response_code), said(r.http_status), said(r.elb_status_code)))
                                            AS http_response_code,
                amount(CASE WHEN r.data_type IN {SERVERS} THEN r.received_bytes END)  AS traffic_bytes_out,
                amount(coalesce(said(r.http_response_bytes), said(r.sent_bytes),
                                CASE WHEN r.data_type NOT IN {SERVERS} THEN said(r.received_bytes) END))
                                            AS traffic_bytes_in""",
        ),
        Part(
            table="network_activity",
            when=f"{SYSMON} AND r.event_identifier = '3'",
            columns=TIME + RECORD_ID + of(XML, CONNECTION_COLUMNS),
        ),
        Part(
            table="dns_activity",
            when=f"({SYSMON} AND r.event_identifier = '22') OR {DNS_CLIENT}",
            columns=TIME + RECORD_ID + of(XML, DNS_COLUMNS),
        ),
        Part(
            table="network_activity",
            when="r.data_type LIKE 'windows:firewall%' AND said(r.source_ip) IS NOT NULL",
            columns=f"""{TIME}
                address(r.source_ip)        AS src_endpoint_ip,
                port(r.source_port)         AS src_endpoint_port,
                address(coalesce(said(r.destination_ip), said(r.dest_ip)))  AS dst_endpoint_ip,
                port(coalesce(said(r.destination_port), said(r.dest_port)))  AS dst_endpoint_port,
                lower(said(r.protocol))     AS connection_info_protocol_name,
                CASE lower(r.action) WHEN 'drop' THEN 'blocked' WHEN 'allow' THEN 'allowed'
                     ELSE lower(said(r.action)) END  AS disposition""",
        ),
        Part(
            table="system_activity",
            when="true",
            columns=f"""{TIME}{RECORD_ID}
                {CLASS}                     AS class_uid,
                concat_ws(': ', coalesce(said(r.data_type), said(r.source_name)), said(r.timestamp_desc),
                          said(r.event_identifier))  AS activity_name,
                address(coalesce(said(r.source_ip), said(r.ip_address)))  AS src_endpoint_ip,
                coalesce(said(r.username), said(r."user"))  AS actor_user_name,
                {HOST}                      AS device_hostname,
                CASE WHEN r.data_type LIKE 'windows:prefetch%' THEN said(r.executable) END  AS process_name,
                coalesce(said(r.full_path), said(r.filename), said(r.path),
                         CASE WHEN r.data_type LIKE 'fs:%' THEN said(r.display_name) END)  AS file_path,
                CASE WHEN r.url LIKE '%://%' THEN r.url END  AS http_request_url_string,
                CASE WHEN said(r.tag) NOT IN ('[]', '-') THEN said(r.tag) END  AS finding_title,
                said(r.severity)            AS severity,
                said(r.message)             AS message""",
        ),
    ),
    shows="when something happened on a host or elsewhere, as the maker of the timeline saw it",
    cannot_show="what was left out of the timeline; fields that the maker of it did not name as plaso does",
    reference="Timesketch documentation, Import timelines; plaso event data types",
)
