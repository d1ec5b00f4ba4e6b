"""What an estate shows around a pair. Neither side is given away: every trait occurs on both, in these shares.

| | implants | by design | people | programs |
|---|---|---|---|---|
| one or two clients | 95 % | 4 % | 50 % | 25 % |
| of these, not in the baseline | 80 % | a quarter | half | a fifth |
| a user agent is logged (nothing is where only TLS or flows are) | 60 % | 60 % | 60 % | 60 % |
| it is that of the client's browser | half | pages: all, others none | all | – |
| it is a program's own: as rare as its host | a quarter | others: 80 % | – | 80 % |
| it is a common library's, as few developers have it | a quarter | others: 20 % | – | 20 % |
| agent or program came up since the baseline | with the host | with the host, or 5 % | 5 % | as by design |

Why: most hosts that people visit are visited by one client of a house within a day (a long tail), while a
program by design is by far most often the whole house's, and its pairs are as many as its clients: of a hundred
pairs one is a new server's agent or a service given to one or two this week, three an older such. An implant is
young in four cases of five. On a host that serves everybody and whose path TLS hides (half of the shared fronts
and redirects) it is one of many clients, and nothing about the host is new. One estate in seven has no baseline.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.series import BROWSER, Context, Estate, Family, Random

PAGES = ("dashboard", "live video", "calendar and feeds")  # by design, and in a browser
LIBRARIES = ("curl/8.5.0", "python-requests/2.32.3", "Go-http-client/1.1", "okhttp/4.12.0")
FINGERPRINTS = ("ja4:t13d190900_go", "ja4:t12d190800_wininet", "ja4:t13d1516h2_browser")  # shared by all kinds
SHARED_HOSTS = ("shared front", "everything", "redirects")  # groups of families whose host serves everybody
AGENT_LOGGED = 0.6
PROGRAM_LOGGED = 0.3  # endpoint records of network contacts are kept by few
UPDATED = 0.05  # programs whose version is new since the baseline
PERIODIC = {  # how common a program by design is: share of pairs, share of clients from and to, share new
    "the house": (0.9, (0.2, 1.0), 0.02),
    "a team": (0.06, (0.01, 0.1), 0.15),
    "one or two": (0.04, (0.0, 0.0), 0.25),
}


@dataclass(frozen=True)
class _Host:
    """How many clients a host has, whether it is new to the house, and whether to this client."""

    clients: int
    new: bool
    new_for_client: bool


def around(r: Random, family: Family, number: int, estate: Estate) -> Context:
    """Draw the context of the series `number` of a family."""
    host = _host(r, family, estate.clients)
    agent, program, alone = _programs(r, family, number)
    fresh = (host.new and agent != BROWSER) or (not family.malicious and r.random() < UPDATED)
    library = 2 if agent == BROWSER else int(r.integers(0, 3 if family.malicious else 2))
    return Context(
        clients=host.clients,
        new=host.new if estate.baseline else None,
        new_for_client=host.new_for_client if estate.baseline else None,
        agent=agent if r.random() < AGENT_LOGGED else None,
        program=program if r.random() < PROGRAM_LOGGED else None,
        alone=alone,
        programs_new=fresh if estate.baseline else None,
        fingerprint=FINGERPRINTS[library],
    )


def _programs(r: Random, family: Family, number: int) -> tuple[str, str, bool]:
    """User agent and program, and whether nobody else has them."""
    if family.group == "people" or family.name in PAGES:
        return BROWSER, BROWSER, False
    own = f"{family.name}, {number}"
    library = str(r.choice(LIBRARIES))
    if not family.malicious:
        return (library if r.random() < 0.2 else f"Program {own}"), f"{own}.exe", False
    agent = str(r.choice([BROWSER, f"Agent {own}", library], p=[0.5, 0.25, 0.25]))
    return agent, str(r.choice([BROWSER, "rundll32.exe", "explorer.exe", f"{own}.exe"])), agent.startswith("Agent")


def _host(r: Random, family: Family, estate: int) -> _Host:
    if family.malicious:
        return _implants(r, family, estate)
    draw = {"people": _long_tail, "by design": _by_design}.get(family.group, _programs_host)
    clients, new = draw(r, estate)
    first_visits = 0.5 if family.group == "people" else 0.05
    return _Host(clients, new, new or bool(r.random() < first_visits))


def _implants(r: Random, family: Family, estate: int) -> _Host:
    if family.group in SHARED_HOSTS and r.random() < 0.5:
        return _Host(int(estate * r.uniform(0.05, 0.6)) + 1, False, bool(r.random() < 0.5))
    new = bool(r.random() < 0.8)
    return _Host(int(r.choice([1, 2, 3], p=[0.8, 0.15, 0.05])), new, new)


def _long_tail(r: Random, estate: int) -> tuple[int, bool]:
    """A host that people visit: half of them are one or two clients' only."""
    if r.random() < 0.5:
        return int(r.integers(1, 3)), bool(r.random() < 0.5)
    clients = int(min(3 * (1 + r.pareto(0.8)), estate))
    return clients, bool(r.random() < (0.2 if clients < estate * 0.1 else 0.02))


def _programs_host(r: Random, estate: int) -> tuple[int, bool]:
    """A program's: anything from one client to all."""
    if r.random() < 0.25:
        return int(r.integers(1, 3)), bool(r.random() < 0.2)
    return int(3 * (estate / 3) ** r.random()), bool(r.random() < 0.05)


def _by_design(r: Random, estate: int) -> tuple[int, bool]:
    """One of a program that calls by design."""
    kinds = list(PERIODIC)
    kind = str(r.choice(kinds, p=[PERIODIC[name][0] for name in kinds]))
    _, (low, high), newly = PERIODIC[kind]
    clients = int(r.integers(1, 3)) if kind == "one or two" else max(3, int(estate * r.uniform(low, high)))
    return clients, bool(r.random() < newly)
