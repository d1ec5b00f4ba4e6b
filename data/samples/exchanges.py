"""Who talks to whom, when and how much: the habits of the estate, and the planted check-ins.

An `Exchange` is what happened on the wire; `network_logs.py` writes down what each sensor saw of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import estate
from estate import DAY, HOUR, MINUTE, Client, stream


@dataclass(frozen=True)
class Exchange:
    """One connection of a client; `asked` is the name looked up, `planted` names the fact it belongs to."""

    time: float
    client: str
    host: str
    sent: int
    received: int
    seconds: float
    via: str  # hq-proxy | branch-proxy | direct
    port: int = 443
    user: str = "-"
    agent: str = "-"
    method: str = "GET"
    path: str = "/"
    status: int = 200
    asked: str = ""
    planted: str = ""


def office_day(client: Client, day: float, via: str, visits: int) -> Iterator[Exchange]:
    """Page loads in bursts: a page, then what it pulls in from CDNs; every third one is a SaaS."""
    pick = stream("office", client.address, day, visits)
    for _ in range(visits + pick.randrange(-1, 3)):
        time = day + HOUR * pick.uniform(client.starts, client.leaves)
        kind = pick.random()
        page = estate.SAAS_CRM if kind < 0.34 else estate.SAAS_TRAVEL if kind < 0.42 else pick.choice(estate.PAGES)
        pulled = (
            [page] * pick.randrange(1, 3) if "execute-api" in page else [pick.choice(estate.CDN), estate.IMAGE_WORKER]
        )
        for host in [page, *pulled[: pick.randrange(1, 3)]]:
            yield Exchange(
                time,
                client.address,
                host,
                pick.randrange(600, 9000),
                pick.randrange(2500, 90000),
                pick.uniform(0.15, 24.0),
                via,
                user=client.user,
                agent=client.agent,
                path=pick.choice(("/", "/v1/items", "/assets/app.js", "/search?q=invoice")),
            )
            time += pick.uniform(0.05, 1.4)


def updates(client: Client, day: float, via: str) -> Iterator[Exchange]:
    """The updater asks at the same minute of every hour while the computer is on."""
    pick = stream("updater", client.address)
    minute = pick.uniform(0, 59)
    for hour in range(int(client.starts), int(client.leaves) + 1):
        yield Exchange(
            day + hour * HOUR + minute * MINUTE + pick.uniform(0, 0.8),
            client.address,
            estate.UPDATER,
            812,
            4310,
            0.31,
            via,
            user=client.user,
            agent="ExampleCorp-Updater/3.2",
            path="/api/check?channel=stable",
        )


def apps_script(client: Client, day: float, via: str) -> Iterator[Exchange]:
    """Two people open a script of theirs now and then; it answers with a redirect to a second host."""
    pick = stream("apps-script", client.address, day)
    path = "/macros/s/AKfycbwEXAMPLE0sharedTimesheet1deployment2id3x4y5z6/exec"
    for _ in range(pick.randrange(3, 7)):
        time = day + HOUR * pick.uniform(client.starts, client.leaves)
        yield Exchange(
            time,
            client.address,
            estate.APPS_SCRIPT,
            1900,
            2400,
            0.9,
            via,
            user=client.user,
            agent=client.agent,
            path=path,
            status=302,
        )
        yield Exchange(
            time + 0.8,
            client.address,
            estate.APPS_SCRIPT_ANSWER,
            1500,
            8200,
            0.7,
            via,
            user=client.user,
            agent=client.agent,
            path="/macros/echo?user_content_key=REDACTED&lib=EXAMPLE",
        )


def heartbeat(day: float) -> Iterator[Exchange]:
    """The monitoring host checks the approved Worker every 30 s before opening hours, to the second."""
    for n in range(180):
        yield Exchange(
            day + 5 * HOUR + n * 30 + 0.004,
            estate.MONITOR,
            estate.HEARTBEAT,
            640,
            3120,
            0.12,
            "hq-proxy",
            user="svc-monitor",
            agent="uptime-check/1.4",
        )


def server_day(server: str, day: float) -> Iterator[Exchange]:
    """Servers work day and night: storage, packages, SaaS, a partner's function, hourly metrics."""
    pick = stream("server", server, day)
    hosts = [estate.SAAS_CRM, estate.BUCKET, estate.BUCKET, estate.PACKAGES, *estate.CDN[:1]]
    if server in estate.SERVERS[:2]:
        hosts += [estate.PARTNER_FUNCTION, estate.PARTNER_FUNCTION]
    for _ in range(pick.randrange(18, 27)):
        host = pick.choice(hosts)
        plain = host == estate.PACKAGES
        status = pick.choice((200, 200, 304)) if plain else 200
        yield Exchange(
            day + pick.uniform(0, DAY),
            server,
            host,
            pick.randrange(500, 7000),
            0 if status == 304 else pick.randrange(1800, 60000),
            pick.uniform(0.05, 9),
            "direct",
            port=80 if plain else 443,
            agent="Debian APT-HTTP/1.3 (2.6.1)" if plain else "-",
            path=f"/debian/pool/main/p{pick.randrange(1, 60)}/Packages.xz",
            status=status,
        )
    if server in estate.SERVERS[:3]:
        for hour in range(24):
            yield Exchange(
                day + hour * HOUR + 41 + pick.uniform(0, 3), server, estate.METRICS, 5100, 420, 0.2, "direct"
            )
    if server == estate.SERVERS[2]:
        for n in range(48):  # the ERP connector polls its approved workflow; it did so all through the baseline
            yield Exchange(
                day + n * 30 * MINUTE + 7 + pick.uniform(0, 2), server, estate.WORKFLOW, 1450, 2210, 0.4, "direct"
            )
    if server == estate.SERVERS[6] and estate.is_workday(day):
        for _ in range(pick.randrange(2, 5)):
            yield Exchange(day + HOUR * pick.uniform(8, 15), server, "api.cloudflare.com", 88000, 2900, 2.2, "direct")


