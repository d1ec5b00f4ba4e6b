"""The blind-spot register: what could not be looked at, how that was established, what it forbids."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

import ibis

from playbooks.case import Case
from playbooks.coverage.acquisitions import cut_answers, refused_calls
from playbooks.coverage.blind_spot import BlindSpot
from playbooks.coverage.captures import captures_not_read
from playbooks.coverage.lakes import lakes_in_part
from playbooks.engine import Tables
from playbooks.normalise import Reading

UNREAD_SHARE_WORTH_A_WORD = 0.01  # fewer broken lines than this are the noise of any log
FOREIGN_SHARE_WORTH_A_WORD = 0.05  # answers and scans from outside are in every log
OUTSIDE, OUTSIDE_MOSTLY = "clients-outside-ranges", "most-clients-outside-ranges"
WITH_CLIENTS = ("dns_activity", "http_activity", "network_activity")
CONNECT_SHARE_BLIND = 0.9  # from here on the few visible URLs say nothing about the rest


def blind_spots(
    case: Case,
    facts: dict[str, dict[str, Any]],
    holes: Iterable[BlindSpot],
    readings: list[Reading],
    tables: Tables,
    blind_to_runs: str | None,
    small_baseline: str | None = None,
) -> list[BlindSpot]:
    """The register of a case.

    Parameters
    ----------
    case, readings, tables
        The case, what was read, and the events.
    facts
        Per event table: events and share of records with a value per column.
    holes
        What is missing in time (`holes`).
    blind_to_runs
        Why runs of functions cannot be seen; null where they can.
    small_baseline
        Why the baseline is too small to lean on; null where it is not.
    """
    return [
        *_missing_telemetry(case, facts, tables),
        *_data_events(facts, blind_to_runs),
        *_small_baseline(facts, small_baseline),
        *_foreign_clients(case, tables),
        *holes,
        *_unread(readings),
        *refused_calls(tables),
        *cut_answers(case),
        *captures_not_read(case),
        *lakes_in_part(case),
        *_house_facts(case, tables),
    ]


def _missing_telemetry(case: Case, facts: dict[str, dict[str, Any]], tables: Tables) -> Iterator[BlindSpot]:
    """Kinds of telemetry, and fields in them, that the evidence does not hold."""
    for name, missing, forbids, recommend in TELEMETRY:
        if not facts[name]["events"]:
            yield BlindSpot(f"no-{name}", missing, forbids, f"0 records of {name} in evidence", recommend)
    for name, column, missing, forbids, recommend in FIELDS:
        events = facts[name]["events"]
        if events and not facts[name]["fields"][column]:
            yield BlindSpot(
                f"no-{column}", missing, forbids, f"0 of {events:,} records of {name} carry {column}", recommend
            )
    if facts["http_activity"]["events"]:
        yield from _tunnels(facts["http_activity"]["events"], tables)
    if facts["api_activity"]["events"]:
        yield from _clouds_without_records(case, tables)


TELEMETRY = (
    (
        "dns_activity",
        "DNS query logs",
        "which names were asked for, and CNAME chains that hide a serverless host behind a company name",
        "Export resolver logs with answers for the window.",
    ),
    (
        "http_activity",
        "proxy or web request logs",
        "URL paths, user agents and users: two tenants of one shared host cannot be told apart",
        "Export proxy or gateway logs with full URL, user agent and byte counts.",
    ),
    (
        "network_activity",
        "firewall, flow or TLS logs",
        "connections that bypass the proxy, and volumes in both directions",
        "Export flow or connection logs of the egress points.",
    ),
    (
        "api_activity",
        "cloud, SaaS and office audit logs",
        "anything about our own functions: hypothesis B cannot be tested",
        "Export the control-plane audit logs of every own account for window and baseline.",
    ),
)

FIELDS = (
    (
        "network_activity",
        "tls_sni",
        "server names of TLS connections (SNI)",
        "the name behind an address that many customers of a provider share",
        "Log TLS handshakes at the egress (server name, JA4).",
    ),
    (
        "network_activity",
        "actor_process_name",
        "the process behind a connection",
        "whether a browser, a service or something else opened the connection",
        "Collect endpoint connection records (Sysmon 3, EDR) of the hosts in the findings.",
    ),
    (
        "http_activity",
        "http_request_user_agent",
        "user agents of web requests",
        "which kind of program sent a request",
        "Log the user agent at the proxy.",
    ),
    (
        "dns_activity",
        "answers",
        "answers of DNS queries",
        "CNAME chains, and the names of addresses in flow logs",
        "Log answers, not only queries.",
    ),
)


def _tunnels(events: int, tables: Tables) -> Iterator[BlindSpot]:
    table = tables.http_activity
    tunnels = int(table.filter(table.http_request_http_method == "CONNECT").count().execute())
    if tunnels / events >= CONNECT_SHARE_BLIND:
        yield BlindSpot(
            "connect-only",
            "URL paths inside TLS: the proxy does not look into tunnels",
            "paths, methods and user agents of nearly all requests, so path-named tenants cannot be told apart",
            f"{tunnels:,} of {events:,} web records are CONNECT",
            "Where policy allows, inspect TLS for the destinations in question, or collect URLs on the endpoint.",
        )


def _data_events(facts: dict[str, dict[str, Any]], why: str | None) -> Iterator[BlindSpot]:
    if why and facts["api_activity"]["events"]:
        yield BlindSpot(
            "no-data-events",
            "data events of the own cloud (runs of functions)",
            "who ran a function and how often: no such record proves nothing",
            why,
            "Turn on data events for functions; take invocation metrics, which exist without them.",
            ("function_runs",),
        )


def _small_baseline(facts: dict[str, dict[str, Any]], why: str | None) -> Iterator[BlindSpot]:
    if why and facts["api_activity"]["events"]:
        yield BlindSpot(
            "small-baseline",
            "a baseline of audit records that is large enough",
            "that a change called new is unusual: ordinary ones may look so too",
            why,
            "Add audit records of a longer quiet span before the window.",
            ("function_changes",),
        )


def _foreign_clients(case: Case, tables: Tables) -> Iterator[BlindSpot]:
    """Records whose client lies outside the stated ranges are not looked at as egress."""
    ranges = [ipaddress.ip_network(text) for text in case.config.estate.internal_ranges]
    parts = [tables[name].group_by("src_endpoint_ip").aggregate(n=tables[name].count()) for name in WITH_CLIENTS]
    counts = ibis.union(*parts).execute().dropna().groupby("src_endpoint_ip").n.sum()
    outside = {str(client): int(n) for client, n in counts.items() if _lies_outside(str(client), ranges)}
    total, lost = int(counts.sum()), sum(outside.values())
    if lost > FOREIGN_SHARE_WORTH_A_WORD * total:
        busiest = ", ".join(sorted(outside, key=lambda client: (-outside[client], client))[:3])
        yield BlindSpot(
            OUTSIDE_MOSTLY if lost > total / 2 else OUTSIDE,
            f"{lost:,} of {total:,} records have a client outside the internal ranges that the case states",
            "that no client of ours calls out, if one of these addresses is ours",
            f"{len(outside):,} such addresses, most often {busiest}",
            "If some are ours (public ranges, cloud networks), add them to estate.internal_ranges in case.yaml.",
            ("egress_rhythm",),
        )


def _lies_outside(text: str, ranges: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False  # a name is a client that our own log named
    return not address.is_link_local and not any(address in network for network in ranges)


def _clouds_without_records(case: Case, tables: Tables) -> Iterator[BlindSpot]:
    own = case.config.estate.own
    seen = {
        str(value).lower() for value in tables.api_activity.cloud_provider.as_table().distinct().execute().iloc[:, 0]
    }
    accounts = set(tables.api_activity.cloud_account_uid.as_table().distinct().execute().iloc[:, 0])
    stated = {"azure": own.azure_tenants, "gcp": own.gcp_projects, "cloudflare": own.cloudflare_accounts}
    lacking = [f"{cloud} {name}" for cloud, names in stated.items() if cloud not in seen for name in names]
    lacking += [f"AWS account {account}" for account in own.aws_accounts if account not in accounts]
    if lacking:
        yield BlindSpot(
            "own-clouds-without-records",
            f"audit records of {', '.join(lacking)}",
            "anything about functions there",
            "the case names them as own, and no record in evidence is theirs",
            "Export their audit logs for window and baseline.",
        )


def _unread(readings: list[Reading]) -> Iterator[BlindSpot]:
    """Records that could not be read."""
    unread = [(r, r.unread - r.status) for r in readings if r.unread > r.status]
    unread = [(r, n) for r, n in unread if r.format is None or n > UNREAD_SHARE_WORTH_A_WORD * r.records]
    if unread:
        names = ", ".join(f"{r.evidence_id} ({n:,} of {r.records - r.blank:,})" for r, n in unread[:10])
        more = f" and {len(unread) - 10} more" if len(unread) > 10 else ""
        yield BlindSpot(
            "unread",
            f"records that could not be read: {names}{more}",
            "anything that only these records show",
            "they stand in unread/ with their reasons",
            "Look at the reasons; bring the log in a format that `playbooks formats` lists.",
        )


def _house_facts(case: Case, tables: Tables) -> Iterator[BlindSpot]:
    """What the house itself did not bring."""
    config = case.config
    if config.options.online_lookups and not config.lookups.providers:
        yield BlindSpot(
            "online-lookups",
            "answers of online providers",
            "what they know of a destination",
            "case.yaml allows lookups and names no provider",
            "Name providers as `lookups`, or add their answers as a list of indicators.",
            ("known_indicators",),
        )
    if config.baseline is None:
        yield BlindSpot(
            "no-baseline",
            "a baseline window",
            "that anything is new or unusual: novelty is not measured",
            "case.yaml states none",
            "State a quiet span before the window in case.yaml and add its logs.",
        )
    if not config.inventory and not config.allow_list:
        yield BlindSpot(
            "unreviewed-baseline",
            "an inventory and an allow-list (unreviewed baseline)",
            "whether a function or destination is ours and approved",
            "case.yaml states neither",
            "Ask the owners; enter resources with owner and approvals with expiry in case.yaml.",
        )
    if not int(tables.indicators.count().execute()):
        yield BlindSpot(
            "no-intelligence",
            "intelligence items",
            "whether a destination is known to others",
            "0 indicators in evidence",
            "Add a list of indicators with source and validity; see docs/how-to/intelligence.md.",
            ("known_indicators",),
        )
