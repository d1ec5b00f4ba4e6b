"""Cisco Umbrella DNS log as JSON: the fields of the exported CSV, one query an object.

So written by collectors that read the export from its bucket. The stamp is UTC by Cisco's documentation and
carries no zone.
Reference: Cisco Umbrella documentation, "DNS Log Formats".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="umbrella_dns_json",
    product="Cisco Umbrella DNS log, JSON",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"internalIp", "externalIp", "domain", "timestamp"}),
        shape="""{"timestamp": "VARCHAR", "policyIdentity": "VARCHAR", "identities": "JSON", "identityTypes": "JSON",
                  "internalIp": "VARCHAR", "externalIp": "VARCHAR", "action": "VARCHAR", "queryType": "VARCHAR",
                  "responseCode": "VARCHAR", "domain": "VARCHAR"}""",
        any_of=frozenset({"responseCode", "queryType"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        coalesce(iso_time(r.timestamp), iso_time(r.timestamp || 'Z'))  AS time,
        -- the inside address is known to Umbrella only with an appliance or an agent
        coalesce(address(r.internalIp), address(r.externalIp))  AS src_endpoint_ip,
        said(coalesce(r.policyIdentity, json_extract_string(r.identities, '$[0]')))  AS actor_user_name,
        hostname(r.domain)          AS query_hostname,
        -- "1 (A)"; "Other" for types that Umbrella does not name
        dns_type(nullif(regexp_replace(r.queryType, '^\d+ \((.+)\)$', '\1'), 'Other'))  AS query_type,
        dns_rcode(r.responseCode)   AS rcode,
        CASE WHEN lower(r.action) LIKE 'allow%' THEN 'allowed' WHEN lower(r.action) LIKE 'block%' THEN 'blocked'
             ELSE lower(said(r.action)) END  AS disposition
    """,
    shows="which identity (user, device or network) asked for which name, and whether Umbrella blocked it",
    cannot_show="the answers; the inside address without an appliance or an agent; whether a connection followed",
    reference="Cisco Umbrella documentation, DNS log formats",
)
