"""Which name a client meant by an address: the DNS answers that it received itself, in the hours before."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from playbooks.scoping.joins import beside

ANSWER_HOLDS_HOURS = 24  # longest time an implant or library was seen to keep an answer; most TTLs are minutes
ADDRESS_SHAPE = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f]*:[0-9a-f:.]*)$"


def _answer_segments(dns: ir.Table) -> ir.Table:
    """Spans of time in which a client held an answer: (src, address, from, to, name or null if several).

    The spans of one client and address do not overlap, so a flow finds at most one.
    """
    answers = dns.select("src", "time", name="dst_name", address=dns.answers.unnest())
    answers = answers.filter(answers.address.re_search(ADDRESS_SHAPE))
    spans = _spans(answers)
    begins, stops = (spans.select("src", "address", edge=side) for side in ("since", "until"))
    edges = ibis.union(begins, stops, distinct=True)
    ends = edges.edge.lead().over(group_by=[edges.src, edges.address], order_by=edges.edge)
    cuts = edges.mutate(end=ends)
    cuts = cuts.filter(cuts.end.notnull())
    same = [cuts.src == spans.src, cuts.address == spans.address]
    covering = [*same, spans.since <= cuts.edge, spans.until >= cuts.end]
    covered = cuts.inner_join(spans, covering).select(cuts.src, cuts.address, cuts.edge, cuts.end, spans.name)
    found = covered.group_by("src", "address", "edge", "end").agg(first=covered.name.min(), last=covered.name.max())
    one = ibis.ifelse(found.first == found.last, found.first, ibis.null("string"))
    return found.select(by_src="src", address="address", since="edge", until="end", answered=one)


def _spans(answers: ir.Table) -> ir.Table:
    """Answers of one name closer than `ANSWER_HOLDS_HOURS` together, as one span each."""
    hold = ibis.interval(hours=ANSWER_HOLDS_HOURS)
    keys = ["src", "address", "name"]
    earlier = answers.time.lag().over(group_by=keys, order_by=answers.time)
    opened = answers.mutate(opens=(earlier.isnull() | (earlier + hold < answers.time)).cast("int64"))
    running = opened.opens.sum().over(ibis.cumulative_window(group_by=keys, order_by=opened.time))
    numbered = opened.mutate(span=running)
    return numbered.group_by(*keys, "span").agg(since=numbered.time.min(), until=numbered.time.max() + hold)


def named_by_dns(wire: ir.Table, dns: ir.Table) -> ir.Table:
    """Names what only an address is known of, where one name alone was answered with it before."""
    segments = _answer_segments(dns)
    meets = [
        wire.src == segments.by_src,
        wire.dst_ip == segments.address,
        wire.time >= segments.since,
        wire.time < segments.until,
    ]
    joined = beside(wire, segments, meets, dns)
    naming = ibis.cases(
        (joined.dst_name.notnull(), joined.naming),
        (joined.answered.notnull(), "dns"),
        (joined.address.notnull(), "ambiguous"),
        else_="none",
    )
    return joined.mutate(dst_name=joined.dst_name.fill_null(joined.answered), naming=naming).drop(
        "by_src", "address", "since", "until", "answered"
    )


def internal_names(dns: ir.Table, places: ir.Table) -> ir.Table:
    """Names that were answered with inside addresses and never with an outside one."""
    answers = dns.select(name="dst_name", answer=dns.answers.unnest()).distinct()
    answers = answers.filter(answers.answer.re_search(ADDRESS_SHAPE))
    joined = answers.left_join(places, answers.answer == places.address)
    counted = joined.group_by("name").agg(outside=joined.place.isnull().sum())
    return counted.filter(counted.outside == 0).select("name")
