"""Channels that stay open: one connection for hours, or one that is opened again whenever it is cut."""

from __future__ import annotations

from dataclasses import replace

import ibis.expr.types as ir

from playbooks.scoping.channel import (
    HOURS,
    Channel,
    Row,
    Seen,
    chosen,
    cited,
    counted,
    of_pair,
    rows,
    size,
    step,
    strongest,
)
from playbooks.scoping.rhythm import duration

# A person's keep-alive is cut by the browser after five idle minutes; API gateways and functions cut theirs
# after 10 to 60 minutes, so a tunnel through them is made of pieces longer than that, reopened at once.
PIECE_MINUTES = 5
HELD_HOURS = 1  # RITA's lowest step: pages, calls between services and most downloads are over by then
HELD_SHARE = 0.5  # of the time from the first piece to the end of the last: it is there more often than not
# A stream or download brings much and sends nothing; no film runs for eight hours.
STREAM_BYTES, STREAM_RATIO, STREAM_HOURS = 50_000_000, 20, 8
UPGRADE_ONLY = 0.2  # strength of a WebSocket of unknown length: chat and live pages of people use them daily
SWITCHING_PROTOCOLS = 101


def held_open(seen: Seen) -> list[Channel]:
    """Long connections and tunnels.

    `long_connection`: one connection of an hour or more; several partial records of one connection (by its id)
    are one, the longest counts. `tunnel`: no single one is that long, but pieces of at least `PIECE_MINUTES`
    cover an hour and half of the time, or the connection was upgraded to a WebSocket. Strength is RITA's: .2 at
    1 h, .4 at 4 h, .6 at 8 h, .8 from 12 h on.
    """
    sockets = _web_sockets(seen)
    found = [row for row in _pieces(seen) if _stays(row, sockets)]
    known = {(row["src"], row["dst"]) for row in found}
    alone = [row for key, row in sockets.items() if key not in known]
    shared = _sharing([*found, *alone])
    found = [row for row in found if not seen.is_habit(shared[row["dst"]])]
    alone = [row for row in alone if not seen.is_habit(shared[row["dst"]])]
    short = _short_ones(seen, found)
    channels = [_held(row, short.get((row["src"], row["dst"])), sockets, shared[row["dst"]]) for row in found]
    channels += [_upgraded(row, shared[row["dst"]]) for row in alone]
    return _with_records(seen, strongest(channels))


def _pieces(seen: Seen) -> list[Row]:
    """One row per pair with a connection of at least `PIECE_MINUTES`."""
    lasting = _lasting(seen.events)
    key = lasting.uid.fill_null(lasting.evidence_id + ":" + lasting.record_no.cast("string"))
    one = lasting.group_by("src", "dst", key=key).agg(
        start=lasting.at.min(),
        seconds=lasting.duration_ms.max() / 1000,
        bytes_out=lasting.bytes_out.max(),
        bytes_in=lasting.bytes_in.max(),
        source=lasting.source.max(),
    )
    pairs = one.group_by("src", "dst").agg(
        pieces=one.count(),
        longest=one.seconds.max(),
        held=one.seconds.sum(),
        first=one.start.min(),
        last=(one.start + one.seconds).max(),
        bytes_out=one.bytes_out.sum(),
        bytes_in=one.bytes_in.sum(),
        source=one.source.max(),
    )
    return rows(pairs.filter(pairs.held >= HELD_HOURS * 3600))


def _stays(row: Row, sockets: dict[tuple[str, str], Row]) -> bool:
    into, out = row["bytes_in"] or 0, row["bytes_out"] or 0
    if into >= STREAM_BYTES and into >= STREAM_RATIO * out and row["longest"] < STREAM_HOURS * 3600:
        return False
    one = row["longest"] >= HELD_HOURS * 3600 or (row["src"], row["dst"]) in sockets
    return one or row["held"] >= HELD_SHARE * (row["last"] - row["first"])


