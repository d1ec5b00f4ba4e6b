"""The client behind a proxy that the house trusts: X-Forwarded-For, read from its end.

Anybody can write the header. Each proxy appends whom it served, so only what a trusted proxy appended counts: the
last address of the chain that is no trusted proxy. Where that is none of ours, or no address, the logged client stays:
a header never makes a record disappear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from playbooks.case import CaseFile
from playbooks.scoping.addresses import Ranges, parse

LONGEST_CHAIN = 1024  # characters from its end: the addresses of two dozen proxies
PORT = re.compile(r"^(?:\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+)$")  # [2001:db8::1]:4711, 10.0.0.7:4711


def with_clients(http: ir.Table, case: CaseFile) -> ir.Table:
    """`http_activity` with the client behind a trusted proxy as source, and the proxy as `proxy_endpoint_ip`."""
    trusted = Ranges(case.estate.trusted_proxies)
    if not case.estate.trusted_proxies:
        return http
    sources = _texts(http.select(text=http.src_endpoint_ip).distinct())
    proxies = [text for text in sources if (address := parse(text)) is not None and address in trusted]
    if not proxies:
        return http
    served = _clients(http.filter(http.src_endpoint_ip.isin(proxies)), case)
    tail = http.http_request_x_forwarded_for.right(LONGEST_CHAIN)
    joined = http.mutate(tail=tail).left_join(served, ["tail"])
    by_proxy = joined.src_endpoint_ip.isin(proxies).fill_null(False)
    through = ibis.ifelse(by_proxy, joined.src_endpoint_ip, ibis.null("string"))
    source = ibis.ifelse(by_proxy & joined.client.notnull(), joined.client, joined.src_endpoint_ip)
    found = joined.mutate(src_endpoint_ip=source, proxy_endpoint_ip=joined.proxy_endpoint_ip.fill_null(through))
    return found.select(*http.columns)


def _clients(rows: ir.Table, case: CaseFile) -> ir.Table:
    """(tail of the chain, client behind it), where there is one of ours."""
    trusted, internal = Ranges(case.estate.trusted_proxies), Ranges(case.estate.internal_ranges)
    chains = _texts(rows.select(text=rows.http_request_x_forwarded_for.right(LONGEST_CHAIN)).distinct())
    found = {chain: client for chain in chains if (client := last_untrusted(chain, trusted, internal)) is not None}
    schema = pa.schema([("tail", pa.string()), ("client", pa.string())])
    return ibis.memtable(pa.table([list(found), list(found.values())], schema=schema))


def _texts(rows: ir.Table) -> Iterable[str]:
    return [text for text in rows.to_pyarrow()["text"].to_pylist() if text is not None]


def last_untrusted(chain: str, trusted: Ranges, internal: Ranges) -> str | None:
    """The last address of a chain that is no trusted proxy; null where it is none of ours or cannot be read."""
    for text in reversed(chain.split(",")):
        bare = PORT.fullmatch(text.strip())
        address = parse((bare[1] or bare[2]) if bare else text.strip())
        if address is None:
            return None
        if address not in trusted:
            return str(address) if address in internal else None
    return None
