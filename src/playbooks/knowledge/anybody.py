"""Names that nobody chose: a pattern that fits one of them accepts every customer of a service."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from playbooks.knowledge.catalogue import load_catalogue

ANY_TENANT = "any-tenant-0"  # a label that nobody chose: what fits it fits everybody


@cache
def names_of_nobody() -> tuple[str, ...]:
    """A made-up customer of each service, and a made-up name outside them."""
    catalogue = load_catalogue()
    ends = {suffix for one in catalogue.entries for rule in one.hosts if rule.tenant for suffix in rule.suffixes}
    names = [f"{ANY_TENANT}{end}" if end.startswith(".") else f"{ANY_TENANT}.{end}" for end in sorted(ends)]
    return (*names, f"{ANY_TENANT}.example")


def fits_anybody(pattern: str) -> bool:
    """Whether a pattern of host names (with `*`) fits a customer that nobody is."""
    return any(fnmatchcase(name, pattern.lower()) for name in names_of_nobody())
