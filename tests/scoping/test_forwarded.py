"""X-Forwarded-For counts behind a trusted proxy, from its end, and never otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.events import http, tables

from playbooks.case import CaseFile
from playbooks.scoping.addresses import Ranges
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.forwarded import last_untrusted

PROXY, SECOND, CLIENT = "10.0.0.80", "10.0.0.81", "10.0.0.7"
TRUSTING = CaseFile(case_id="T-1", estate={"trusted_proxies": ["10.0.0.80/31"]})


def sources(folder: Path, case: CaseFile, src: str, chain: str | None) -> list[tuple[str, bool]]:
    rows = [http(0, src, "app.example", "http://app.example/x", http_request_x_forwarded_for=chain)]
    events = egress_events(tables(folder, http_activity=rows), case).to_pyarrow()
    return list(zip(events["src"].to_pylist(), events["by_proxy"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("src", "chain", "seen"),
    [
        (PROXY, CLIENT, [(CLIENT, False)]),
        (PROXY, f"10.0.0.99, {CLIENT}, {SECOND}", [(CLIENT, False)]),  # what the client itself claimed comes first
        (PROXY, f"{CLIENT}:4711", [(CLIENT, False)]),
        (PROXY, "8.8.8.8", [(PROXY, True)]),  # a header never makes a record disappear
        (PROXY, f"{CLIENT}, <script>", [(PROXY, True)]),
        (PROXY, f"{SECOND}, {PROXY}", [(PROXY, True)]),
        (PROXY, None, [(PROXY, True)]),
        ("10.0.0.9", CLIENT, [("10.0.0.9", False)]),  # any client can write the header
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(
    tmp_path: Path, src: str, chain: str | None, seen: list[tuple[str, bool]]
) -> None:
    assert sources(tmp_path, TRUSTING, src, chain) == seen


def test_without_a_trusted_proxy_the_header_is_not_looked_at(tmp_path: Path) -> None:
    assert sources(tmp_path, CaseFile(case_id="T-1"), PROXY, CLIENT) == [(PROXY, False)]


def test_a_long_chain_is_read_from_its_end(tmp_path: Path) -> None:
    assert sources(tmp_path, TRUSTING, PROXY, "1.1.1.1," * 10_000 + CLIENT) == [(CLIENT, False)]


def test_addresses_of_both_families_are_read() -> None:
    trusted, internal = Ranges(["2001:db8::/64"]), Ranges(["fc00::/7"])
    assert last_untrusted("fd00::7, [2001:db8::1]:3128", trusted, internal) == "fd00::7"
