"""The invented estate of both samples: its clock, its clients, its servers and the hosts they talk to.

Every external address is a documentation address, every name is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def at(stamp: str) -> float:
    """Epoch seconds of a UTC stamp such as `2026-03-10T09:41:12`."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()


def iso(time: float) -> str:
    """UTC stamp of epoch seconds, to the second."""
    return datetime.fromtimestamp(int(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stream(*names: object) -> Random:
    """A random stream of its own for every use, so that one habit can change without moving the others."""
    return Random("/".join(str(name) for name in ("samples", *names)))


BASELINE_START, WINDOW_START, WINDOW_END = at("2026-03-03"), at("2026-03-10"), at("2026-03-12")
NETWORK_START = at("2026-03-08")  # network telemetry: a Sunday and a Monday of baseline, then the window
NETWORK_DAYS = [NETWORK_START + n * DAY for n in range(4)]
AUDIT_DAYS = [BASELINE_START + n * DAY for n in range(9)]


def is_workday(day: float) -> bool:
    """Whether people work that day: Monday to Friday."""
    return datetime.fromtimestamp(day, UTC).weekday() < 5


@dataclass(frozen=True)
class Client:
    """A workstation or server; hours are UTC (people work in UTC+1), `visits` are page loads a day."""

    address: str
    user: str
    agent: str
    starts: float
    leaves: float
    visits: int


EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/133.0.0.0 Safari/537.36 Edg/133.0.0.0"
)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:135.0) Gecko/20100101 Firefox/135.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.3 Safari/605.1.15"
)
OFFICE = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18429; Pro)"

HQ = (
    Client("10.20.3.11", "a.berg", EDGE, 6.9, 15.6, 12),
    Client("10.20.3.12", "b.costa", FIREFOX, 7.2, 16.2, 8),
    Client("10.20.3.13", "c.dahl", EDGE, 6.6, 15.0, 14),
    Client("10.20.3.14", "d.evans", SAFARI, 8.1, 17.1, 10),
    Client("10.20.3.15", "j.doe", EDGE, 7.0, 15.9, 7),
    Client("10.20.3.16", "f.garcia", EDGE, 7.4, 16.0, 11),
    Client("10.20.3.17", "g.holm", EDGE, 7.1, 16.1, 9),
    Client("10.20.3.18", "h.ivers", FIREFOX, 6.5, 14.8, 6),
    Client("10.20.3.19", "i.jansen", EDGE, 7.7, 16.9, 13),
    Client("10.20.3.20", "k.lang", SAFARI, 8.4, 17.4, 8),
    Client("10.20.3.21", "l.moreau", EDGE, 7.0, 15.5, 10),
    Client("10.20.3.22", "m.weber", FIREFOX, 6.8, 16.4, 15),
    Client("10.20.3.23", "n.olsen", EDGE, 7.3, 15.2, 5),
    Client("10.20.3.24", "o.petit", EDGE, 7.6, 16.6, 9),
)
BRANCH = (
    Client("10.20.6.21", "p.quist", EDGE, 7.0, 15.8, 5),
    Client("10.20.6.22", "r.sand", EDGE, 7.5, 16.0, 7),
    Client("10.20.6.23", "s.toth", SAFARI, 8.0, 16.8, 4),
    Client("10.20.6.24", "-", OFFICE, 6.7, 15.1, 3),
)
SERVERS = ("10.20.5.40", "10.20.5.41", "10.20.5.42", "10.20.5.43", "10.20.5.44", "10.20.5.45", "10.20.5.46")
INSTANCES = {address: f"i-0a1b2c3d4e5f6{n:04x}" for n, address in enumerate(SERVERS, 0x5040)}
INTERFACES = {address: f"eni-0f1e2d3c4b5a6{n:04x}" for n, address in enumerate(SERVERS, 0x5040)}

MONITOR, HQ_PROXY, BRANCH_PROXY, RESOLVER = "10.20.0.20", "10.20.0.8", "10.20.6.8", "10.20.0.53"
OWN_ACCOUNT, PARTNER_ACCOUNT, REGION, VPC = ("111122223333", "444455556666", "eu-north-1", "vpc-0a12b34c56d78e90f")

