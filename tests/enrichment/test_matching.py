"""The joins of the engine find what a slow comparison in Python finds, and items that cannot be compared say why."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.findings import tables as t
from tests.scoping import events

from playbooks.enrichment import compared
from playbooks.enrichment.matching import matches

LABELS = ("a", "b", "cdn", "example", "test", "org", "xn--bcher-kva", "workers", "dev", "x-y", "co", "uk")
PATHS = ("/", "/kit/", "/kit/a.js", "/kit/a/b.js?x=1", "/gate.php", "/kit", "//kit/a", "/a%20b/", "/Kit/a.js")
Rows = list[dict[str, Any]]
SCHEMES = ("http://", "https://", "")


def name_of(chance: random.Random) -> str:
    return ".".join(chance.choice(LABELS) for _ in range(chance.randint(1, 5)))


def url_of(chance: random.Random) -> str:
    return chance.choice(SCHEMES) + name_of(chance) + chance.choice(PATHS)


MAKERS = {
    "domain": name_of,
    "ip": lambda chance: f"198.51.100.{chance.randint(0, 40)}",
    "url": url_of,
    "uri": lambda chance: chance.choice(PATHS),
    "user_agent": lambda chance: f"Agent/{chance.randint(0, 9)}",
    "ja3": lambda chance: f"{chance.randint(0, 9):032x}",
    "tenant": lambda chance: chance.choice(LABELS),
    "interval": lambda chance: str(chance.choice((30, 60, 61, 300, 3600))),
}


def item_of(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(list(MAKERS))
    row = {"time": t.at(-24), "format": "indicator_csv", "indicator": MAKERS[kind](chance), "indicator_type": kind}
    return row | {"source": chance.choice(("A", "B", None)), "confidence": chance.choice((None, 10, 90))}


def pair_of(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(("fqdn", "ip"))
    facts = {"tenant": chance.choice((None, *LABELS)), "beacon_period_s": chance.choice((None, 29.0, 60.5, 3500.0))}
    dst = MAKERS["ip" if kind == "ip" else "domain"](chance)
    return t.pair(dst=dst, kind=kind, beacon_score=chance.choice((None, 0.0, 0.9)), **facts)


def web_of(chance: random.Random) -> dict[str, Any]:
    url = chance.choice((None, url_of(chance)))
    agent, ja3 = MAKERS["user_agent"](chance), MAKERS["ja3"](chance).upper()
    return events.http(chance.randint(0, 999), "10.0.0.9", "h.example", url, http_request_user_agent=agent, tls_ja3=ja3)


def above(kind: str, value: str) -> Iterator[tuple[str, str]]:
    """What is looked for among the items for a value, one after the other."""
    yield value, "exact"
    if kind == "domain":
        labels = value.split(".")
        yield from ((".".join(labels[start:]), "parent domain") for start in range(1, len(labels) - 1))
    if kind == "uri":
        folders = value.rstrip("/").split("/")
        yield from (("/".join(folders[:end]) + "/", "path above") for end in range(2, len(folders)))
    if kind == "url":
        plain = value.split("?")[0].split("#")[0].rstrip("/")
        bare, bare_plain = value.rpartition("://")[2], plain.rpartition("://")[2]
        if bare != value:
            yield bare, "exact"
        folders = plain.split("/")
        yield from (("/".join(folders[:end]) + "/", "path above") for end in range(3, len(folders)))
        folders = bare_plain.split("/")
        yield from (("/".join(folders[:end]) + "/", "path above") for end in range(1, len(folders)))


def path_in(url: str) -> str:
    rest = url.partition("://")[2] or url
    at = rest.find("/") if "://" in url else (0 if url.startswith("/") else -1)
    return rest[at:].split("?")[0].split("#")[0] if at >= 0 else ""


def seen_in(
    pairs: list[dict[str, Any]], web: list[dict[str, Any]], items: list[dict[str, Any]]
) -> set[tuple[str, str]]:
    named = {(item["indicator_type"], item["indicator"]) for item in items}
    seen = {("ip" if pair["kind"] == "ip" else "domain", pair["dst"]) for pair in pairs}
    seen |= {("tenant", pair["tenant"]) for pair in pairs if ("tenant", pair["tenant"]) in named}
    for row in web:
        seen |= {("user_agent", row["http_request_user_agent"]), ("ja3", row["tls_ja3"].lower())}
        if url := row["http_request_url_string"]:
            seen |= {("url", url), *([("uri", path_in(url))] if path_in(url) else [])}
    return seen


def can_be_compared(item: dict[str, Any]) -> bool:
    kind, value = item["indicator_type"], item["indicator"]
    return (kind != "domain" or "." in value) and (kind != "url" or "." in value or ":" in value)


def slowly(items: Rows, pairs: Rows, web: Rows) -> set[tuple[str, str, str, str, str]]:
    """The reference: every observable beside every item, one by one."""
    named = {n: item for n, item in enumerate(items, 1) if can_be_compared(item)}
    found = {
        (value, kind, how, item["indicator"], f"E002:{n}")
        for kind, value in seen_in(pairs, web, items)
        for key, how in above(kind, value)
        for n, item in named.items()
        if item["indicator_type"] == kind and item["indicator"] == key
    }
    for n, item in named.items():
        for pair in pairs if item["indicator_type"] == "interval" else ():
            period, score = pair["beacon_period_s"], pair["beacon_score"]
            stated = float(item["indicator"])
            if period and score and abs(period - stated) <= 0.05 * stated:
                words = f"{pair['src']} to {pair['dst']}, every {period:g} s"
                found.add((words, "interval", "period", item["indicator"], f"E002:{n}"))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_joins_find_what_comparing_one_by_one_finds(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    items, pairs, web = ([make(chance) for _ in range(400)] for make in (item_of, pair_of, web_of))
    tables = events.tables(tmp_path, indicators=items, http_activity=web)
    found = matches(tables, t.pairs(*pairs))
    columns = ["observable", "observable_type", "matched_on", "indicator", "ref"]
    got = set(found[columns].itertuples(index=False, name=None))
    assert got == slowly(items, pairs, web)
    kinds = set(found.observable_type)
    assert kinds == set(MAKERS), "the mix holds a match of every type"
    assert {"exact", "parent domain", "path above", "period"} == set(found.matched_on)


def told(tmp_path: Path, *items: tuple[str | None, str | None]) -> dict[str | None, Any]:
    rows = [{"format": "indicator_lines", "indicator": value, "indicator_type": kind} for value, kind in items]
    frame = compared(
        events.tables(tmp_path, indicators=rows, http_activity=[events.http(1, "10.0.0.9", "h.example", "/")])
    )
    assert frame["items"].sum() == len(items), "every item is counted once"
    return {row.indicator_type: row for row in frame.itertuples(index=False)}


@pytest.mark.parametrize(
    ("value", "kind", "why"),
    [
        ("10.1.2.3", "ip", "a private address: it names another host in every network"),
        ("fd00::1", "ip", "a private address: it names another host in every network"),
        ("198.51.100.0/24", "ip", "a range: single addresses are compared"),
        ("999.1.1.1", "ip", "no address"),
        ("none", "ip", "no address"),
        ("com", "domain", "one label alone: it names no host"),
        ("domain autuo.example.net", "domain", "no host name"),
        ("", "domain", "it has no value"),
        (None, "domain", "it has no value"),
        ("some words", "text", "no log that is read shows a value of this type"),
        ("x-tool: 1", "http_header", "no log that is read shows headers"),
        ("abcd", "sha256", "no sha256: it has 64 hexadecimal digits"),
        ("soon", "interval", "no number of seconds"),
        ("kit/", "uri", "no path: it begins with no slash"),
        ("2001:db8::9", "ip", None),
        ("198.51.100.9", "ip", None),
        ("*.loader.example", "domain", None),
        ("60", "interval", None),
    ],
)
def test_an_item_that_cannot_be_compared_says_why(tmp_path: Path, value: str, kind: str, why: str | None) -> None:
    row = told(tmp_path, (value, kind))[kind]
    assert (None if pd.isna(row.not_compared) else row.not_compared) == why
    assert pd.isna(row.records_that_could_show) is (why is not None)


def test_a_type_that_no_record_could_show_is_told_as_such(tmp_path: Path) -> None:
    rows = told(tmp_path, ("h.example", "domain"), ("ab" * 16, "ja3"), ("/x", "uri"))
    assert {kind: row.records_that_could_show for kind, row in rows.items()} == {"domain": 1, "ja3": 0, "uri": 1}
    assert all(row.visible_in for row in rows.values())
