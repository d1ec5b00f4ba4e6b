"""Azure DNS: DNS proxy of Azure Firewall (both layouts) and DNS security policies, as diagnostic settings export them.

The old layout of the firewall (`AzureFirewallDnsProxy`) is a sentence in `properties.msg`. Logs of the firewall hold
no answers. The three exports differ in their names, not in what they mean.
Reference: Microsoft Learn, Azure Monitor tables AZFWDnsQuery and DNSQueryLogs; Azure Firewall diagnostic logs.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_dns",
    product="Azure Firewall DNS proxy and Azure DNS security policy",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"category", "properties", "time"}),
        shape="""{"time": "VARCHAR", "category": "VARCHAR", "properties": {"msg": "VARCHAR",
                  "SourceIp": "VARCHAR", "SourcePort": "VARCHAR", "QueryType": "VARCHAR", "QueryName": "VARCHAR",
                  "Protocol": "VARCHAR", "ResponseCode": "VARCHAR", "RequestDurationSecs": "VARCHAR",
                  "srcipaddr": "VARCHAR", "srcport": "VARCHAR", "dstipaddr": "VARCHAR", "dstport": "VARCHAR",
                  "query_name": "VARCHAR", "query_type": "VARCHAR", "response_code": "VARCHAR",
                  "transport": "VARCHAR", "query_response_time": "VARCHAR",
                  "resolverpolicy_rule_action": "VARCHAR", "answer": "JSON"}}""",
        envelopes=("records",),
        only=(("category", "AZFWDnsQuery|AzureFirewallDnsProxy|DnsResponse"),),
    ),
    clock=Clock.IN_THE_STAMP,
    status=(
        (
            "r.category = 'AzureFirewallDnsProxy' AND r.properties.msg NOT LIKE 'DNS Request: %'",
            "status line: the DNS proxy speaks of itself or of an error, not of a query",
        ),
    ),
    columns=r"""
        iso_time(r.time)            AS time,
        -- DNS Request: address:port - id TYPE CLASS name. protocol size do-bit buffer RCODE flags size seconds
        address(trim(coalesce(r.properties.SourceIp, r.properties.srcipaddr,
            nullif(regexp_extract(r.properties.msg, '^DNS Request: (\S+):\d+ - ', 1), '')), '[]'))  AS src_endpoint_ip,
        port(coalesce(r.properties.SourcePort, r.properties.srcport,
            regexp_extract(r.properties.msg, '^DNS Request: \S+:(\d+) - ', 1)))  AS src_endpoint_port,
        address(r.properties.dstipaddr)  AS dst_endpoint_ip,
        port(r.properties.dstport)  AS dst_endpoint_port,
        lower(said(coalesce(r.properties.Protocol, r.properties.transport,
            regexp_extract(r.properties.msg, ' - \S+ \S+ \S+ \S+ (\w+) ', 1))))  AS connection_info_protocol_name,
        hostname(coalesce(r.properties.QueryName, r.properties.query_name,
            regexp_extract(r.properties.msg, ' - \S+ \S+ \S+ (\S+) ', 1)))  AS query_hostname,
        dns_type(coalesce(r.properties.QueryType, r.properties.query_type,
            regexp_extract(r.properties.msg, ' - \S+ (\S+) ', 1)))  AS query_type,
        dns_rcode(coalesce(r.properties.ResponseCode, r.properties.response_code,
            regexp_extract(r.properties.msg, ' - (?:\S+ ){8}(\S+)', 1)))  AS rcode,
        CASE WHEN json_array_length(r.properties.answer) > 0
             THEN list_transform(json_extract_string(r.properties.answer, '$[*].RData'), lambda a: rtrim(a, '.'))
             END                    AS answers,
        coalesce(millis(coalesce(r.properties.RequestDurationSecs,
            regexp_extract(r.properties.msg, ' (\d+(?:\.\d+)?)s$', 1))), amount(r.properties.query_response_time))
                                    AS duration_ms,
        CASE lower(r.properties.resolverpolicy_rule_action) WHEN 'deny' THEN 'blocked' WHEN 'block' THEN 'blocked'
             WHEN 'allow' THEN 'allowed' WHEN 'nomatch' THEN 'allowed'
             ELSE lower(said(r.properties.resolverpolicy_rule_action)) END  AS disposition
    """,
    shows="which address of a network asked for which name; with a DNS security policy also answers and verdict",
    cannot_show="answers, in logs of the firewall; clients that use another resolver; whether a connection followed",
    reference="Microsoft Learn, Azure Monitor tables AZFWDnsQuery and DNSQueryLogs; Azure Firewall diagnostic logs",
)
