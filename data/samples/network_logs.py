"""The network logs of one sample: which exchange goes into which log, the background, the damage."""

from __future__ import annotations

from random import Random

import estate
from aws_network_logs import FLOW_CUSTOM, FLOW_FIELDS, FLOW_V2, write_answer, write_flows, write_query
from estate import DAY, HOUR, MINUTE, stream
from exchanges import Exchange
from lines import LogFile
from squid_logs import stamp, write_combined, write_native
from zeek_logs import CONN, DNS, HTTP, connection_uid, header_and_footer, write_conn, write_dns, write_http, write_ssl

SCRIPT_AGENT = "Mozilla/5.0 (X11; Linux x86_64) <script>alert(1)</script>"


def new_logs() -> dict[str, LogFile]:
    """The empty log files of one sample, by short name."""
    logs = {
        "conn": LogFile("zeek_conn.log.gz", "Zeek conn, TSV, gzip"),
        "dns": LogFile("zeek_dns.log", "Zeek dns, TSV"),
        "http": LogFile("zeek_http.log", "Zeek http, TSV"),
        "ssl": LogFile("zeek_ssl.json.log.gz", "Zeek ssl, JSON lines, gzip"),
        "route53": LogFile("route53_resolver.log.gz", "Route 53 Resolver query log, JSON lines, gzip"),
        "squid": LogFile("squid_hq_access.log.gz", "Squid native access.log, gzip"),
        "branch": LogFile("squid branch access.log", "Squid combined access.log (TLS inspected)"),
        "flow_v2": LogFile("vpcflow_v2.log", "AWS VPC flow log, version 2, no header"),
        "flow_custom": LogFile("vpcflow_custom.log", "AWS VPC flow log, custom fields, header line"),
    }
    for name, fields in (("conn", CONN), ("dns", DNS), ("http", HTTP)):
        logs[name].header, logs[name].footer = header_and_footer(name, fields)
    logs["flow_custom"].header = FLOW_FIELDS.encode() + b"\n"
    return logs


def write_exchange(logs: dict[str, LogFile], exchange: Exchange, number: int) -> None:
    """Put one exchange into every log that saw it."""
    pick = stream("write", number, exchange.time, exchange.client)
    if exchange.via == "hq-proxy":
        write_native(logs["squid"], exchange, pick)
    elif exchange.via == "branch-proxy":
        write_combined(logs["branch"], exchange, pick)
    else:
        _direct(logs, exchange, pick)


def _direct(logs: dict[str, LogFile], seen: Exchange, pick: Random) -> None:
    address, port = estate.address_of(seen.host, pick), pick.randrange(49152, 65535)
    uid = connection_uid(pick)
    asked = seen.time - pick.uniform(0.012, 0.06)
    if seen.client in estate.SERVERS:
        write_query(logs["route53"], seen, asked, address, pick)
    else:
        write_dns(logs["dns"], asked, seen.client, seen.host, "A", estate.addresses(seen.host), pick, seen.planted)
    service = "http" if seen.port == 80 else "ssl"
    write_conn(logs["conn"], seen, uid, address, port, service)
    (write_http if seen.port == 80 else write_ssl)(logs[service], seen, uid, address, port)
    if seen.client in (FLOW_V2, FLOW_CUSTOM):
        write_flows(logs, seen, address, port)


def write_background(logs: dict[str, LogFile]) -> None:
    """Mail polling, clock synchronisation, the office resolver, refused scans, a few odd but harmless rows."""
    pick, conn = stream("background"), logs["conn"]
    for day in estate.NETWORK_DAYS:
        for server in estate.SERVERS[:2]:
            for n in range(42):
                time = day + n * 2048 + 3.25 + pick.uniform(0, 0.01)
                row = Exchange(time, server, "time.example.net", 48, 48, 0.018, "direct", port=123)
                write_conn(conn, row, connection_uid(pick), "192.0.2.123", 123, "ntp")
        for _ in range(8):
            time = day + pick.uniform(0, DAY)
            scan = f"203.0.113.{pick.randrange(224, 240)} {FLOW_V2} {pick.randrange(1024, 65535)}"
            scan += f" {pick.choice((22, 23, 3389, 8080))} 6 1 40 {int(time)} {int(time) + 20} REJECT OK"
            logs["flow_v2"].add(time + 20, f"2 {estate.OWN_ACCOUNT} {estate.INTERFACES[FLOW_V2]} {scan}")
        if estate.is_workday(day):
            _office_background(logs, day, pick)


