"""Which addresses are ours, which lead out, and which never leave a link.

Range checks are done here on distinct addresses, with `ipaddress`, and joined back: no engine's own
address functions are needed, and IPv4 and IPv6 obey the same rule.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

INTERNAL, EXTERNAL, LINK_ONLY = "internal", "external", "link"
# loopback, link-local, multicast, broadcast, unspecified; documentation and other special ranges lead out
LINK_RANGES = (
    *("0.0.0.0/32", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
    *("::/127", "fe80::/10", "ff00::/8"),
)
OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PLAIN_IPV4 = f"^{OCTET}(?:\\.{OCTET}){{3}}$"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(text: str) -> Address | None:
    """The address in `text`, IPv4 inside IPv6 unwrapped and a zone (`%eth0`) dropped; null when it is none."""
    try:
        if ":" not in text:
            return ipaddress.IPv4Address(text)
        found = ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found


class Ranges:
    """Networks of both families, kept as numbers: evidence holds millions of addresses."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._bounds: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for network in map(ipaddress.ip_network, networks):
            ends = int(network.network_address), int(network.broadcast_address)
            self._bounds[network.version].append(ends)

    def holds(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of these IPv4 addresses lie in a network."""
        found = np.zeros(len(numbers), dtype=np.bool_)
        for low, high in self._bounds[4]:
            found |= (numbers >= low) & (numbers <= high)
        return found

    def __contains__(self, address: Address) -> bool:
        number = int(address)
        return any(low <= number <= high for low, high in self._bounds[address.version])


LINK = Ranges(LINK_RANGES)


def place(text: str, internal: Ranges) -> str | None:
    """`internal`, `external` or `link` (cannot leave its link); null for what is no address."""
    address = parse(text)
    if address is None:
        return None
    if address in internal:
        return INTERNAL
    return LINK_ONLY if address in LINK else EXTERNAL


def not_external(addresses: Iterable[str] | pa.Array, ranges: Iterable[str]) -> dict[str, str]:
    """Address → place for those that do not lead out: few, so they are cheap to join back."""
    texts = addresses if isinstance(addresses, pa.Array) else pa.array(list(addresses), pa.string())
    internal = Ranges(ranges)
    plain = pc.match_substring_regex(texts, PLAIN_IPV4).fill_null(False)
    others = texts.filter(pc.invert(plain)).drop_null()
    found = _plain_places(texts.filter(plain), internal)
    places = ((text, place(text, internal)) for text in others.to_pylist())
    return found | {text: where for text, where in places if where in (INTERNAL, LINK_ONLY)}


def _plain_places(texts: pa.Array, internal: Ranges) -> dict[str, str]:
    """The same for IPv4 addresses, all at once."""
    parts = pc.split_pattern(texts, ".").flatten().cast(pa.int64()).to_numpy(zero_copy_only=False).reshape(-1, 4)
    numbers = parts @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
    ours = internal.holds(numbers)
    link = LINK.holds(numbers) & ~ours
    return {
        text: where
        for mask, where in ((ours, INTERNAL), (link, LINK_ONLY))
        for text in texts.filter(pa.array(mask)).to_pylist()
    }
