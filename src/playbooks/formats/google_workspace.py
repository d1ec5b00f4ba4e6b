"""Google Workspace audit: activities of the Reports API, as the API lists them, split by event, or flattened.

One activity may hold several events of one act: each is an event, with the activity's number and its id.
Parameters are a list of names with `value`, `intValue`, `boolValue` or `multiValue`, or, flattened, an object.
Flattened exports write the stamp without zone; the API documents it as UTC.
Reference: Google Workspace Admin SDK, Reports API, "Activities" resource.
"""

from playbooks.formats.format import Clock, Format, Json

# every event of the activity; a flattened one is its own
EVENTS = """CASE WHEN json_array_length(r.events) > 0 THEN json_extract(r.events, '$[*]')
        WHEN json_type(r.events) = 'OBJECT' THEN [r.events]
        ELSE [json_object('name', r.name, 'type', r.type, 'parameters', r.parameters)] END"""
# parameters as an object, or as a list of which the text values are read
PARAMETERS = "json_extract(item, '$.parameters')"
LISTED = (
    f"json_transform(CASE WHEN json_type({PARAMETERS}) = 'ARRAY' THEN {PARAMETERS} END, "
    '\'[{"name": "VARCHAR", "value": "VARCHAR"}]\')'
)
# What names the thing acted on, for people and for machines; who sat at a Chrome device; the user agent.
NAMES = ["doc_title", "app_name", "GROUP_EMAIL", "USER_EMAIL", "ROLE_NAME", "SETTING_NAME", "DEVICE_NAME"]
UIDS = ["doc_id", "client_id", "API_CLIENT_NAME", "group_id", "calendar_id", "DIRECTORY_DEVICE_ID"]
NAME, UID, PERSON, AGENT, ADDRESS, DOCUMENT = (
    f"coalesce(list_filter({LISTED}, lambda p: list_contains({names}, p.name))[1].value, list_filter("
    f"json_extract_string({PARAMETERS}, {[f'$.{name}' for name in names]}), lambda v: v IS NOT NULL)[1])"
    for names in (NAMES, UIDS, ["DEVICE_USER", "display_name"], ["user_agent"], ["ip_address"], ["doc_type"])
)
# Reports that hold what was done, except what was turned down or only asked for.
DONE = """(r.id.applicationName IN ('admin', 'drive', 'token')
                  AND NOT regexp_matches(json_extract_string(item, '$.name'), '(?i)deny|denied|reject|request'))"""

FORMAT = Format(
    name="google_workspace",
    product="Google Workspace audit (Reports API)",
    table="api_activity",
    cut=Json(
        keys=frozenset({"id"}),
        any_of=frozenset({"events", "name"}),
        shape="""{"id": {"time": "VARCHAR", "uniqueQualifier": "VARCHAR", "applicationName": "VARCHAR",
                    "customerId": "VARCHAR"},
                  "actor": {"email": "VARCHAR", "profileId": "VARCHAR", "callerType": "VARCHAR", "key": "VARCHAR",
                    "applicationInfo": {"oauthClientId": "VARCHAR", "applicationName": "VARCHAR",
                      "impersonation": "VARCHAR"}},
                  "ipAddress": "VARCHAR", "events": "JSON", "type": "VARCHAR", "name": "VARCHAR",
                  "parameters": "JSON"}""",
        envelopes=("items",),
        only=(("id.applicationName", "[a-z_]+"),),
    ),
    clock=Clock.IN_THE_STAMP,
    each=EVENTS,
    # trimmed by hand
    undated="r.id.time IS NULL AND said(r.id.applicationName) IS NOT NULL",
    columns=f"""
        coalesce(iso_time(r.id.time), iso_time(said(r.id.time) || 'Z'))  AS time,
        -- the qualifier alone is not unique over applications
        said(r.id.uniqueQualifier)  AS metadata_uid,
        said(json_extract_string(item, '$.type'))  AS metadata_event_code,
        -- Meet gives the address of a participant as a parameter
        coalesce(address(r.ipAddress), address({ADDRESS}))  AS src_endpoint_ip,
        -- Chrome names the person at the device, Meet a guest; services are named by a key
        coalesce(said(r.actor.email), said({PERSON}), said(r.actor."key"))  AS actor_user_name,
        said(r.actor.profileId)     AS actor_user_uid,
        said(r.actor.callerType)    AS actor_user_type,
        -- an application that acts as the person whom the record names (domain-wide delegation)
        CASE WHEN r.actor.applicationInfo.impersonation = 'true'
             THEN said(r.actor.applicationInfo.oauthClientId) END  AS actor_session_issuer,
        coalesce(said(r.actor.applicationInfo.applicationName), said(r.actor.applicationInfo.oauthClientId))
                                    AS actor_invoked_by,
        said(json_extract_string(item, '$.name'))  AS api_operation,
        -- Apps Script has no report of its own: its projects are files of Drive, told by their type
        said(concat_ws(' ', json_extract_string(item, '$.name'),
             CASE WHEN r.id.applicationName = 'drive' AND {DOCUMENT} = 'script' THEN 'script' END))
                                    AS api_operation_base,
        said(r.id.applicationName)  AS api_service_name,
        'Google Workspace'          AS cloud_provider,
        said(r.id.customerId)       AS cloud_account_uid,
        said({NAME})                AS resource_name,
        said({UID})                 AS resource_uid,
        -- sign-ins and calls say in their name how they ended; the reports of DONE hold what was done
        CASE WHEN regexp_matches(json_extract_string(item, '$.name'), '(?i)_(failure|failed)')
             THEN 'failure'
             WHEN json_extract_string(item, '$.name') = 'login_success' OR {DONE} THEN 'success' END
                                    AS status,
        said({AGENT})               AS http_request_user_agent,
        CASE WHEN json_type(r.events) = 'OBJECT' OR json_array_length(r.events) > 0
                  OR json_type(r.parameters) IN ('ARRAY', 'OBJECT') THEN CAST(item AS VARCHAR) END  AS request
    """,
    shows="who did what in Drive, Admin, Gmail settings, OAuth tokens, sign-ins and devices, from where",
    cannot_show="runs of Apps Script; what a script sent where; file content",
    reference="Google Workspace Admin SDK, Reports API: Activities",
)
