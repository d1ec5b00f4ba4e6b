"""Which items of intelligence a log can be compared with, and where such values are visible; else, why not."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from playbooks.engine import Tables

PROCESS_HASH = ("actor_process_file_hash",)
HASHES = {
    **dict.fromkeys(("dns_activity", "http_activity", "network_activity"), PROCESS_HASH),
    "system_activity": (*PROCESS_HASH, "process_file_hash"),
}
HOSTS = ("dst_endpoint_hostname",)
# type of an item → the tables and columns in which such a value would stand
SEEN_IN: dict[str, dict[str, tuple[str, ...]]] = {
    "url": {"http_activity": ("http_request_url_string",)},
    "user_agent": {"http_activity": ("http_request_user_agent",)},
    "ja3": {"network_activity": ("tls_ja3",), "http_activity": ("tls_ja3",)},
    "ja4": {"network_activity": ("tls_ja4",), "http_activity": ("tls_ja4",)},
    **dict.fromkeys(("sha256", "sha1", "md5"), HASHES),
}
CASELESS = {"ja3", "ja4", "sha256", "sha1", "md5"}
# the same, in words, for every type that is compared
VISIBLE_IN = {
    "domain": "DNS, proxies, TLS, endpoints: destinations by name",
    "ip": "flows, firewalls, endpoints: destinations known by address alone",
    "url": "web logs that show whole URLs; behind CONNECT there is none",
    "uri": "web logs that show paths; behind CONNECT there is none",
    "user_agent": "proxies and sensors that log the user agent",
    "ja3": "TLS sensors and proxies that log JA3",
    "ja4": "TLS sensors and proxies that log JA4",
    **dict.fromkeys(("sha256", "sha1", "md5"), "endpoint logs that hold hashes of processes"),
    "interval": "any log of contacts: the period of a rhythm",
    "tenant": "names and paths that hold the label of a provider's customer",
}
# columns of which one must hold something, for a type that is compared with pairs
PAIRED: dict[str, dict[str, tuple[str, ...]]] = {
    "domain": {"dns_activity": ("query_hostname",), "http_activity": HOSTS, "network_activity": ("tls_sni", *HOSTS)},
    "ip": {"network_activity": ("dst_endpoint_ip",)},
    "uri": SEEN_IN["url"],
    "interval": dict.fromkeys(("dns_activity", "http_activity", "network_activity"), ("src_endpoint_ip",)),
    "tenant": {"dns_activity": ("query_hostname",), "http_activity": HOSTS, "network_activity": ("tls_sni",)},
}
OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = rf"^{OCTET}(?:\.{OCTET}){{3}}$"
IPV6 = r"^[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\d\.\d+\.\d+\.\d+)?$"
# addresses that name another host in every network; those for documentation name none
PRIVATE = (
    r"^(?:0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|^(?:22[4-9]|23\d|24\d|25[0-5])\.|^::1?$|^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:|^ff[0-9a-f]{2}:"
)
HEX = {"sha256": 64, "sha1": 40, "md5": 32, "ja3": 32}


def refusal(items: ir.Table) -> ir.StringValue:
    """Why an item is compared with no log, in words; null for those that are compared.

    Parameters
    ----------
    items
        Rows of `schema.INDICATORS`.
    """
    value, kind = items.indicator, items.indicator_type
    hexadecimal = [
        ((kind == name) & ~value.re_search(rf"^[0-9a-f]{{{size}}}$"), f"no {name}: it has {size} hexadecimal digits")
        for name, size in HEX.items()
    ]
    return ibis.cases(
        (items.not_compared.notnull(), items.not_compared),
        (value.isnull() | (value.strip() == ""), "it has no value"),
        (kind == "http_header", "no log that is read shows headers"),
        (kind.isnull() | kind.notin(list(VISIBLE_IN)), "no log that is read shows a value of this type"),
        ((kind == "ip") & value.re_search(r"^[0-9a-f.:]+/\d+$"), "a range: single addresses are compared"),
        ((kind == "ip") & ~(value.re_search(IPV4) | value.re_search(IPV6)), "no address"),
        ((kind == "ip") & value.re_search(PRIVATE), "a private address: it names another host in every network"),
        ((kind == "domain") & value.re_search(r"[\s/:@,;()<>\"']"), "no host name"),
        ((kind == "domain") & ~value.contains("."), "one label alone: it names no host"),
        ((kind == "url") & (value.re_search(r"\s") | ~value.re_search(r"[.:]")), "no URL"),
        ((kind == "uri") & ~value.startswith("/"), "no path: it begins with no slash"),
        ((kind == "interval") & value.try_cast("float64").isnull(), "no number of seconds"),
        *hexadecimal,
        else_=ibis.null("string"),
    )


def compared(tables: Tables) -> pd.DataFrame:
    """What becomes of the items in evidence: compared, or refused with the reason; and could the logs show them?

    Returns
    -------
    pandas.DataFrame
        `evidence_id`, `indicator_type`, `items`, `not_compared` (why; null where they are compared), `visible_in`
        (where such values stand), `records_that_could_show` (null for what is not compared), in that order.
    """
    rows = tables.indicators
    told = rows.select("evidence_id", "indicator_type", why=refusal(rows))
    counted = told.group_by("evidence_id", "indicator_type", not_compared=told.why).aggregate(items=told.count())
    frame = counted.order_by("evidence_id", "indicator_type", "not_compared").to_pandas()
    frame["visible_in"] = frame.indicator_type.map(VISIBLE_IN)
    kinds = set(frame.loc[frame.not_compared.isna(), "indicator_type"])
    shown = {str(kind): _records(tables, str(kind)) for kind in sorted(kinds)}
    could = frame.indicator_type.map(shown).where(frame.not_compared.isna())
    frame["records_that_could_show"] = could.astype("Int64")
    columns = ["evidence_id", "indicator_type", "items", "not_compared", "visible_in", "records_that_could_show"]
    shaped: pd.DataFrame = frame[columns]
    return shaped


def _records(tables: Tables, kind: str) -> int:
    """Records in evidence that hold a value of the type."""
    places = SEEN_IN.get(kind) or PAIRED[kind]
    counted = (
        tables[name].filter(ibis.or_(*(tables[name][column].notnull() for column in columns))).count().execute()
        for name, columns in places.items()
    )
    return sum(int(count) for count in counted)
