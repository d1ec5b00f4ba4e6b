"""Fronting: the name in the open differs from the name that is asked for behind it, on one connection."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from playbooks.knowledge.public_suffixes import registrable
from playbooks.scoping.channel import Channel, Row, Seen, cited, counted, lookup, of_pair, rows, strongest, told
from playbooks.scoping.dns_naming import ADDRESS_SHAPE
from playbooks.scoping.joins import beside, has_rows

FRONTED = 0.6  # both names in the open on one connection, of two registered domains
# Browsers reuse a connection for another name of the same certificate; several clients doing it is a site's habit
SHARED_WEIGH = 0.3
FEW = 2


def fronting(seen: Seen) -> list[Channel]:
    """One row per client, SNI and host whose registered domains differ on the same connection or record.

    Host is that of the request, or of the CONNECT through which the handshake went. Strength is `FRONTED`, less
    where more than `FEW` clients show the same two names.
    """
    mixed = _mixed(seen)
    pairs = mixed.select("sni", "dst").distinct()
    foreign = [(row["sni"], row["dst"]) for row in rows(pairs) if registrable(row["sni"]) != registrable(row["dst"])]
    if not foreign:
        return []
    names = lookup({"sni": [sni for sni, _ in foreign], "dst": [dst for _, dst in foreign]})
    mine = mixed.semi_join(names, ["sni", "dst"])
    grouped = mine.group_by("src", "sni", "dst").agg(
        times=mine.count(),
        tunnels=mine.tunnel.cast("int64").sum(),
        first=mine.at.min(),
        last=mine.at.max(),
        bytes_out=mine.bytes_out.sum(),
        bytes_in=mine.bytes_in.sum(),
    )
    found = rows(grouped)
    clients: dict[tuple[str, str], set[str]] = {}
    for row in found:
        clients.setdefault((row["sni"], row["dst"]), set()).add(row["src"])
    told_of = [_channel(row, len(clients[row["sni"], row["dst"]])) for row in found]
    ranked = strongest(
        one for one, row in zip(told_of, found, strict=True) if not seen.is_habit(len(clients[row["sni"], row["dst"]]))
    )
    by = ("src", "sni", "dst")
    refs = cited(mine, ((one.src, one.dsts[1], one.dst) for one in ranked), by)
    return [replace(one, refs=refs[one.src, one.dsts[1], one.dst]) for one in ranked]


def _mixed(seen: Seen) -> ir.Table:
    """Requests with the SNI of their connection, where it is another name."""
    http, network, events = seen.tables.http_activity, seen.tables.network_activity, seen.events
    shaken = network.filter(network.tls_sni.notnull(), network.metadata_uid.notnull())
    shakes = shaken.group_by(by_src="src_endpoint_ip", by_uid="metadata_uid").agg(inner=shaken.tls_sni.lower().min())
    telling = http.tls_sni.notnull()
    if has_rows(shaken):  # else a proxy's log would be joined to itself to learn how names were asked for that are none
        telling |= http.http_request_http_method.upper() == "CONNECT"
    own = http.filter(telling).select(
        of_item="evidence_id", of_record="record_no", method="http_request_http_method", own="tls_sni"
    )
    asked = events.filter(events.source == "http", events.dst_name.notnull())
    asked = beside(asked, own, [asked.evidence_id == own.of_item, asked.record_no == own.of_record])
    asked = beside(asked, shakes, [asked.src == shakes.by_src, asked.uid == shakes.by_uid], shaken)
    sni = asked.own.lower().fill_null(asked.inner).re_replace(r"\.$", "")
    mixed = asked.select(
        *("src", "time", "at", "evidence_id", "record_no", "bytes_out", "bytes_in"),
        dst=asked.dst_name,
        sni=sni,
        tunnel=(asked.method.upper() == "CONNECT").fill_null(ibis.literal(False)),
    )
    named = mixed.sni.contains(".") & ~mixed.sni.re_search(ADDRESS_SHAPE)
    return mixed.filter(mixed.sni.notnull(), named, mixed.sni != mixed.dst)


def _channel(row: Row, clients: int) -> Channel:
    src, sni, dst = row["src"], row["sni"], row["dst"]
    if row["tunnels"]:
        words = f"{src} asked a proxy for {told(dst)} and spoke TLS for {told(sni)} inside"
    else:
        words = f"{src} opened TLS for {told(sni)} and asked for {told(dst)} inside"
    others = f"; {clients} clients show the same two names, as a site does whose names share a certificate"
    sentence = f"{words}, in {counted(row['times'], 'request')}{others if clients > 1 else ''}."
    strength = FRONTED * (SHARED_WEIGH if clients > FEW else 1.0)
    return of_pair("fronting", row, sentence, strength, clients, dsts=(dst, sni), source="http")