def _web_sockets(seen: Seen) -> dict[tuple[str, str], Row]:
    """Pairs whose requests were answered with 101 Switching Protocols."""
    http, events = seen.tables.http_activity, seen.events
    upgrades = http.filter(http.http_response_code == SWITCHING_PROTOCOLS).select("evidence_id", "record_no")
    mine = events.semi_join(upgrades, ["evidence_id", "record_no"])
    pairs = mine.group_by("src", "dst").agg(
        upgrades=mine.count(),
        first=mine.at.min(),
        last=mine.at.max(),
        bytes_out=mine.bytes_out.sum(),
        bytes_in=mine.bytes_in.sum(),
    )
    return {(row["src"], row["dst"]): row for row in rows(pairs)}


def _sharing(found: list[Row]) -> dict[str, int]:
    """Destination → clients that hold it open."""
    clients: dict[str, set[str]] = {}
    for row in found:
        clients.setdefault(row["dst"], set()).add(row["src"])
    return {dst: len(several) for dst, several in clients.items()}


def _short_ones(seen: Seen, found: list[Row]) -> dict[tuple[str, str], Row]:
    """The pair's own shorter connections, to compare with."""
    if not found:
        return {}
    mine = chosen(seen.events, ((row["src"], row["dst"]) for row in found), ("src", "dst"))
    mine = mine.filter(mine.source != "dns", mine.duration_ms < PIECE_MINUTES * 60_000)
    by_log = mine.group_by("src", "dst", "source", "format").agg(times=mine.count(), mean=mine.duration_ms.mean())
    listed = rows(by_log.order_by("src", "dst", "times", "source", "format"))
    return {(row["src"], row["dst"]): row for row in listed}  # the log that saw most stands last


def _held(row: Row, short: Row | None, sockets: dict[tuple[str, str], Row], clients: int) -> Channel:
    socket = sockets.get((row["src"], row["dst"]))
    one = row["longest"] >= HELD_HOURS * 3600 and socket is None
    many = counted(row["pieces"], "connection")
    if one:
        words = f"{row['src']} held a connection to {row['dst']} open for {duration(row['longest'])}"
        words += f", the longest of {many} of {PIECE_MINUTES} min or more" if row["pieces"] > 1 else ""
    else:
        words = f"{row['src']} held {row['dst']} open for {duration(row['held'])} in {many}"
        words += f" over {duration(row['last'] - row['first'])}, the longest {duration(row['longest'])}"
    words += f"; {counted(socket['upgrades'], 'upgrade')} to a WebSocket (status 101)" if socket else ""
    words += f"; {size(row['bytes_out'])} out, {size(row['bytes_in'])} in"
    words += f"; beside {short['times']:,} shorter ones of {short['mean'] / 1000:.1f} s on average" if short else ""
    hours = (row["longest"] if one else row["held"]) / 3600
    kind = "long_connection" if one else "tunnel"
    return of_pair(kind, row, f"{words}.", step(hours, HOURS), clients, connections=row["pieces"])


def _upgraded(row: Row, clients: int) -> Channel:
    words = (
        f"{row['src']} upgraded {counted(row['upgrades'], 'connection')} to {row['dst']} to a WebSocket (status 101)"
    )
    sentence = f"{words}; how long it stayed open is not in the records, or under {HELD_HOURS} h."
    return of_pair("tunnel", row, sentence, UPGRADE_ONLY, clients, source="http", connections=row["upgrades"])


def _with_records(seen: Seen, channels: list[Channel]) -> list[Channel]:
    """Cite the lasting connections; where there are none, the requests that were upgraded."""
    keys = {(one.src, one.dst) for one in channels}
    lasting = cited(_lasting(seen.events), keys, ("src", "dst"))
    http = seen.tables.http_activity
    upgrades = http.filter(http.http_response_code == SWITCHING_PROTOCOLS).select("evidence_id", "record_no")
    others = keys - set(lasting)
    sockets = cited(seen.events.semi_join(upgrades, ["evidence_id", "record_no"]), others, ("src", "dst"))
    refs = {**sockets, **lasting}
    return [replace(one, refs=refs.get((one.src, one.dst), ())) for one in channels]


def _lasting(events: ir.Table) -> ir.Table:
    return events.filter(events.source != "dns", events.duration_ms >= PIECE_MINUTES * 60_000)
