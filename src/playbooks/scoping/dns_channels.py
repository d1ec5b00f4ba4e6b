"""Channels inside DNS: one client asks for many names below one registered domain, and hardly for one twice."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from playbooks.knowledge.public_suffixes import suffixes_below
from playbooks.scoping import rhythm
from playbooks.scoping.addresses import INTERNAL, not_external
from playbooks.scoping.channel import (
    Channel,
    Row,
    Seen,
    chosen,
    cited,
    lookup,
    moment,
    rows,
    step,
    strongest,
    told,
    whole_seconds,
)
from playbooks.scoping.egress_events import within

NAMES = (100, 500, 800, 1000)  # RITA's steps: distinct subdomains of a registered domain
SLOW_NAMES, SLOW_SCORE = 30, 0.7  # a slow channel: few names, each new, asked in a rhythm
SLOW_STRENGTH = 0.4
ASKED_ONCE = 0.3  # distinct names a query: A and AAAA, a retry and a second resolver ask for the same one
DATA_LENGTH = 16  # characters a name carries: below, it is a counter or host name and brings out 10 bytes at most
DATA_TYPES = ("TXT", "NULL", "CNAME", "MX", "SRV", "KEY", "PRIVATE", "ANY")  # answers that can carry data back
DATA_TYPE_SHARE = 0.5
CONTACTED_SHARE = 0.1  # names that are really connected to belong to a web site or CDN
SHORT_NAMES_WEIGH, LOOKUP_WEIGH, MANY_CLIENTS_WEIGH = 0.5, 0.25, 0.5
SAMPLE = 200  # names looked at in Python for their letters
TIMES = 20_000  # newest queries whose rhythm is measured
REVERSED_ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}|([0-9a-f]\.){16,}[0-9a-f]")
NOT_PUBLIC = (".local", ".localhost", ".internal", ".arpa", ".localdomain", ".lan")
MAX_CANDIDATES = 200


def dns_channels(seen: Seen) -> list[Channel]:
    """One row per client and registered domain whose names look like a channel.

    A client asks for at least `NAMES[0]` distinct names below one domain (or `SLOW_NAMES` in a rhythm), nearly
    each of them once, and connects to nearly none. Strength is RITA's by the number of names: .2 at 100, .4 at
    500, .6 at 800, .8 from 1000 on; halved for short names of ordinary type and where more clients do it than
    is rare, a quarter for lookups of addresses (block lists).
    """
    queries = _by_domain(_queries(seen))
    candidates = rows(_candidates(queries))
    clients = Counter(row["domain"] for row in candidates)
    candidates = [row for row in candidates if not seen.is_habit(clients[row["domain"]])]
    candidates = sorted(candidates, key=lambda row: (-row["names"], row["src"], row["domain"]))[:MAX_CANDIDATES]
    if not candidates:
        return []
    mine = chosen(queries, ((row["src"], row["domain"]) for row in candidates), ("src", "domain")).cache()
    asked, contacted = _asked(mine), _contacted(seen, mine)
    found = []
    for row in candidates:
        key = row["src"], row["domain"]
        found.append(_channel(row, asked[key], contacted.get(key, 0), clients[row["domain"]], seen))
    ranked = strongest(one for one in found if one is not None)
    refs = cited(mine, ((one.src, one.dst) for one in ranked), ("src", "domain"))
    return [replace(one, refs=refs[one.src, one.dst]) for one in ranked]


def _queries(seen: Seen) -> ir.Table:
    """Queries of our clients in the window for public names, of every type, answered or not."""
    dns = within(seen.tables.dns_activity, seen.config.window)
    src = dns.src_endpoint_ip.fill_null(dns.src_endpoint_hostname)
    asked = dns.select("time", "evidence_id", "record_no", "query_type", src=src, name=dns.query_hostname)
    addresses = dns.filter(dns.src_endpoint_ip.notnull()).select(text=dns.src_endpoint_ip).distinct()
    texts = [row["text"] for row in rows(addresses)]
    places = not_external(texts, seen.config.estate.internal_ranges)
    foreign = sorted(set(texts) - {text for text, place in places.items() if place == INTERNAL})
    return asked.filter(asked.src.notnull(), asked.src.notin(foreign) if foreign else ibis.literal(True))


def _by_domain(asked: ir.Table) -> ir.Table:
    """Queries with the registered domain; names are cut once, and only where enough of them end alike."""
    names = asked.select("name").distinct()
    names = names.filter(names.name.contains("."))
    for suffix in NOT_PUBLIC:
        names = names.filter(~names.name.endswith(suffix))
    names = names.mutate(two=_tail(names.name, 2)).cache()
    busy = names.group_by("two").agg(several=names.count())
    busy = busy.filter(busy.several >= SLOW_NAMES).select("two").cache()
    kept = names.semi_join(busy, "two").select("name", "two", labels=ibis.literal(1, "int64"))  # of the suffix
    rules = suffixes_below(row["two"] for row in rows(busy))
    for depth in sorted({name.count(".") + 1 for name in rules}):
        kept = _with_suffix(kept, {name: long for name, long in rules.items() if name.count(".") + 1 == depth}, depth)
    domain = [(kept.labels == long, _tail(kept.name, long + 1)) for long in sorted({1, *rules.values()})]
    cut = kept.select("name", domain=ibis.cases(*domain, else_=kept.two).nullif("").fill_null(kept.name))
    joined = asked.inner_join(cut.filter(cut.name != cut.domain).cache(), "name")
    return joined.select(*asked.columns, "domain", at=whole_seconds(joined.time))


def _with_suffix(kept: ir.Table, rules: Mapping[str, int], depth: int) -> ir.Table:
    """`labels` raised where the last `depth` labels of the name are listed."""
    listed = lookup({"rule": list(rules), "long": list(rules.values())}, {"long": pa.int64()})
    joined = kept.mutate(tail=_tail(kept.name, depth))
    joined = joined.left_join(listed, joined.tail == listed.rule)
    longest = ibis.greatest(joined.labels, joined.long.fill_null(1))
    return joined.mutate(labels=longest).select(*kept.columns)


def _tail(name: ir.StringValue, labels: int) -> ir.StringValue:
    return name.re_extract(rf"((?:[^.]+\.){{{labels - 1}}}[^.]+)$", 1)


def _candidates(queries: ir.Table) -> ir.Table:
    kind = queries.query_type.upper()
    carried = queries.name.length() - queries.domain.length() - 1
    grouped = queries.group_by("src", "domain").agg(
        names=queries.name.nunique(),
        queries=queries.count(),
        first=queries.at.min(),
        last=queries.at.max(),
        length=carried.mean(),
        longest=carried.max(),
        carrying=kind.isin(DATA_TYPES).sum(),
    )
    return grouped.filter(grouped.names >= SLOW_NAMES, grouped.names >= ASKED_ONCE * grouped.queries)


def _asked(mine: ir.Table) -> dict[tuple[str, str], Row]:
    """A sample of names of each candidate and the newest times of its queries."""
    keys = ("src", "domain")
    sub = mine.name.substr(0, mine.name.length() - mine.domain.length() - 1)
    place = ibis.row_number().over(group_by=keys, order_by=[mine.time.desc(), mine.evidence_id, mine.record_no])
    newest = mine.select(*keys, sub=sub, at=mine.at, place=place)
    newest = newest.filter(newest.place < TIMES)
    lists = newest.group_by(*keys).agg(
        times=newest.at.collect(), subs=ibis.ifelse(newest.place < SAMPLE, newest.sub, ibis.null("string")).collect()
    )
    return {(row["src"], row["domain"]): row for row in rows(lists)}


def _contacted(seen: Seen, mine: ir.Table) -> dict[tuple[str, str], int]:
    """Names of each candidate that the same client then connected to; only where it connects visibly at all."""
    wire = seen.events.filter(seen.events.source != "dns", seen.events.dst_name.notnull())
    reached = wire.select("src", name="dst_name").distinct()
    names = mine.select("src", "domain", "name").distinct().semi_join(reached, ["src", "name"])
    counted = names.group_by("src", "domain").agg(contacted=names.count())
    return {(row["src"], row["domain"]): row["contacted"] for row in rows(counted)}


def _channel(row: Row, asked: Row, contacted: int, clients: int, seen: Seen) -> Channel | None:
    if contacted > CONTACTED_SHARE * row["names"]:
        return None
    pace = rhythm.score(np.array(asked["times"]))
    steady = pace is not None and pace.score >= SLOW_SCORE
    strength = step(row["names"], NAMES)
    if row["names"] >= SLOW_NAMES and steady:
        strength = max(strength, SLOW_STRENGTH)
    subs = [sub for sub in asked["subs"] if sub]
    share = row["carrying"] / row["queries"]
    lookups = sum(bool(REVERSED_ADDRESS.fullmatch(sub)) for sub in subs) >= 0.8 * len(subs)
    if row["length"] < DATA_LENGTH and share < DATA_TYPE_SHARE:
        strength *= SHORT_NAMES_WEIGH
    strength *= LOOKUP_WEIGH if lookups else 1.0
    strength *= 1.0 if seen.is_rare(clients) else MANY_CLIENTS_WEIGH
    if strength == 0:
        return None
    return Channel(
        kind="dns_channel",
        src=row["src"],
        dst=row["domain"],
        dsts=(row["domain"],),
        sentence=_sentence(row, subs, share, pace, lookups, clients),
        strength=round(strength, 3),
        clients=clients,
        source="dns",
        first_seen=moment(row["first"]),
        last_seen=moment(row["last"]),
        connections=row["queries"],
        period_s=pace.period_s if steady and pace else None,
        score=pace.score if pace else None,
    )


def _sentence(row: Row, subs: list[str], share: float, pace: rhythm.Rhythm | None, lookups: bool, clients: int) -> str:
    names, spent = row["names"], max(row["last"] - row["first"], 1)
    words = [
        f"{row['src']} asked for {names:,} distinct names below {told(row['domain'])} in {row['queries']:,} queries "
        f"over {rhythm.duration(spent)}; below the domain they carry {row['length']:.0f} characters on average "
        f"({row['longest']} at most, {entropy(''.join(subs)):.1f} bits a character in a sample), "
        f"about {names * row['length'] / 1000:.1f} kB in all; {share:.0%} of the queries are of types that carry "
        "data back (TXT, NULL, CNAME and their like)."
    ]
    if pace is not None and pace.score >= SLOW_SCORE:
        words.append(f"They follow a rhythm: {pace.reason}")
    if lookups:
        words.append("The names are addresses written backwards, as mail servers ask block lists.")
    elif clients > 1:
        words.append(f"{clients} clients do the same: a security product or a CDN would look like this.")
    else:
        words.append("A security product that looks up files or addresses in DNS would look like this.")
    return " ".join(words)


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, bits a character; 0 for no text."""
    counts: Mapping[str, int] = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
