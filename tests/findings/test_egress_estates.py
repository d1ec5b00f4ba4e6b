"""From records to findings: a house at work raises none, a channel in the midst of it does, in every telemetry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.findings import tables as t
from tests.scoping.events import at, dns, flow, http, tables, tls

from playbooks.case import CaseFile, Window
from playbooks.findings import with_priority
from playbooks.findings.egress import egress_subjects
from playbooks.findings.signal import Subject
from playbooks.scoping.egress_pairs import egress_pairs

DAY, CLIENTS = 86_400, 12
CASE = CaseFile(case_id="T-1", window=Window(start=at(0), end=at(DAY)))
BASELINED = CASE.model_copy(update={"baseline": Window(start=at(-DAY), end=at(0))})
Row = dict[str, object]
Record = Callable[[float, str, str, str], Row]  # second, client, host, program

IMPLANT, HOST = "10.0.1.3", "poll.stranger.workers.dev"
UPDATES, HOUSE_APP, BROWSER = "updates.vendor.example", "app.house.workers.dev", "Mozilla/5.0 Chrome/130"


def address(name: str) -> str:
    """An address that only this name has."""
    return f"198.51.{sum(map(ord, name)) % 200}.{len(name)}"


RECORDS: dict[str, Record] = {
    "proxy": lambda s, src, host, agent: http(
        s, src, host, f"https://{host}/api", http_request_user_agent=agent, traffic_bytes_out=300
    ),
    "tunnel": lambda s, src, host, _: http(s, src, host),
    "dns": lambda s, src, host, _: dns(s, src, host, [address(host)]),
    "tls": lambda s, src, host, agent: tls(s, src, address(host), host, tls_ja4=f"t13d_{len(agent)}"),
    "flow": lambda s, src, host, _: flow(s, src, address(host)),
    "endpoint": lambda s, src, host, agent: flow(
        s, src, address(host), dst_endpoint_hostname=host, actor_process_name=f"{agent[:4]}.exe"
    ),
}


def house(record: Record, day: int = 0) -> list[Row]:
    """A day of twelve clients: an updater on all, a serverless application that people use, developers' scripts."""
    r, start, rows = np.random.default_rng(7), day * DAY, []
    for n in range(CLIENTS):
        src = f"10.0.1.{n}"
        rows += [record(start + s + n, src, UPDATES, "Updater/2") for s in range(0, DAY, 1800)]
        for host in (HOUSE_APP, "hooks.slack.example", "sheet.other.workers.dev", "a.team.web.app"):
            rows += [record(start + s, src, host, BROWSER) for s in r.uniform(8 * 3600, 17 * 3600, 15).tolist()]
    for n, agent in enumerate(("python-requests/2.32.3", "curl/8.5.0", "Go-http-client/2.0")):
        times = r.uniform(8 * 3600, 19 * 3600, 40).tolist()
        rows += [record(start + s, f"10.0.1.{n}", f"dev{n}.test.workers.dev", agent) for s in times]
    return rows


def channel(record: Record) -> list[Row]:
    return [record(60.0 * n + n % 7, IMPLANT, HOST, "Sync/1.0") for n in range(200)]


def subjects(folder: Path, table: str, rows: list[Row], case: CaseFile) -> list[Subject]:
    pairs = egress_pairs(tables(folder, **{table: rows}), case)
    owned = pairs.assign(ownership="external", ownership_reason="not in the inventory")
    ranked = with_priority(owned, t.intel(), case)
    found = egress_subjects(ranked, t.intel(), case)
    if findings := [one for one in found if one.is_finding]:
        assert ranked.src[0] == findings[0].subjects["src"][0] == IMPLANT, "what is found is looked at first"
    return found


TABLE = {"proxy": "http_activity", "tunnel": "http_activity", "dns": "dns_activity"}
every_telemetry = pytest.mark.parametrize("telemetry", RECORDS)


@every_telemetry
@pytest.mark.parametrize("case", [CASE, BASELINED], ids=["without baseline", "with baseline"])
def test_a_channel_amid_a_house_at_work_is_the_one_finding(tmp_path: Path, telemetry: str, case: CaseFile) -> None:
    record = RECORDS[telemetry]
    rows = [*house(record, -1), *house(record), *channel(record)]
    found = [one for one in subjects(tmp_path, TABLE.get(telemetry, "network_activity"), rows, case) if one.is_lead]
    destination = address(HOST) if telemetry == "flow" else HOST
    assert [one.subjects["dst"] for one in found] == [[destination]]
    assert {"rhythm", "rarity"} <= set(found[0].kinds)
    # an address alone says nothing of a serverless service: a lead
    assert found[0].is_finding is (telemetry != "flow")


@every_telemetry
def test_a_house_at_work_has_no_finding_and_no_lead(tmp_path: Path, telemetry: str) -> None:
    rows = [*house(RECORDS[telemetry], -1), *house(RECORDS[telemetry])]
    found = subjects(tmp_path, TABLE.get(telemetry, "network_activity"), rows, BASELINED)
    assert [one.key for one in found if one.is_lead] == []


def test_developers_scripts_that_the_baseline_knows_are_a_lead_at_most(tmp_path: Path) -> None:
    """A build job calls its own Worker every five minutes, with a client nobody else has, as it did before."""
    record = RECORDS["proxy"]
    job = [record(s, "10.0.1.1", "nightly.jobs.workers.dev", "Go-http-client/2.0") for s in range(-DAY, DAY, 300)]
    found = subjects(tmp_path, "http_activity", [*house(record, -1), *house(record), *job], BASELINED)
    assert [(one.kinds, one.is_finding) for one in found] == [(("rhythm",), False)]
