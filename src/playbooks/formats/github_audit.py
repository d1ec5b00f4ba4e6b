"""GitHub audit log of an organisation or enterprise: exports, the API and streaming, with deployment pipelines.

The address stands there only where the owner has switched it on. A run of a workflow names its commit and who
caused it; `actor` is then the bot or the person who pushed.
Reference: GitHub documentation, "Audit log events for your organization", fields.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="github_audit",
    product="GitHub audit log",
    table="api_activity",
    cut=Json(
        keys=frozenset({"@timestamp", "action"}),
        any_of=frozenset({"_document_id", "operation_type", "org", "business"}),
        shape="""{"@timestamp": "VARCHAR", "_document_id": "VARCHAR", "action": "VARCHAR", "actor": "VARCHAR",
                  "actor_id": "VARCHAR", "actor_ip": "VARCHAR", "actor_is_bot": "VARCHAR",
                  "operation_type": "VARCHAR", "org": "VARCHAR", "business": "VARCHAR", "repo": "VARCHAR",
                  "repository": "VARCHAR", "user": "VARCHAR", "team": "VARCHAR", "name": "VARCHAR",
                  "programmatic_access_type": "VARCHAR", "token_id": "VARCHAR", "hashed_token": "VARCHAR",
                  "user_agent": "VARCHAR", "conclusion": "VARCHAR", "event": "VARCHAR", "head_branch": "VARCHAR",
                  "head_sha": "VARCHAR", "workflow_run_id": "VARCHAR", "workflow_id": "VARCHAR",
                  "environment_name": "VARCHAR", "application": "VARCHAR", "application_name": "VARCHAR",
                  "oauth_application_name": "VARCHAR", "permission": "VARCHAR", "visibility": "VARCHAR",
                  "config": "JSON", "data": "JSON"}""",
        only=(("action", "[a-z0-9_]+\\.[a-z0-9_.]+"), ("@timestamp", "\\d{10,19}")),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        epoch_time(r."@timestamp")  AS time,
        said(r._document_id)        AS metadata_uid,
        -- create, modify, remove, access, …
        said(r.operation_type)      AS metadata_event_code,
        address(r.actor_ip)         AS src_endpoint_ip,
        said(r.actor)               AS actor_user_name,
        said(r.actor_id)            AS actor_user_uid,
        CASE lower(r.actor_is_bot) WHEN 'true' THEN 'bot' WHEN 'false' THEN 'user' END  AS actor_user_type,
        coalesce(said(r.token_id), said(r.hashed_token))  AS actor_session_uid,
        -- the application or the kind of token that acted for the actor
        coalesce(said(r.oauth_application_name), said(r.application_name), said(r.programmatic_access_type))
                                    AS actor_invoked_by,
        said(r.action)              AS api_operation,
        said(r.action)              AS api_operation_base,
        'github'                    AS api_service_name,
        'GitHub'                    AS cloud_provider,
        coalesce(said(r.org), said(r.business))  AS cloud_account_uid,
        -- the workflow or environment; else whom it concerned; else the repository
        coalesce(said(r.name), said(r.environment_name), said(r."user"), said(r.team), said(r.repo),
                 said(r.repository))  AS resource_name,
        coalesce(said(r.repo), said(r.repository))  AS resource_uid,
        CASE WHEN r.conclusion = 'success' THEN 'success'
             WHEN r.conclusion IN ('failure', 'cancelled', 'timed_out', 'startup_failure') THEN 'failure' END
                                    AS status,
        CASE WHEN r.conclusion <> 'success' THEN said(r.conclusion) END  AS status_detail,
        said(r.user_agent)          AS http_request_user_agent,
        CASE WHEN coalesce(r.workflow_run_id, r.head_sha) IS NOT NULL
             THEN CAST(json_object('event', r.event, 'head_branch', r.head_branch, 'head_sha', r.head_sha,
                       'workflow_id', r.workflow_id, 'workflow_run_id', r.workflow_run_id,
                       'environment_name', r.environment_name) AS VARCHAR)
             WHEN json_type(r.config) = 'OBJECT' THEN CAST(r.config AS VARCHAR)
             WHEN json_type(r.data) = 'OBJECT' THEN CAST(r.data AS VARCHAR)
             WHEN coalesce(r.permission, r.visibility) IS NOT NULL
             THEN CAST(json_object('permission', r.permission, 'visibility', r.visibility) AS VARCHAR) END  AS request
    """,
    shows="who changed repositories, secrets, tokens, hooks and runners, and which pipeline ran on which commit",
    cannot_show="what a pipeline did when it ran; code; addresses unless the owner switched them on",
    reference="GitHub documentation, Audit log events for your organization",
)
