"""Facts from outside the logs: whose a destination is, and what intelligence says of it."""

from playbooks.enrichment.comparable import compared
from playbooks.enrichment.draft_inventory import draft_inventory
from playbooks.enrichment.intelligence import intelligence
from playbooks.enrichment.lookup_plan import lookup_plan
from playbooks.enrichment.ownership import APPROVED, EXTERNAL, MODIFIED, UNAPPROVED, UNKNOWN, with_ownership
from playbooks.enrichment.states import CONTEXT, EXPIRED, NOT_COUNTED, NOT_YET, TOO_BROAD, UNVETTED, VALID

__all__ = [
    "APPROVED",
    "CONTEXT",
    "EXPIRED",
    "EXTERNAL",
    "MODIFIED",
    "NOT_COUNTED",
    "NOT_YET",
    "TOO_BROAD",
    "UNAPPROVED",
    "UNKNOWN",
    "UNVETTED",
    "VALID",
    "compared",
    "draft_inventory",
    "intelligence",
    "lookup_plan",
    "with_ownership",
]