def habits() -> Iterator[Exchange]:
    """All that both twins have in common."""
    for day in estate.NETWORK_DAYS:
        yield from heartbeat(day)
        for server in estate.SERVERS:
            yield from server_day(server, day)
        if not estate.is_workday(day):
            continue
        for site, via, loads in ((estate.HQ, "hq-proxy", 3), (estate.BRANCH, "branch-proxy", 2)):
            for client in site:
                yield from office_day(client, day, via, client.visits * loads // 2)
                yield from updates(client, day, via)
        yield from apps_script(estate.HQ[2], day, "hq-proxy")
        yield from apps_script(estate.BRANCH[1], day, "branch-proxy")


def heavier_use() -> Iterator[Exchange]:
    """Quiet only: a form app for half of the estate, more SaaS, and a new approved Worker in the window."""
    for day in estate.NETWORK_DAYS[1:]:
        for n, client in enumerate(estate.HQ):
            pick = stream("heavier", client.address, day)
            hosts = [estate.SAAS_CRM, estate.SAAS_CRM, estate.SAAS_TRAVEL, *([estate.FORMS] if n % 2 else [])]
            hosts += [estate.NEW_IMAGE_WORKER] if day >= estate.WINDOW_START else [estate.IMAGE_WORKER]
            for _ in range(pick.randrange(20, 31)):
                yield Exchange(
                    day + HOUR * pick.uniform(client.starts, client.leaves),
                    client.address,
                    pick.choice(hosts),
                    pick.randrange(700, 9000),
                    pick.randrange(2500, 50000),
                    pick.uniform(0.2, 8),
                    "hq-proxy",
                    user=client.user,
                    agent=client.agent,
                )


PROXY_RELOAD = (estate.at("2026-03-10T20:02:00"), estate.at("2026-03-10T20:21:00"))


def worker_check_ins() -> Iterator[Exchange]:
    """A1: 60 s plus up to half of it, some missed; through the proxy, direct while the proxy reloads."""
    pick, victim = stream("A1"), estate.HQ[6]
    start = time = estate.at("2026-03-10T09:41:12") + 0.317
    while time < estate.WINDOW_END - 12:
        direct = PROXY_RELOAD[0] <= time < PROXY_RELOAD[1]
        tasked = pick.random() < 0.012
        if pick.random() >= 0.08 or time == start:
            yield Exchange(
                time,
                victim.address,
                estate.WORKER_C2,
                pick.randrange(1180, 1420),
                pick.randrange(40000, 190000) if tasked else pick.randrange(3380, 3720),
                pick.uniform(2, 9) if tasked else pick.uniform(0.2, 0.9),
                "direct" if direct else "hq-proxy",
                user=victim.user,
                planted="A1",
            )
        time += 60 * (1 + pick.uniform(0, 0.5))


STAGE_AGENT = "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SyncAgent/0.9)"


def worker_stage() -> Iterator[Exchange]:
    """A1: the first stage asks the same host without TLS and past the proxy, with an odd user agent."""
    pick = stream("A1-stage")
    time = estate.at("2026-03-10T09:41:40")
    for n in range(9):
        yield Exchange(
            time,
            estate.HQ[6].address,
            estate.WORKER_C2,
            310 + n,
            pick.randrange(700, 900),
            pick.uniform(0.1, 0.4),
            "direct",
            port=80,
            agent=STAGE_AGENT,
            path=f"/gate?h=WS-0317&n={n}",
            planted="A1",
        )
        time += 240 * (1 + pick.uniform(0, 0.3))


ALIAS_HOURS = (estate.at("2026-03-11T12:00:00"), estate.at("2026-03-11T15:00:00"))


def function_check_ins() -> Iterator[Exchange]:
    """A2: 300 s, 30 % either way; some carry more and more out; three hours under an alias (CNAME)."""
    pick, carried = stream("A2"), 60_000.0
    time, n = estate.at("2026-03-11T06:12:05") + 0.641, 0
    while time < estate.WINDOW_END - 60:
        n += 1
        loaded = time > estate.at("2026-03-11T13:00:00") and n % 7 == 0
        alias = estate.LAMBDA_C2_ALIAS if ALIAS_HOURS[0] <= time < ALIAS_HOURS[1] else ""
        yield Exchange(
            time,
            "10.20.5.44",
            alias or estate.LAMBDA_C2,
            int(carried) if loaded else pick.randrange(980, 1460),
            pick.randrange(640, 980),
            carried / 400_000 + 1 if loaded else pick.uniform(0.2, 1.1),
            "direct",
            planted="A2",
        )
        carried *= 1.3 if loaded else 1.0
        time += 300 * (1 + pick.uniform(-0.3, 0.3))


def planted() -> Iterator[Exchange]:
    """The check-ins of A1 and A2."""
    yield from worker_check_ins()
    yield from worker_stage()
    yield from function_check_ins()
