"""What intelligence in evidence says of what was seen; nothing that was asked about is lost."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import without_network
from tests.findings import tables as t
from tests.scoping import events

from playbooks import schema
from playbooks.enrichment import intelligence
from playbooks.enrichment.ti_provider import NOT_ASKED, REFUSED, lookup

SOURCE = "CERT example"
VETTED = [{"source": SOURCE, "vetted_by": "SOC lead", "vetted_on": "2026-03-01"}]
HOST = "poll.stranger.workers.dev"
LISTED = "CaseIndicators: listed"


def item(indicator: str, kind: str = "domain", **facts: Any) -> dict[str, Any]:
    """One item of a list, valid since long."""
    return {
        "time": t.at(-240),
        "format": "indicator_csv",
        "indicator": indicator,
        "indicator_type": kind,
        "source": SOURCE,
        "confidence": 80,
        "valid_until": None,
        "tlp": "AMBER",
        "description": "check-in host of a loader",
    } | facts


def matches(
    tmp_path: Path, items: list[dict[str, Any]], dst: str = HOST, web: list[dict[str, Any]] | None = None, **fields: Any
) -> list[dict[str, Any]]:
    """Rows of the enrichment of a case in which one client contacted `dst`, from hour 1 to hour 20."""
    tables = events.tables(tmp_path, indicators=items, http_activity=web or [])
    kind = "ip" if dst.replace(".", "").isdigit() or ":" in dst else "fqdn"
    config = t.config(**{"intel": VETTED} | fields)
    found = intelligence(tables, t.pairs(t.pair(dst=dst, kind=kind)), config)
    assert list(found.columns) == list(schema.ENRICHMENT.names)
    return found.to_dict("records")


def one(tmp_path: Path, listed: dict[str, Any], dst: str = HOST) -> dict[str, Any]:
    [row] = matches(tmp_path, [listed], dst)
    return row


def test_an_exact_match_carries_everything_the_source_says(tmp_path: Path) -> None:
    row = one(tmp_path, item(HOST, valid_until=t.at(240)))
    assert row | {"confidence": int(row["confidence"])} == {
        "observable": HOST,
        "observable_type": "domain",
        "matched_on": "exact",
        "indicator": HOST,
        "ref": "E002:1",
        "source": SOURCE,
        "confidence": 80,
        "valid_from": t.at(-240),
        "valid_until": t.at(240),
        "tlp": "AMBER",
        "description": "check-in host of a loader",
        "verdict": None,
        "for_detection": None,
        "visible_in": "DNS, proxies, TLS, endpoints: destinations by name",
        "state": "valid",
        "lacks": [],
        "vetted_by": "SOC lead",
        "contradicted_by": [],
        "lookup": LISTED,
    }


@pytest.mark.parametrize(
    ("indicator", "dst", "matched_on"),
    [
        (HOST, HOST, "exact"),
        ("stranger.workers.dev", HOST, "parent domain"),
        ("loader.example", "a.b.loader.example", "parent domain"),
        ("oader.example", "a.loader.example", None),  # the end of a label is no parent
        ("a.loader.example", "loader.example", None),  # a child says nothing of its parent
        ("example", "loader.example", None),  # a last label names half of the web
    ],
)
def test_a_name_matches_itself_and_what_lies_below_it(
    tmp_path: Path, indicator: str, dst: str, matched_on: str | None
) -> None:
    assert [row["matched_on"] for row in matches(tmp_path, [item(indicator)], dst)] == (
        [matched_on] if matched_on else []
    )


@pytest.mark.parametrize(
    ("indicator", "dst", "state"),
    [
        ("workers.dev", HOST, "too broad"),
        ("eu-north-1.on.aws", "q7m2xw5tkd4hzv6nacr3ybe5ju0sfgpl.lambda-url.eu-north-1.on.aws", "too broad"),
        ("lambda-url.eu-north-1.on.aws", "q7m2xw5tkd4hzv6nacr3ybe5ju0sfgpl.lambda-url.eu-north-1.on.aws", "too broad"),
        ("azurewebsites.net", "app.azurewebsites.net", "too broad"),
        ("stranger.workers.dev", HOST, "valid"),  # the tenant's own label is narrow enough
        (HOST, HOST, "valid"),
        ("script.google.com", "script.google.com", "too broad"),  # one host for all customers
        ("webhook.example", "webhook.example", "valid"),
        ("loader.example", "a.loader.example", "valid"),
    ],
)
def test_an_item_for_a_provider_s_whole_suffix_says_nothing_of_one_customer(
    tmp_path: Path, indicator: str, dst: str, state: str
) -> None:
    assert one(tmp_path, item(indicator), dst)["state"] == state


HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"valid_until": t.at(1) - HOUR}, "expired"),
        ({"valid_until": t.at(1)}, "valid"),  # it held when the host was first seen
        ({"valid_until": t.at(10)}, "valid"),
        ({"time": t.at(20) + HOUR}, "not yet valid"),
        ({"time": t.at(20)}, "valid"),
        ({"source": "A blog"}, "unvetted"),
        ({"source": SOURCE.upper()}, "unvetted"),
        ({"source": "A blog", "valid_until": t.at(0)}, "expired"),
    ],
)
def test_the_state_follows_validity_and_vetting(tmp_path: Path, facts: dict[str, Any], state: str) -> None:
    row = one(tmp_path, item(HOST, **facts))
    assert row["state"] == state
    assert (row["vetted_by"] is None) is (row["source"] != SOURCE)


def test_a_url_and_a_user_agent_are_matched_as_they_were_sent(tmp_path: Path) -> None:
    url, agent = "http://stranger.example/macros/s/AKfy/exec", "Sync/1.0 (loader)"
    web = [
        events.http(60, "10.0.0.9", "stranger.example", url, http_request_user_agent="Browser/1"),
        events.http(120, "10.0.0.9", "stranger.example", url + "?x=1", http_request_user_agent=agent),
        events.http(180, "10.0.0.8", "stranger.example", url, http_request_user_agent=agent + " "),
    ]
    rows = matches(tmp_path, [item(url, "url"), item(agent, "user_agent")], web=web)
    assert [(row["observable"], row["observable_type"]) for row in rows] == [(agent, "user_agent"), (url, "url")]
    assert [row["lookup"] for row in rows] == [NOT_ASKED, LISTED]


def test_a_value_of_another_type_is_no_match(tmp_path: Path) -> None:
    assert matches(tmp_path, [item(HOST, "user_agent"), item(HOST, "url"), item("198.51.100.7", "domain")]) == []


def test_an_address_for_documentation_is_matched_though_tilookup_drops_it(tmp_path: Path) -> None:
    row = one(tmp_path, item("192.0.2.7", "ip"), "192.0.2.7")
    assert (row["state"], row["lookup"]) == ("valid", REFUSED)


def test_several_items_for_one_host_are_several_rows_in_a_fixed_order(tmp_path: Path) -> None:
    listed = [item(HOST, source="B"), item("stranger.workers.dev"), item(HOST)]
    rows = matches(tmp_path, listed)
    assert [row["ref"] for row in rows] == ["E002:1", "E002:2", "E002:3"]
    assert {row["lookup"] for row in rows} == {LISTED}


def test_without_indicators_or_pairs_there_is_an_empty_table(tmp_path: Path) -> None:
    assert matches(tmp_path / "a", []) == []
    empty = events.tables(tmp_path / "b", indicators=[item(HOST)], http_activity=[])
    found = intelligence(empty, t.pairs(), t.config())
    assert (list(found.columns), len(found)) == (list(schema.ENRICHMENT.names), 0)


ODD = {
    HOST: "domain",
    "192.0.2.1": "ip",
    "10.0.0.1": "ip",
    "127.0.0.1": "ip",
    "8.8.8.8": "ip",
    "2001:db8::1": "ip",
    "2606:4700::1": "ip",
    "not a name": "domain",
    "": "domain",
    "x" * 300: "domain",
    "a\nb.example": "domain",
    "xn--bcher-kva.example": "domain",
    "_dmarc.example.org": "domain",
    "https://h.example/a?b=c": "url",
    "javascript:alert(1)": "url",
    "Sync/1.0": "user_agent",
    "d41d8cd98f00b204e9800998ecf8427e": "sha256",
    "999.1.1.1": "ip",
}


def test_everything_that_is_asked_is_answered_in_however_odd_a_form() -> None:
    answers = lookup(ODD, pd.DataFrame({"indicator": [HOST]}))
    assert set(answers) == set(ODD)
    assert answers[HOST] == LISTED
    assert answers["8.8.8.8"] == "CaseIndicators: not listed"
    assert answers["Sync/1.0"] == NOT_ASKED
    assert {answers[value] for value in ("10.0.0.1", "192.0.2.1", "not a name")} == {REFUSED}


ASKING = """
import pandas as pd
from playbooks.enrichment.ti_provider import lookup
print(lookup({"a.stranger.workers.dev": "domain", "8.8.8.8": "ip", "https://h.example/": "url"},
             pd.DataFrame({"indicator": ["stranger.workers.dev"]})))
