"""The verbs of the notebooks: each does one step, keeps its result in the case, and shows itself.

Every verb takes the case first and gives a `View`: words, tables, pictures, and `.data` for the next cell.
A verb computes what it needs, so each notebook also runs alone; what is there already is taken as it is.
"""

from __future__ import annotations

from playbooks.guide.arguing import argument, containment
from playbooks.guide.cloud import chains, cloud, function_egress, functions, identities, role_activity
from playbooks.guide.cloud_state import code_changes, logging_state, own_endpoints, rights
from playbooks.guide.comparing import diff
from playbooks.guide.covering import blind_spots, clocks, coverage, deciding_fields, fields
from playbooks.guide.decide_form import decide_form
from playbooks.guide.deciding import decide, decisions, findings, links, report
from playbooks.guide.exporting import export
from playbooks.guide.keeping import acquire_aws, acquire_capture, acquire_lake, acquire_query, acquire_taxii, verify
from playbooks.guide.looking import (
    add,
    checklist,
    custody,
    evidence,
    normalise,
    require_intact,
    show,
    unread,
)
from playbooks.guide.lookups import lookup, lookup_plan
from playbooks.guide.opened import open_case
from playbooks.guide.owning import addresses, draft_inventory, enrich_value, names, review_allow_list
from playbooks.guide.querying import queries
from playbooks.guide.related import lifecycle, scope
from playbooks.guide.results import QUESTIONS
from playbooks.guide.scoping import (
    channels,
    checkins,
    egress,
    enrich,
    intelligence,
    questions,
    records,
)
from playbooks.guide.sigma import sigma

__all__ = [
    "QUESTIONS",
    "acquire_aws",
    "acquire_capture",
    "acquire_lake",
    "acquire_query",
    "acquire_taxii",
    "add",
    "addresses",
    "argument",
    "blind_spots",
    "chains",
    "channels",
    "checkins",
    "checklist",
    "clocks",
    "cloud",
    "code_changes",
    "containment",
    "coverage",
    "custody",
    "decide",
    "decide_form",
    "deciding_fields",
    "decisions",
    "diff",
    "draft_inventory",
    "egress",
    "enrich",
    "enrich_value",
    "evidence",
    "export",
    "fields",
    "findings",
    "function_egress",
    "functions",
    "identities",
    "intelligence",
    "lifecycle",
    "links",
    "logging_state",
    "lookup",
    "lookup_plan",
    "names",
    "normalise",
    "open_case",
    "own_endpoints",
    "queries",
    "questions",
    "records",
    "report",
    "require_intact",
    "review_allow_list",
    "rights",
    "role_activity",
    "scope",
    "show",
    "sigma",
    "unread",
    "verify",
]


def __dir__() -> list[str]:
    """The verbs alone: what the tab key lists."""
    return list(__all__)
