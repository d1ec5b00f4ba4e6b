"""Netskope administrators' audit events, JSON of the REST API.

`timestamp` is a number since the epoch; exports of others turn it into a text without zone, which the case must
state. What an event is about stands in a list without names; an address in it is taken as the administrator's.
Reference: Netskope documentation, REST API v2, audit events.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="netskope_audit",
    product="Netskope audit events, JSON",
    table="api_activity",
    cut=Json(
        keys=frozenset({"audit_log_event", "timestamp", "user"}),
        shape="""{"_id": "VARCHAR", "audit_log_event": "VARCHAR", "is_netskope_personnel": "VARCHAR",
                  "supporting_data": "JSON", "timestamp": "VARCHAR",
                  "type": "VARCHAR", "user": "VARCHAR"}""",
        envelopes=("result",),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.timestamp)          AS time,
        said(r._id)                 AS metadata_uid,
        said(r.type)                AS metadata_event_code,
        address(list_filter(json_extract_string(r.supporting_data, '$.data_values[*]'), lambda v: is_address(v))[1])
                                    AS src_endpoint_ip,
        said(r."user")              AS actor_user_name,
        CASE lower(r.is_netskope_personnel) WHEN 'true' THEN 'vendor' WHEN 'false' THEN 'customer' END
                                    AS actor_user_type,
        said(r.audit_log_event)     AS api_operation,
        said(r.audit_log_event)     AS api_operation_base,
        'netskope'                  AS api_service_name,
        'Netskope'                  AS cloud_provider,
        CASE WHEN regexp_matches(r.audit_log_event, '(?i)\\bfail(ed|ures?)?\\b') THEN 'failure'
             WHEN regexp_matches(r.audit_log_event, '(?i)\\bsuccess(ful)?\\b') THEN 'success' END  AS status,
        CASE WHEN json_type(r.supporting_data) = 'OBJECT' THEN CAST(r.supporting_data AS VARCHAR) END  AS request
    """,
    shows="what administrators and tokens did to the tenant's settings",
    cannot_show="traffic of users; the outcome, unless the event's own words say it",
    reference="Netskope documentation, REST API v2 audit events",
)
