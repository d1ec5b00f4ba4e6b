"""OCSF events as JSON or Parquet: what Security Lake and pipelines that normalise make of other logs.

The class of a record tells its table: DNS, HTTP, connections (RDP, SMB, SSH and FTP too), what was done by API in a
cloud or application; all other classes are what hosts and devices report. A copy of another log: look at the original
where you have it. OCSF times are milliseconds since the epoch; text without a zone, as some stores export it, is asked
for. Flow logs that count one direction put what the source sent into `traffic.bytes`. Version 1 of Security Lake keeps
request and response in `unmapped`, each value under a name with dots.
Reference: Open Cybersecurity Schema Framework, versions 1.0 to 1.8; Amazon Security Lake User Guide, OCSF sources.
"""

from playbooks.formats.format import Clock, Format, Json, Part


def hash_in(hashes: str) -> str:
    """SQL: the SHA-256 in a list of hashes, or the first of them where it has none."""
    given = f"json_extract({hashes}, '$[*]')"
    best = f"list_filter({given}, lambda h: contains(coalesce(json_extract_string(h, '$.algorithm'), ''), '256'))"
    return f"json_extract_string(coalesce({best}[1], {given}[1]), '$.value')"


SHAPE = """{"class_uid": "VARCHAR", "class_name": "VARCHAR", "activity_name": "VARCHAR", "activity_id": "VARCHAR",
    "type_name": "VARCHAR", "time": "VARCHAR", "time_dt": "VARCHAR", "start_time": "VARCHAR", "end_time": "VARCHAR",
    "duration": "VARCHAR", "message": "VARCHAR", "severity": "VARCHAR", "status": "VARCHAR", "status_id": "VARCHAR",
    "status_code": "VARCHAR", "status_detail": "VARCHAR", "disposition": "VARCHAR", "action": "VARCHAR",
    "metadata": {"uid": "VARCHAR", "event_code": "VARCHAR", "product": {"name": "VARCHAR", "vendor_name": "VARCHAR",
      "feature": {"name": "VARCHAR"}}},
    "src_endpoint": {"ip": "VARCHAR", "port": "VARCHAR", "hostname": "VARCHAR", "name": "VARCHAR",
      "instance_uid": "VARCHAR", "domain": "VARCHAR", "svc_name": "VARCHAR"},
    "dst_endpoint": {"ip": "VARCHAR", "port": "VARCHAR", "hostname": "VARCHAR", "domain": "VARCHAR"},
    "proxy": {"ip": "VARCHAR"}, "proxy_endpoint": {"ip": "VARCHAR"}, "device": {"hostname": "VARCHAR", "ip": "VARCHAR"},
    "connection_info": {"protocol_name": "VARCHAR", "protocol_num": "VARCHAR", "uid": "VARCHAR"},
    "traffic": {"bytes": "VARCHAR", "bytes_in": "VARCHAR", "bytes_out": "VARCHAR",
      "packets": "VARCHAR", "packets_in": "VARCHAR", "packets_out": "VARCHAR"},
    "tls": {"sni": "VARCHAR", "version": "VARCHAR", "ja3_hash": {"value": "VARCHAR"},
      "ja3s_hash": {"value": "VARCHAR"}, "ja4_fingerprint_list": "JSON", "certificate": {"issuer": "VARCHAR"}},
    "query": {"hostname": "VARCHAR", "type": "VARCHAR"}, "rcode": "VARCHAR", "rcode_id": "VARCHAR", "answers": "JSON",
    "http_request": {"http_method": "VARCHAR", "user_agent": "VARCHAR", "referrer": "VARCHAR",
      "x_forwarded_for": "JSON",
      "url": {"url_string": "VARCHAR", "scheme": "VARCHAR", "hostname": "VARCHAR", "port": "VARCHAR",
        "path": "VARCHAR", "query_string": "VARCHAR"}},
    "http_response": {"code": "VARCHAR"},
    "api": {"operation": "VARCHAR", "service": {"name": "VARCHAR"}, "request": {"data": "VARCHAR"},
      "response": {"data": "VARCHAR", "error": "VARCHAR", "error_message": "VARCHAR", "code": "VARCHAR"}},
    "cloud": {"provider": "VARCHAR", "region": "VARCHAR", "account": {"uid": "VARCHAR"}, "account_uid": "VARCHAR"},
    "resources": "JSON", "resource": "JSON", "unmapped": "JSON",
    "user": {"name": "VARCHAR", "uid": "VARCHAR"}, "session": {"uid": "VARCHAR"},
    "actor": {"invoked_by": "VARCHAR", "user": {"name": "VARCHAR", "uid": "VARCHAR", "type": "VARCHAR",
        "account": {"uid": "VARCHAR"}, "credential_uid": "VARCHAR"},
      "session": {"issuer": "VARCHAR", "uid": "VARCHAR", "credential_uid": "VARCHAR"},
      "process": {"name": "VARCHAR", "cmd_line": "VARCHAR", "file": {"path": "VARCHAR", "name": "VARCHAR",
        "hashes": "JSON"}, "parent_process": {"name": "VARCHAR", "file": {"name": "VARCHAR"}}}},
    "process": {"name": "VARCHAR", "cmd_line": "VARCHAR", "file": {"path": "VARCHAR", "name": "VARCHAR",
      "hashes": "JSON"}},
    "file": {"path": "VARCHAR", "name": "VARCHAR"}, "module": {"file": {"path": "VARCHAR"}}, "job": {"name": "VARCHAR"},
    "reg_key": {"path": "VARCHAR"}, "reg_value": {"path": "VARCHAR"}, "service": {"name": "VARCHAR"},
    "win_service": {"name": "VARCHAR"}, "finding_info": {"title": "VARCHAR"}, "finding": {"title": "VARCHAR"},
    "malware": "JSON"}"""

