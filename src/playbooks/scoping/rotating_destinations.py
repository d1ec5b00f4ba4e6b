"""One client program, many destinations, one rhythm: an implant that rotates where it calls.

The program is known by its TLS fingerprint, its user agent, or by TLS without a server name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from playbooks.scoping import rhythm
from playbooks.scoping.channel import (
    MAX_DSTS,
    Channel,
    Key,
    Row,
    Seen,
    chosen,
    cited,
    counted,
    moment,
    rows,
    strongest,
    told,
)

MIN_DESTINATIONS = 5  # fewer are a service and its names
MIN_CONTACTS = 20  # a rhythm over all of them has to stand against people who change sites at will
LARGEST_SHARE = 0.5  # of the contacts: a destination with more of them is a pair that is judged by itself
RHYTHM_FROM = 0.7  # as for pairs: memoryless traffic stays below .4
BEATS_PAIRS_BY = 0.1  # what the group must explain beyond its best pair
MAX_GROUPS = 600  # scored, those with most destinations: the time that takes stays below a second
NO_NAME = "TLS without a server name"
MARKS = ("fingerprint", "user_agent", "nameless")
GROUP = ("src", "mark", "source", "format")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Member:
    """The contacts of a group with one destination."""

    dst: str
    seconds: Floats


def rotating_destinations(seen: Seen) -> list[Channel]:
    """One row per client and mark whose contacts over at least `MIN_DESTINATIONS` destinations keep one rhythm.

    Marks that many clients carry are left out (a browser's fingerprint), as are groups in which a single pair
    explains as much. Strength is the score of the rhythm; `dst` is the mark, `dsts` are the destinations.
    """
    marked = _marked(seen)
    groups = {tuple(row[name] for name in GROUP): row for row in rows(_candidates(seen, marked))}
    ordered = sorted(groups, key=lambda key: (-groups[key]["dsts"], key))[:MAX_GROUPS]
    found = [
        channel
        for key, members in _members(marked, ordered).items()
        if (channel := _channel(key, groups[key], members)) is not None
    ]
    best = _one_of_each(found)
    mine = [key for key in ordered if key[:3] in {(one.src, one.dst, one.source) for one in best}]
    refs = cited(_chosen(marked, mine), (key[:3] for key in mine), GROUP[:3]) if mine else {}
    return [replace(one, refs=refs[one.src, one.dst, one.source]) for one in best]


def _marked(seen: Seen) -> ir.Table:
    """Contacts with the marks of their client program."""
    events = seen.events.filter(~seen.events.by_proxy, seen.events.source != "dns")
    nameless = (events.source == "tls") & ~events.naming.isin(("record", "connection"))
    return events.mutate(nameless=ibis.ifelse(nameless, NO_NAME, ibis.null("string")))


def _by_mark(rows_of: ir.Table) -> ir.Table:
    """One row for each mark: what carries several stands there several times."""
    kept = [name for name in rows_of.columns if name not in MARKS]
    each = (rows_of.filter(rows_of[name].notnull()).select(*kept, mark=rows_of[name]) for name in MARKS)
    return ibis.union(*each)


def _candidates(seen: Seen, marked: ir.Table) -> ir.Table:
    pairs = marked.group_by("src", "dst", "source", "format", *MARKS).agg(
        times=marked.count(), bytes_out=marked.bytes_out.sum(), bytes_in=marked.bytes_in.sum()
    )
    marks = _by_mark(pairs.cache())
    pairs = marks.group_by(*GROUP, "dst").agg(
        times=marks.times.sum(), bytes_out=marks.bytes_out.sum(), bytes_in=marks.bytes_in.sum()
    )
    groups = pairs.group_by(*GROUP).agg(
        dsts=pairs.count(),
        times=pairs.times.sum(),
        largest=pairs.times.max(),
        bytes_out=pairs.bytes_out.sum(),
        bytes_in=pairs.bytes_in.sum(),
    )
    users = groups.group_by("mark").agg(clients=groups.src.nunique())
    groups = groups.inner_join(users, "mark")
    return groups.filter(
        groups.dsts >= MIN_DESTINATIONS,
        groups.times >= MIN_CONTACTS,
        groups.times <= rhythm.MAX_TIMES,
        groups.largest <= LARGEST_SHARE * groups.times,
        (groups.clients <= seen.few) | (groups.mark == NO_NAME),
    )


def _chosen(marked: ir.Table, keys: list[Key]) -> ir.Table:
    """Contacts of the clients in `keys` by mark, those of the keys only."""
    mine = chosen(marked, ((src, source) for src, _, source, _ in keys), ("src", "source"))
    return chosen(_by_mark(mine), keys, GROUP)


def _members(marked: ir.Table, keys: list[Key]) -> dict[Key, list[Member]]:
    if not keys:
        return {}
    mine = _chosen(marked, keys)
    lists = mine.group_by(*GROUP, "dst").agg(times=mine.at.collect())
    found: dict[Key, list[Member]] = {}
    for row in rows(lists):
        member = Member(row["dst"], np.sort(np.array(row["times"], dtype=np.float64)))
        found.setdefault(tuple(row[name] for name in GROUP), []).append(member)
    return found


def _channel(key: Key, row: Row, members: list[Member]) -> Channel | None:
    src, mark, source, _ = key
    whole = rhythm.score(np.concatenate([one.seconds for one in members]))
    if whole is None or whole.score < RHYTHM_FROM:
        return None
    alone = best_alone(members)
    if whole.score < alone + BEATS_PAIRS_BY:
        return None
    ordered = sorted(members, key=lambda one: (-len(one.seconds), one.dst))
    names = ", ".join(told(one.dst) for one in ordered[:3])
    return Channel(
        kind="rotating_destinations",
        src=src,
        dst=mark,
        dsts=tuple(one.dst for one in ordered[:MAX_DSTS]),
        sentence=(
            f"{src} with {told(mark)} called {counted(len(members), 'destination')} ({names}, …) in one rhythm "
            f"({source}): {whole.reason} The best single one scores {alone:.2f}, all together {whole.score:.2f}."
        ),
        strength=whole.score,
        clients=row["clients"],
        source=source,
        first_seen=moment(min(one.seconds[0] for one in members)),
        last_seen=moment(max(one.seconds[-1] for one in members)),
        connections=row["times"],
        bytes_out=row["bytes_out"],
        bytes_in=row["bytes_in"],
        period_s=whole.period_s,
        score=whole.score,
    )


def best_alone(members: list[Member]) -> float:
    """The best score that one destination of the group reaches by itself; 0 where none can be scored."""
    scores = (rhythm.score(one.seconds) for one in members if len(one.seconds) >= rhythm.MIN_CHECKINS)
    return max((found.score for found in scores if found is not None), default=0.0)


def _one_of_each(found: list[Channel]) -> list[Channel]:
    """One row for the same destinations of one client: two marks of a program are one, a telling one first."""
    best: dict[tuple[str, frozenset[str]], Channel] = {}
    for one in sorted(strongest(found), key=lambda one: (one.dst == NO_NAME, -one.strength)):
        best.setdefault((one.src, frozenset(one.dsts)), one)
    return list(best.values())
