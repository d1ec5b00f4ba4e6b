"""Okta System Log: one event an object, as the API, log streaming and the console's JSON export give it.

The client's address is the last hop in front of Okta; `request.ipChain` lists the ones before.
Reference: Okta developer documentation, System Log API, LogEvent object.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="okta_system",
    product="Okta System Log",
    table="api_activity",
    cut=Json(
        keys=frozenset({"actor", "eventType", "published", "uuid"}),
        shape="""{"published": "VARCHAR", "uuid": "VARCHAR", "eventType": "VARCHAR", "displayMessage": "VARCHAR",
                  "actor": {"id": "VARCHAR", "type": "VARCHAR", "alternateId": "VARCHAR", "displayName": "VARCHAR"},
                  "client": {"ipAddress": "VARCHAR", "userAgent": {"rawUserAgent": "VARCHAR"}},
                  "outcome": {"result": "VARCHAR", "reason": "VARCHAR"},
                  "authenticationContext": {"externalSessionId": "VARCHAR", "rootSessionId": "VARCHAR"},
                  "debugContext": {"debugData": "JSON"},
                  "target": [{"id": "VARCHAR", "type": "VARCHAR", "alternateId": "VARCHAR",
                    "displayName": "VARCHAR"}],
                  "transaction": {"id": "VARCHAR", "type": "VARCHAR"}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        iso_time(r.published)       AS time,
        said(r.uuid)                AS metadata_uid,
        -- WEB for a person's request, JOB for a task of Okta's own
        said(r."transaction".type)  AS metadata_event_code,
        address(r.client.ipAddress)  AS src_endpoint_ip,
        -- unknown actors are written so: whoever it was did not get in
        coalesce(nullif(said(r.actor.alternateId), 'unknown'), said(r.actor.displayName))  AS actor_user_name,
        nullif(said(r.actor.id), 'unknown')  AS actor_user_uid,
        said(r.actor.type)          AS actor_user_type,
        coalesce(nullif(said(r.authenticationContext.externalSessionId), 'unknown'),
                 said(r.authenticationContext.rootSessionId))  AS actor_session_uid,
        said(r.eventType)           AS api_operation,
        said(r.eventType)           AS api_operation_base,
        'okta'                      AS api_service_name,
        'Okta'                      AS cloud_provider,
        coalesce(said(r.target[1].displayName), said(r.target[1].alternateId))  AS resource_name,
        said(r.target[1].id)        AS resource_uid,
        -- CHALLENGE, SKIPPED and UNKNOWN are neither
        CASE WHEN r.outcome.result IN ('SUCCESS', 'ALLOW') THEN 'success'
             WHEN r.outcome.result IN ('FAILURE', 'DENY', 'ABANDONED') THEN 'failure' END  AS status,
        said(concat_ws(': ', said(r.outcome.reason), CASE WHEN r.outcome.result <> 'SUCCESS'
             THEN said(r.displayMessage) END))  AS status_detail,
        said(r.client.userAgent.rawUserAgent)  AS http_request_user_agent,
        CASE WHEN json_type(r.debugContext.debugData) = 'OBJECT'
             THEN CAST(r.debugContext.debugData AS VARCHAR) END  AS request
    """,
    shows="who signed in or changed users, applications, policies and API tokens, from where, with what outcome",
    cannot_show="what was done inside an application after the sign-in",
    reference="Okta developer documentation, System Log API",
)
