"""Where a name ends that somebody registered: by the public suffix list, as it was when the kit was pinned.

Suffixes that operators of platforms entered count too, so two customers of one platform are two names. The
list comes with tldextract; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tldextract


@cache
def _list() -> tldextract.TLDExtract:
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def registrable(name: str) -> str:
    """The domain of `name` that somebody registered; the name itself where there is none (an address, a suffix)."""
    return _list()(name).top_domain_under_public_suffix or name


def is_public_suffix(name: str) -> bool:
    """Whether everybody registers names below `name`: a suffix of a registry, or of an operator of a platform."""
    found = _list()(name)
    return not found.domain and found.suffix == name


def suffixes_below(ends: Iterable[str]) -> dict[str, int]:
    """Name → labels of the public suffix that ends in it, of suffixes that end in one of `ends` (two labels each).

    `co.uk` has 2; below `run.app` every further label is part of the suffix, so it has 3. Exceptions from such
    wildcards are left out.
    """
    wanted = set(ends)
    found: dict[str, int] = {}
    for rule in (rule for rule in _list().tlds if not rule.startswith("!")):
        name = rule.removeprefix("*.")
        if "." in name and ".".join(name.rsplit(".", 2)[-2:]) in wanted:
            found[name] = max(found.get(name, 0), rule.count(".") + 1)
    return found


def has_public_suffix(name: str) -> bool:
    """Whether a name ends in a suffix of the list: other names are of a network of somebody's own."""
    return bool(_list()(name).suffix)