def _office_background(logs: dict[str, LogFile], day: float, pick: Random) -> None:
    internal = {
        "proxy.corp.example": (estate.HQ_PROXY,),
        "wpad.corp.example": (estate.HQ_PROXY,),
        "files.corp.example": ("10.20.0.30",),
        "imap.mail.example": ("192.0.2.25",),
    }
    for client in estate.HQ + estate.BRANCH:
        for _ in range(pick.randrange(4, 9)):
            name = pick.choice(list(internal))
            time = day + HOUR * pick.uniform(client.starts, client.leaves)
            write_dns(logs["dns"], time, client.address, name, "A", internal[name], pick)
        write_dns(logs["dns"], day + HOUR * client.starts, client.address, "1.0.20.10.in-addr.arpa", "PTR", (), pick)
    for client in estate.HQ[:3]:
        start = day + client.starts * HOUR
        for n in range(int((client.leaves - client.starts) * 4)):
            row = Exchange(
                start + n * 15 * MINUTE + pick.uniform(0, 2),
                client.address,
                "imap.mail.example",
                900,
                pick.randrange(1500, 9000),
                0.6,
                "direct",
                port=993,
            )
            write_conn(logs["conn"], row, connection_uid(pick), "192.0.2.25", pick.randrange(49152, 65535), "ssl")


def _inert_script(logs: dict[str, LogFile]) -> None:
    """A harmless package request whose user agent would be a script in a page that does not quote it."""
    seen = Exchange(
        estate.at("2026-03-10T11:17:33"),
        "10.20.5.43",
        estate.PACKAGES,
        410,
        5120,
        0.2,
        "direct",
        port=80,
        agent=SCRIPT_AGENT,
        path="/debian/dists/stable/Release",
    )
    pick = stream("inert script")
    uid, address, port = connection_uid(pick), estate.address_of(estate.PACKAGES, pick), pick.randrange(49152, 65535)
    write_conn(logs["conn"], seen, uid, address, port, "http")
    write_http(logs["http"], seen, uid, address, port)


def write_damage(logs: dict[str, LogFile]) -> None:
    """Broken lines, a bad byte, a record without data, blank lines: every log has had a bad day."""
    cut = next(line for line in logs["conn"].ordered() if line.time > estate.at("2026-03-09T14:00:00"))
    logs["conn"].add(cut.time + 0.0001, cut.text[: len(cut.text) // 2], "unread broken: line cut in half")
    noon = estate.at("2026-03-10T12:00:01")
    logs["squid"].add(
        noon,
        "2026/03/10 13:00:01| Logfile: opening log stdio:/var/log/squid/access.log",
        "unread broken: a line of another log",
    )
    logs["squid"].add(noon + 1, b"")
    _inert_script(logs)
    for time, page, agent in (
        (noon, "shop.example.net/", "Mozilla/5.0 (kiosk caf?)"),
        (noon + 40, "docs.example.org/", SCRIPT_AGENT),
    ):
        who = f"10.20.6.23 - s.toth [{stamp(time)}]"
        line = f'{who} "GET https://{page} HTTP/1.1" 200 5120 "-" "{agent}" TCP_MISS:HIER_DIRECT'
        latin = line.encode().replace(b"kiosk caf?", b"kiosk caf\xe9")
        logs["branch"].add(time, latin, "readable: byte that is no UTF-8" if b"\xe9" in latin else "")
    logs["branch"].add(noon + 41, b"")
    logs["route53"].add(noon, b"")
    pick = stream("damage")
    for n in range(6):
        write_answer(logs["route53"], noon + n * 911, "10.20.5.43", f"old-mirror{n}.packages.example", "A", [], pick)
    quiet_hour = int(estate.at("2026-03-09T03:00:00"))
    logs["flow_v2"].add(
        quiet_hour + 60,
        f"2 {estate.OWN_ACCOUNT} {estate.INTERFACES[FLOW_V2]} - - - - - - - {quiet_hour} {quiet_hour + 60} - NODATA",
        "unread status: NODATA",
    )
