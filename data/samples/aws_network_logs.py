"""What AWS wrote about the servers' traffic: Route 53 Resolver query log and VPC flow logs."""

from __future__ import annotations

import json
from random import Random

import estate
from exchanges import Exchange
from lines import LogFile

FLOW_V2, FLOW_CUSTOM = estate.SERVERS[0], estate.SERVERS[4]  # whose interface each flow log covers
SUBNET = "subnet-0c1d2e3f4a5b60718"
FLOW_FIELDS = (
    "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport "
    "pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status flow-direction "
    "traffic-path"
)


def write_query(log: LogFile, seen: Exchange, time: float, address: str, pick: Random) -> None:
    """The question before a connection, with the alias where one is used."""
    aliased = seen.host == estate.LAMBDA_C2_ALIAS
    answers = [{"Rdata": f"{estate.LAMBDA_C2}.", "Type": "CNAME", "Class": "IN"}] if aliased else []
    answers += [{"Rdata": address, "Type": "A", "Class": "IN"}]
    write_answer(log, time, seen.client, seen.host, "A", answers, pick, seen.planted)
    if not seen.planted and pick.random() < 0.06:
        v6 = [{"Rdata": f"2001:db8:5::{pick.randrange(16, 255):x}", "Type": "AAAA", "Class": "IN"}]
        write_answer(log, time + 0.001, seen.client, seen.host, "AAAA", v6, pick)


def write_answer(
    log: LogFile,
    time: float,
    client: str,
    name: str,
    kind: str,
    answers: list[dict[str, str]],
    pick: Random,
    fact: str = "",
) -> None:
    """One line of the Resolver query log."""
    row = {
        "version": "1.100000",
        "account_id": estate.OWN_ACCOUNT,
        "region": estate.REGION,
        "vpc_id": estate.VPC,
        "query_timestamp": estate.iso(time),
        "query_name": f"{name}.",
        "query_type": kind,
        "query_class": "IN",
        "rcode": "NOERROR" if answers else "NXDOMAIN",
        "answers": answers,
        "srcaddr": client,
        "srcport": str(pick.randrange(49152, 65535)),
        "transport": "UDP",
        "srcids": {"instance": estate.INSTANCES[client]},
    }
    log.add(time, json.dumps(row, separators=(",", ":")), fact)


def write_flows(logs: dict[str, LogFile], seen: Exchange, address: str, port: int) -> None:
    """Both directions of a connection, one flow record each."""
    start, end = int(seen.time), int(seen.time + seen.seconds) + 8
    out, back = seen.sent // 1400 + 6, seen.received // 1400 + 5
    there = (seen.client, address, port, seen.port, out, seen.sent + 40 * out)
    back_again = (address, seen.client, seen.port, port, back, seen.received + 40 * back)
    for source, target, source_port, target_port, packets, size in (there, back_again):
        eni, ends = estate.INTERFACES[seen.client], f"{source} {target} {source_port} {target_port}"
        if seen.client == FLOW_V2:
            row = f"2 {estate.OWN_ACCOUNT} {eni} {ends} 6 {packets} {size} {start} {end} ACCEPT OK"
            logs["flow_v2"].add(end, row, seen.planted)
        else:
            where = f"{estate.VPC} {SUBNET} {estate.INSTANCES[seen.client]} {eni} {estate.OWN_ACCOUNT} IPv4"
            direction = "3 OK egress 8" if source == seen.client else "19 OK ingress -"
            row = f"5 {where} {ends} {source} {target} 6 {size} {packets} {start} {end} ACCEPT {direction}"
            logs["flow_custom"].add(end, row, seen.planted)
