"""Simulated estates as the table of pairs that `playbooks` ranks: rhythm with the context around it.

An estate holds one series of every malicious family, with nothing in common, and a few of every benign one, on
clients drawn by chance. What the other clients do shows in the counts, and as rows of an ordinary page that
carry the user agents and programs of the house.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.series import BROWSER, DAY, HOUR, START, Estate, Floats, Random, Series
from benchmarks.traffic_context import FINGERPRINTS, LIBRARIES
from playbooks import schema
from playbooks.case import CaseFile
from playbooks.findings import with_priority
from playbooks.schema.arrow import ARROW
from playbooks.scoping.rhythm import Rhythm

BROWSERS = [f"Mozilla/5.0 (example) Browser/{version}" for version in range(118, 130)]
BROWSER_PROGRAM = "msedge.exe"
OF_THE_SYSTEM = ("rundll32.exe", "explorer.exe")  # of each twenty clients: both on one, the second on one more
NAMES_A_ROW = 5  # as egress_pairs keeps them
NIGHT = (20, 6)  # hours, UTC
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
        frame = _table(schema.EGRESS_PAIRS, [*rows, *_house(r, estate, [series[place] for place in places])])
        ranked = with_priority(frame, _table(schema.ENRICHMENT, []), CaseFile(case_id="BENCH"))
        known = ranked.dst.str.startswith("series-")
        at = ranked.dst[known].str.extract(r"^series-(\d+)\.", expand=False).astype(int)
        found[at] = ranked.priority[known] + ranked.beacon_score[known].fillna(0) * 1e-6
    return found


def _row(one: Series, place: int, rhythm: Rhythm | None, rita: float) -> dict[str, Any]:
    around, ref = one.context, f"E001:{place + 1}"
    common = (*LIBRARIES, *OF_THE_SYSTEM, *([BROWSER] if one.family.malicious else []))
    named = [name for name in (around.agent, around.program) if name]
    fresh = [name for name in named if around.programs_new and name not in common]
    return _known(
        dst=f"series-{place}.example.test",
        first_seen=_moment(one.times.min(initial=START)),
        last_seen=_moment(one.times.max(initial=START)),
        connections=len(one.times),
        bytes_out=int(one.bytes_out.sum()),
        bytes_in=int(one.bytes_in.sum()),
        sources=["http" if around.agent else "tls"],
        clients=around.clients,
        clients_share=around.clients / one.estate.clients,
        user_agents=[around.agent] if around.agent else [],
        user_agent_refs=[ref] if around.agent else [],
        processes=[around.program] if around.program else [],
        process_refs=[ref] if around.program else [],
        fingerprints=[around.fingerprint],
        fingerprint_refs=[ref],
        new_in_window=around.new,
        new_for_client=around.new_for_client,
        new_programs=None if around.programs_new is None else fresh,
        beacon_score=rhythm.score if rhythm else None,
        beacon_period_s=rhythm.period_s if rhythm else None,
        beacon_reason=rhythm.reason if rhythm else None,
        beacon_source="http" if around.agent else "tls",
        rita_score=None if np.isnan(rita) else float(rita),
        refs=[ref],
        **_hours(one.times),
    )


def _known(**facts: object) -> dict[str, Any]:
    """Facts of the columns that there are, with what is the same for all pairs."""
    same = {
        "kind": "fqdn",
        "ownership": "external",
        "ownership_reason": "not in the inventory",
        "ownership_refs": [],
        "priority_reasons": [],
    }
    return {name: value for name, value in {**same, **facts}.items() if name in TYPES}


def _hours(times: Floats) -> dict[str, object]:
    """Hours of the day with contacts, and the share of contacts at night, when a house of office workers is silent."""
    hour = (times % DAY // HOUR).astype(int)
    night = (hour < NIGHT[1]) | (hour >= NIGHT[0])
    return {"active_hours": len(np.unique(hour)), "off_hours_share": float(night.mean()) if len(night) else None}


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _give_clients(r: Random, estate: Estate, rows: list[dict[str, Any]]) -> None:
    """A client for each row, and its browser where the row has a browser."""
    order = r.permutation(estate.clients)
    for number, row in enumerate(rows):
        client = int(order[number % estate.clients])
        row["src"] = _address(client)
        own = {"user_agents": _browser(client), "processes": BROWSER_PROGRAM, "new_programs": _browser(client)}
        for column in own.keys() & row.keys():
            if row[column] is not None:
                row[column] = [own[column] if name == BROWSER else name for name in row[column]]


def _house(r: Random, estate: Estate, series: Sequence[Series]) -> list[dict[str, Any]]:
    """What every client does: pages of the house, with its browser and the programs that others have, too."""
    agents = {client: [_browser(client)] for client in range(estate.clients)}
    programs = {client: [BROWSER_PROGRAM, *OF_THE_SYSTEM[client % 20 :]] for client in range(estate.clients)}
    for one in series:
        for name, having in ((one.context.agent, agents), (one.context.program, programs)):
            others = 0 if one.context.alone or name in (None, BROWSER) else one.context.clients - 1
            for client in r.choice(estate.clients, min(others, estate.clients), replace=False).tolist():
                having[client].append(str(name))
    return [
        _page(estate, client, page, agents[client][start:end], programs[client][start:end])
        for client in range(estate.clients)
        for page in range((max(len(agents[client]), len(programs[client])) - 1) // NAMES_A_ROW + 1)
        for start, end in [(page * NAMES_A_ROW, (page + 1) * NAMES_A_ROW)]
    ]


def _page(estate: Estate, client: int, number: int, agents: list[str], programs: list[str]) -> dict[str, Any]:
    seen = _moment(START + 8 * HOUR)
    return _known(
        src=_address(client),
        dst=f"page{number}.house.example",
        first_seen=seen,
        last_seen=seen,
        connections=3,
        clients=estate.clients,
        clients_share=1.0,
        user_agents=agents,
        user_agent_refs=["E001:1"] * len(agents),
        processes=programs,
        process_refs=["E001:1"] * len(programs),
        fingerprints=list(FINGERPRINTS),
        fingerprint_refs=["E001:1"] * len(FINGERPRINTS),
        new_in_window=False if estate.baseline else None,
        new_for_client=False if estate.baseline else None,
        new_programs=[] if estate.baseline else None,
        active_hours=1,
        off_hours_share=0.0,
        sources=["http"],
        refs=["E001:1"],
    )


def _address(client: int) -> str:
    return f"10.0.{client // 250}.{client % 250 + 1}"


def _browser(client: int) -> str:
    """One of a dozen, and one client in twenty has a version that nobody else has."""
    return f"Mozilla/5.0 (example) Browser/{200 + client}" if client % 20 == 7 else BROWSERS[client % len(BROWSERS)]


def _table(of: schema.Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    shape = pa.schema([(column.name, ARROW[column.type]) for column in of.columns])
    frame: pd.DataFrame = pa.Table.from_pylist(rows, schema=shape).to_pandas()
    return frame
