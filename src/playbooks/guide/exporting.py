"""The verb that hands a case to other tools."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from playbooks.case import Case, write_bytes
from playbooks.errors import UsageError
from playbooks.evidence import custody, items
from playbooks.exports import FORMS, Form, Material
from playbooks.guide.opened import results_of
from playbooks.report import View, visible

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.guide.results import Results

FOLDER = "exports"
# How each table of results comes to lie in its file.
COMPUTED: Mapping[str, Callable[[Results], object]] = {
    "egress_pairs": lambda one: one.pairs,
    "egress_channels": lambda one: one.channels,
    "egress_hours": lambda one: one.egress_hours,
    "cloud_activity": lambda one: one.activity,
    "resources": lambda one: one.resources,
    "enrichment": lambda one: one.intel,
    "timeline": lambda one: one.findings,
    "links": lambda one: one.links,
    "role_links": lambda one: one.role_links,
    "resolutions": lambda one: one.resolutions,
    "related_activity": lambda one: one.related,
    "lifecycle_stages": lambda one: one.related,
    "scope": lambda one: one.scope,
    "sigma_matches": lambda one: one.sigma,
    "rights": lambda one: one.cloud_state.rights,
    "logging_changes": lambda one: one.cloud_state.logging_changes,
    "own_endpoints": lambda one: one.cloud_state.own_endpoints,
    "code_changes": lambda one: one.cloud_state.code_changes,
    "stale_functions": lambda one: one.cloud_state.stale_functions,
    "identities": lambda one: one.cloud_state.identities,
    "identity_details": lambda one: one.cloud_state.identities,
    "role_activity": lambda one: one.cloud_state.role_activity,
    "credentials_outside": lambda one: one.cloud_state.role_activity,
    "function_egress": lambda one: one.cloud_state.function_egress,
    "chains": lambda one: one.cloud_state.chains,
    "chain_steps": lambda one: one.cloud_state.chains,
    "draft_inventory": lambda one: one.owning.draft,
    "allow_list_review": lambda one: one.owning.review,
    "address_facts": lambda one: one.owning.addresses,
    "name_facts": lambda one: one.owning.names,
}


def export(case: Case, form: str = "stix", out: str = "") -> View:
    """Write what was found in the form of another tool, and record in the custody chain that it was.

    Without `out` the file is `exports/CASE_ID-FORM` in the case. Nothing is sent anywhere.
    Example: `guide.export(case, "stix")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    form : str
        stix, navigator, timesketch, csv, ocsf, …: which form.
    out : str
        File to write; empty: below exports/ of the case.

    Returns
    -------
    View
        Shows itself. `data`: dict: file, form, sha256, size.

    Raises
    ------
    UsageError
        There is no such form, or `out` would overwrite a file of the case.
    """
    if form not in FORMS:
        raise UsageError(f"form {form!r}: expected one of {', '.join(FORMS)}.")
    made_by = FORMS[form]
    file = _place(case, out or str(case.path / FOLDER / f"{case.config.case_id}-{form}{made_by.suffix}"))
    material = _material(results_of(case), made_by)
    if case.config.options.redact_secrets:
        material = material.without_secrets()
    made = made_by.make(material)
    write_bytes(file, made.content)
    digest = hashlib.sha256(made.content).hexdigest()
    inside = file.is_relative_to(case.path)
    name = file.relative_to(case.path).as_posix() if inside else file.name
    _record(case, {"form": form, "file": name, "sha256": digest, "size": len(made.content)})
    words = [f"{form}: {made.holds}, {len(made.content):,} bytes, SHA-256 {digest}."]
    words.append(f"Written to {visible(name if inside else file)}, marked TLP:{case.config.tlp}.")
    words += [f"Left out: {visible(one)}." for one in made.left_out]
    blind = [one["title"] for one in material.findings["outcomes"].values() if one["outcome"] == "blind"]
    words += [f"Could not be looked for: {', '.join(blind)}."] if blind else []
    return View(tuple(words), data={"file": str(file), "form": form, "sha256": digest, "size": len(made.content)})


def _place(case: Case, out: str) -> Path:
    """Where it is written; of the case's own folder only `exports/`."""
    file = Path(out).absolute().resolve()
    if file.is_dir():
        raise UsageError(f"--out {out}: a folder. Expected the name of a file.")
    if file.is_relative_to(case.path) and not file.is_relative_to(case.path / FOLDER):
        raise UsageError(f"--out {out}: belongs to the case. Expected a file elsewhere, or below {FOLDER}/.")
    return file


def _material(results: Results, form: Form) -> Material:
    case = results.case
    chain = custody.entries(case.custody)
    added = [str(entry["fingerprint"]) for entry in chain if entry.get("activity") == "added"]
    return Material(
        case.config.case_id,
        case.config.title,
        case.config.tlp,
        results.findings,
        {name: _table(results, name) for name in form.tables},
        [vars(item) for item in items(case)],
        added[-1] if added else "",
        [str(network) for network in case.config.estate.internal_ranges],
        chain if form.custody else (),
    )


def _table(results: Results, name: str) -> pd.DataFrame:
    """A table of results, whole, as it lies in its file."""
    COMPUTED[name](results)
    frame: pd.DataFrame = pq.read_table(results.case.results / f"{name}.parquet").to_pandas()
    return frame


def _record(case: Case, act: Mapping[str, object]) -> None:
    """Say in the chain what was handed out; the same once."""
    shared = [entry for entry in custody.entries(case.custody) if entry.get("activity") == "shared"]
    if not any(all(entry.get(name) == value for name, value in act.items()) for entry in shared):
        custody.append(case.custody, case.config.case_id, "shared", **act)
