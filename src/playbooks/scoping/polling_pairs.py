"""Two requests that are one poll: the first host redirects, the second follows within seconds, again and again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np

from playbooks.scoping import rhythm
from playbooks.scoping.channel import Channel, Row, Seen, chosen, cited, moment, rows, strongest, told

FOLLOWS_S = 5  # a redirect is followed at once; a slow proxy and a cold start take seconds
MIN_POLLS = rhythm.MIN_CHECKINS
TOGETHER = 0.8  # of the contacts with the second host follow the first, and of the first are followed
RHYTHM_FROM = 0.7
REDIRECTS = (301, 302, 303, 307, 308)
LOG = ("src", "source", "format")


def polling_pairs(seen: Seen) -> list[Channel]:
    """One row per client and two hosts, each contact with the second of which follows one with the first.

    The two are counted as one poll; pages of people do the same without a rhythm and make no row. Strength is the
    score of the rhythm. Status codes, where they are logged, tell whether the first was a redirect.
    """
    often = seen.volumes.filter(seen.volumes.source.isin(("http", "tls")), seen.volumes.times >= MIN_POLLS)
    several = often.group_by(*LOG).agg(hosts=often.count())
    often = often.semi_join(several.filter(several.hosts > 1), list(LOG)).select(*LOG, "dst")
    wire = seen.events.semi_join(often, [*LOG, "dst"]).select(*seen.events.columns)
    found = {}
    candidates = rows(_following(wire))
    times = _times(seen, wire, candidates)
    for row in sorted(candidates, key=lambda one: (one["polls"], *(one[name] for name in LOG))):
        polls = times[tuple(row[name] for name in (*LOG, "first"))]
        pace = rhythm.score(np.array(polls["times"]))
        if pace is not None and pace.score >= RHYTHM_FROM:
            found[row["src"], row["first"], row["second"]] = _channel(row, polls, pace)
    clients = Counter((first, second) for _, first, second in found)
    of_few = (replace(one, clients=clients[one.dsts[0], one.dsts[1]]) for one in found.values())
    ranked = strongest(one for one in of_few if not seen.is_habit(one.clients))
    firsts = cited(wire, ((one.src, one.dst, one.source) for one in ranked), ("src", "dst", "source"))
    return [replace(one, refs=firsts[one.src, one.dst, one.source]) for one in ranked]


def _following(wire: ir.Table) -> ir.Table:
    """(client, log, first host, second host) of which nearly every contact of both stands beside the other."""
    order = [wire.time, wire.evidence_id, wire.record_no]
    window = {"group_by": list(LOG), "order_by": order}
    steps = wire.select(
        *LOG,
        first=wire.dst.lag().over(**window),
        second=wire.dst,
        pause=wire.at - wire.at.lag().over(**window),
    )
    steps = steps.filter(steps.first != steps.second, steps.pause <= FOLLOWS_S)
    pairs = steps.group_by(*LOG, "first", "second").agg(polls=steps.count())
    pairs = pairs.filter(pairs.polls >= MIN_POLLS)
    counts = wire.group_by(*LOG, "dst").agg(times=wire.count())
    left = counts.rename(first="dst", first_times="times")
    right = counts.rename(second="dst", second_times="times")
    pairs = pairs.inner_join(left, [*LOG, "first"]).inner_join(right, [*LOG, "second"])
    return pairs.filter(
        pairs.polls >= TOGETHER * pairs.first_times,
        pairs.polls >= TOGETHER * pairs.second_times,
    )


def _times(seen: Seen, wire: ir.Table, candidates: list[Row]) -> dict[tuple[str, ...], Row]:
    """Times, bytes and redirects of the contacts with the first hosts."""
    if not candidates:
        return {}
    mine = chosen(wire, ((*(row[name] for name in LOG), row["first"]) for row in candidates), (*LOG, "dst"))
    http = seen.tables.http_activity.select("evidence_id", "record_no", code="http_response_code")
    answered = mine.left_join(http, ["evidence_id", "record_no"])
    grouped = answered.group_by(*LOG, "dst").agg(
        times=answered.at.collect(),
        redirects=answered.code.isin(REDIRECTS).sum(),
        answers=answered.code.count(),
        bytes_out=answered.bytes_out.sum(),
        bytes_in=answered.bytes_in.sum(),
    )
    return {tuple(row[name] for name in (*LOG, "dst")): row for row in rows(grouped)}


def _channel(row: Row, polls: Row, pace: rhythm.Rhythm) -> Channel:
    src, first, second = row["src"], row["first"], row["second"]
    if polls["answers"]:
        redirects = f"{polls['redirects'] or 0:,} of {polls['answers']:,} answers of the first are redirects"
    else:
        redirects = "whether the first redirects is not in the records"
    return Channel(
        kind="polling_pairs",
        src=src,
        dst=first,
        dsts=(first, second),
        sentence=(
            f"{src} called {told(first)} and then {told(second)} within {FOLLOWS_S} s, {row['polls']:,} times "
            f"({row['source']}); {redirects}. Counted as one poll: {pace.reason}"
        ),
        strength=pace.score,
        clients=1,
        source=row["source"],
        first_seen=moment(min(polls["times"])),
        last_seen=moment(max(polls["times"])),
        connections=row["polls"],
        bytes_out=polls["bytes_out"],
        bytes_in=polls["bytes_in"],
        period_s=pace.period_s,
        score=pace.score,
    )
