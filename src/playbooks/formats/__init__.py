"""The log formats the kit reads, one module each; the order has no meaning."""

from playbooks.formats import (
    acquired_answers,
    aws_cloudtrail,
    aws_vpc_flow,
    indicator_csv,
    route53_resolver,
    squid_access,
    squid_common,
    zeek_conn,
    zeek_dns,
    zeek_http,
    zeek_ssl,
)
from playbooks.formats.format import MACROS, REFUSED, Clock, Columns, Format, Json, TextLines, Zeek

FORMATS: tuple[Format, ...] = (
    acquired_answers.FORMAT,
    aws_cloudtrail.FORMAT,
    aws_vpc_flow.FORMAT,
    indicator_csv.FORMAT,
    route53_resolver.FORMAT,
    squid_access.FORMAT,
    squid_common.FORMAT,
    zeek_conn.FORMAT,
    zeek_dns.FORMAT,
    zeek_http.FORMAT,
    zeek_ssl.FORMAT,
)

__all__ = ["FORMATS", "MACROS", "REFUSED", "Clock", "Columns", "Format", "Json", "TextLines", "Zeek"]
