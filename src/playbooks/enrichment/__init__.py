"""Facts from outside the logs: whose a destination is, and what intelligence says of it."""

from playbooks.enrichment.draft_inventory import draft_inventory
from playbooks.enrichment.intelligence import EXPIRED, NOT_YET, TOO_BROAD, UNVETTED, VALID, intelligence
from playbooks.enrichment.ownership import APPROVED, EXTERNAL, MODIFIED, UNAPPROVED, UNKNOWN, with_ownership

__all__ = [
    "APPROVED",
    "EXPIRED",
    "EXTERNAL",
    "MODIFIED",
    "NOT_YET",
    "TOO_BROAD",
    "UNAPPROVED",
    "UNKNOWN",
    "UNVETTED",
    "VALID",
    "draft_inventory",
    "intelligence",
    "with_ownership",
]
