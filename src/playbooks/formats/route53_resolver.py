"""Amazon Route 53 Resolver query log: one query a JSON object, with all answers.

Repeated queries are answered from the resolver's cache and logged all the same per VPC client.
Reference: Amazon Route 53 Developer Guide, "Values that appear in Resolver query logs".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="route53_resolver",
    product="Amazon Route 53 Resolver query log",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"query_timestamp", "query_name", "query_type", "srcaddr"}),
        shape="""{"query_timestamp": "VARCHAR", "query_name": "VARCHAR", "query_type": "VARCHAR",
                  "rcode": "VARCHAR", "answers": "JSON", "srcaddr": "VARCHAR", "srcport": "VARCHAR",
                  "transport": "VARCHAR", "srcids": {"instance": "VARCHAR"},
                  "firewall_rule_action": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- AWS documents the stamp as UTC; some exports drop the Z
        coalesce(iso_time(r.query_timestamp), iso_time(r.query_timestamp || 'Z'))  AS time,
        address(r.srcaddr)          AS src_endpoint_ip,
        port(r.srcport)             AS src_endpoint_port,
        r.srcids.instance           AS src_endpoint_hostname,
        lower(said(r.transport))    AS connection_info_protocol_name,
        hostname(r.query_name)      AS query_hostname,
        said(r.query_type)          AS query_type,
        said(r.rcode)               AS rcode,
        -- answers is a list of objects, or one object in some exports; names in it end in a dot
        list_transform(CASE json_type(r.answers)
             WHEN 'ARRAY' THEN json_extract_string(r.answers, '$[*].Rdata')
             WHEN 'OBJECT' THEN [json_extract_string(r.answers, '$.Rdata')] END, lambda a: rtrim(a, '.'))
                                    AS answers,
        lower(r.firewall_rule_action)  AS disposition
    """,
    shows="which instance or address of a VPC asked for which name, and what it was told",
    cannot_show="clients that use another resolver or DNS over HTTPS; whether a connection followed",
    reference="Amazon Route 53 Developer Guide, Resolver query log values",
)
