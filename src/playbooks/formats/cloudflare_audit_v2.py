"""Cloudflare account audit log, version 2, as Logpush writes it.

`ActionType` is only create, update, delete or view; the product, the type and the URI of the call in `Raw` say
of what. Calls made with a token name the token, not only its owner.
Reference: Cloudflare Logs, log fields of the dataset audit_logs_v2.
"""

from playbooks.formats.format import Clock, Format, Json

# The path of a call without what changes from call to call: names, and ids of any kind.
PATH = r"""regexp_replace(regexp_replace(regexp_replace(r.Raw.uri, '^(?:/client/v4)?([^?]*?)/?(?:\?.*)?$', '\1'),
            '/(scripts|services|environments|secrets|projects|buckets|workflows|dispatch/namespaces)/[^/]+',
            '/\1/{name}', 'g'), '/([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+)\b',
            '/{id}', 'g')"""
CREDENTIAL = """coalesce(said(json_extract_string(r.ActorTokenDetails, '$.name')),
            said(json_extract_string(r.ActorTokenDetails, '$.token_name')))"""

FORMAT = Format(
    name="cloudflare_audit_v2",
    product="Cloudflare account audit log, version 2",
    table="api_activity",
    cut=Json(
        keys=frozenset({"ActionTimestamp", "ActionType", "AuditLogID"}),
        shape="""{"AccountID": "VARCHAR", "ActionDescription": "VARCHAR", "ActionResult": "VARCHAR",
                  "ActionTimestamp": "VARCHAR", "ActionType": "VARCHAR", "ActorContext": "VARCHAR",
                  "ActorEmail": "VARCHAR", "ActorID": "VARCHAR", "ActorIPAddress": "VARCHAR",
                  "ActorTokenDetails": "JSON", "ActorType": "VARCHAR", "AuditLogID": "VARCHAR",
                  "Raw": {"method": "VARCHAR", "uri": "VARCHAR", "user_agent": "VARCHAR", "status_code": "VARCHAR"},
                  "ResourceID": "VARCHAR", "ResourceProduct": "VARCHAR", "ResourceRequest": "JSON",
                  "ResourceResponse": "JSON", "ResourceType": "VARCHAR", "ResourceValue": "JSON",
                  "ZoneName": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns=rf"""
        -- RFC 3339, or seconds, milliseconds or nanoseconds
        CASE WHEN regexp_matches(r.ActionTimestamp, '^-?\d+(\.\d+)?$') THEN epoch_time(r.ActionTimestamp)
             ELSE iso_time(r.ActionTimestamp) END  AS time,
        said(r.AuditLogID)          AS metadata_uid,
        -- dash, api_key, api_token, oauth, origin_ca_key
        said(r.ActorContext)        AS metadata_event_code,
        address(r.ActorIPAddress)   AS src_endpoint_ip,
        -- a token of the account belongs to nobody: its own name is all there is
        coalesce(said(r.ActorEmail), {CREDENTIAL})  AS actor_user_name,
        said(r.ActorID)             AS actor_user_uid,
        said(r.ActorType)           AS actor_user_type,
        coalesce(said(json_extract_string(r.ActorTokenDetails, '$.id')),
                 said(json_extract_string(r.ActorTokenDetails, '$.token_id')))  AS actor_session_uid,
        {CREDENTIAL}  AS actor_invoked_by,
        said(r.ActionType)          AS api_operation,
        -- the call itself, where it is logged, without the names in it: two products share the word "update"
        coalesce(said(r.Raw.method) || ' ' || said({PATH}), said(r.ActionType))  AS api_operation_base,
        said(concat_ws('/', said(r.ResourceProduct), said(r.ResourceType)))  AS api_service_name,
        'Cloudflare'                AS cloud_provider,
        said(r.AccountID)           AS cloud_account_uid,
        -- for Workers and Pages the name stands in the path only
        coalesce(nullif(percent_decoded(regexp_extract(r.Raw.uri,
                     '/(?:workers/(?:scripts|services)|pages/projects|workers/dispatch/namespaces/[^/]+/scripts)/([^/?]+)',
                     1)), ''),
                 said(json_extract_string(r.ResourceValue, '$.name')),
                 said(json_extract_string(r.ResourceRequest, '$.name')), said(r.ZoneName))  AS resource_name,
        coalesce(said(r.ResourceID), said(r.Raw.uri))  AS resource_uid,
        CASE WHEN lower(r.ActionResult) IN ('success', 'true') THEN 'success'
             WHEN lower(r.ActionResult) IN ('failure', 'failed', 'false', 'error') THEN 'failure' END  AS status,
        said(concat_ws(': ', said(r.Raw.status_code), said(r.ActionDescription)))  AS status_detail,
        said(r.Raw.user_agent)      AS http_request_user_agent,
        CASE WHEN json_type(r.ResourceRequest) <> 'NULL' THEN CAST(r.ResourceRequest AS VARCHAR) END  AS request,
        CASE WHEN json_type(r.ResourceResponse) <> 'NULL' THEN CAST(r.ResourceResponse AS VARCHAR)
             WHEN json_type(r.ResourceValue) <> 'NULL' THEN CAST(r.ResourceValue AS VARCHAR) END  AS response
    """,
    shows="who called which management operation of the account, with what token, from where, with what outcome",
    cannot_show="the code of a Worker; requests that a Worker served; changes before version 2 was switched on",
    reference="Cloudflare Logs, log fields of audit_logs_v2",
)
