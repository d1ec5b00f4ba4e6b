"""What the two Squid proxies wrote: the HQ one its native log, the branch one (TLS inspected) the combined log."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from random import Random

import estate
from exchanges import Exchange
from lines import LogFile


def stamp(time: float) -> str:
    """The branch proxy writes local time, with its zone."""
    return datetime.fromtimestamp(int(time), timezone(timedelta(hours=1))).strftime("%d/%b/%Y:%H:%M:%S %z")


def write_native(log: LogFile, seen: Exchange, pick: Random) -> None:
    """A tunnel as the HQ proxy logs it: host and port, no path."""
    ended = seen.time + seen.seconds  # Squid writes a request when it is over
    log.add(
        ended,
        f"{ended:.3f} {int(seen.seconds * 1000):6d} {seen.client} TCP_TUNNEL/200 {seen.received} CONNECT "
        f"{seen.host}:443 {seen.user} HIER_DIRECT/{estate.address_of(seen.host, pick)} -",
        seen.planted,
    )


def write_combined(log: LogFile, seen: Exchange, pick: Random) -> None:
    """An inspected request, at times with the tunnel it came through."""
    who, agent = f"{seen.client} - {seen.user} [{stamp(seen.time)}]", f'"{seen.agent}"'
    if pick.random() < 0.3:  # the tunnel itself is logged once for several inspected requests
        log.add(seen.time, f'{who} "CONNECT {seen.host}:443 HTTP/1.1" 200 0 "-" {agent} NONE:HIER_NONE')
    method = "POST" if seen.path.startswith("/v1") else seen.method
    log.add(
        seen.time + 0.01,
        f'{who} "{method} https://{seen.host}{seen.path} HTTP/1.1" {seen.status} {seen.received} '
        f'"-" {agent} TCP_MISS:HIER_DIRECT',
    )
