"""Google Cloud DNS query log: one query a LogEntry, with its answers as text.

Logged for networks whose server policy has logging on, and for public zones with logging on.
Reference: Google Cloud documentation, "Use logging and monitoring" of Cloud DNS, record format.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="gcp_dns",
    product="Google Cloud DNS query log",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"jsonPayload", "timestamp"}),
        shape="""{"timestamp": "VARCHAR", "insertId": "VARCHAR",
                  "jsonPayload": {"queryName": "VARCHAR", "queryType": "VARCHAR", "responseCode": "VARCHAR",
                    "rdata": "VARCHAR", "structuredRdata": "JSON", "sourceIP": "VARCHAR", "protocol": "VARCHAR",
                    "destinationIP": "VARCHAR", "vmInstanceName": "VARCHAR"}}""",
        only=(("jsonPayload.queryName", ".+"),),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        iso_time(r.timestamp)       AS time,
        said(r.insertId)            AS metadata_uid,
        address(r.jsonPayload.sourceIP)  AS src_endpoint_ip,
        -- "project-number.name" where the instance is known
        regexp_replace(said(r.jsonPayload.vmInstanceName), '^\\d+\\.', '')  AS src_endpoint_hostname,
        -- set where the query was forwarded to a server of the customer
        address(r.jsonPayload.destinationIP)  AS dst_endpoint_ip,
        lower(said(r.jsonPayload.protocol))   AS connection_info_protocol_name,
        hostname(r.jsonPayload.queryName)     AS query_hostname,
        dns_type(r.jsonPayload.queryType)     AS query_type,
        dns_rcode(r.jsonPayload.responseCode)  AS rcode,
        -- "name ttl IN type data" a line, tabs or blanks between; newer entries hold the same as a list too
        list_transform(coalesce(
            CASE WHEN json_array_length(r.jsonPayload.structuredRdata) > 0
                 THEN json_extract_string(r.jsonPayload.structuredRdata, '$[*].rvalue') END,
            CASE WHEN said(r.jsonPayload.rdata) IS NOT NULL
                 THEN nullif(regexp_extract_all(r.jsonPayload.rdata,
                     '(?i)\\sIN\\s+[A-Z0-9]+\\s+([^\\n]*[^\\s])', 1), []) END
        ), lambda a: rtrim(a, '.'))  AS answers,
        ttls(coalesce(
            CASE WHEN json_array_length(r.jsonPayload.structuredRdata) > 0
                 THEN json_extract_string(r.jsonPayload.structuredRdata, '$[*].ttl') END,
            CASE WHEN said(r.jsonPayload.rdata) IS NOT NULL
                 THEN regexp_extract_all(r.jsonPayload.rdata, '(?i)\\s(\\d+)\\s+IN\\s+[A-Z0-9]+\\s+[^\\n]*[^\\s]', 1)
                 END))  AS answers_ttl
    """,
    shows="which instance or address of a network asked for which name, and what it was told",
    cannot_show="clients that use another resolver or DNS over HTTPS; whether a connection followed",
    reference="Google Cloud documentation, Cloud DNS: use logging and monitoring",
)
