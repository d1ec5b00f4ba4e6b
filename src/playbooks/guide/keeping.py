"""Verbs that keep evidence defensible: verify every link, acquire from a cloud or a lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.audit import Trust, audit
from playbooks.case import Case
from playbooks.evidence import items
from playbooks.report import Table, View

if TYPE_CHECKING:
    from collections.abc import Mapping


def verify(case: Case, *signers: str) -> View:
    """Check every link from raw record to report; `signers` are files with public keys that you know.

    Example: `guide.verify(case, "analyst.pub")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    *signers : str
        Files with public keys that you know.

    Returns
    -------
    View
        Shows itself. `data`: the audit: one check per link, each with its faults.
    """
    from playbooks.evidence.public_keys import load_publics

    found = audit(case, Trust(signers=[key for file in signers for key in load_publics(Path(file))]))
    rows = pd.DataFrame([{"check": c.name, "answer": str(c.state), "what": c.detail} for c in found.checks])
    faults = pd.DataFrame([vars(fault) for check in found.checks for fault in check.faults])
    word = "Evidence holds" if found.evidence_holds else "EVIDENCE IS BROKEN"
    word += "." if found.results_hold else "; results or report are not what was written."
    tables = [Table("Every check, from the bytes of the evidence to the records that findings cite", rows)]
    if len(faults):
        tables.append(Table("What differs, and where", faults))
    return View((word,), tuple(tables), data=found)


def acquire_aws(case: Case, functions: list[str], regions: list[str], profile: str | None = None) -> View:
    """Take functions, code, triggers, roles and logs of AWS as evidence, read-only, with your own credentials.

    Example: `guide.acquire_aws(case, ["export-report"], ["eu-central-1"])`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    functions : list of str
        Names or ARNs of functions.
    regions : list of str
        Regions, such as eu-central-1.
    profile : str, optional
        Profile of your AWS configuration; without one, the usual search for credentials.

    Returns
    -------
    View
        Shows itself. `data`: list: what was taken, with the counts of answers, refusals and failures.
    """
    from playbooks.evidence.acquire import Wanted, acquire_aws

    profiles = (profile,) if profile else ()
    window = case.config.window
    taken = acquire_aws(case, Wanted(tuple(functions), tuple(regions), profiles, window=window))
    rows = pd.DataFrame([{"evidence": one.evidence_id, **one.counts} for one in taken])
    refused = sum(one.counts.get(outcome, 0) for one in taken for outcome in ("refused", "failed"))
    words = f"{refused} questions were refused or failed; each is a blind spot, and says what to ask for."
    return View((words,), (Table("What AWS answered", rows),), data=taken)


def acquire_query(
    case: Case, source: Any, query: str, values: Mapping[str, Any] | None = None, language: str | None = None
) -> View:
    """Keep the answer of a SIEM or a lake as evidence: an msticpy QueryProvider, or an Ibis backend.

    Values from evidence go in by name and type, `{host:hostname}`, never pasted into the text.
    Example: `guide.acquire_query(case, provider, "DnsEvents | where Name == {host:hostname}", {"host": "x.test"})`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    source : QueryProvider or Ibis backend
        Whom to ask, connected.
    query : str
        The text, with `{name:type}` where values go in.
    values : mapping, optional
        Name → value.
    language : str, optional
        Language of the query, where the source does not tell.

    Returns
    -------
    View
        Shows itself. `data`: Item: the evidence that holds the answer.
    """
    from playbooks.evidence.acquire.query import acquire_query

    item = acquire_query(case, source, query, values or {}, language=language, window=case.config.window)
    rows = pd.DataFrame([vars(one) for one in items(case) if one.evidence_id == item.evidence_id])
    words = f"{item.evidence_id} holds the rows as Parquet; the custody chain holds the query as it was sent."
    return View((words,), (Table("Taken", rows[["evidence_id", "name", "size", "sha256"]]),), data=item)


def acquire_taxii(case: Case, url: str, added_after: str | None = None, secret_env: str | None = None) -> View:
    """Take the objects of a TAXII 2.1 collection as evidence: each page as it came, and what became of each request.

    `secret_env` names an environment variable with `user:password` or a whole `Bearer …`; it is written nowhere.
    Example: `guide.acquire_taxii(case, collection_url, secret_env="TAXII_SECRET")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    url : str
        Address of the collection.
    added_after : str, optional
        Moment with a zone; only what was added later.
    secret_env : str, optional
        Name of the environment variable with the credentials.

    Returns
    -------
    View
        Shows itself. `data`: what was taken: evidence id, pages, and what became of each request.
    """
    from playbooks.evidence.acquire.taxii import acquire_taxii, moment

    taken = acquire_taxii(case, url, moment(added_after), secret_env)
    rows = pd.DataFrame([{"evidence": taken.evidence_id, "pages": len(taken.attachments), **taken.counts}])
    failed = sum(taken.unanswered.values())
    words = f"{failed} requests were refused or failed: what would have followed is a blind spot." if failed else ""
    return View((words or "Every page came.",), (Table("What the collection answered", rows),), data=taken)


def acquire_lake(case: Case, root: str) -> View:
    """List a lake in OCSF as evidence: files with digest and rows. The rows are asked where they lie, not copied.

    Example: `guide.acquire_lake(case, "/mnt/lake/ext/cloudtrail")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it; its window and baseline say which days are listed.
    root : str
        Folder of the lake table.

    Returns
    -------
    View
        Shows itself. `data`: what was listed: evidence id, files, rows.
    """
    from playbooks.evidence.acquire.lake import LIST, acquire_lake

    taken = acquire_lake(case, Path(root))
    facts = {"evidence": taken.attachments[LIST], "files": taken.entry["files"], "rows": taken.entry["rows"]}
    words = "The list is evidence; a row is shown only while its file is the one that was listed."
    return View((words,), (Table("What was listed", pd.DataFrame([facts])),), data=taken)


def acquire_capture(case: Case, *evidence_ids: str, tool: str | None = None) -> View:
    """Have zeek, suricata or tshark read packet captures of the case; what they give becomes evidence.

    Without ids: every capture that no tool has read yet, as each run does by itself.
    Example: `guide.acquire_capture(case, "E003", tool="suricata")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    *evidence_ids : str
        Captures to read, such as E003; none: those that no tool has read.
    tool : str, optional
        zeek, suricata or tshark; without one, the first that is installed.

    Returns
    -------
    View
        Shows itself. `data`: list: what became of each capture.
    """
    from playbooks.evidence.captures import derive

    done = derive(case, evidence_ids, tool)
    rows = [{"evidence": one.item.evidence_id, "name": one.item.name, "state": one.state()} for one in done]
    read = sum(one.is_read for one in done)
    words = (f"{read} of {len(done)} packet captures are read.",)
    return View(words, (Table("What became of each capture", pd.DataFrame(rows)),) if rows else (), data=done)
