"""The log formats the kit reads, one module each; the order has no meaning."""

from playbooks.formats import (
    acquired_answers,
    aws_alb,
    aws_cloudtrail,
    aws_vpc_flow,
    cisco_wsa,
    cloudflare_gateway_http,
    cloudflare_http,
    gcp_audit,
    indicator_csv,
    m365_ual,
    m365_ual_csv,
    netskope_transaction,
    route53_resolver,
    squid_access,
    squid_common,
    symantec_wss_json,
    zeek_conn,
    zeek_dns,
    zeek_http,
    zeek_ssl,
)
from playbooks.formats.format import MACROS, REFUSED, Clock, Columns, Format, Json, Pairs, Part, TextLines, W3c, Zeek

FORMATS: tuple[Format, ...] = (
    acquired_answers.FORMAT,
    aws_alb.FORMAT,
    aws_cloudtrail.FORMAT,
    aws_vpc_flow.FORMAT,
    cisco_wsa.FORMAT,
    cloudflare_gateway_http.FORMAT,
    cloudflare_http.FORMAT,
    gcp_audit.FORMAT,
    indicator_csv.FORMAT,
    m365_ual.FORMAT,
    m365_ual_csv.FORMAT,
    netskope_transaction.FORMAT,
    route53_resolver.FORMAT,
    squid_access.FORMAT,
    squid_common.FORMAT,
    symantec_wss_json.FORMAT,
    zeek_conn.FORMAT,
    zeek_dns.FORMAT,
    zeek_http.FORMAT,
    zeek_ssl.FORMAT,
)

__all__ = ["FORMATS", "MACROS", "REFUSED", "Clock", "Columns", "Format", "Json", "Pairs", "Part", "TextLines", "W3c", "Zeek"]
