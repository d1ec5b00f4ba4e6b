"""Which operations end, narrow or restore a log beside AWS: one reader for each cloud or suite.

What is not listed by a reader changes no log that we know of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playbooks.scoping import logging_azure, logging_google, logging_suites
from playbooks.scoping.logging_told import LogRecord, Told

READERS: Mapping[str, Callable[[LogRecord], Told | None]] = {
    "Azure": logging_azure.told,
    "GCP": logging_google.told,
    "Google Workspace": logging_google.workspace,
    "Microsoft 365": logging_suites.office,
    "Cloudflare": logging_suites.cloudflare,
    "GitHub": logging_suites.github,
}
PARTS: Mapping[str, tuple[str, ...]] = {
    "Azure": logging_azure.PARTS,
    "GCP": logging_google.PARTS,
    "Google Workspace": logging_google.RULES,
    "Microsoft 365": logging_suites.OFFICE_PARTS,
    "Cloudflare": logging_suites.CLOUDFLARE_PARTS,
    "GitHub": logging_suites.GITHUB_PARTS,
}
"""Parts, in lower case, of the names of operations or services that a reader may know."""


def elsewhere(provider: str, record: LogRecord) -> Told | None:
    """What a record of another provider than AWS sets; null where it is no change of a log."""
    reader = READERS.get(provider)
    return reader(record) if reader else None
