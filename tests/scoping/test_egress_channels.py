"""Ways out of the estate that the check-ins of one pair do not show, each beside its benign twin."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from tests.scoping.events import at, dns, flow, http, tables, tls

from playbooks import schema
from playbooks.case import CaseFile, Window
from playbooks.scoping.channel import Seen, whole_seconds
from playbooks.scoping.egress_channels import KINDS, channels_not_looked_for, egress_channels
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.fronting import _mixed

HOST, FAR, FAR2 = "10.0.0.5", "198.51.100.7", "203.0.113.9"
HOUR = 3600
CASE = CaseFile(case_id="T-1")
Row = dict[str, object]


def channels(folder: Path, case: CaseFile = CASE, **rows: list[Row]) -> pd.DataFrame:
    return egress_channels(tables(folder, **rows), case)


def found(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return [(row.kind, row.src, row.dst) for row in frame.itertuples()]


def estate(clients: int = 12, calls: int = 3) -> list[Row]:
    """People who read pages: several clients, all at the same two sites, at no steady times."""
    chance = random.Random(7)
    return [
        http(chance.uniform(0, 8 * HOUR), f"10.0.1.{client}", site, traffic_bytes_out=800, traffic_bytes_in=50_000)
        for client in range(clients)
        for site in ("www.news.example", "www.shop.example")
        for _ in range(calls)
    ]


def lasting(seconds: float, dst: str, hours: float, src: str = HOST, **more: object) -> Row:
    facts = {"traffic_bytes_out": 90_000, "traffic_bytes_in": 120_000, "duration_ms": int(hours * HOUR * 1000)}
    return flow(seconds, src, dst, **facts | more)


def test_the_columns_are_those_of_the_dictionary_even_without_events(tmp_path: Path) -> None:
    empty, one = channels(tmp_path), channels(tmp_path, network_activity=[lasting(0, FAR, 5)])
    assert tuple(empty.columns) == tuple(one.columns) == schema.EGRESS_CHANNELS.names
    assert (len(empty), len(one)) == (0, 1)
    assert str(one["first_seen"].dtype) == "datetime64[us, UTC]"


# held open


def test_a_connection_open_for_hours_has_the_strength_of_its_length(tmp_path: Path) -> None:
    known = {1: 0.2, 4: 0.4, 6: 0.5, 8: 0.6, 12: 0.8, 40: 0.8}
    calls = [lasting(0, f"198.51.100.{hours}", hours) for hours in known]
    found_rows = list(channels(tmp_path, network_activity=calls).itertuples())
    assert {int(row.dst.split(".")[3]): row.strength for row in found_rows} == known
    assert {(row.kind, row.connections, len(row.refs)) for row in found_rows} == {("long_connection", 1, 1)}
    assert {(row.dst, row.last_seen) for row in found_rows} == {(f"198.51.100.{h}", at(h * HOUR)) for h in known}


def test_partial_records_of_one_connection_are_one_and_the_longest_counts(tmp_path: Path) -> None:
    partial = [lasting(0, FAR, hours, metadata_uid="C1") for hours in (1, 2, 3)]
    [row] = channels(tmp_path, network_activity=partial).itertuples()
    assert (row.connections, row.bytes_out) == (1, 90_000)
    assert "open for 3 h" in row.sentence


def test_short_connections_a_film_and_the_chat_of_the_house_are_no_long_connection(tmp_path: Path) -> None:
    minutes = [lasting(at_s, FAR, 0.3) for at_s in (0, 7 * HOUR)]
    film = [lasting(0, FAR2, 3, traffic_bytes_in=4_000_000_000)]
    chat = [lasting(0, "192.0.2.44", 9, src=f"10.0.1.{client}") for client in range(12)]
    assert found(channels(tmp_path, network_activity=[*minutes, *film, *chat])) == []


def test_a_long_connection_to_a_destination_that_all_use_briefly_is_told(tmp_path: Path) -> None:
    """A shared front: what counts is how many hold it open, not how many know it."""
    brief = [lasting(n, FAR, 0.001, src=f"10.0.1.{n}") for n in range(12)]
    frame = channels(tmp_path, network_activity=[*brief, lasting(50, FAR, 0.001), lasting(60, FAR, 9)])
    assert found(frame) == [("long_connection", HOST, FAR)]
    assert "beside 1 shorter ones of 3.6 s" in frame.iloc[0].sentence


def test_a_connection_reopened_whenever_it_is_cut_is_a_tunnel(tmp_path: Path) -> None:
    """An API gateway cuts after ten minutes; one that is only opened now and then is none."""
    pieces = [lasting(n * 601, FAR, 1 / 6) for n in range(24)]
    now_and_then = [lasting(n * 2 * HOUR, FAR2, 1 / 6) for n in range(10)]
    frame = channels(tmp_path, network_activity=[*pieces, *now_and_then])
    assert found(frame) == [("tunnel", HOST, FAR)]
    assert frame.iloc[0].strength == 0.4
    assert "open for 4 h in 24 connections" in frame.iloc[0].sentence


def test_a_web_socket_is_told_by_its_status_and_weighs_by_its_length(tmp_path: Path) -> None:
    upgraded = [
        http(0, HOST, "live.example", "https://live.example/ws", http_response_code=101),
        http(9, HOST, "hook.example", "https://hook.example/ws", http_response_code=101, duration_ms=5 * HOUR * 1000),
        http(9, HOST, "page.example", "https://page.example/", http_response_code=200),
    ]
    frame = channels(tmp_path, http_activity=upgraded)
    assert [(row.kind, row.dst, row.strength) for row in frame.itertuples()] == [
        ("tunnel", "hook.example", 0.45),
        ("tunnel", "live.example", 0.2),
    ]


# DNS


def lookups(domain: str, count: int, src: str = HOST, every: float = 20, length: int = 40, **more: object) -> list[Row]:
    digest = (hashlib.sha256(f"{domain}{n}".encode()).hexdigest()[:length] for n in range(count))
    return [dns(n * every, src, f"{sub}.{domain}", **more) for n, sub in enumerate(digest)]


def test_many_names_below_one_domain_are_a_dns_channel(tmp_path: Path) -> None:
    queries = lookups("c2.example", 1200, every=13, query_type="TXT")
    frame = channels(tmp_path, dns_activity=queries)
    [row] = frame.itertuples()
    assert (row.kind, row.src, row.dst, row.connections) == ("dns_channel", HOST, "c2.example", 1200)
    assert row.strength == 0.8
    assert row.period_s == 13
    assert "1,200 distinct names" in row.sentence
    assert "40 characters" in row.sentence
    assert len(row.refs) == 20


def test_the_registered_domain_is_found_below_suffixes_of_two_and_three_labels(tmp_path: Path) -> None:
    queries = lookups("evil.co.uk", 150) + lookups("x.evil.workers.dev", 150)
    queries += lookups("t.eu-west-1.elasticbeanstalk.com", 150)
    frame = channels(tmp_path, dns_activity=queries)
    assert sorted(frame.dst) == ["evil.co.uk", "evil.workers.dev", "t.eu-west-1.elasticbeanstalk.com"]


def test_a_slow_channel_needs_a_rhythm(tmp_path: Path) -> None:
    chance = random.Random(3)
    steady = lookups("slow.example", 48, every=1800)
    people = [
        dns(chance.uniform(0, 86_400), HOST, f"{hashlib.sha256(str(n).encode()).hexdigest()[:20]}.blog.example")
        for n in range(60)
    ]
    frame = channels(tmp_path, dns_activity=[*steady, *people])
    assert [(row.dst, row.strength) for row in frame.itertuples()] == [("slow.example", 0.4)]


def test_names_of_a_cdn_are_connected_to_and_hosts_of_a_site_asked_again_and_again(tmp_path: Path) -> None:
    chance = random.Random(5)
    cdn = lookups("cdn.example", 300, length=12)
    wire = [http(n * 20 + 1, HOST, str(row["query_hostname"])) for n, row in enumerate(cdn)]
    site = [dns(chance.uniform(0, 86_400), HOST, f"www{n % 40}.site.example") for n in range(1000)]
    assert found(channels(tmp_path, dns_activity=[*cdn, *site], http_activity=wire)) == []


def test_block_lists_weigh_little_and_a_security_product_of_the_house_nothing(tmp_path: Path) -> None:
    mail = [dns(n * 7, HOST, f"{n % 256}.{n // 256}.2.192.dnsbl.example") for n in range(1000)]
    [row] = channels(tmp_path / "one", dns_activity=mail).itertuples()
    assert row.strength == 0.1
    assert "addresses written backwards" in row.sentence
    product = [q for n in range(6) for q in lookups("av.example", 150, src=f"10.0.1.{n}")]
    assert found(channels(tmp_path / "all", dns_activity=product)) == []


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """The longest labels, unicode, markup and SQL end as data, below the domain they end in."""
    evil = ["'; DROP TABLE x; --", "<script>alert(1)</script>", "ü" * 63, "\\xff%s{}", "a" * 63]
    names = [f"{evil[n % 5]}{n}.{'b' * 63}.bad.example" for n in range(150)]
    frame = channels(tmp_path, dns_activity=[dns(n * 5, HOST, name) for n, name in enumerate(names)])
    assert found(frame) == [("dns_channel", HOST, "bad.example")]
    fronts = [http(1, HOST, "a.example", "https://a.example/", tls_sni="<b>'\"; --</b>.example.org")]
    assert found(channels(tmp_path / "f", http_activity=fronts)) == [("fronting", HOST, "a.example")]


# rhythms over several destinations


def rotating(src: str = HOST, seed: int = 1, named: str | None = None, **more: object) -> list[Row]:
    """A check-in about every minute, each at another of thirty addresses, without a server name."""
    chance, seconds, calls = random.Random(seed), 0.0, []
    for _ in range(120):
        seconds += 60 * chance.uniform(0.8, 1.2)
        place = chance.randrange(30)
        calls.append(tls(seconds, src, f"198.51.100.{place}", named and f"n{place}.{named}", **more))
    return calls


def test_a_fingerprint_that_rotates_over_addresses_has_one_rhythm(tmp_path: Path) -> None:
    frame = channels(tmp_path, network_activity=rotating(tls_ja4="t13d1_abc"), http_activity=estate())
    [row] = frame.itertuples()
    assert (row.kind, row.src, row.dst) == ("rotating_destinations", HOST, "ja4:t13d1_abc")
    assert (row.connections, len(row.dsts), row.clients) == (120, 30, 1)
    assert row.score == row.strength > 0.8
    assert 50 < row.period_s < 70


def test_without_a_fingerprint_tls_without_a_name_is_the_mark(tmp_path: Path) -> None:
    frame = channels(tmp_path, network_activity=rotating(), http_activity=estate())
    assert found(frame) == [("rotating_destinations", HOST, "TLS without a server name")]


def test_a_browser_and_a_fingerprint_of_the_house_do_not_rotate(tmp_path: Path) -> None:
    chance = random.Random(2)
    browser = [
        tls(chance.uniform(0, 8 * HOUR), HOST, f"198.51.100.{n % 40}", f"s{n % 40}.example", tls_ja4="t13d_b")
        for n in range(400)
    ]
    house = [row for n in range(8) for row in rotating(f"10.0.1.{n}", n, "u.example", tls_ja4="t13d_house")]
    assert found(channels(tmp_path, network_activity=[*browser, *house], http_activity=estate())) == []


def test_a_group_that_a_single_pair_explains_is_left_to_the_pair(tmp_path: Path) -> None:
    beacon = [tls(60 * n, HOST, FAR, "c2.example", tls_ja4="t13d_x") for n in range(100)]
    beside = [tls(3500 * n + 7, HOST, f"203.0.113.{n}", f"o{n}.example", tls_ja4="t13d_x") for n in range(6)]
    frame = channels(tmp_path, network_activity=[*beacon, *beside], http_activity=estate())
    assert "rotating_destinations" not in set(frame.kind)


def in_turn(order: list[str], period: float = 60, jitter: float = 0.23, **more: object) -> list[Row]:
    chance, seconds, calls = random.Random(4), 0.0, []
    for host in order:
        seconds += period * chance.uniform(1 - jitter, 1 + jitter)
        calls.append(http(seconds, HOST, host, f"https://{host}/", http_request_user_agent="agent/1", **more))
    return calls


def test_hosts_that_take_turns_share_one_rhythm(tmp_path: Path) -> None:
    chance = random.Random(9)
    order = [chance.choice(["a.example", "b.example", "c.example"]) for _ in range(200)]
    frame = channels(tmp_path, http_activity=[*in_turn(order), *estate()])
    [row] = frame.itertuples()
    assert (row.kind, row.src, sorted(row.dsts)) == ("shared_rhythm", HOST, ["a.example", "b.example", "c.example"])
    assert "taking turns" in row.sentence
    assert 55 < row.period_s < 65
    assert row.connections == 200


def test_a_strict_round_robin_is_told_with_the_period_of_all(tmp_path: Path) -> None:
    frame = channels(tmp_path, http_activity=[*in_turn(["a.example", "b.example"] * 80, jitter=0.02), *estate()])
    [row] = frame.itertuples()
    assert (row.kind, round(row.period_s)) == ("shared_rhythm", 60)


def test_a_fall_back_keeps_the_period_on_the_next_host(tmp_path: Path) -> None:
    order = ["a.example"] * 60 + ["b.example"] * 60
    frame = channels(tmp_path, http_activity=[*in_turn(order), *estate()])
    [row] = frame.itertuples()
    assert (row.kind, sorted(row.dsts)) == ("shared_rhythm", ["a.example", "b.example"])
    assert "one after the other" in row.sentence


def test_rare_sites_of_a_reader_and_hosts_polled_at_once_share_no_rhythm(tmp_path: Path) -> None:
    chance = random.Random(6)
    sites = [f"rare{n}.example" for n in range(6)]
    visits = [
        http(chance.uniform(0, 8 * HOUR), HOST, chance.choice(sites), http_request_user_agent="browser")
        for _ in range(150)
    ]
    both = [http(300 * n + d, "10.0.0.8", f"{h}.agent.example") for n in range(60) for d, h in ((0, "a"), (1, "b"))]
    frame = channels(tmp_path, http_activity=[*visits, *both, *estate()])
    assert "shared_rhythm" not in set(frame.kind)


def test_a_redirect_and_what_follows_are_one_poll(tmp_path: Path) -> None:
    polls: list[Row] = []
    for n in range(60):
        first, second = "script.google.com", "script.googleusercontent.com"
        polls.append(http(120 * n, HOST, first, f"https://{first}/macros/s/x/exec", http_response_code=302))
        polls.append(http(120 * n + 1, HOST, second, f"https://{second}/macros/echo", http_response_code=200))
    chance = random.Random(8)
    for at_s in sorted(chance.uniform(0, 8 * HOUR) for _ in range(40)):
        polls += [http(at_s, "10.0.0.9", "page.example"), http(at_s + 1, "10.0.0.9", "img.example")]
    frame = channels(tmp_path, http_activity=[*polls, *estate()])
    [row] = [row for row in frame.itertuples() if row.kind == "polling_pairs"]
    assert (row.dst, list(row.dsts)) == ("script.google.com", ["script.google.com", "script.googleusercontent.com"])
    assert (row.connections, row.period_s) == (60, 120)
    assert "60 of 60 answers of the first are redirects" in row.sentence


# volume


def test_a_stage_and_what_follows_are_a_first_contact_burst(tmp_path: Path) -> None:
    def after(host: str, stage: int, each: int) -> list[Row]:
        first = http(100, HOST, host, traffic_bytes_out=300, traffic_bytes_in=stage)
        return [first] + [
            http(900 + 300 * n, HOST, host, traffic_bytes_out=300, traffic_bytes_in=each) for n in range(30)
        ]

    calls = [
        *after("stage.example", 260_000, 200),
        *after("api.example", 5_000, 200),
        *after("feed.example", 260_000, 90_000),
    ]
    frame = channels(tmp_path / "new", http_activity=[*calls, *estate()])
    assert [row.dst for row in frame.itertuples() if row.kind == "first_contact_burst"] == ["stage.example"]
    window = CaseFile(case_id="T-1", window=Window(start=at(50), end=at(86_400)))
    before = http(1, "10.0.0.9", "stage.example")
    frame = channels(tmp_path / "known", window, http_activity=[before, *calls, *estate()])
    assert "first_contact_burst" not in set(frame.kind)


def test_much_that_leaves_is_an_upload_with_its_hours(tmp_path: Path) -> None:
    sent = [
        http(2 * HOUR + n, HOST, "drop.example", traffic_bytes_out=6_000_000, traffic_bytes_in=500) for n in range(30)
    ]
    call = [http(n, HOST, "meet.example", traffic_bytes_out=9_000_000, traffic_bytes_in=9_000_000) for n in range(30)]
    load = [http(n, HOST, "cdn.example", traffic_bytes_out=9_000, traffic_bytes_in=90_000_000) for n in range(30)]
    backup = [
        http(n, f"10.0.1.{n}", "backup.example", traffic_bytes_out=900_000_000, traffic_bytes_in=900) for n in range(6)
    ]
    one_way = [flow(n, HOST, FAR, traffic_bytes_out=50_000_000) for n in range(20)]
    everything = [*sent, *call, *load, *backup, *estate()]
    frame = channels(tmp_path, http_activity=everything, network_activity=one_way)
    assert [(row.dst, row.strength) for row in frame.itertuples()] == [("drop.example", 0.618), (FAR, 0.4)]
    row = frame.iloc[0]
    assert (row.bytes_out, row.bytes_in) == (180_000_000, 15_000)
    assert "100% of it in the hours 02 UTC" in row.sentence


# fronting


def test_a_host_that_differs_from_the_name_in_the_open_is_fronting(tmp_path: Path) -> None:
    def both(uid: str, sni: str, host: str, url: str | None = "/") -> tuple[Row, Row]:
        return tls(1, HOST, FAR, sni, metadata_uid=uid), http(2, HOST, host, url, metadata_uid=uid)

    seen = [
        both("C1", "front.example.org", "hidden.example.com"),
        both("C2", "www.example.net", "api.example.net"),  # one registered domain
        both("C3", "one.workers.dev", "two.workers.dev"),  # two customers of one platform
        both("C4", "inner.example.edu", "outer.example.info", None),
    ]
    frame = channels(tmp_path, network_activity=[a for a, _ in seen], http_activity=[b for _, b in seen])
    assert {row.dst: list(row.dsts) for row in frame.itertuples()} == {
        "hidden.example.com": ["hidden.example.com", "front.example.org"],
        "two.workers.dev": ["two.workers.dev", "one.workers.dev"],
        "outer.example.info": ["outer.example.info", "inner.example.edu"],
    }
    assert set(frame.kind) == {"fronting"}
    assert "asked a proxy for outer.example.info and spoke TLS for inner.example.edu" in " ".join(frame.sentence)


def test_a_log_of_tunnels_without_any_server_name_is_joined_to_nothing(tmp_path: Path) -> None:
    tunnel = http(1, HOST, "a.example", "a.example:443", http_request_http_method="CONNECT")
    assert "JOIN" not in mixed_names(tmp_path / "none", [tunnel], [])
    assert "JOIN" in mixed_names(tmp_path / "some", [tunnel], [tls(1, HOST, FAR, "b.example", metadata_uid="C1")])


def mixed_names(folder: Path, web: list[Row], wire: list[Row]) -> str:
    """The query behind fronting, less what contacts are made of."""
    opened = tables(folder, http_activity=web, network_activity=wire)
    events = egress_events(opened, CASE).cache()
    return str(ibis.to_sql(_mixed(Seen(events.mutate(at=whole_seconds(events.time)), opened, CASE, 1))))


# what cannot be seen


def test_what_the_records_cannot_show_is_told(tmp_path: Path) -> None:
    assert [kind for kind, _ in channels_not_looked_for(tables(tmp_path / "none"))] == list(KINDS)
    queries = tables(tmp_path / "dns", dns_activity=[dns(1, HOST, "a.example")])
    assert "dns_channel" not in dict(channels_not_looked_for(queries))
    flows = tables(tmp_path / "flow", network_activity=[lasting(1, FAR, 2, metadata_uid="C1")])
    assert [kind for kind, _ in channels_not_looked_for(flows)] == [
        "dns_channel",
        "rotating_destinations",
        "polling_pairs",
        "fronting",
    ]
    proxy = tables(tmp_path / "web", http_activity=[http(1, HOST, "a.example", "/", http_request_user_agent="x")])
    reasons = dict(channels_not_looked_for(proxy))
    assert set(reasons) == set(KINDS) - {"rotating_destinations", "shared_rhythm", "polling_pairs"}
    assert all(reasons.values())


def test_half_of_the_telemetry_is_enough_for_its_own_kinds(tmp_path: Path) -> None:
    """Without DNS the flows speak; without flows the DNS does; nothing is raised."""
    assert found(channels(tmp_path / "f", network_activity=[lasting(0, FAR, 5)])) == [("long_connection", HOST, FAR)]
    frame = channels(tmp_path / "d", dns_activity=lookups("c2.example", 200))
    assert found(frame) == [("dns_channel", HOST, "c2.example")]


def test_the_window_bounds_what_is_looked_at(tmp_path: Path) -> None:
    window = CaseFile(case_id="T-1", window=Window(start=at(10 * HOUR), end=at(20 * HOUR)))
    rows = {"network_activity": [lasting(0, FAR, 5)], "dns_activity": lookups("c2.example", 200)}
    assert found(channels(tmp_path, window, **rows)) == []


def test_a_day_of_people_makes_no_row(tmp_path: Path) -> None:
    """Twenty readers with one browser, pages of several hosts, lookups before each, at no steady times."""
    chance = np.random.default_rng(11)
    pages, names = [], []
    for client in range(20):
        for at_s in np.sort(chance.uniform(0, 9 * HOUR, 60)):
            site = int(chance.zipf(1.4)) % 60
            names.append(dns(at_s, f"10.0.2.{client}", f"www.site{site}.example"))
            pages += [
                http(
                    at_s + part,
                    f"10.0.2.{client}",
                    f"{host}.site{site}.example",
                    http_request_user_agent=f"Browser/{client % 3}",
                    traffic_bytes_out=int(chance.lognormal(7, 1)),
                    traffic_bytes_in=int(chance.lognormal(10, 2)),
                    duration_ms=int(chance.lognormal(7, 2)),
                )
                for part, host in enumerate(("www", "img", "cdn"))
            ]
    assert found(channels(tmp_path, http_activity=pages, dns_activity=names)) == []
