"""Simulated estates as the table of pairs that `playbooks` ranks: rhythm with the context around it.

An estate holds one series of every malicious family, each on a client of its own and with nothing in common,
and a few of every benign one. What the other clients do shows in the counts, and as rows of an ordinary page
that carry the user agents of the house.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.series import BROWSER, Estate, Floats, Random, Series
from playbooks import schema
from playbooks.case import CaseFile
from playbooks.findings import with_priority
from playbooks.guide.results import ARROW
from playbooks.scoping.rhythm import Rhythm

BROWSERS = [f"Mozilla/5.0 (example) Browser/{version}" for version in range(118, 130)]
AGENTS_A_ROW = 5  # as egress_pairs keeps them
TYPES = {column.name: ARROW[column.type] for column in schema.EGRESS_PAIRS.columns}


def priorities(r: Random, series: Sequence[Series], rhythms: Sequence[Rhythm | None], rita: Floats) -> Floats:
    """`priority` of each series within its estate; equals are told apart by the rhythm, as the table's order does."""
    found = np.zeros(len(series))
    members: dict[Estate, list[int]] = {}
    for place, one in enumerate(series):
        members.setdefault(one.estate, []).append(place)
    for estate, places in members.items():
        rows = [_row(series[place], place, rhythms[place], rita[place]) for place in places]
        _give_clients(r, estate, rows)
        frame = _table(schema.EGRESS_PAIRS, [*rows, *_house(r, estate, rows)])
        ranked = with_priority(frame, _table(schema.ENRICHMENT, []), CaseFile(case_id="BENCH"))
        known = ranked.dst.str.startswith("series-")
        at = ranked.dst[known].str.extract(r"^series-(\d+)\.", expand=False).astype(int)
        found[at] = ranked.priority[known] + ranked.beacon_score[known].fillna(0) * 1e-6
    return found


def _row(one: Series, place: int, rhythm: Rhythm | None, rita: float) -> dict[str, Any]:
    around = one.context
    facts = {
        "dst": f"series-{place}.example.test",
        "kind": "fqdn",
        "ownership": "external",
        "ownership_reason": "not in the inventory",
        "ownership_refs": [],
        "first_seen": dt.datetime.fromtimestamp(one.times[0] if len(one.times) else 0, dt.UTC),
        "last_seen": dt.datetime.fromtimestamp(one.times[-1] if len(one.times) else 0, dt.UTC),
        "connections": len(one.times),
        "bytes_out": int(one.bytes_out.sum()),
        "bytes_in": int(one.bytes_in.sum()),
        "sources": ["http" if around.agent else "tls"],
        "clients": around.clients,
        "clients_share": around.clients / one.estate.clients,
        "user_agents": [around.agent] if around.agent else [],
        "user_agent_refs": [f"E001:{place + 1}"] if around.agent else [],
        "new_in_window": around.new,
        "processes": [around.program] if around.program else [],
        "fingerprints": [around.fingerprint] if around.fingerprint else [],
        "beacon_score": rhythm.score if rhythm else None,
        "beacon_period_s": rhythm.period_s if rhythm else None,
        "beacon_reason": rhythm.reason if rhythm else None,
        "beacon_source": "http" if around.agent else "tls",
        "rita_score": None if np.isnan(rita) else float(rita),
        "priority_reasons": [],
        "refs": [f"E001:{place + 1}"],
    }
    return {name: value for name, value in facts.items() if name in TYPES}


def _give_clients(r: Random, estate: Estate, rows: list[dict[str, Any]]) -> None:
    """A client for each row, and its browser's user agent where the row has that of a browser."""
    order = r.permutation(estate.clients)
    for number, row in enumerate(rows):
        client = int(order[number % estate.clients])
        row["src"] = _address(client)
        row["user_agents"] = [_browser(client) if agent == BROWSER else agent for agent in row["user_agents"]]


def _house(r: Random, estate: Estate, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What every client does: a page of the house, with its browser and the programs it shares with others."""
    agents: dict[int, list[str]] = {client: [_browser(client)] for client in range(estate.clients)}
    for row in rows:
        for agent in row["user_agents"]:
            others = 0 if agent.startswith(("Agent of", "Mozilla")) else row["clients"] - 1
            for client in r.choice(estate.clients, min(others, estate.clients), replace=False).tolist():
                agents[client].append(agent)
    return [
        _page(client, several[start : start + AGENTS_A_ROW], start, estate)
        for client, several in agents.items()
        for start in range(0, len(several), AGENTS_A_ROW)
    ]


def _page(client: int, agents: list[str], number: int, estate: Estate) -> dict[str, Any]:
    seen = dt.datetime(2026, 3, 9, 8, tzinfo=dt.UTC)
    return {
        "src": _address(client),
        "dst": f"page{number}.house.example",
        "kind": "fqdn",
        "ownership": "external",
        "ownership_reason": "not in the inventory",
        "first_seen": seen,
        "last_seen": seen,
        "connections": 3,
        "clients": estate.clients,
        "clients_share": 1.0,
        "user_agents": agents,
        "user_agent_refs": ["E001:1"] * len(agents),
        "new_in_window": False if estate.baseline else None,
        "sources": ["http"],
        "priority_reasons": [],
        "refs": ["E001:1"],
    }


def _address(client: int) -> str:
    return f"10.0.{client // 250}.{client % 250 + 1}"


def _browser(client: int) -> str:
    """One of a dozen, and one client in twenty has a version that nobody else has."""
    return f"Mozilla/5.0 (example) Browser/{200 + client}" if client % 20 == 7 else BROWSERS[client % len(BROWSERS)]


def _table(of: schema.Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    shape = pa.schema([(column.name, ARROW[column.type]) for column in of.columns])
    frame: pd.DataFrame = pa.Table.from_pylist(rows, schema=shape).to_pandas()
    return frame
