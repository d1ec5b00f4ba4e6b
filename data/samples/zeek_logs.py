"""What the Zeek sensor wrote: conn, dns, http (TSV) and ssl (JSON lines).

It sees connections that leave the estate past the proxies, and the questions to the office resolver;
the proxies' own onward traffic is not mirrored to it.
"""

from __future__ import annotations

import hashlib
import json
from random import Random

import estate
from exchanges import Exchange
from lines import LogFile

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CONN = (
    "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum service:string "
    "duration:interval orig_bytes:count resp_bytes:count conn_state:string local_orig:bool local_resp:bool "
    "missed_bytes:count history:string orig_pkts:count orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count "
    "tunnel_parents:set[string]"
)
DNS = (
    "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum trans_id:count "
    "rtt:interval query:string qclass:count qclass_name:string qtype:count qtype_name:string rcode:count "
    "rcode_name:string AA:bool TC:bool RD:bool RA:bool Z:count answers:vector[string] TTLs:vector[interval] "
    "rejected:bool"
)
HTTP = (
    "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port trans_depth:count "
    "method:string host:string uri:string referrer:string version:string user_agent:string origin:string "
    "request_body_len:count response_body_len:count status_code:count status_msg:string info_code:count "
    "info_msg:string tags:set[enum] username:string password:string proxied:set[string] "
    "orig_fuids:vector[string] orig_filenames:vector[string] orig_mime_types:vector[string] "
    "resp_fuids:vector[string] resp_filenames:vector[string] resp_mime_types:vector[string]"
)


def header_and_footer(path: str, fields: str) -> tuple[bytes, bytes]:
    """What stands before and after the records of a TSV log."""
    names, types = zip(*(column.split(":") for column in fields.split()), strict=True)
    header = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
        "#open\t2026-03-08-00-00-00",
        "\t".join(("#fields", *names)),
        "\t".join(("#types", *types)),
    ]
    return "".join(line + "\n" for line in header).encode(), b"#close\t2026-03-12-00-00-00\n"


def connection_uid(pick: Random) -> str:
    """The id that Zeek gives a connection."""
    return "C" + "".join(pick.choice(_LETTERS) for _ in range(17))


def _tsv(*values: object) -> str:
    return "\t".join(str(value) for value in values)


def write_conn(log: LogFile, seen: Exchange, uid: str, address: str, port: int, service: str) -> None:
    """A row of conn."""
    out, back = seen.sent // 1400 + 6, seen.received // 1400 + 5
    proto, state, history = ("udp", "SF", "Dd") if seen.port == 123 else ("tcp", "SF", "ShADadFf")
    log.add(
        seen.time,
        _tsv(
            f"{seen.time:.6f}",
            uid,
            seen.client,
            port,
            address,
            seen.port,
            proto,
            service,
            f"{seen.seconds:.6f}",
            seen.sent,
            seen.received,
            state,
            "T",
            "F",
            0,
            history,
            out,
            seen.sent + 40 * out,
            back,
            seen.received + 40 * back,
            "-",
        ),
        seen.planted,
    )


def write_http(log: LogFile, seen: Exchange, uid: str, address: str, port: int) -> None:
    """A row of http."""
    message = {200: "OK", 302: "Found", 304: "Not Modified"}[seen.status]
    log.add(
        seen.time + 0.004,
        _tsv(
            f"{seen.time + 0.004:.6f}",
            uid,
            seen.client,
            port,
            address,
            80,
            1,
            seen.method,
            seen.host,
            seen.path,
            "-",
            "1.1",
            seen.agent,
            "-",
            0,
            seen.received,
            seen.status,
            message,
            "-",
            "-",
            "(empty)",
            "-",
            "-",
            *["-"] * 7,
        ),
        seen.planted,
    )


def _digest(*names: str) -> str:
    return hashlib.md5("/".join(names).encode(), usedforsecurity=False).hexdigest()


def write_ssl(log: LogFile, seen: Exchange, uid: str, address: str, port: int) -> None:
    """A row of ssl."""
    software = "implant-go" if seen.planted == "A2" else "implant-win" if seen.planted else f"stack-{seen.client[:7]}"
    name = _digest("cert", seen.host)
    row = {
        "ts": round(seen.time + 0.021, 6),
        "uid": uid,
        "id.orig_h": seen.client,
        "id.orig_p": port,
        "id.resp_h": address,
        "id.resp_p": seen.port,
        "version": "TLSv13" if seen.planted else "TLSv12",
        "cipher": "TLS_AES_128_GCM_SHA256" if seen.planted else "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "curve": "x25519",
        "server_name": seen.host,
        "resumed": False,
        "next_protocol": "h2",
        "established": True,
        "ssl_history": "CsiI",
        "cert_chain_fps": [name + name],
        "client_cert_chain_fps": [],
        "subject": "CN=*." + seen.host.split(".", 1)[1],
        "issuer": estate.issuer(seen.host),
        "ja3": _digest("ja3", software),
        "ja3s": _digest("ja3s", seen.host[-9:]),
        "ja4": f"t13d1516h2_{_digest('ja4a', software)[:12]}_{_digest('ja4b', software)[:12]}",
    }
    log.add(seen.time + 0.021, json.dumps(row, separators=(",", ":")), seen.planted)


def write_dns(
    log: LogFile, time: float, client: str, name: str, kind: str, answers: tuple[str, ...], pick: Random, fact: str = ""
) -> None:
    """A row of dns."""
    number, rcode = {"A": (1, "NOERROR"), "AAAA": (28, "NOERROR"), "PTR": (12, "NXDOMAIN")}[kind]
    log.add(
        time,
        _tsv(
            f"{time:.6f}",
            connection_uid(pick),
            client,
            pick.randrange(49152, 65535),
            estate.RESOLVER,
            53,
            "udp",
            pick.randrange(1, 65535),
            f"{pick.uniform(0.0006, 0.03):.6f}",
            name,
            1,
            "C_INTERNET",
            number,
            kind,
            3 if rcode == "NXDOMAIN" else 0,
            rcode,
            "F",
            "F",
            "T",
            "T",
            0,
            ",".join(answers) or "-",
            ",".join(["300.000000"] * len(answers)) or "-",
            "F",
        ),
        fact,
    )
