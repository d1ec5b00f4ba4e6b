"""Which addresses are ours, which lead out, and which never leave a link.

Range checks are done here on distinct addresses, with `ipaddress`, and joined back: no engine's own
address functions are needed, and IPv4 and IPv6 obey the same rule.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

INTERNAL, EXTERNAL, LINK_ONLY = "internal", "external", "link"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Ranges = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def parse(text: str) -> Address | None:
    """The address in `text`, IPv4 inside IPv6 unwrapped and a zone (`%eth0`) dropped; null when it is none."""
    try:
        found = ipaddress.IPv6Address(text.partition("%")[0]) if ":" in text else ipaddress.IPv4Address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def place(text: str, internal: Ranges) -> str | None:
    """`internal`, `external` or `link` (multicast, link-local, loopback, unspecified); null for no address.

    Documentation and other special ranges count as external: only what cannot leave a link is set aside.
    """
    address = parse(text)
    if address is None:
        return None
    if any(address in network for network in internal):
        return INTERNAL
    stays = address.is_multicast or address.is_link_local or address.is_loopback or address.is_unspecified
    return LINK_ONLY if stays or address == BROADCAST else EXTERNAL


def not_external(addresses: Iterable[str], ranges: Iterable[str]) -> dict[str, str]:
    """Address → place for those that do not lead out: few, so they are cheap to join back."""
    internal = [ipaddress.ip_network(text) for text in ranges]
    places = ((text, place(text, internal)) for text in addresses)
    return {text: where for text, where in places if where in (INTERNAL, LINK_ONLY)}
