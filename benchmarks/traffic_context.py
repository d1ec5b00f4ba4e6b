"""What an estate shows around a pair. Neither side is given away: every trait occurs on both, in these shares.

| | implants | by design | people | programs |
|---|---|---|---|---|
| one or two clients | 95 % (three: 5 %) | 6 % | 50 % | 25 % |
| not in the baseline, of those with few clients | 80 % | a third | half | a fifth |
| a user agent is logged at all | 60 % | 60 % | 60 % | 60 % |
| of these: that of the client's browser | half | – | all | – |
| of these: nobody else's in the estate | a quarter | as rare as the host | – | as rare as the host |
| of these: a common library's (few developers) | a quarter | a fifth | – | a fifth |

Why: most hosts that people visit are visited by one client of a house within a day (a long tail), while a
program by design is by far most often the whole house's, and its pairs are as many as its clients; two pairs
in a hundred are a new server's agent or a service given to one or two this week, four an older such. An implant is
young in four cases of five; on a shared host whose path TLS hides (half of the shared fronts and redirects),
it is one of many clients and not new. One estate in seven has no baseline.
"""

from __future__ import annotations

from benchmarks.series import BROWSER, Context, Estate, Family, Random

LIBRARIES = ("curl/8.5.0", "python-requests/2.32.3", "Go-http-client/1.1", "okhttp/4.12.0")
SHARED_HOSTS = ("shared front", "requests")  # groups of families whose host serves everybody
FINGERPRINTS = ("t13d190900_go", "t12d190800_wininet", "t13d1516h2_browser")  # of TLS libraries, shared by all
AGENT_LOGGED = 0.6  # TLS without inspection and flows show none
PROCESS_LOGGED = 0.3  # endpoint records of network contacts are kept by few
PERIODIC = {  # how common a program by design is: share of pairs, share of clients from and to, share new
    "the house": (0.88, (0.2, 1.0), 0.02),
    "a team": (0.06, (0.01, 0.1), 0.15),
    "one or two": (0.06, (0.0, 0.0), 1 / 3),
}


def around(r: Random, family: Family, number: int, estate: Estate) -> Context:
    """Draw the context of the series `number` of a family."""
    draw = _implant if family.malicious else _benign
    clients, new, agent, alone, tenant = draw(r, family, number, estate.clients)
    people = family.group == "people"
    return Context(
        clients=clients,
        new=new if estate.baseline else None,
        agent=agent if r.random() < AGENT_LOGGED else None,
        agent_clients=1 if alone else clients,
        program=_program_name(r, family, number) if r.random() < PROCESS_LOGGED else None,
        fingerprint=FINGERPRINTS[-1]
        if people
        else str(r.choice(FINGERPRINTS if family.malicious else FINGERPRINTS[:-1])),
        tenant=tenant,
    )


def _program_name(r: Random, family: Family, number: int) -> str:
    if family.malicious:
        return str(r.choice(["rundll32.exe", "explorer.exe", BROWSER, f"{number}.exe"]))
    return BROWSER if family.group == "people" else f"{family.name}.exe"


def _implant(r: Random, family: Family, number: int, estate: int) -> tuple[int, bool, str, bool, bool]:
    """Clients, newness, user agent, whether it is nobody else's, whether a tenant is named."""
    agents = (BROWSER, f"Agent of {family.name}, {number}", str(r.choice(LIBRARIES)))
    kind = int(r.choice(3, p=[0.5, 0.25, 0.25]))
    if family.group in SHARED_HOSTS and r.random() < 0.5:
        return int(estate * r.uniform(0.05, 0.6)) + 1, False, agents[kind], kind == 1, False
    clients = int(r.choice([1, 2, 3], p=[0.8, 0.15, 0.05]))
    return clients, bool(r.random() < 0.8), agents[kind], kind == 1, True


def _benign(r: Random, family: Family, number: int, estate: int) -> tuple[int, bool, str, bool, bool]:
    """The same of benign traffic."""
    draw = {"people": _long_tail, "by design": _by_design}.get(family.group, _program)
    clients, new = draw(r, estate)
    own = str(r.choice(LIBRARIES)) if r.random() < 0.2 else f"Program {family.name}, {number}"
    return clients, new, BROWSER if family.group == "people" else own, False, True


def _long_tail(r: Random, estate: int) -> tuple[int, bool]:
    """Clients and newness of a host that people visit: half of them are one or two clients' only."""
    if r.random() < 0.5:
        return int(r.integers(1, 3)), bool(r.random() < 0.5)
    clients = int(min(3 * (1 + r.pareto(0.8)), estate))
    return clients, bool(r.random() < (0.2 if clients < estate * 0.1 else 0.02))


def _program(r: Random, estate: int) -> tuple[int, bool]:
    """The same of a program's host: anything from one client to all."""
    if r.random() < 0.25:
        return int(r.integers(1, 3)), bool(r.random() < 0.2)
    return int(3 * (estate / 3) ** r.random()), bool(r.random() < 0.05)


def _by_design(r: Random, estate: int) -> tuple[int, bool]:
    """The same of a program that calls by design."""
    kinds = list(PERIODIC)
    kind = str(r.choice(kinds, p=[PERIODIC[name][0] for name in kinds]))
    _, (low, high), newly = PERIODIC[kind]
    clients = int(r.integers(1, 3)) if kind == "one or two" else max(3, int(estate * r.uniform(low, high)))
    return clients, bool(r.random() < newly)
