"""HarfangLab EDR telemetry, network connections: one JSON object each, as the syslog and Kafka outputs send them.

`saddr` began the connection whatever `direction` says; with `in` the agent's host is the destination. Other
telemetry of the same stream (processes, event log, counters) is unread, with its `log_type` named.
`@timestamp` is when the manager took it in; the event's own time is `@event_create_date`.
Reference: HarfangLab EDR documentation, telemetry, network events.
"""

from playbooks.formats.format import Clock, Format, Json, Part

FORMAT = Format(
    name="harfanglab_edr",
    product="HarfangLab EDR telemetry, network",
    cut=Json(
        keys=frozenset({"log_type", "saddr", "daddr", "dport", "agent"}),
        shape="""{"log_type": "VARCHAR", "@event_create_date": "VARCHAR", "@timestamp": "VARCHAR",
                  "saddr": "VARCHAR", "sport": "VARCHAR", "daddr": "VARCHAR", "dport": "VARCHAR",
                  "direction": "VARCHAR", "username": "VARCHAR", "image_name": "VARCHAR",
                  "agent": {"hostname": "VARCHAR"}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.log_type",
    parts=(
        Part(
            table="network_activity",
            when="r.log_type = 'network'",
            columns="""
        coalesce(iso_time(r."@event_create_date"), iso_time(r."@timestamp"))  AS time,
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
    ),
    shows="which process of which host connected to which address and port",
    cannot_show="names, bytes, paths; the transport protocol; command line and hash of the process",
    reference="HarfangLab EDR documentation, telemetry: network",
)
