"""Cloudflare account audit log, version 1, as Logpush writes it.

`When` is a number or a text, as the job was set up; the address may stand in IPv6 form.
Reference: Cloudflare Logs, log fields of the dataset audit_logs.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_audit",
    product="Cloudflare account audit log, version 1",
    table="api_activity",
    cut=Json(
        keys=frozenset({"ActionType", "ActorIP", "ResourceType", "When"}),
        shape="""{"ActionResult": "VARCHAR", "ActionType": "VARCHAR", "ActorEmail": "VARCHAR", "ActorID": "VARCHAR",
                  "ActorIP": "VARCHAR", "ActorType": "VARCHAR", "ID": "VARCHAR", "Interface": "VARCHAR",
                  "Metadata": "JSON", "NewValue": "JSON", "OldValue": "JSON", "OwnerID": "VARCHAR",
                  "ResourceID": "VARCHAR", "ResourceType": "VARCHAR", "When": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        -- RFC 3339, or seconds, milliseconds or nanoseconds
        CASE WHEN regexp_matches(r."When", '^-?\d+(\.\d+)?$') THEN epoch_time(r."When") ELSE iso_time(r."When") END
                                    AS time,
        said(r.ID)                  AS metadata_uid,
        -- dashboard or API
        said(r.Interface)           AS metadata_event_code,
        address(r.ActorIP)          AS src_endpoint_ip,
        said(r.ActorEmail)          AS actor_user_name,
        said(r.ActorID)             AS actor_user_uid,
        said(r.ActorType)           AS actor_user_type,
        said(r.ActionType)          AS api_operation,
        -- "update" alone says too little
        coalesce(said(r.ResourceType) || ' ' || said(r.ActionType), said(r.ActionType))  AS api_operation_base,
        -- the log names no product: the type of the resource tells it ("gateway.rule", "script")
        said(r.ResourceType)        AS api_service_name,
        'Cloudflare'                AS cloud_provider,
        coalesce(json_extract_string(r.Metadata, '$.account_id'), said(r.OwnerID))  AS cloud_account_uid,
        coalesce(said(json_extract_string(r.NewValue, '$.name')), said(json_extract_string(r.OldValue, '$.name')),
                 said(r.ResourceType))  AS resource_name,
        said(r.ResourceID)          AS resource_uid,
        CASE lower(r.ActionResult) WHEN 'true' THEN 'success' WHEN 'false' THEN 'failure' END  AS status,
        CASE WHEN json_type(r.NewValue) <> 'NULL' THEN CAST(r.NewValue AS VARCHAR) END  AS request,
        -- what was there before
        CASE WHEN json_type(r.OldValue) <> 'NULL' THEN CAST(r.OldValue AS VARCHAR) END  AS response
    """,
    shows="who changed which setting, script, route, token or rule of the account, from where",
    cannot_show="reads; the code of a Worker; requests that a Worker served",
    reference="Cloudflare Logs, log fields of audit_logs",
)
