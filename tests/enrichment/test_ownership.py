"""Whose a destination is: five states, each with its reason and with the near miss beside it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks import schema
from playbooks.enrichment import with_ownership

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
) -> pd.Series[Any]:
    config = t.config(inventory=inventory, estate={"own": {"zones": zones or []}})
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
        (worker("resize.corp-edge.workers.dev.example"), [BY_HOST], {}, "external"),
        (worker("a.notcorp-edge.workers.dev"), [BY_HOST | {"host": "*.corp-edge.workers.dev"}, *OTHER], {}, "external"),
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
        (worker(), [], {}, "the case has no inventory to compare with"),
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