SHARED = r"""
        -- milliseconds since the epoch; the profile Date/Time says the same as text
        coalesce(stamp(r."time"), stamp(r.time_dt))  AS time,
        coalesce(said(r.metadata.uid), said(r.connection_info.uid))  AS metadata_uid,
        address(r.src_endpoint.ip)  AS src_endpoint_ip,"""
ENDS = rf"""{SHARED}
        port(r.src_endpoint.port)   AS src_endpoint_port,
        coalesce(said(r.src_endpoint.hostname), said(r.src_endpoint.instance_uid))  AS src_endpoint_hostname,
        said(r.actor."user".name)   AS actor_user_name,
        coalesce(said(r.actor.process.name), said(r.actor.process.file.name))  AS actor_process_name,
        said(r.actor.process.file.path)  AS actor_process_file_path,
        said(r.actor.process.cmd_line)  AS actor_process_cmd_line,
        {hash_in("r.actor.process.file.hashes")}  AS actor_process_file_hash,
        coalesce(said(r.actor.process.parent_process.name), said(r.actor.process.parent_process.file.name))
                                    AS actor_process_parent_process_name,
        address(r.dst_endpoint.ip)  AS dst_endpoint_ip,
        port(r.dst_endpoint.port)   AS dst_endpoint_port,"""
ACTIVITY = """
        said(r.activity_name)       AS activity_name,"""
PROTOCOL = """
        coalesce(lower(said(r.connection_info.protocol_name)), protocol(r.connection_info.protocol_num))
                                    AS connection_info_protocol_name,"""
# what was done by the device; 'Denied' of one version is 'Blocked' of another
VERDICT = """
        CASE lower(coalesce(nullif(said(r.disposition), 'Unknown'), said(r.action))) WHEN 'denied' THEN 'blocked'
             WHEN 'unknown' THEN NULL
             ELSE lower(coalesce(nullif(said(r.disposition), 'Unknown'), said(r.action))) END  AS disposition"""
