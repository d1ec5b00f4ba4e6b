"""A draft of the inventory: every serverless thing that was observed, once, with what is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tests.findings import tables as t

from playbooks import schema
from playbooks.case import new_case, open_case
from playbooks.enrichment.draft_inventory import clouds_without_records, draft_inventory
from playbooks.report.spreadsheet import csv_text

HOST = "hb3nxe6yq2wvk7tzaj5pmc4rfd0luog2.lambda-url.eu-north-1.on.aws"
MADE = {
    "resource": "invoice-export",
    "resource_type": "function",
    "account": "111111111111",
    "region": "eu-north-1",
    "endpoints": [HOST],
    "first_seen": t.at(2),
    "last_seen": t.at(9),
    "refs": ["E002:1"],
}
CONTACT = t.pair(dst=HOST.upper(), catalogue_id="aws-lambda-url", tenant=HOST.split(".")[0], provider="AWS",
                 first_seen=t.at(1), last_seen=t.at(20), refs=["E001:5"])  # fmt: skip
ACTS = (
    t.act(principal="ci-deployer", time=t.at(3), exposure="anyone may call it (authType NONE)"),
    t.act(principal="j.doe", time=t.at(9), ref="E002:9"),
    t.act("Invoke", "invoke", principal="mallory", time=t.at(10), ref="E002:10"),
    t.act("UpdateFunctionCode", principal="eve", time=t.at(11), ref="E002:11", outcome="failure"),
)


def drafted(*pairs: dict[str, Any], resources: tuple[dict[str, Any], ...] = (MADE,), **fields: Any) -> pd.DataFrame:
    known = t.table(schema.RESOURCES, list(resources))
    return draft_inventory(known, t.pairs(*pairs), t.activity(*ACTS), t.config(**fields))


def test_a_function_is_one_row_with_its_contacts_its_opening_and_who_changed_it_last() -> None:
    [row] = drafted(CONTACT).to_dict("records")
    assert row | {"ownership_reason": "", "refs": list(row["refs"])} == {
        "owner": "",
        "resource": "invoice-export",
        "host": HOST,
        "tenant": HOST.split(".")[0],
        "service": "aws-lambda-url",
        "account": "111111111111",
        "region": "eu-north-1",
        "owner_missing": True,
        "ownership": "owned-recently-modified",
        "ownership_reason": "",
        "seen_by": ["audit", "egress"],
        "first_seen": pd.Timestamp(t.at(1)),
        "last_seen": pd.Timestamp(t.at(20)),
        "exposure": "anyone may call it (authType NONE)",
        "last_principal": "j.doe",
        "clients": 1,
        "refs": ["E002:1", "E001:5"],
    }


def test_what_only_egress_or_only_audit_showed_is_there_and_ours_comes_first() -> None:
    quiet = MADE | {"resource": "nightly", "endpoints": []}
    outside = t.pair(dst="intranet.house.example", catalogue_id=None, tenant=None)
    rows = drafted(t.pair(), t.pair(src="10.0.0.8"), outside, resources=(quiet,))
    assert [(r.resource, r.host, list(r.seen_by), r.ownership, r.clients) for r in rows.itertuples()] == [
        ("nightly", None, ["audit"], "owned-unapproved", 0),
        (None, t.WORKER, ["egress"], "external", 2),
    ]


def test_an_owner_is_missing_until_an_entry_names_one() -> None:
    [row] = drafted(CONTACT, inventory=[{"resource": "invoice-export", "owner": "Finance"}]).itertuples()
    assert (row.owner, row.owner_missing) == ("Finance", False)


def test_clouds_without_audit_records_are_named_with_what_speaks_of_them() -> None:
    config = t.config(estate={"own": {"gcp_projects": ["corp-project"]}})
    assert clouds_without_records(["AWS"], t.pairs(t.pair(), t.pair(dst="b.x.workers.dev")), config) == [
        "Azure",
        "GCP (estate.own lists 1 of ours)",
        "Cloudflare (our clients contacted 2 hosts there)",
    ]
    assert clouds_without_records(["AWS", "Azure", "GCP", "Cloudflare"], t.pairs(), config) == []


def test_a_draft_goes_back_in_as_inventory_once_somebody_answers_for_a_row(tmp_path: Path) -> None:
    """A row that nobody answered for is no entry: a stranger's host must not become ours by being drafted."""
    case = new_case(tmp_path / "case", "T-1")
    draft = drafted(CONTACT, t.pair())
    draft.loc[draft.host == HOST, "owner"] = "Finance"
    (case.path / "draft.csv").write_text(csv_text(draft), encoding="utf-8")
    (case.path / "case.yaml").write_text("case_id: T-1\ninventory_files: [draft.csv]\n", encoding="utf-8")
    [entry] = open_case(case.path).config.inventory
    assert (entry.host, entry.resource, entry.owner, entry.approved) == (HOST, "invoice-export", "Finance", True)


def test_nothing_observed_is_an_empty_draft() -> None:
    empty = draft_inventory(t.table(schema.RESOURCES, []), t.pairs(), t.activity(), t.config())
    assert list(empty.columns) == list(schema.DRAFT_INVENTORY.names) and len(empty) == 0
