"""A destination without a name lies in a published range: who publishes it, never whose it is."""

from __future__ import annotations

import ipaddress
import random
from pathlib import Path

import pandas as pd
import pytest
from tests.findings import tables as t
from tests.scoping.events import dns, flow, http, tables

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.case_file import RangesOf
from playbooks.enrichment import with_ownership
from playbooks.findings import with_priority
from playbooks.findings.egress import egress_subjects
from playbooks.scoping.address_ranges import Publisher, publishers
from playbooks.scoping.egress_pairs import egress_hours, egress_pairs

HOST, OTHER = "10.0.0.5", "10.0.0.6"
NEAR, FAR, NOWHERE, SIX = "192.0.2.200", "192.0.2.7", "203.0.113.9", "2001:db8::7"
LAMBDA = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"
CASE = CaseFile(case_id="T-1")


def listed(
    prefix: str, service: str | None = None, region: str | None = None, provider: str | None = "AWS"
) -> dict[str, object]:
    return {"address_range": prefix, "provider": provider, "service": service, "region": region}


RANGES = [
    listed("192.0.2.0/24", "AMAZON", "eu-central-1"),
    listed("192.0.2.128/25", "EC2", "eu-central-1"),
    listed("2001:db8::/32", "CLOUDFRONT", "GLOBAL"),
]


def found(folder: Path, addresses: list[str], *rows: dict[str, object], case: CaseFile = CASE) -> dict[str, Publisher]:
    return publishers(addresses, tables(folder, address_ranges=list(rows)).address_ranges, case)


def test_the_narrowest_range_around_an_address_names_it(tmp_path: Path) -> None:
    edges = ["192.0.1.255", "192.0.2.0", "192.0.2.127", "192.0.2.128", "192.0.2.255", "192.0.3.0"]
    told = found(tmp_path, [*edges, SIX, "2001:db9::", "poll.example", "192.0.2.300"], *RANGES)
    assert told == {
        "192.0.2.0": Publisher("AWS", "AMAZON", "eu-central-1"),
        "192.0.2.127": Publisher("AWS", "AMAZON", "eu-central-1"),
        "192.0.2.128": Publisher("AWS", "EC2", "eu-central-1"),
        "192.0.2.255": Publisher("AWS", "EC2", "eu-central-1"),
        SIX: Publisher("AWS", "CLOUDFRONT", "GLOBAL"),
    }


def test_behind_an_inner_range_the_outer_one_goes_on(tmp_path: Path) -> None:
    inner = (listed("198.51.100.64/26", "B"), listed("198.51.100.64/32", "C"), listed("198.51.100.127/32", "D"))
    told = found(tmp_path, [f"198.51.100.{n}" for n in (63, 64, 65, 127, 128)], listed("198.51.100.0/24", "A"), *inner)
    assert [publisher.service for publisher in told.values()] == ["A", "C", "B", "D", "A"]


def test_one_range_in_several_lists_has_all_their_names(tmp_path: Path) -> None:
    rows = [
        listed("192.0.2.0/24", s, r) for s, r in (("EC2", "eu-central-1"), ("AMAZON", "eu-central-1"), ("S3", None))
    ]
    told = found(tmp_path, [FAR], *rows, listed("192.0.2.0/24", provider="Example"))
    assert told == {FAR: Publisher("AWS, Example", "AMAZON, EC2, S3", "eu-central-1")}


def test_a_list_that_names_nobody_is_used_where_the_case_says_whose_it_is(tmp_path: Path) -> None:
    plain = listed("192.0.2.0/24", provider=None)
    assert found(tmp_path / "a", [FAR], plain) == {}
    said = CaseFile(case_id="T-1", address_ranges=[RangesOf(evidence="E001", provider="Cloudflare")])
    assert found(tmp_path / "b", [FAR], plain, case=said) == {FAR: Publisher("Cloudflare", None, None)}
    other = CaseFile(case_id="T-1", address_ranges=[RangesOf(evidence="E002", provider="Cloudflare")])
    assert found(tmp_path / "c", [FAR], plain, case=other) == {}


def test_bits_behind_the_prefix_and_other_spellings_mean_the_same_range(tmp_path: Path) -> None:
    rows = [listed("192.0.2.9/24", "A"), listed("2001:db8:0:0::/32", "B")]
    told = found(tmp_path, [FAR, SIX, "2001:DB8::7", "::ffff:192.0.2.7"], *rows)
    assert {text: publisher.service for text, publisher in told.items()} == {
        FAR: "A",
        SIX: "B",
        "2001:DB8::7": "B",
        "::ffff:192.0.2.7": "A",
    }