TLS = """hostname(r.tls.sni)         AS tls_sni,
        said(r.tls.version)         AS tls_version,
        said(r.tls.ja3_hash.value)  AS tls_ja3,
        said(r.tls.ja3s_hash.value)  AS tls_ja3s,
        json_extract_string(list_filter(json_extract(r.tls.ja4_fingerprint_list, '$[*]'),
            lambda f: coalesce(json_extract_string(f, '$.type'), 'JA4') = 'JA4')[1], '$.value')  AS tls_ja4,
        said(r.tls.certificate.issuer)  AS tls_certificate_issuer,"""
DURATION = r"""
        coalesce(whole(CASE WHEN regexp_matches(r.duration, '^\d{1,15}$') THEN r.duration END),
                 whole(CASE WHEN regexp_matches(r.end_time, '^\d{13}$') THEN r.end_time END)
               - whole(CASE WHEN regexp_matches(r.start_time, '^\d{13}$') THEN r.start_time END))  AS duration_ms,"""
VOLUME = """
        coalesce(amount(r.traffic.bytes_out), amount(CASE WHEN r.traffic.bytes_in IS NULL THEN r.traffic.bytes END))
                                    AS traffic_bytes_out,
        amount(r.traffic.bytes_in)  AS traffic_bytes_in,
        coalesce(amount(r.traffic.packets_out),
                 amount(CASE WHEN r.traffic.packets_in IS NULL THEN r.traffic.packets END))  AS traffic_packets_out,
        amount(r.traffic.packets_in)  AS traffic_packets_in,"""
URL = """coalesce(said(r.http_request.url.url_string),
            CASE WHEN said(r.http_request.url.hostname) IS NOT NULL
                 THEN concat(said(r.http_request.url.scheme) || '://', r.http_request.url.hostname,
                             ':' || said(r.http_request.url.port), r.http_request.url.path,
                             '?' || said(r.http_request.url.query_string))
                 ELSE said(r.http_request.url.path) || coalesce('?' || said(r.http_request.url.query_string), '')
            END)"""
OUTCOME = """CASE WHEN r.status_id = '2' OR lower(r.status) IN ('failure', 'error')
               OR said(r.api.response.error) IS NOT NULL THEN 'failure'
             WHEN r.status_id = '1' OR lower(r.status) = 'success' THEN 'success' END"""
REQUEST = "coalesce(said(r.api.request.data), said(json_extract_string(r.unmapped, '$.requestParameters')))"
RESPONSE = "coalesce(said(r.api.response.data), said(json_extract_string(r.unmapped, '$.responseElements')))"
AS_JSON = "CASE WHEN json_valid({0}) THEN {0} END"
NAMES = ("functionName", "roleName", "userName", "name")
NAMED = ", ".join(
    f"json_extract_string({AS_JSON.format(REQUEST)}, '$.{name}'), "
    f"""json_extract_string(r.unmapped, '$."requestParameters.{name}"')"""
    for name in NAMES
)
FIRST_RESOURCE = "coalesce(json_extract(r.resources, '$[0]'), r.resource)"
BY_API = """(r.class_uid IN ('6001', '6002', '6003', '6004', '6005')
            OR (r.class_uid IN ('3001', '3002', '3003', '3004', '3005', '3006')
                AND (said(r.api.operation) IS NOT NULL OR said(r.cloud.provider) IS NOT NULL)))"""
# classes that the dictionary lists; older Security Findings are today's Detection Findings
CLASS = """CASE WHEN r.class_uid IN ('1001', '1005', '1006', '1007', '201001', '201002', '201004', '2004', '3001',
                                  '3002', '3006', '4004') THEN small(r.class_uid)
             WHEN r.class_uid = '2001' THEN 2004 ELSE 0 END"""

