"""Channels that show in volume: much that leaves, or much that arrives first and little after."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from playbooks.scoping.channel import Channel, Row, Seen, chosen, cited, counted, of_pair, rows, size, step, strongest
from playbooks.scoping.rhythm import duration

# Sending
UPLOADED = (10e6, 25e6, 100e6, 1e9)  # bytes out; RITA calls 25 MB a transfer of its own worth
UPLOAD_RATIO = 5  # sent over received: people receive, and a call with video is even
ONE_WAY_WEIGH = 0.5  # logs of one direction a record cannot tell an upload from a call
UPLOAD_OUTLIER = 0.99  # of the pairs of the estate: only the largest senders
PAIRS_TO_TELL = 100  # below, a quantile of the estate says nothing
# Arriving
FIRST_MINUTES = 10  # a stage and its tools come down at once
STAGE_BYTES = 100_000  # small stages of public tools are 200 kB; a page of text is less than this
STAGE_SHARE = 0.8  # of all that ever arrived
AFTER_CONTACTS = 12  # what follows is a habit
AFTER_MINUTES = 30
AFTER_SMALL = 0.02  # mean bytes of a later contact, as a share of the stage
BURST_STRENGTH = 0.4  # an application in a browser loads itself the same way, once, and polls


def upload_asymmetry(seen: Seen) -> list[Channel]:
    """Pairs that send far more than they receive, and more than nearly all other pairs of the estate.

    Strength: .2 at 10 MB sent, .4 at 25 MB, .6 at 100 MB, .8 from 1 GB on; half where no record counts what came back.
    """
    pairs = seen.volumes
    sent = pairs.filter(pairs.bytes_out >= UPLOADED[0], pairs.bytes_out >= UPLOAD_RATIO * pairs.bytes_in.fill_null(0))
    large = rows(sent)
    edge = _outlier(pairs) if large else 0.0
    found = [row for row in large if row["bytes_out"] >= edge]
    clients: dict[str, int] = {}
    for dst, _ in {(row["dst"], row["src"]) for row in found}:
        clients[dst] = clients.get(dst, 0) + 1
    best: dict[tuple[str, str], Row] = {}
    for row in sorted(found, key=lambda one: (one["bytes_out"], one["source"], one["format"])):
        if not seen.is_habit(clients[row["dst"]]):
            best[row["src"], row["dst"]] = row  # the log that saw most
    hours = _hours(seen, best)
    ranked = strongest(_upload(row, hours[key], clients[row["dst"]]) for key, row in best.items())
    return _with_records(seen, ranked)


def _outlier(pairs: ir.Table) -> float:
    counted_pairs = pairs.filter(pairs.bytes_out.notnull())
    told = counted_pairs.agg(n=counted_pairs.count(), edge=counted_pairs.bytes_out.quantile(UPLOAD_OUTLIER))
    [row] = rows(told)
    return float(row["edge"]) if row["n"] >= PAIRS_TO_TELL else 0.0


def _hours(seen: Seen, best: dict[tuple[str, str], Row]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """(hour of the day in UTC, bytes sent) of each pair, in the log that saw most; the most first."""
    if not best:
        return {}
    mine = chosen(seen.events, best, ("src", "dst"))
    hourly = mine.group_by("src", "dst", "source", "format", hour=mine.time.hour()).agg(sent=mine.bytes_out.sum())
    found: dict[tuple[str, str], list[tuple[int, int]]] = {key: [] for key in best}
    for row in rows(hourly.order_by("src", "dst", "hour")):
        key = row["src"], row["dst"]
        if (row["source"], row["format"]) == (best[key]["source"], best[key]["format"]) and row["sent"]:
            found[key].append((row["hour"], row["sent"]))
    return {key: sorted(several, key=lambda one: -one[1]) for key, several in found.items()}


def _upload(row: Row, hours: list[tuple[int, int]], clients: int) -> Channel:
    most = sum(sent for _, sent in hours[:3]) / row["bytes_out"]
    when = ", ".join(f"{hour:02d}" for hour in sorted(hour for hour, _ in hours[:3]))
    strength = step(row["bytes_out"], UPLOADED) * (ONE_WAY_WEIGH if row["bytes_in"] is None else 1.0)
    sentence = (
        f"{row['src']} sent {size(row['bytes_out'])} to {row['dst']}, {_against(row)}, in "
        f"{counted(row['times'], 'contact')} over {duration(row['last'] - row['first'])}; "
        f"{most:.0%} of it in the hours {when} UTC."
    )
    return of_pair("upload_asymmetry", row, sentence, strength, clients)


def _against(row: Row) -> str:
    """What was sent against what came back."""
    if row["bytes_in"] is None:
        return "what came back is not in the same record"
    return (
        f"{row['bytes_out'] / row['bytes_in']:,.0f} times what it received" if row["bytes_in"] else "nothing came back"
    )


def first_contact_burst(seen: Seen, contacts: ir.Table) -> list[Channel]:
    """Pairs that begin with a download to a destination rare in the estate, and go on with small contacts.

    `contacts` are those of the whole evidence: what was there before the window is no first contact. Strength
    is `BURST_STRENGTH`: it supports another signal and leads nowhere alone.
    """
    pairs = seen.volumes
    able = pairs.filter(
        pairs.bytes_in >= STAGE_BYTES,
        pairs.times > AFTER_CONTACTS,
        pairs.last - pairs.first >= AFTER_MINUTES * 60,
    )
    able = able.inner_join(seen.rare, "dst")
    events = seen.events.select("src", "dst", "source", "format", "at", "bytes_in")
    mine = events.inner_join(able.drop("bytes_in"), ["src", "dst", "source", "format"])
    early = mine.at < mine.first + FIRST_MINUTES * 60
    keys = ["src", "dst", "source", "format", "times", "first", "last", "clients", "bytes_out"]
    grouped = mine.group_by(*keys).agg(
        stage=ibis.ifelse(early, mine.bytes_in, 0).sum(), bytes_in=mine.bytes_in.sum(), early=early.sum()
    )
    after = grouped.times - grouped.early
    later = (grouped.bytes_in - grouped.stage) / ibis.greatest(after, 1)
    staged = (grouped.stage >= STAGE_BYTES) & (grouped.stage >= STAGE_SHARE * grouped.bytes_in)
    found = rows(grouped.filter(staged, after >= AFTER_CONTACTS, later <= AFTER_SMALL * grouped.stage))
    known = _known_before(seen, contacts, found)
    best = {(row["src"], row["dst"]): row for row in sorted(found, key=lambda one: (one["times"], one["source"]))}
    ranked = strongest(_burst(row) for key, row in best.items() if key[1] not in known)
    return _with_records(seen, ranked)


def _known_before(seen: Seen, contacts: ir.Table, found: list[Row]) -> set[str]:
    window = seen.config.window
    if window is None or not found:
        return set()
    before = contacts.filter(contacts.time < ibis.literal(window.start, type="timestamp('UTC')"))
    named = chosen(before, ((row["dst"],) for row in found), ("dst",))
    return {row["dst"] for row in rows(named.select("dst").distinct())}


def _burst(row: Row) -> Channel:
    after = row["times"] - row["early"]
    later = (row["bytes_in"] - row["stage"]) / max(after, 1)
    sentence = (
        f"{row['src']} received {size(row['stage'])} in the first {FIRST_MINUTES} minutes with {row['dst']} "
        f"({row['stage'] / row['bytes_in']:.0%} of all), then {size(later)} a contact in {after:,} further ones "
        f"over {duration(row['last'] - row['first'])}."
    )
    return of_pair("first_contact_burst", row, sentence, BURST_STRENGTH, row["clients"])


def _with_records(seen: Seen, channels: list[Channel]) -> list[Channel]:
    refs = cited(seen.events, ((one.src, one.dst) for one in channels), ("src", "dst"))
    return [replace(one, refs=refs[one.src, one.dst]) for one in channels]