@pytest.mark.parametrize(("space", "longest"), [("192.0.2.0/24", 32), ("2001:db8::/100", 128)])
def test_looking_up_agrees_with_trying_every_range(tmp_path: Path, space: str, longest: int) -> None:
    dice = random.Random(space)
    outer = ipaddress.ip_network(space)
    last = outer.num_addresses - 1
    networks = {
        ipaddress.ip_network(
            f"{outer[dice.randint(0, last)]}/{dice.randint(outer.prefixlen + 1, longest)}", strict=False
        )
        for _ in range(60)
    }
    asked = [str(outer[dice.randint(0, last)]) for _ in range(400)]
    told = found(tmp_path, asked, *(listed(str(network), str(network)) for network in networks))
    for text in asked:
        around = [network for network in networks if ipaddress.ip_address(text) in network]
        narrowest = str(max(around, key=lambda network: network.prefixlen)) if around else None
        assert (told[text].service if text in told else None) == narrowest


def pairs(folder: Path, *ranges: dict[str, object]) -> pd.DataFrame:
    wire = [flow(n, HOST, address) for n, address in enumerate((NEAR, FAR, NOWHERE, SIX), start=1)]
    opened = tables(
        folder,
        network_activity=wire,
        dns_activity=[dns(9, HOST, "plain.example", [NEAR])],
        http_activity=[http(8, OTHER, LAMBDA)],
        **({"address_ranges": list(ranges)} if ranges else {}),
    )
    return egress_pairs(opened, CASE)


LABELS = ["provider", "service", "region", "catalogue_id", "tenant", "matched_by"]


def test_only_destinations_without_a_name_are_labelled_by_their_address(tmp_path: Path) -> None:
    rows = {row.dst: tuple(getattr(row, name) for name in LABELS) for row in pairs(tmp_path, *RANGES).itertuples()}
    assert rows == {
        NEAR: ("AWS", "EC2", "eu-central-1", None, None, "address"),
        FAR: ("AWS", "AMAZON", "eu-central-1", None, None, "address"),
        SIX: ("AWS", "CLOUDFRONT", "GLOBAL", None, None, "address"),
        NOWHERE: (None, None, None, None, None, None),
        "plain.example": (None, None, None, None, None, None),
        LAMBDA: (*rows[LAMBDA][:2], "eu-central-1", "aws-lambda-url", LAMBDA.split(".")[0], "host"),
    }


def test_ranges_change_labels_of_pairs_and_nothing_else(tmp_path: Path) -> None:
    without, among = pairs(tmp_path / "a"), pairs(tmp_path / "b", *RANGES)
    by_address = among.matched_by == "address"
    assert without.matched_by.isin(["address"]).sum() == 0
    # only evidence ids differ: the list of ranges is one item more
    kept = [name for name in among.columns if name not in {"refs", "user_agent_refs"}]
    assert without[kept].loc[by_address, LABELS].isna().all(axis=None)
    bare = among[kept].copy()
    bare.loc[by_address, LABELS] = None
    pd.testing.assert_frame_equal(without[kept], bare)


def test_an_address_in_a_range_is_no_destination_of_the_catalogue(tmp_path: Path) -> None:
    opened = tables(tmp_path, network_activity=[flow(1, HOST, NEAR)], address_ranges=RANGES)
    assert len(egress_hours(opened, CASE)) == 0


BARE = t.OUTSIDE | {"dst": NEAR, "kind": "ip"}
BY_ADDRESS = BARE | {"provider": "AWS", "service": "EC2", "region": "eu-central-1", "matched_by": "address"}


def test_a_range_is_no_signal_and_lifts_no_lead(tmp_path: Path) -> None:
    """All that a finding says is the same, but for the one sentence that weighs nothing."""
    for facts in ({}, t.RHYTHM, t.RHYTHM | t.RARE):
        rows = [t.pairs(*t.estate(), t.pair(**one | facts)) for one in (BARE, BY_ADDRESS)]
        ranked = [with_priority(frame, t.intel(), t.config()) for frame in rows]
        same = [name for name in ranked[0].columns if name not in LABELS]
        pd.testing.assert_frame_equal(ranked[0][same], ranked[1][same])
        plain, told = (egress_subjects(frame, t.intel(), t.config()) for frame in rows)
        assert [s.signals for s in plain] == [s.signals for s in told]
        assert [(s.key, s.title, s.attack, s.at_most_a_lead) for s in plain] == [
            (s.key, s.title, s.attack, s.at_most_a_lead) for s in told
        ]
        assert all(subject.at_most_a_lead for subject in told)


def test_a_match_by_address_is_worded_apart_from_one_of_the_catalogue() -> None:
    frame = t.pairs(*t.estate(), t.pair(**BY_ADDRESS | t.RHYTHM))
    [subject] = egress_subjects(frame, t.intel(), t.config())
    said = (
        "192.0.2.200 lies in an address range that its provider publishes (AWS, EC2, eu-central-1). By the address "
        "alone: low confidence, and it names no customer; this weighs nothing."
    )
    assert said in subject.context
    assert not any("is a host of" in sentence for sentence in subject.context)


def test_a_range_makes_nobody_an_owner() -> None:
    frames = [t.pairs(t.pair(**one | {"ownership": None})) for one in (BARE, BY_ADDRESS)]
    judged = [with_ownership(frame, t.table(schema.RESOURCES, []), t.activity(), t.config()) for frame in frames]
    columns = ["ownership", "ownership_reason"]
    pd.testing.assert_frame_equal(judged[0][columns], judged[1][columns])