"""


def test_asking_reaches_for_no_network(tmp_path: Path) -> None:
    log = tmp_path / "network"
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}  # no suffix list of an earlier run
    done = subprocess.run(
        [sys.executable, "-c", ASKING], capture_output=True, text=True, env=home | without_network(log), check=False
    )
    assert "'a.stranger.workers.dev': 'CaseIndicators: listed'" in done.stdout, done.stderr
    started, *tried = log.read_text().splitlines()
    assert started.startswith("started")
    assert tried == []


def test_a_list_without_source_or_time_is_in_force_and_named_by_its_item(tmp_path: Path) -> None:
    row = one(tmp_path, item(HOST, time=None, source=None, description=None, confidence=None))
    said = {name: row[name] for name in ("source", "description", "state", "vetted_by")}
    assert said == {
        "source": "E002",
        "description": "",
        "state": "unvetted",
        "vetted_by": None,
    }


def test_a_path_is_matched_whatever_the_host_and_below_one_that_ends_with_a_slash(tmp_path: Path) -> None:
    web = [
        events.http(60, "10.0.0.9", "one.example", "https://one.example/fireprox/a?x=1"),
        events.http(90, "10.0.0.9", "two.example", "/submit.php"),
        events.http(99, "10.0.0.9", "two.example", "/submit.php5"),
        events.http(100, "10.0.0.9", "two.example", None),
        events.http(101, "10.0.0.9", "two.example", "/fireprox/"),
    ]
    rows = matches(tmp_path, [item("/fireprox/", "uri"), item("/submit.php", "uri"), item("/sub", "uri")], web=web)
    told = [(row["observable"], row["indicator"], row["matched_on"]) for row in rows]
    assert told == [
        ("/fireprox/", "/fireprox/", "exact"),
        ("/fireprox/a", "/fireprox/", "path above"),
        ("/submit.php", "/submit.php", "exact"),
    ]
    assert {row["state"] for row in rows} == {"trait"}, "any program may have such a path"


def test_a_fingerprint_and_a_hash_are_matched_in_every_table_that_can_hold_them(tmp_path: Path) -> None:
    ja3, digest = "0123456789abcdef0123456789abcdef", "ab" * 32
    web = [events.http(60, "10.0.0.9", "one.example", "/", tls_ja3=ja3.upper(), actor_process_file_hash=digest.upper())]
    rows = matches(tmp_path, [item(ja3, "ja3"), item(digest, "sha256"), item("t13d", "ja4")], web=web)
    assert [(row["observable"], row["observable_type"]) for row in rows] == [(ja3, "ja3"), (digest, "sha256")]


def test_a_rhythm_and_a_tenant_are_matched_on_pairs(tmp_path: Path) -> None:
    pair = t.pair(dst=HOST, beacon_period_s=62.0, beacon_score=0.9, tenant="poll")
    listed = [item("60", "interval"), item("70", "interval"), item("poll", "tenant"), item("other", "tenant")]
    found = intelligence(events.tables(tmp_path, indicators=listed), t.pairs(pair), t.config(intel=VETTED))
    told = list(found[["indicator", "observable_type", "matched_on"]].itertuples(index=False, name=None))
    assert sorted(told) == [("60", "interval", "period"), ("poll", "tenant", "exact")]
    assert HOST not in set(found.observable), "a rhythm weighs nothing on its destination"


@pytest.mark.parametrize(
    ("facts", "state", "lacks"),
    [
        ({"for_detection": False}, "context", []),
        ({"for_detection": True}, "valid", []),
        ({"verdict": "benign"}, "benign", []),
        ({"verdict": "revoked"}, "revoked", []),
        ({"confidence": None}, "unvetted", ["confidence"]),
        ({"time": None}, "unvetted", ["date"]),
        ({"source": None}, "unvetted", ["source", "reviewer"]),
        ({"for_detection": False, "confidence": None}, "context", ["confidence"]),
    ],
)
def test_what_the_source_says_and_what_is_lacking_make_the_state(
    tmp_path: Path, facts: dict[str, Any], state: str, lacks: list[str]
) -> None:
    row = one(tmp_path, item(HOST, **facts))
    assert (row["state"], row["lacks"]) == (state, lacks)


def test_items_that_say_otherwise_are_shown_beside_each_other(tmp_path: Path) -> None:
    listed = [item(HOST), item(HOST, verdict="benign", source="B"), item("other.example")]
    rows = matches(tmp_path, listed)
    told = [(row["ref"], row["state"], row["contradicted_by"]) for row in rows]
    assert told == [("E002:1", "valid", ["E002:2"]), ("E002:2", "benign", ["E002:1"])]


def test_a_rejected_item_matches_as_such_and_an_accepted_one_beside_it_does_not_change(tmp_path: Path) -> None:
    rejected = {"item": "*.workers.dev", "vetted_by": "IR lead", "vetted_on": "2026-03-02", "verdict": "rejected"}
    rows = matches(tmp_path, [item(HOST), item("stranger.workers.dev", source="B")], intel=[*VETTED, rejected])
    assert {(row["state"], row["vetted_by"]) for row in rows} == {("rejected", "IR lead")}


def test_a_review_that_has_expired_when_the_host_was_seen_is_none(tmp_path: Path) -> None:
    stale = [VETTED[0] | {"expires": "2026-03-09"}]
    [row] = matches(tmp_path, [item(HOST)], intel=stale)
    assert (row["state"], row["lacks"], row["vetted_by"]) == ("unvetted", ["reviewer"], None)


def test_an_item_for_a_public_suffix_is_too_broad_though_no_provider_of_the_catalogue_has_it(tmp_path: Path) -> None:
    assert one(tmp_path, item("co.uk"), "shop.example.co.uk")["state"] == "too broad"


def test_a_url_below_an_indicated_folder_and_one_listed_without_its_scheme_match(tmp_path: Path) -> None:
    web = [events.http(60, "10.0.0.9", "one.example", "https://one.example/kit/a.js?x=1")]
    values = ("https://one.example/kit/", "one.example/kit/a.js?x=1", "one.example/")
    listed = [item(value, "url") for value in values]
    told = [(row["indicator"], row["matched_on"]) for row in matches(tmp_path, listed, web=web)]
    assert told == [
        ("https://one.example/kit/", "path above"),
        ("one.example/kit/a.js?x=1", "exact"),
        ("one.example/", "path above"),
    ]
