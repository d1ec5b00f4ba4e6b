"""Several hosts, one rhythm: an implant that takes turns among its hosts, or falls back to the next.

How many sets of hosts are tried is bounded: of each client, log and common trait the `MAX_HOSTS` busiest
rare destinations are compared in at most 57 sets by how even their pauses are, the best set of each size is
scored, and no more than `MAX_GROUPS` such groups are looked into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from playbooks.scoping import rhythm
from playbooks.scoping.channel import Channel, Row, Seen, chosen, cited, lookup, moment, rows, strongest, told
from playbooks.scoping.rotating_destinations import BEATS_PAIRS_BY, RHYTHM_FROM, Member

MIN_CONTACTS = 4  # of one host: fewer cannot be told from a visit
MIN_TOGETHER = 12  # of all of them
MAX_HOSTS = 6  # profiles list two to five
MAX_GROUPS = 300
NEWEST = 256  # contacts of a host by which sets are compared; the set that is chosen is scored whole
SIZE_STEPS = 4  # sizes within a fifth of each other share a step: log2(bytes) in quarters
FASTER = 0.7  # turns: together at least this much faster than the fastest host alone
LEAST_PART = 0.5  # of an equal share of the contacts, for a host that takes its turn
MOST_UNEVEN = 0.4  # a jitter of 50 % gives .25, memoryless contacts .69: sets beyond are not scored
MOST_MISSED = 0.25  # taking turns leaves nothing out
MOST_JITTER = 0.6  # two unrelated rhythms interleave into pauses of any length
SAME_PERIOD = 0.2  # fall-back: periods of the hosts agree within a fifth
TRAITS = ("user_agent", "process", "fingerprint", "size")

Floats = npt.NDArray[np.float64]
PAIR = ("src", "dst", "source", "format")
OF_HOST = (*PAIR, "times", "clients")
GROUP = ("src", "source", "format", "trait", "value")


def shared_rhythm(seen: Seen) -> list[Channel]:
    """One row per client and set of hosts whose contacts interleave into, or follow each other in, one rhythm.

    The hosts are rare in the estate and share a trait: user agent, process, fingerprint, or the size of what is
    sent. Together they must explain more than the best of them alone, or be faster than each (turns), or keep
    one period one after the other (fall-back). Strength is the score of the rhythm.
    """
    groups = _groups(_candidates(seen).to_pyarrow().to_pandas())
    wanted = {tuple(row[name] for name in PAIR) for _, group in groups for row in group}
    times = _times(seen, wanted)
    found: dict[tuple[str, frozenset[str]], Channel] = {}
    for trait, group in groups:
        channel = _channel(
            trait, group, [Member(row["dst"], times[tuple(row[name] for name in PAIR)]) for row in group]
        )
        if channel is not None:
            key = channel.src, frozenset(channel.dsts)
            found[key] = max(found.get(key, channel), channel, key=lambda one: (one.strength, one.sentence))
    ranked = strongest(_largest_sets(list(found.values())))
    refs = _records(seen, ranked)
    return [replace(one, refs=refs[at]) for at, one in enumerate(ranked)]


def _candidates(seen: Seen) -> ir.Table:
    """Pairs with a destination that is rare in the estate, with the traits all of their contacts share."""
    able = seen.volumes.inner_join(seen.rare, "dst").select(*PAIR, "times", "clients")
    able = able.filter(able.times >= MIN_CONTACTS, able.times <= rhythm.MAX_TIMES)
    several = able.group_by("src", "source", "format").agg(hosts=able.count())
    able = able.semi_join(several.filter(several.hosts > 1), ["src", "source", "format"]).select(*able.columns)
    events = seen.events.inner_join(able, list(PAIR)).select(*PAIR, *TRAITS[:3], "bytes_out", "times", "clients")
    lowest, highest = ({name: getattr(events[name], edge)() for name in TRAITS[:3]} for edge in ("min", "max"))
    same = {name: ibis.ifelse(lowest[name] == highest[name], lowest[name], ibis.null("string")) for name in TRAITS[:3]}
    return events.group_by(*PAIR, "times", "clients").agg(mean=events.bytes_out.mean(), **same)


def _groups(pairs: pd.DataFrame) -> list[tuple[str, list[Row]]]:
    """(words of the trait, its busiest hosts) of every client and log with two hosts or more, the busiest first."""
    shown = _traits(pairs)
    sums = shown.groupby(list(GROUP), sort=False).times.agg(["size", "sum"]).reset_index()
    # more than MAX_HOSTS hosts have MIN_TOGETHER contacts among the busiest, too, for each has MIN_CONTACTS
    able = sums[(sums["size"] > 1) & (sums["sum"] >= MIN_TOGETHER)]
    able = able.sort_values(["sum", *GROUP], ascending=[False, *(True for _ in GROUP)]).head(MAX_GROUPS)
    mine = shown.merge(able.assign(place=range(len(able))), on=list(GROUP))
    mine = mine.sort_values(["place", "times", "dst"], ascending=[True, False, True])
    return [_group(found.head(MAX_HOSTS)) for _, found in mine.groupby("place")]


def _group(busiest: pd.DataFrame) -> tuple[str, list[Row]]:
    hosts: list[Any] = busiest[list(OF_HOST)].to_dict("records")
    return _words(str(busiest.trait.iat[0]), str(busiest.value.iat[0])), hosts


def _traits(pairs: pd.DataFrame) -> pd.DataFrame:
    """A row for each trait that a pair shows: its columns, `trait` and `value`."""
    carrying = ((name, pairs[pairs[name].notna()]) for name in TRAITS[:3])
    named = [some.assign(trait=name, value=some[name]) for name, some in carrying]
    sent = pairs[pairs["mean"].astype(float).fillna(0) != 0]
    step = pd.Series(np.round(np.log2(sent["mean"].to_numpy(dtype=float)) * SIZE_STEPS), sent.index).astype(int)
    words = {number: str(number) for number in range(step.min(), step.max() + 2)} if len(step) else {}
    # a step and the next: no edge parts equal sizes
    sizes = [sent.assign(trait="size", value=(step + more).map(words)) for more in (0, 1)]
    return pd.concat([part[[*OF_HOST, "trait", "value"]] for part in (*named, *sizes)], ignore_index=True)


def _words(trait: str, value: str) -> str:
    if trait == "size":
        return f"about {2 ** (int(value) / SIZE_STEPS):,.0f} bytes sent each time"
    return f"the same {trait.replace('_', ' ')} “{told(value)}”"


def _times(seen: Seen, keys: set[tuple[str, ...]]) -> dict[tuple[str, ...], Floats]:
    if not keys:
        return {}
    mine = chosen(seen.events, keys, PAIR)
    lists = mine.group_by(*PAIR).agg(times=mine.at.collect())
    return {tuple(row[name] for name in PAIR): np.sort(np.array(row["times"], dtype=np.float64)) for row in rows(lists)}


def _channel(trait: str, group: list[Row], members: list[Member]) -> Channel | None:
    best = _best(members)
    if best is None:
        return None
    hosts, whole, how = best
    of = {row["dst"]: row for row in group}
    names = ", ".join(f"{told(one.dst)} ({len(one.seconds)})" for one in hosts)
    first = group[0]
    return Channel(
        kind="shared_rhythm",
        src=first["src"],
        dst=hosts[0].dst,
        dsts=tuple(one.dst for one in hosts),
        sentence=(
            f"{first['src']} called {len(hosts)} hosts in one rhythm, {how} ({first['source']}, {trait}): "
            f"{names}. {whole.reason}"
        ),
        strength=whole.score,
        clients=max(of[one.dst]["clients"] for one in hosts),
        source=first["source"],
        first_seen=moment(min(one.seconds[0] for one in hosts)),
        last_seen=moment(max(one.seconds[-1] for one in hosts)),
        connections=sum(len(one.seconds) for one in hosts),
        period_s=whole.period_s,
        score=whole.score,
    )


def _best(members: list[Member]) -> tuple[list[Member], rhythm.Rhythm, str] | None:
    """The largest set of hosts with a rhythm that no host has alone, of the most even set of each size."""
    found = []
    for hosts in _most_even(members):
        together = np.concatenate([one.seconds for one in hosts])
        whole = rhythm.score(together) if len(together) >= MIN_TOGETHER else None
        if whole is not None and whole.score >= RHYTHM_FROM and (how := _how(whole, hosts)) is not None:
            found.append((hosts, whole, how))
    return max(found, key=lambda item: (len(item[0]), item[1].score), default=None)


def _most_even(members: list[Member]) -> list[list[Member]]:
    """Of each size the set whose pauses are most even, where they are more even than chance leaves them."""
    best: dict[int, tuple[float, tuple[Member, ...]]] = {}
    for count in range(2, len(members) + 1):
        for hosts in combinations(members, count):
            if _balanced(hosts) or _in_sequence(hosts):
                best[count] = min(best.get(count, (MOST_UNEVEN, ())), (_unevenness(hosts), hosts), key=_first)
    return [list(hosts) for _, hosts in best.values() if hosts]


def _first(item: tuple[float, tuple[Member, ...]]) -> float:
    return item[0]


def _balanced(hosts: Sequence[Member]) -> bool:
    """Whether all hosts carry their part: those that take turns are called about equally often."""
    counts = [len(one.seconds) for one in hosts]
    return min(counts) >= sum(counts) / len(counts) * LEAST_PART


def _unevenness(hosts: Sequence[Member]) -> float:
    """Median deviation of the pauses from their median, as a share of it; .69 for memoryless contacts."""
    pauses = np.diff(np.sort(np.concatenate([one.seconds[-NEWEST:] for one in hosts])))
    pauses = pauses[pauses > 0]
    middle = _middle(pauses)
    return _middle(np.abs(pauses - middle)) / middle if middle else np.inf


def _middle(values: Floats) -> float:
    half = len(values) // 2
    return float(np.partition(values, half)[half]) if len(values) else 0.0


def _how(whole: rhythm.Rhythm, members: list[Member]) -> str | None:
    """Taking turns, or one after the other; None where a host alone says as much."""
    alone = [found for one in members if (found := rhythm.score(one.seconds)) is not None]
    if _in_sequence(members):
        agree = all(abs(one.period_s - whole.period_s) <= SAME_PERIOD * whole.period_s for one in alone)
        return "one after the other" if agree else None
    if whole.missed > MOST_MISSED or whole.jitter > MOST_JITTER:
        return None
    steady = [one for one in alone if one.score >= RHYTHM_FROM]
    better = whole.score >= max((one.score for one in alone), default=0.0) + BEATS_PAIRS_BY
    faster = bool(steady) and whole.period_s <= FASTER * min(one.period_s for one in steady)
    return "taking turns" if better or faster else None


def _in_sequence(members: Sequence[Member]) -> bool:
    spans = sorted((one.seconds[0], one.seconds[-1]) for one in members)
    return all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def _largest_sets(found: list[Channel]) -> list[Channel]:
    """Without rows whose hosts are all part of another row of the same client."""
    return [
        one for one in found if not any(other.src == one.src and set(one.dsts) < set(other.dsts) for other in found)
    ]


def _records(seen: Seen, channels: list[Channel]) -> list[tuple[str, ...]]:
    parts = [(one.src, dst, one.source, str(at)) for at, one in enumerate(channels) for dst in one.dsts]
    names = ("src", "dst", "source", "channel")
    of = lookup({name: [part[at] for part in parts] for at, name in enumerate(names)})
    events = seen.events.select("src", "dst", "source", "time", "evidence_id", "record_no")
    refs = cited(events.inner_join(of, list(names[:3])), ((str(at),) for at in range(len(channels))), names[3:])
    return [refs[(str(at),)] for at in range(len(channels))]