DNS = Part(
    table="dns_activity",
    when="r.class_uid = '4003'",
    columns=f"""{ENDS}{ACTIVITY}
        hostname(coalesce(said(r.dst_endpoint.hostname), said(r.dst_endpoint.domain)))  AS dst_endpoint_hostname,
        {PROTOCOL}
        hostname(r.query.hostname)  AS query_hostname,
        dns_type(r.query.type)      AS query_type,
        -- names are written NoError, NXDomain; 99 means another one, which `rcode` then tells
        upper(coalesce(said(r.rcode), dns_rcode(nullif(r.rcode_id, '99'))))  AS rcode,
        CASE WHEN json_array_length(r.answers) > 0
             THEN list_transform(json_extract_string(r.answers, '$[*].rdata'), lambda a: rtrim(a, '.')) END
                                    AS answers,
        answer_ttls(r.answers, 'rdata')  AS answers_ttl,
        amount(r.duration)          AS duration_ms,
        {VERDICT}""",
)
HTTP = Part(
    table="http_activity",
    when="r.class_uid = '4002'",
    columns=f"""{ENDS}{ACTIVITY}
        coalesce(hostname(r.http_request.url.hostname), url_host(nullif(regexp_extract(
            r.http_request.url.url_string, '^[A-Za-z]+://.*'), '')), hostname(r.dst_endpoint.hostname))
                                    AS dst_endpoint_hostname,
        address(coalesce(said(r.proxy_endpoint.ip), said(r.proxy.ip)))  AS proxy_endpoint_ip,
        said(r.http_request.http_method)  AS http_request_http_method,
        {URL}                       AS http_request_url_string,
        said(r.http_request.user_agent)  AS http_request_user_agent,
        said(r.http_request.referrer)  AS http_request_referrer,
        CASE WHEN json_type(r.http_request.x_forwarded_for) = 'ARRAY' THEN said(array_to_string(
            json_extract_string(r.http_request.x_forwarded_for, '$[*]'), ', ')) END  AS http_request_x_forwarded_for,
        small(r.http_response.code)  AS http_response_code,
        {TLS}{VOLUME}{DURATION}{VERDICT}""",
)
NETWORK = Part(
    table="network_activity",
    when="r.class_uid IN ('4001', '4005', '4006', '4007', '4008', '4013', '4014')",
    columns=f"""{ENDS}{ACTIVITY}
        hostname(coalesce(said(r.dst_endpoint.hostname), said(r.dst_endpoint.domain), said(r.tls.sni)))
                                    AS dst_endpoint_hostname,
        {PROTOCOL}
        {TLS}{VOLUME}{DURATION}{VERDICT}""",
)
API = Part(
    table="api_activity",
    when=BY_API,
    columns=f"""{
        SHARED.replace(
            "address(r.src_endpoint.ip)",
            "coalesce(address(r.src_endpoint.ip), "
            "lower(said(r.src_endpoint.domain)), lower(said(r.src_endpoint.svc_name)))",
        )
    }
        -- `user` is who signs in, and in the other classes whom it was done to
        coalesce(said(r.actor."user".name), CASE WHEN r.class_uid = '3002' THEN said(r."user".name) END)
                                    AS actor_user_name,
        coalesce(said(r.actor."user".uid), CASE WHEN r.class_uid = '3002' THEN said(r."user".uid) END)
                                    AS actor_user_uid,
        said(r.actor."user".type)   AS actor_user_type,
        said(r.actor.session.issuer)  AS actor_session_issuer,
        coalesce(said(r.actor."user".credential_uid), said(r.actor.session.credential_uid), said(r.actor.session.uid),
                 said(r.session.uid))  AS actor_session_uid,
        said(r.actor.invoked_by)    AS actor_invoked_by,
        coalesce(said(r.api.operation), said(r.activity_name))  AS api_operation,
        -- some services append an API version to the name: the same operation goes by several names
        regexp_replace(coalesce(said(r.api.operation), said(r.activity_name)),
                       '(20\\d{{6}}(v\\d+)?|20\\d\\d_\\d\\d_\\d\\d)$', '')  AS api_operation_base,
        lower(coalesce(said(r.api.service.name), said(r.metadata.product.name)))  AS api_service_name,
        said(r.cloud.provider)      AS cloud_provider,
        coalesce(said(r.cloud.account.uid), said(r.cloud.account_uid), said(r.actor."user".account.uid),
                 said(json_extract_string(r.unmapped, '$.recipientAccountId')))  AS cloud_account_uid,
        said(r.cloud.region)        AS cloud_region,
        coalesce({NAMED}, json_extract_string({FIRST_RESOURCE}, '$.name'),
                 CASE WHEN r.class_uid = '3001' THEN said(r."user".name) END)  AS resource_name,
        json_extract_string({FIRST_RESOURCE}, '$.uid')  AS resource_uid,
        {OUTCOME}                   AS status,
        said(concat_ws(': ', said(r.api.response.error), coalesce(said(r.api.response.error_message),
                                                                  said(r.status_detail))))  AS status_detail,
        said(r.http_request.user_agent)  AS http_request_user_agent,
        coalesce(said(r.metadata.event_code), said(r.metadata.product.feature.name))  AS metadata_event_code,
        {REQUEST}                   AS request,
        {RESPONSE}                  AS response""",
)
SYSTEM = Part(
    table="system_activity",
    when="true",
    columns=f"""{ENDS}
        hostname(r.dst_endpoint.hostname)  AS dst_endpoint_hostname,
        {PROTOCOL}
        {CLASS}                     AS class_uid,
        coalesce(said(r.type_name), concat_ws(': ', said(r.class_name), coalesce(said(r.activity_name), r.activity_id)))
                                    AS activity_name,
        coalesce(said(r.device.hostname), said(r.device.ip))  AS device_hostname,
        said(r."user".name)         AS user_name,
        coalesce(said(r.process.name), said(r.process.file.name))  AS process_name,
        said(r.process.file.path)   AS process_file_path,
        said(r.process.cmd_line)    AS process_cmd_line,
        {hash_in("r.process.file.hashes")}  AS process_file_hash,
        coalesce(said(r.file.path), said(r.module.file.path), said(r.reg_value.path), said(r.reg_key.path),
                 said(r.job.name), said(r.win_service.name), said(r.service.name), said(r.file.name))  AS file_path,
        said(r.http_request.http_method)  AS http_request_http_method,
        {URL}                       AS http_request_url_string,
        said(r.http_request.user_agent)  AS http_request_user_agent,
        small(r.http_response.code)  AS http_response_code,
        coalesce(said(r.finding_info.title), said(r.finding.title), json_extract_string(r.malware, '$[0].name'))
                                    AS finding_title,
        said(r.severity)            AS severity,
        {OUTCOME}                   AS status,
        coalesce(said(r.status_detail), CASE WHEN r.class_uid LIKE '2%' THEN said(r.status) END)  AS status_detail,
        said(r.message)             AS message,
        {VOLUME}{VERDICT}""",
)

FORMAT = Format(
    name="ocsf",
    product="OCSF events (Security Lake), JSON or Parquet",
    cut=Json(
        keys=frozenset({"class_uid"}),
        any_of=frozenset({"metadata", "activity_id", "category_uid", "src_endpoint"}),
        shape=SHAPE,
        only=(("class_uid", r"\d{4,6}"),),
        envelopes=("Records", "events"),
    ),
    clock=Clock.ASK,
    kind="concat_ws(' ', r.class_uid, r.class_name)",
    status=(
        ("r.status_code = 'NODATA'", "status line: no traffic in this interval (NODATA)"),
        ("r.status_code = 'SKIPDATA'", "status line: records were skipped in this interval (SKIPDATA)"),
    ),
    parts=(DNS, HTTP, NETWORK, API, SYSTEM),
    shows="what the original log showed: names and answers, requests, connections, calls, processes, logons, alerts",
    cannot_show="what was lost when the original was normalised",
    reference="Open Cybersecurity Schema Framework, versions 1.0 to 1.8",
)
