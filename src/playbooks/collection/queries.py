"""Queries to be copied into a SIEM or a lake: they fetch what this case lacks, for its hosts, names and people.

Names come from evidence. Only a plain one (letters, digits and `._:@/+-`) goes into a query, and always inside quotes
that none of these characters can end; another one is left out and counted. The kit sends none of them.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,252}")
MOST = 200  # values of one list; more make a query that no product takes
KINDS = ("src", "dst", "principal")


@dataclass(frozen=True)
class Want:
    """What a set of queries is about: values by kind, from when to when (UTC), and how many were left out."""

    values: Mapping[str, tuple[str, ...]]
    start: dt.datetime
    end: dt.datetime
    left_out: int


@dataclass(frozen=True)
class Query:
    """One query: its language, the table of the dictionary that its records become, what it asks, and the text."""

    language: str
    table: str
    about: str
    text: str


def want_of(entries: Iterable[Mapping[str, Any]], window: Mapping[str, str] | None) -> Want | None:
    """What to ask for the sake of findings and leads; None where nothing says who or when.

    Parameters
    ----------
    entries
        Findings and leads, as in `findings.json`.
    window
        `start` and `end` of the case; without one, from the first to the last moment of the entries.
    """
    told = list(entries)
    named = {kind: sorted({str(v) for e in told for v in e["subjects"].get(kind, ())}) for kind in KINDS}
    plain = {kind: tuple(v for v in values if PLAIN.fullmatch(v))[:MOST] for kind, values in named.items()}
    addresses = tuple(value for value in plain["dst"] if _is_address(value))
    names = tuple(value for value in plain["dst"] if value not in addresses)
    moments = [window["start"], window["end"]] if window else [t for e in told for t in _span(e)]
    if not moments or not any(plain.values()):
        return None
    times = sorted(dt.datetime.fromisoformat(moment).astimezone(dt.UTC) for moment in moments)
    lost = sum(len(values) for values in named.values()) - sum(map(len, plain.values()))
    whole = tuple(f"{name}." for name in names)  # as a resolver of AWS writes them
    values = {**plain, "name": names, "whole_name": whole, "address": addresses}
    return Want(values, times[0], times[-1], lost)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _span(entry: Mapping[str, Any]) -> list[str]:
    return [str(entry[name]) for name in ("first_seen", "last_seen") if entry.get(name)]


def queries(want: Want) -> list[Query]:
    """Every query that these values allow, in the order of `ASKED`."""
    made = []
    for language, table, about, write, columns in ASKED:
        held = [(column, want.values[kind]) for kind, column in columns if want.values.get(kind)]
        if held:
            made.append(Query(language, table, about, write(want, table, held)))
    return made


Held = list[tuple[str, tuple[str, ...]]]
Columns = tuple[tuple[str, str], ...]
KQL_TABLES = {
    "dns_activity": ("DnsEvents", "TimeGenerated"),
    "http_activity": ("CommonSecurityLog", "TimeGenerated"),
    "network_activity": ("DeviceNetworkEvents", "Timestamp"),
    "api_activity": ("AWSCloudTrail", "TimeGenerated"),
}
SPL_TAGS = {
    "dns_activity": "tag=network tag=resolution tag=dns",
    "http_activity": "tag=web",
    "network_activity": "tag=network tag=communicate",
    "api_activity": "sourcetype=aws:cloudtrail",
}
SQL_TABLES = {"network_activity": "vpc_flow_logs", "api_activity": "cloudtrail_logs", "dns_activity": "r53_rlogs"}


def _kql(want: Want, table: str, held: Held) -> str:
    source, when = KQL_TABLES[table]
    tests = " or ".join(f"{column} in~ ({_listed(values, chr(34))})" for column, values in held)
    span = f"{when} between (datetime({_iso(want.start)}) .. datetime({_iso(want.end)}))"
    return f"{source}\n| where {span}\n| where {tests}"


def _spl(want: Want, table: str, held: Held) -> str:
    tests = " OR ".join(f"{column} IN ({_listed(values, chr(34))})" for column, values in held)
    span = f"earliest={want.start.timestamp():.0f} latest={want.end.timestamp():.0f}"
    return f"search index=* {SPL_TAGS[table]} {span} ({tests})"


def _athena(want: Want, table: str, held: Held) -> str:
    tests = " OR ".join(f"{column} IN ({_listed(values, chr(39))})" for column, values in held)
    start, end = want.start, want.end
    span = {
        "network_activity": f'"start" BETWEEN {start.timestamp():.0f} AND {end.timestamp():.0f}',
        "api_activity": f"eventtime BETWEEN '{_iso(start)}' AND '{_iso(end)}'",
        "dns_activity": f"query_timestamp BETWEEN '{_iso(start)}' AND '{_iso(end)}'",
    }[table]
    return f"SELECT *\nFROM {SQL_TABLES[table]}\nWHERE {span}\n  AND ({tests})"


def _iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(values: Iterable[str], quote: str) -> str:
    return ", ".join(f"{quote}{value}{quote}" for value in values)


SENTINEL, SPLUNK, ATHENA = "KQL, Microsoft Sentinel or Defender", "SPL, Splunk", "SQL, Amazon Athena"
# Reference: Microsoft, Azure Monitor tables and advanced hunting schema; Splunk, Common Information Model; AWS,
# Athena user guide, tables for CloudTrail, VPC flow logs and Route 53 resolver query logs.
ASKED: tuple[tuple[str, str, str, Callable[[Want, str, Held], str], Columns], ...] = (
    (SENTINEL, "dns_activity", "who asked for these names", _kql, (("src", "ClientIP"), ("name", "Name"))),
    (SENTINEL, "http_activity", "what the proxy saw", _kql,
     (("src", "SourceIP"), ("name", "DestinationHostName"), ("address", "DestinationIP"))),
    (SENTINEL, "network_activity", "which process connected", _kql,
     (("src", "LocalIP"), ("name", "RemoteUrl"), ("address", "RemoteIP"))),
    (SENTINEL, "api_activity", "what these people did", _kql, (("principal", "UserIdentityUserName"),)),
    (SPLUNK, "dns_activity", "who asked for these names", _spl, (("src", "src"), ("name", "query"))),
    (SPLUNK, "http_activity", "what the proxy saw", _spl, (("src", "src"), ("dst", "dest"))),
    (SPLUNK, "network_activity", "who connected", _spl, (("src", "src"), ("dst", "dest"))),
    (SPLUNK, "api_activity", "what these people did", _spl, (("principal", "userName"),)),
    (ATHENA, "dns_activity", "who asked for these names", _athena, (("src", "srcaddr"), ("whole_name", "query_name"))),
    (ATHENA, "network_activity", "who connected", _athena, (("src", "srcaddr"), ("address", "dstaddr"))),
    (ATHENA, "api_activity", "what these people did", _athena, (("principal", "useridentity.username"),)),
)  # fmt: skip
