"""HarfangLab EDR telemetry and alerts: one JSON object each, as the syslog and Kafka outputs send them.

`saddr` began the connection whatever `direction` says; with `in` the agent's host is the destination.
`@timestamp` is when the manager took it in; the event's own time is `@event_create_date`. Connections and DNS have
tables of their own; other telemetry (processes, drivers, logons, alerts, event log) is told by its `log_type`.
Reference: HarfangLab EDR documentation, telemetry and security events.
"""

from playbooks.formats.format import Clock, Format, Json, Part

_TIME = """
        coalesce(iso_time(r."@event_create_date"), iso_time(r."@timestamp"))  AS time,"""
_STARTED = "r.log_type = 'process'"
_ACTOR = f"""CASE WHEN {_STARTED} THEN said(r.parent_image) ELSE
                 coalesce(said(r."process".image_name), said(r.process_image_path), said(r.image_name),
                          said(r.process_name)) END"""

FORMAT = Format(
    name="harfanglab_edr",
    product="HarfangLab EDR",
    cut=Json(
        keys=frozenset({"log_type"}),
        any_of=frozenset({"@event_create_date", "agent_id", "agents"}),
        shape="""{"log_type": "VARCHAR", "@event_create_date": "VARCHAR", "@timestamp": "VARCHAR",
                  "saddr": "VARCHAR", "sport": "VARCHAR", "daddr": "VARCHAR", "dport": "VARCHAR",
                  "direction": "VARCHAR", "username": "VARCHAR", "image_name": "VARCHAR",
                  "agent": {"hostname": "VARCHAR"}, "requested_name": "VARCHAR", "query_type": "VARCHAR",
                  "status": "VARCHAR", "ip_addresses": "VARCHAR", "raw_windows_resolver_results": "VARCHAR",
                  "process_image_path": "VARCHAR", "process_name": "VARCHAR", "commandline": "VARCHAR",
                  "parent_image": "VARCHAR", "parent_commandline": "VARCHAR",
                  "hashes": {"sha256": "VARCHAR", "sha1": "VARCHAR", "md5": "VARCHAR"},
                  "event_type": "VARCHAR", "event_id": "VARCHAR", "source_name": "VARCHAR", "imagepath": "VARCHAR",
                  "source_address": "VARCHAR", "source_username": "VARCHAR", "target_username": "VARCHAR",
                  "success": "VARCHAR", "auth_type": "VARCHAR", "msg": "VARCHAR", "rule_name": "VARCHAR",
                  "level": "VARCHAR", "script_block": "VARCHAR", "script_path": "VARCHAR",
                  "alert_unique_id": "VARCHAR", "id": "VARCHAR",
                  "windows": {"workstation_name": "VARCHAR", "ip_port": "VARCHAR"},
                  "process": {"image_name": "VARCHAR", "commandline": "VARCHAR", "username": "VARCHAR"},
                  "details_file": {"target_filename": "VARCHAR"},
                  "details_registry": {"target_object": "VARCHAR", "details": "VARCHAR"},
                  "details_url_request": {"url": "VARCHAR"},
                  "event_data": {"SubjectUserName": "VARCHAR", "TargetUserName": "VARCHAR"}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.log_type",
    parts=(
        Part(
            table="network_activity",
            when="r.log_type = 'network'",
            columns=f"""{_TIME}
        address(r.saddr)            AS src_endpoint_ip,
        port(r.sport)               AS src_endpoint_port,
        CASE WHEN r.direction IS DISTINCT FROM 'in' THEN hostname(r.agent.hostname) END  AS src_endpoint_hostname,
        address(r.daddr)            AS dst_endpoint_ip,
        port(r.dport)               AS dst_endpoint_port,
        CASE WHEN r.direction = 'in' THEN hostname(r.agent.hostname) END  AS dst_endpoint_hostname,
        said(r.username)            AS actor_user_name,
        file_name(r.image_name)     AS actor_process_name,
        said(r.image_name)          AS actor_process_file_path
    """,
        ),
        Part(
            table="dns_activity",
            when="r.log_type = 'dns_resolution'",
            columns=f"""{_TIME}
        hostname(r.agent.hostname)  AS src_endpoint_hostname,
        said(r.username)            AS actor_user_name,
        file_name(r.process_image_path)  AS actor_process_name,
        said(r.process_image_path)  AS actor_process_file_path,
        hostname(r.requested_name)  AS query_hostname,
        dns_type(r.query_type)      AS query_type,
        CASE r.status WHEN 'success' THEN 'NOERROR' ELSE said(r.status) END  AS rcode,
        -- Windows' own list has the names in between: `type:  5 name;192.0.2.1;`
        coalesce(list_transform(list_filter(string_split(said(r.raw_windows_resolver_results), ';'),
                     lambda a: trim(a) <> ''),
                     lambda a: address(rtrim(regexp_replace(trim(a), '^type: +\\d+ +', ''), '.'))),
                 json_list(r.ip_addresses))  AS answers
    """,
        ),
        Part(
            table="system_activity",
            when="r.log_type IS NOT NULL",
            columns=f"""{_TIME}
        CASE r.log_type WHEN 'process' THEN 1007 WHEN 'injectedthread' THEN 1007 WHEN 'driverload' THEN 1005
             WHEN 'authentication' THEN 3002 WHEN 'alert' THEN 2004 WHEN 'threat' THEN 2004 WHEN 'file' THEN 1001
             ELSE 0 END             AS class_uid,
        concat_ws(': ', r.log_type, nullif(concat_ws(' ', said(r.source_name), coalesce(said(r.event_type),
             CASE WHEN r.log_type = 'eventlog' THEN said(r.event_id) END)), ''))  AS activity_name,
        hostname(r.agent.hostname)  AS device_hostname,
        address(coalesce(said(r.source_address), said(r.saddr)))  AS src_endpoint_ip,
        port(coalesce(r.sport, nullif(r.windows.ip_port, '0')))  AS src_endpoint_port,
        hostname(r.windows.workstation_name)  AS src_endpoint_hostname,
        address(r.daddr)            AS dst_endpoint_ip,
        port(r.dport)               AS dst_endpoint_port,
        coalesce(said(r.source_username), said(r.username), said(r."process".username),
                 said(r.event_data.SubjectUserName))  AS actor_user_name,
        coalesce(said(r.target_username), said(r.event_data.TargetUserName))  AS user_name,
        file_name({_ACTOR})         AS actor_process_name,
        {_ACTOR}                    AS actor_process_file_path,
        CASE WHEN {_STARTED} THEN said(r.parent_commandline) ELSE said(r."process".commandline) END
                                    AS actor_process_cmd_line,
        CASE WHEN {_STARTED} THEN coalesce(said(r.process_name), file_name(r.image_name)) END  AS process_name,
        CASE WHEN {_STARTED} THEN said(r.image_name) END  AS process_file_path,
        CASE WHEN {_STARTED} THEN said(r.commandline) END  AS process_cmd_line,
        CASE WHEN {_STARTED} THEN coalesce(said(r.hashes.sha256), said(r.hashes.sha1), said(r.hashes.md5)) END
                                    AS process_file_hash,
        coalesce(said(r.imagepath), said(r.details_file.target_filename), said(r.details_registry.target_object),
                 said(r.script_path))  AS file_path,
        said(r.details_url_request.url)  AS http_request_url_string,
        said(r.rule_name)           AS finding_title,
        said(r.level)               AS severity,
        CASE lower(r.success) WHEN 'true' THEN 'success' WHEN 'false' THEN 'failure' END  AS status,
        nullif(concat_ws(', ', said(r.msg), 'login: ' || said(r.auth_type), said(r.script_block),
            said(r.details_registry.details)), '')  AS message,
        coalesce(said(r.alert_unique_id), said(r.id))  AS metadata_uid
    """,
        ),
    ),
    shows="which process of which host connected where and asked for which name; processes, drivers, logons, alerts",
    cannot_show="bytes, paths; the transport protocol; command line and hash of the process of a connection",
    reference="HarfangLab EDR documentation, telemetry and security events",
)
