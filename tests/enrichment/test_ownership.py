"""Whose a destination is: five states, each with its reason and with the near miss beside it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks import schema
from playbooks.enrichment import with_ownership
from playbooks.inventory import Listed

FUNCTION_HOST = "hb3nxe6yq2wvk7tzaj5pmc4rfd0luog2.lambda-url.eu-north-1.on.aws"
WORKER = "resize.corp-edge.workers.dev"
MADE_BY_US = {"resource": "invoice-export", "endpoints": [FUNCTION_HOST]}
CHANGE = t.act("UpdateFunctionCode", "modify-code", principal="j.doe", ref="E002:14")
BY_HOST = {"host": WORKER, "owner": "Web"}
BY_RESOURCE = {"resource": "invoice-export", "owner": "Finance"}
BY_TENANT = {"tenant": "corp-edge", "service": "cf-workers", "owner": "Web"}


def judged(
    pair: dict[str, Any],
    inventory: list[dict[str, Any]],
    resources: list[dict[str, Any]] | None = None,
    acts: list[dict[str, Any]] | None = None,
    zones: list[str] | None = None,
    own: dict[str, Any] | None = None,
) -> pd.Series[Any]:
    config = t.config(inventory=inventory, estate={"own": {"zones": zones or []} | (own or {})})
    known = t.table(schema.RESOURCES, resources or [])
    return with_ownership(t.pairs(pair), known, t.activity(*(acts or [])), config).iloc[0]


def worker(dst: str = WORKER, **facts: Any) -> dict[str, Any]:
    return t.pair(dst=dst, **{"tenant": "corp-edge"} | facts)


def function(**facts: Any) -> dict[str, Any]:
    return t.pair(
        dst=FUNCTION_HOST, **{"tenant": FUNCTION_HOST.split(".")[0], "catalogue_id": "aws-lambda-url"} | facts
    )


ZONE = {"zones": ["corp.example"]}
OURS = {"resources": [MADE_BY_US]}


def outside(dst: str) -> dict[str, Any]:
    return t.pair(dst=dst, catalogue_id=None, tenant=None)


def changed(**facts: Any) -> dict[str, Any]:
    """Our function, and one act on it."""
    return OURS | {"acts": [CHANGE | facts]}


def run(name: str, project: str) -> dict[str, Any]:
    return t.pair(dst=f"{name}-{project}.us-central1.run.app", catalogue_id="g-run", tenant=project)


def gcf(project: str) -> dict[str, Any]:
    return t.pair(dst=f"us-central1-{project}.cloudfunctions.net", catalogue_id="g-gcf1", tenant=project)


def site(name: str) -> dict[str, Any]:
    return t.pair(dst=f"{name}.azurewebsites.net", catalogue_id="az-functions", tenant=name)


RUN = {"resource": "api", "endpoints": ["api-313373223340.us-central1.run.app"], "refs": ["E003:7"]}
AZURE, GCP = CHANGE | {"provider": "Azure"}, CHANGE | {"provider": "GCP"}
AZURE_UID = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/microsoft.web/sites/corp-app"
AZURE_APP = {"resource": "corp-app", "resource_type": "function-app", "resource_uid": AZURE_UID, "refs": ["E004:2"]}
OTHER = [{"host": "other.example", "owner": "Web"}]  # an inventory that says nothing of the destination


@pytest.mark.parametrize(
    ("pair", "inventory", "more", "state"),
    [
        # approved: by host, by pattern, by tenant of one service, by the resource behind it
        (worker(), [BY_HOST], {}, "owned-approved"),
        (worker("RESIZE.corp-edge.workers.dev"), [BY_HOST], {}, "owned-approved"),
        (worker(), [BY_HOST | {"host": "*.corp-edge.workers.dev"}], {}, "owned-approved"),
        (worker(), [BY_TENANT], {}, "owned-approved"),
        (worker(), [BY_TENANT | {"service": None}], {}, "owned-approved"),
        (function(), [BY_RESOURCE], OURS, "owned-approved"),
        # … and not: a longer name, another tenant, the same tenant at another service, another function
        (outside("resize.corp-edge.workers.dev.example"), [BY_HOST], {}, "external"),
        (worker("a.notcorp-edge.workers.dev", tenant="notcorp-edge"), [BY_HOST | {"host": "*.corp-edge.workers.dev"}],
         {}, "external"),
        (worker(tenant="corp-edge-2"), [BY_TENANT], {}, "external"),
        (worker("corp-edge.pages.dev", catalogue_id="cf-pages"), [BY_TENANT], {}, "external"),
        (worker(catalogue_id=None), [BY_TENANT], {}, "external"),
        (function(), [BY_RESOURCE], {}, "external"),
        # approved until a day: counted up to it
        (worker(), [BY_HOST | {"expires": "2026-03-10"}], {}, "owned-approved"),
        (worker(), [BY_HOST | {"expires": "2026-03-09"}], {}, "owned-unapproved"),
        # ours, and nobody approved it
        (worker(), [BY_HOST | {"approved": False}], {}, "owned-unapproved"),
        (function(), OTHER, OURS, "owned-unapproved"),
        (outside("api.corp.example"), [], ZONE, "owned-unapproved"),
        (outside("corp.example"), [], ZONE, "owned-unapproved"),
        (outside("notcorp.example"), OTHER, ZONE, "external"),
        # ours, approved, and just changed by somebody whom no entry covers
        (function(), [BY_RESOURCE], changed(), "owned-recently-modified"),
        (function(), OTHER, changed(), "owned-recently-modified"),
        (worker(), [BY_HOST | {"resource": "invoice-export"}], {"acts": [CHANGE]}, "owned-recently-modified"),
        # … and not: an attempt that failed, a covered change, a run, a change of something else
        (function(), [BY_RESOURCE], changed(outcome="failure"), "owned-approved"),
        (function(), [BY_RESOURCE], changed(allowed_by="CI"), "owned-approved"),
        (function(), [BY_RESOURCE], changed(phase="invoke"), "owned-approved"),
        (function(), [BY_RESOURCE], changed(resource="other"), "owned-approved"),
        # ours by the customer, of whom the inventory, the audit log or the case names something else
        (worker("new.corp-edge.workers.dev"), [BY_HOST], {}, "owned-unapproved"),
        (worker("new.corp-edge.pages.dev", catalogue_id="cf-pages"), [BY_HOST], {}, "external"),
        (worker("new.corp-edge.workers.dev"), OTHER, {"own": {"cloudflare_accounts": ["corp-edge"]}},
         "owned-unapproved"),
        (worker("new.corp-edge.workers.dev"), OTHER, {"own": {"gcp_projects": ["corp-edge"]}}, "external"),
        (run("new", "313373223340"), OTHER, {"resources": [RUN]}, "owned-unapproved"),
        (run("new", "313373223341"), OTHER, {"resources": [RUN]}, "external"),
        (gcf("corp-project"), OTHER, {"own": {"gcp_projects": ["corp-project"]}}, "owned-unapproved"),
        (site("corp-app"), OTHER, {"resources": [AZURE_APP]}, "owned-unapproved"),
        (site("corp-app2"), OTHER, {"resources": [AZURE_APP]}, "external"),
        (site("invoice-export"), OTHER, OURS, "external"),  # an AWS function of that name says nothing of Azure
        # … and just changed
        (site("corp-app"), OTHER, {"resources": [AZURE_APP], "acts": [AZURE | {"resource": "corp-app/sync"}]},
         "owned-recently-modified"),
        (site("corp-app"), OTHER, {"resources": [AZURE_APP], "acts": [AZURE | {"resource": "corp-app2"}]},
         "owned-unapproved"),
        (run("poll", "313373223340"), OTHER, {"resources": [RUN], "acts": [GCP | {"resource": "poll"}]},
         "owned-recently-modified"),
        (run("poll", "313373223340"), OTHER, {"resources": [RUN], "acts": [AZURE | {"resource": "poll"}]},
         "owned-unapproved"),
        # an entry for everybody is an entry for nobody
        (worker(), [BY_HOST | {"host": "*.workers.dev"}, *OTHER], {}, "external"),
        (worker(), [BY_HOST | {"host": "*"}, *OTHER], {}, "external"),
        # not to be told
        (t.pair(dst="script.google.com", catalogue_id="g-apps-script", tenant=None), OTHER, {}, "unknown"),
        (worker(), [], {}, "unknown"),
    ],
)  # fmt: skip
def test_the_state_of_a_destination(
    pair: dict[str, Any], inventory: list[dict[str, Any]], more: dict[str, Any], state: str
) -> None:
    assert judged(pair, inventory, **more).ownership == state


@pytest.mark.parametrize(
    ("pair", "inventory", "more", "reason"),
    [
        (worker(), [BY_HOST], {}, "in the inventory, owner Web"),
        (
            function(),
            OTHER,
            {"resources": [MADE_BY_US]},
            "made by our own control plane for invoice-export, which no inventory entry names",
        ),
        (
            function(),
            [BY_RESOURCE],
            changed(),
            "ours (invoice-export), and changed by j.doe at 2026-03-10 09:00 UTC without an allow-list entry",
        ),
        (worker(), OTHER, {}, "neither in the inventory nor made by an own control plane in evidence"),
        (worker(), [], {}, "the case has no inventory to compare with (unreviewed baseline)"),
        (
            t.pair(dst="script.google.com", tenant=None),
            OTHER,
            {},
            "the host serves every customer of the provider, and the log shows no path",
        ),
    ],
)
def test_every_state_has_its_reason(
    pair: dict[str, Any], inventory: list[dict[str, Any]], more: dict[str, Any], reason: str
) -> None:
    assert judged(pair, inventory, **more).ownership_reason == reason


def test_a_change_is_told_by_its_last_author_and_all_its_records() -> None:
    later = CHANGE | {"principal": "m.weber", "time": t.at(11), "ref": "E002:20"}
    row = judged(function(), [BY_RESOURCE], [MADE_BY_US], [CHANGE, later])
    assert "changed by m.weber at 2026-03-10 11:00 UTC" in row.ownership_reason
    assert list(row.ownership_refs) == ["E002:14", "E002:20"]
    assert list(judged(worker(), [BY_HOST]).ownership_refs) == []


def test_what_the_audit_log_shows_is_cited() -> None:
    by_customer = judged(run("new", "313373223340"), OTHER, [RUN])
    assert by_customer.ownership_reason == (
        "313373223340 is ours: our own control plane made api of it; no inventory entry names this host"
    )
    assert list(by_customer.ownership_refs) == ["E003:7"]
    made = judged(run("api", "313373223340"), OTHER, [RUN])
    assert (made.ownership, list(made.ownership_refs)) == ("owned-unapproved", ["E003:7"])


def listed(**facts: Any) -> pd.Series[Any]:
    """A Worker judged by one entry of an inventory file."""
    entry = Listed(**{"file": "functions.json", "place": "$[3]", "sha256": "ab" * 32} | facts)
    config = t.config().model_copy(update={"inventory": [entry]})
    acts = t.activity(CHANGE | {"resource": "resize", "account": "111111111111"})
    return with_ownership(t.pairs(worker()), t.table(schema.RESOURCES, []), acts, config).iloc[0]


def test_an_entry_of_a_file_is_cited_by_place_and_digest_and_approves_nothing_without_an_owner() -> None:
    pointer = "in the inventory (functions.json, $[3], SHA-256 abababababab), "
    owned, nobodys = listed(host=WORKER, owner="Web"), listed(host=WORKER)
    assert (owned.ownership, owned.ownership_reason) == ("owned-approved", f"{pointer}owner Web")
    assert (nobodys.ownership, nobodys.ownership_reason) == ("owned-unapproved", f"{pointer}no owner named")


def test_a_change_in_another_account_says_nothing_of_the_entry() -> None:
    entry = {"host": WORKER, "owner": "Web", "resource": "resize"}
    assert listed(**entry, account="111111111111").ownership == "owned-recently-modified"
    assert listed(**entry, account="222222222222").ownership == "owned-approved"


def test_of_two_entries_the_one_with_an_owner_counts() -> None:
    entries = [Listed(host=WORKER, file="a.json", place="$[0]"), Listed(host=WORKER, owner="Web", file="b.csv")]
    config = t.config().model_copy(update={"inventory": entries})
    judged_pairs = with_ownership(t.pairs(worker()), t.table(schema.RESOURCES, []), t.activity(), config)
    assert judged_pairs.iloc[0].ownership == "owned-approved"


def test_the_provider_decides_nothing() -> None:
    states = {judged(worker(provider=provider), OTHER).ownership for provider in ("Cloudflare", "AWS", None)}
    assert states == {"external"}


def test_every_pair_comes_back_with_a_state_and_the_rest_of_its_row_untouched() -> None:
    pairs = t.pairs(worker(), function(), t.pair())
    judged_pairs = with_ownership(pairs, t.table(schema.RESOURCES, []), t.activity(), t.config(inventory=[BY_HOST]))
    assert list(judged_pairs.ownership) == ["owned-approved", "external", "external"]
    untouched = [column for column in pairs.columns if not column.startswith("ownership")]
    pd.testing.assert_frame_equal(judged_pairs[untouched], pairs[untouched])
    assert len(with_ownership(t.pairs(), t.table(schema.RESOURCES, []), t.activity(), t.config())) == 0
