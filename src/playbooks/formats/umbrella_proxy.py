"""Cisco Umbrella web log (`proxylogs`) as CSV: quoted columns without a header, more of them with each version.

The columns up to the request method are the same in all versions; a blank may stand behind a comma. The identity is a
user, a device or a site, as the policy matched it.
Reference: Cisco Umbrella documentation, "Web Log Formats".
"""

from playbooks.formats.format import Clock, Format, TextLines

CELL = r'"(?:[^"]|"")*"'

FORMAT = Format(
    name="umbrella_proxy",
    product="Cisco Umbrella web log, CSV",
    table="http_activity",
    cut=TextLines(
        r'^"(?P<ts>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", ?"(?P<label>(?:[^"]|"")*)", ?"(?P<internal>[0-9A-Fa-f:.]*)", ?'
        rf'"(?P<external>[0-9A-Fa-f:.]*)", ?"(?P<server>[0-9A-Fa-f:.]*)", ?{CELL}, ?"(?P<action>[A-Za-z_ ]+)", ?'
        r'"(?P<url>(?:[^"]|"")*)", ?"(?P<referrer>(?:[^"]|"")*)", ?"(?P<agent>(?:[^"]|"")*)", ?"(?P<status>\d*)", ?'
        rf'"(?P<request>\d*)", ?"(?P<response>\d*)", ?"\d*"(?:(?:, ?{CELL}){{7}}, ?"(?P<labelled>[^"]*)", ?{CELL}, ?'
        rf'"(?P<identities>(?:[^"]|"")*)", ?"(?P<types>(?:[^"]|"")*)"(?:, ?"(?P<method>[A-Za-z]*)"(?:, ?{CELL})*)?)?$'
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- Umbrella documents the stamp as UTC
        iso_time(r.ts || 'Z')       AS time,
        -- the address inside where it is known, else the one that the network goes out with
        coalesce(address(r.internal), address(r.external))  AS src_endpoint_ip,
        -- the identity is a user or a device as its type says
        CASE WHEN regexp_matches(r.labelled, '(?i)computer|device|client') THEN said(replace(r.label, '""', '"')) END
                                    AS src_endpoint_hostname,
        CASE WHEN regexp_matches(r.labelled, '(?i)user') THEN said(replace(r.label, '""', '"')) END  AS actor_user_name,
        url_host(r.url)             AS dst_endpoint_hostname,
        address(r.server)           AS dst_endpoint_ip,
        url_port(r.url)             AS dst_endpoint_port,
        said(r.method)              AS http_request_http_method,
        said(replace(r.url, '""', '"'))  AS http_request_url_string,
        said(replace(r.agent, '""', '"'))  AS http_request_user_agent,
        said(replace(r.referrer, '""', '"'))  AS http_request_referrer,
        small(nullif(r.status, '0'))  AS http_response_code,
        amount(r.request)           AS traffic_bytes_out,
        amount(r.response)          AS traffic_bytes_in,
        lower(said(r.action))       AS disposition
    """,
    shows="identity, URL, bytes both ways and verdict of web requests through Umbrella",
    cannot_show="path inside traffic that is not decrypted; requests that go past the gateway",
    reference="Cisco Umbrella documentation, Web Log Formats",
)
