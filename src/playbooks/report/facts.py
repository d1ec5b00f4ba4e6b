"""Everything the case report draws, in one frozen object; who loads it from a case is not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CloudFacts:
    """What the case report says of our own clouds.

    Attributes
    ----------
    records : int
        Audit records and acquired answers in evidence.
    chains, chain_steps, identities, role_activity, credentials_outside, function_egress : DataFrame
    rights, logging_changes, own_endpoints, code_changes, stale_functions, sigma_matches : DataFrame
        Columns as in the table of the same name in `schema`.
    without_change : DataFrame or None
        Changes that the case's change list does not cover (`scoping.change_list`); None without a list.
    functions_listed : int
        Functions whose last change an acquired answer tells.
    sigma_rules : sequence of mapping
        `title, level, status, matches, records, reason` of each rule.
    untold : mapping
        `chains`, `roles` → sentences on what cannot be answered, and why.
    """

    records: int
    chains: pd.DataFrame
    chain_steps: pd.DataFrame
    identities: pd.DataFrame
    role_activity: pd.DataFrame
    credentials_outside: pd.DataFrame
    function_egress: pd.DataFrame
    rights: pd.DataFrame
    logging_changes: pd.DataFrame
    own_endpoints: pd.DataFrame
    code_changes: pd.DataFrame
    stale_functions: pd.DataFrame
    functions_listed: int
    without_change: pd.DataFrame | None
    sigma_matches: pd.DataFrame
    sigma_rules: Sequence[Mapping[str, Any]]
    untold: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class OwningFacts:
    """Whose things are: rows of `schema.ALLOW_LIST_REVIEW` and `DRAFT_INVENTORY`, and clouds without audit records."""

    review: pd.DataFrame
    draft: pd.DataFrame
    unseen: tuple[str, ...]


@dataclass(frozen=True)
class CaseFacts:
    """What the case report shows.

    Attributes
    ----------
    case_id, title, tlp, analyst : str
        As in `case.yaml`; `tlp` is a TLP 2.0 label ("TLP:AMBER", "amber", …).
    hypotheses : sequence of str
        "A" (external serverless C2), "B" (own serverless abused).
    window, baseline : mapping or None
        `{"start": …, "end": …}`, ISO texts or aware times, UTC.
    estate : mapping
        Internal ranges, own accounts and zones, as the case states them.
    findings, coverage : mapping
        The content of `results/findings.json` and `results/coverage.json`.
    pairs, activity, resources : DataFrame
        Columns as in `schema.EGRESS_PAIRS`, `schema.CLOUD_ACTIVITY`, `schema.RESOURCES`.
    evidence : sequence of mapping
        `evidence_id, name, source, size, sha256, added` of each item.
    custody : mapping
        `entries` (count), `head` (hash of the last entry), `intact` (bool, or None if not checked), `seals`
        (sentences on signatures and time stamps), `acts` (each entry: `no, time, activity, by, of, fingerprint`).
    raw : mapping
        reference (`E003:4118`) → `{"text": record as it stands, "file": name, "sha256": hash of that file}`.
    checkins : DataFrame
        `time, src, dst` of the pair with the clearest rhythm.
    egress_hours : DataFrame
        `hour, dst, service, connections`.
    run : mapping
        `run_id, started, versions, parameters, command`, and `failed`: sentences on steps without an end.
    checklist : mapping
        What to collect next (`collection.checklist`): `words`, and `rows` in order.
    links : DataFrame or None
        Columns as in `schema.LINKS`.
    roles : DataFrame or None
        Columns as in `schema.ROLE_LINKS`.
    related, stages, scope : DataFrame or None
        Columns as in `schema.RELATED_ACTIVITY`, `schema.LIFECYCLE_STAGES`, `schema.SCOPE`.
    scope_notes : sequence of str
        What was not followed when others were looked for.
    cloud : CloudFacts or None
        What happened in our own clouds.
    owning : OwningFacts or None
        Whose things are, and the lists of the house gone over.
    redact_secrets : bool
        Hide values of `sig=`, `code=`, `token=`, `key=` and their like, in raw records too.
    """

    case_id: str
    title: str
    tlp: str
    analyst: str
    hypotheses: Sequence[str]
    window: Mapping[str, Any] | None
    baseline: Mapping[str, Any] | None
    estate: Mapping[str, Any]
    findings: Mapping[str, Any]
    coverage: Mapping[str, Any]
    pairs: pd.DataFrame
    activity: pd.DataFrame
    resources: pd.DataFrame
    evidence: Sequence[Mapping[str, Any]]
    custody: Mapping[str, Any]
    raw: Mapping[str, Mapping[str, Any]]
    checkins: pd.DataFrame
    egress_hours: pd.DataFrame
    run: Mapping[str, Any]
    redact_secrets: bool = True
    checklist: Mapping[str, Any] = field(default_factory=dict)
    links: pd.DataFrame | None = None
    roles: pd.DataFrame | None = None
    related: pd.DataFrame | None = None
    stages: pd.DataFrame | None = None
    scope: pd.DataFrame | None = None
    scope_notes: Sequence[str] = ()
    cloud: CloudFacts | None = None
    owning: OwningFacts | None = None