# Planted destinations (incident only).
WORKER_C2 = "assets-sync.bluefern-4417.workers.dev"
LAMBDA_C2 = "q7m2xw5tkd4hzv6nacr3ybe5ju0sfgpl.lambda-url.eu-north-1.on.aws"
LAMBDA_C2_ALIAS = "cdn-assets.example-partner.test"
ABUSED_URL = "hb3nxe6yq2wvk7tzaj5pmc4rfd0luog2.lambda-url.eu-north-1.on.aws"

# Known destinations.
SAAS_CRM = "k3v9m2x7qd.execute-api.eu-central-1.amazonaws.com"
SAAS_TRAVEL = "p8w4z1n6ty.execute-api.eu-west-1.amazonaws.com"
PARTNER_FUNCTION = "zt4kqa7vwm2xnd5ybhc6rej3fs0upiol.lambda-url.eu-north-1.on.aws"
HEARTBEAT = "status-heartbeat.corp-edge.workers.dev"
IMAGE_WORKER, NEW_IMAGE_WORKER = "image-resize.corp-edge.workers.dev", "image-resize-v2.corp-edge.workers.dev"
UPDATER, FORMS = "examplecorp-updater.azurewebsites.net", "examplecorp-forms.azurewebsites.net"
WORKFLOW, APPS_SCRIPT = "prod-42.westeurope.logic.azure.com", "script.google.com"
APPS_SCRIPT_ANSWER = "script.googleusercontent.com"
CDN = ("d1x7k2m9p4q8rs.cloudfront.net", "d2b6v3n8w1t5yz.cloudfront.net", "d3h9c4j7f2g6lm.cloudfront.net")
PAGES = (
    "www.daily-news.example",
    "portal.partner-one.example",
    "search.example.com",
    "docs.example.org",
    "shop.example.net",
    "weather.example.org",
    "video.example.com",
    "mail.example.com",
)
METRICS, PACKAGES, BUCKET = "intake.metrics.example", "mirror.packages.example", "s3.eu-north-1.amazonaws.com"

_FRONTS = {  # suffix -> addresses of the provider's (invented) front; shared by all its tenants
    ".lambda-url.eu-north-1.on.aws": ("203.0.113.140", "203.0.113.141", "203.0.113.142"),
    ".amazonaws.com": ("203.0.113.16", "203.0.113.17", "203.0.113.18", "203.0.113.19"),
    ".workers.dev": ("198.51.100.64", "198.51.100.65"),
    ".cloudfront.net": ("198.51.100.96", "198.51.100.97", "198.51.100.98"),
    ".azurewebsites.net": ("198.51.100.128", "198.51.100.129"),
    ".logic.azure.com": ("198.51.100.130",),
    ".google.com": ("198.51.100.160",),
    ".googleusercontent.com": ("198.51.100.161",),
}


def addresses(host: str) -> tuple[str, ...]:
    """The addresses a host resolves to; hosts of one provider share them, as in life."""
    if host == LAMBDA_C2_ALIAS:
        return addresses(LAMBDA_C2)
    shared = next((found for suffix, found in _FRONTS.items() if host.endswith(suffix)), None)
    return shared or (f"203.0.113.{64 + sum(host.encode()) % 32}",)


def address_of(host: str, pick: Random) -> str:
    """One of the addresses of a host."""
    return pick.choice(addresses(host))


ISSUERS = {
    ".on.aws": "CN=Amazon RSA 2048 M03,O=Amazon,C=US",
    ".amazonaws.com": "CN=Amazon RSA 2048 M02,O=Amazon,C=US",
    ".workers.dev": "CN=WE1,O=Google Trust Services,C=US",
    ".azure.com": "CN=Microsoft Azure RSA TLS Issuing CA 04,O=Microsoft Corporation,C=US",
}


def issuer(host: str) -> str:
    """Who issued the certificate of a host."""
    return next((name for end, name in ISSUERS.items() if host.endswith(end)), "CN=R11,O=Let's Encrypt,C=US")
