"""What happened around first contact: a planted chain in order with its records, and the stages that are blind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.scoping.events import at, dns, flow, http, tables

from playbooks import schema
from playbooks.case_file import CaseFile
from playbooks.engine import Tables
from playbooks.knowledge.lifecycle import load_lifecycle
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.related_activity import BLIND, CLEAR, FOUND, Related, related_activity, with_lifecycle
from playbooks.scoping.watched import MOST_WATCHED, Around

HOST, NAME, C2 = "10.1.0.17", "ws17.corp.example", "sync.tenant-1.workers.dev"
FIRST = 40_000.0  # seconds of the day
STAGES = [stage.id for stage in load_lifecycle().stages]


def endpoint(seconds: float, class_uid: int, activity: str, device: str = NAME, **more: object) -> dict[str, object]:
    row = {"time": at(seconds), "format": "windows_events_xml", "class_uid": class_uid, "device_hostname": device}
    return {**row, "activity_name": activity, "actor_user_name": "CORP\\ann", **more}


def started(seconds: float, path: str, command: str, parent: str = "explorer.exe", **more: Any) -> dict[str, object]:
    told = {"process_name": path.rpartition("\\")[2], "process_file_path": path, "process_cmd_line": command}
    return endpoint(seconds, 1007, "Microsoft-Windows-Sysmon 1", actor_process_name=parent, **told, **more)


def proxied(seconds: float, **more: object) -> dict[str, object]:
    return http(seconds, HOST, C2, actor_user_name="ann", traffic_bytes_out=900, traffic_bytes_in=300, **more)


CHAIN = [
    started(FIRST - 80_000, "C:\\Windows\\explorer.exe", "explorer.exe"),
    endpoint(FIRST - 700, 1001, "Microsoft-Windows-Sysmon 11", actor_process_name="msedge.exe",
             file_path="C:\\Users\\ann\\Downloads\\invoice.zip"),
    started(FIRST - 600, "C:\\Windows\\System32\\wscript.exe", "wscript.exe invoice.js"),
    endpoint(FIRST - 300, 201002, "Microsoft-Windows-Sysmon 13", actor_process_name="wscript.exe",
             file_path="HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\sync"),
    started(FIRST + 900, "C:\\Windows\\System32\\whoami.exe", "whoami /all", "cmd.exe"),
]  # fmt: skip
WEB = [
    http(FIRST - 720, HOST, "files.lure.example", "http://files.lure.example/d/invoice.zip", http_response_code=200,
         actor_user_name="ann"),
    *(proxied(FIRST + 60 * n) for n in range(20)),
]  # fmt: skip
LOGON = endpoint(FIRST + 1500, 3002, "Microsoft-Windows-Security-Auditing 4624", "srv1.corp.example",
                 src_endpoint_ip=HOST, src_endpoint_hostname="WS17", user_name="CORP\\ann",
                 status="success")  # fmt: skip
INSIDE = [
    flow(FIRST - 9_000, HOST, "10.1.0.5", dst_endpoint_port=445),
    flow(FIRST + 60, HOST, "10.1.0.5", dst_endpoint_port=445),
    flow(FIRST + 1_400, HOST, "10.1.0.9", dst_endpoint_port=445),
]


def finding(id: str = "A-1", src: tuple[str, ...] = (HOST,), dst: tuple[str, ...] = (C2,)) -> dict[str, Any]:
    return {"id": id, "hypothesis": "A", "subjects": {"src": list(src), "dst": list(dst), "tenant": []}}


def case() -> CaseFile:
    return CaseFile.model_validate({"case_id": "T", "estate": {"internal_ranges": ["10.0.0.0/8"]}})


def asked(events: Tables, *entries: dict[str, Any], around: Around | None = None) -> Related:
    found = {"findings": list(entries) or [finding()], "leads": []}
    return related_activity(found, egress_events(events, case()).cache(), events, case(), around)


def states(related: Related, src: str = HOST) -> dict[str, str]:
    mine = related.stages[related.stages.src == src]
    return dict(zip(mine.stage, mine.state, strict=True))


def rows(related: Related, stage: str) -> pd.DataFrame:
    return related.activity[related.activity.stage == stage]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Related:
    folder = tmp_path_factory.mktemp("chain")
    return asked(tables(folder, system_activity=[*CHAIN, LOGON], http_activity=WEB, network_activity=INSIDE))


def test_a_planted_chain_is_found_in_order_and_every_row_cites_its_record(chain: Related) -> None:
    telling = chain.activity[chain.activity.telling]
    order = list(dict.fromkeys(telling.stage))
    assert order == [
        "initial-access", "execution", "persistence", "command-and-control", "discovery", "lateral-movement",
    ]  # fmt: skip
    assert list(chain.activity.columns) == list(schema.RELATED_ACTIVITY.names)
    assert chain.activity.time.is_monotonic_increasing
    assert chain.activity.ref.str.fullmatch(r"E00[1-3]:\d+").all()
    assert telling.sentence.to_list() == [
        "The host fetched http://files.lure.example/d/invoice.zip",
        "msedge.exe wrote C:\\Users\\ann\\Downloads\\invoice.zip",
        "explorer.exe started wscript.exe: wscript.exe invoice.js – not before in the host's records, "
        "which begin 2026-03-09 12:53 UTC",
        "wscript.exe wrote HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\sync",
        f"First contact with {C2} (http)",
        "cmd.exe started whoami.exe: whoami /all – not before in the host's records, which begin 2026-03-09 12:53 UTC",
        "First connection of the host to 10.1.0.9 port 445 (microsoft-ds), 23 minutes after first contact",
    ]


def test_rows_say_how_they_were_matched_how_far_away_and_which_technique(chain: Related) -> None:
    [key] = rows(chain, "persistence").to_dict("records")
    assert (key["matched_by"], key["relative_s"], key["attack"], key["ref"]) == (
        "host name", -300, ["T1547.001"], "E003:4",
    )  # fmt: skip
    assert key["innocent_if"] == "Installers and updaters write run keys."
    [moved, logon] = rows(chain, "lateral-movement").to_dict("records")
    assert (moved["matched_by"], moved["ref"], moved["relative_s"]) == ("address", "E002:3", 1400)
    assert (logon["host"], logon["matched_by"], logon["ref"]) == (
        "srv1.corp.example", "client of another machine", "E003:6",
    )  # fmt: skip


def test_a_machine_that_was_reached_before_first_contact_is_no_movement(chain: Related) -> None:
    assert not chain.activity.sentence.str.contains("10.1.0.5").any()


def test_what_could_show_a_stage_and_is_silent_is_clear_and_says_over_what(chain: Related) -> None:
    told = states(chain)
    assert told["defense-evasion"] == told["credential-access"] == CLEAR
    [row] = chain.stages[chain.stages.stage == "defense-evasion"].to_dict("records")
    assert row["reason"] == (
        "Nothing in the records; looked at: process starts of the host; registry changes of the host, from "
        "2026-03-09 11:06 to 2026-03-11 11:06. Not in evidence for the host: cloud, SaaS and office audit records of "
        "the host's user."
    )


def test_without_endpoint_telemetry_the_stages_it_would_show_are_blind(tmp_path: Path) -> None:
    related = asked(tables(tmp_path, http_activity=WEB[1:]))
    assert states(related) == {
        "initial-access": BLIND, "execution": BLIND, "persistence": BLIND, "defense-evasion": BLIND,
        "credential-access": BLIND, "discovery": BLIND, "lateral-movement": BLIND, "command-and-control": FOUND,
        "exfiltration": CLEAR,
    }  # fmt: skip
    [row] = related.stages[related.stages.stage == "execution"].to_dict("records")
    assert row["reason"].startswith(f"No telemetry in evidence could show it for {HOST} from 2026-03-09 11:06")
    assert "process creation records of the host (Sysmon 1" in row["to_open"][0]


def test_records_of_another_host_are_no_sight_of_this_one_and_are_not_taken(tmp_path: Path) -> None:
    others = [row | {"device_hostname": "ws18.corp.example"} for row in CHAIN]
    related = asked(tables(tmp_path, system_activity=others, http_activity=WEB[1:]))
    assert set(related.activity.stage) == {"command-and-control"}
    assert states(related)["execution"] == states(related)["persistence"] == BLIND


def test_a_host_of_the_same_short_name_in_another_domain_is_another_host(tmp_path: Path) -> None:
    shown = dns(FIRST - 10, HOST, C2, src_endpoint_hostname=NAME)
    others = [row | {"device_hostname": "ws17.other.example"} for row in CHAIN]
    short = started(FIRST - 5, "C:\\a.exe", "a.exe", device="WS17")
    related = asked(tables(tmp_path, system_activity=[*others, short], http_activity=WEB, dns_activity=[shown]))
    assert rows(related, "execution").ref.to_list() == ["E003:6"]


def test_an_address_with_two_names_is_ambiguous_and_neither_is_followed(tmp_path: Path) -> None:
    shown = [dns(FIRST - 10 * n, HOST, C2, src_endpoint_hostname=name) for n, name in enumerate((NAME, "ws99"))]
    related = asked(tables(tmp_path, system_activity=CHAIN, http_activity=WEB, dns_activity=shown))
    [host] = related.hosts
    assert host.names == ()
    assert any("ambiguous" in note and "ws17.corp.example, ws99" in note for note in host.notes)
    assert states(related)["execution"] == BLIND


def test_a_name_learned_outside_the_span_says_nothing(tmp_path: Path) -> None:
    shown = dns(FIRST - 90_000, HOST, C2, src_endpoint_hostname="old-owner")
    contact = [proxied(FIRST), dns(FIRST, HOST, "a.example", src_endpoint_hostname=NAME)]
    related = asked(
        tables(tmp_path, http_activity=contact[:1], dns_activity=[shown | {"query_hostname": "x.example"}, contact[1]])
    )
    assert related.hosts[0].names == (NAME,)


def test_the_user_is_followed_into_audit_records_and_a_shared_account_is_not(tmp_path: Path) -> None:
    rule = {"time": at(FIRST + 500), "format": "m365_ual", "api_operation": "New-InboxRule", "status": "success",
            "actor_user_uid": "Ann@corp.example", "resource_name": "forward all"}  # fmt: skip
    created = rule | {"api_operation": "CreateFunction20150331", "api_operation_base": "CreateFunction",
                      "cloud_provider": "AWS", "api_service_name": "lambda.amazonaws.com"}  # fmt: skip
    audit = [rule, rule | {"actor_user_uid": "bob@corp.example"}, created]
    related = asked(tables(tmp_path / "a", http_activity=WEB, api_activity=audit))
    by_user = related.activity[related.activity.matched_by == "user"]
    assert by_user[["stage", "ref", "attack"]].to_numpy().tolist() == [
        ["defense-evasion", "E001:1", ["T1564.008", "T1114.003"]],
        ["execution", "E001:3", ["T1648", "T1098.003"]],
    ]
    everywhere = [http(FIRST, f"10.1.1.{n}", "a.example", actor_user_name="ann") for n in range(5)]
    related = asked(tables(tmp_path / "b", http_activity=[*WEB, *everywhere], api_activity=audit))
    assert not (related.activity.matched_by == "user").any()
    assert any("account ann is at 6 hosts" in note for note in related.hosts[0].notes)


def test_uploads_and_new_destinations_are_told_with_their_size_and_record(tmp_path: Path) -> None:
    sent = [proxied(FIRST + 100 + n) | {"traffic_bytes_out": 4_000_000} for n in range(3)]
    known = [http(FIRST - 100_000, "10.1.0.99", "old.example"), http(FIRST - 60, HOST, "old.example")]
    related = asked(tables(tmp_path, http_activity=[*WEB, *sent, *known]))
    assert rows(related, "exfiltration").sentence.to_list() == [f"Sent 12,018,000 bytes to {C2}, more than came back"]
    new = related.activity[related.activity.rule == "new-destination"]
    assert new.sentence.to_list() == ["First contact of anybody in the records with files.lure.example, shortly before"]


def test_where_the_records_have_just_begun_nothing_is_called_new(tmp_path: Path) -> None:
    related = asked(tables(tmp_path, http_activity=WEB[:3]))
    assert not (related.activity.rule == "new-destination").any()


def test_rows_of_a_stage_are_bounded_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    many = [started(FIRST + n, f"C:\\Tools\\t{n % 30}.exe", f"t{n}") for n in range(400)]
    related = asked(tables(tmp_path, system_activity=[*CHAIN, *many], http_activity=[*WEB], network_activity=INSIDE[:0],
                           dns_activity=[dns(FIRST, HOST, C2, src_endpoint_hostname=NAME)]))  # fmt: skip
    [row] = related.stages[related.stages.stage == "execution"].to_dict("records")
    assert (row["events"], row["left_out"], len(rows(related, "execution"))) == (402, 382, 20)
    assert rows(related, "execution").telling.all(), "what ran for the first time comes before what did not"


def test_hosts_beyond_the_bound_are_counted_and_their_lifecycle_is_null(tmp_path: Path) -> None:
    clients = [f"10.1.{n // 200}.{n % 200 + 1}" for n in range(MOST_WATCHED + 5)]
    web = [http(FIRST + n, client, f"h{n}.example") for n, client in enumerate(clients)]
    entries = [finding(f"A-{n}", (client,), (f"h{n}.example",)) for n, client in enumerate(clients)]
    related = asked(tables(tmp_path, http_activity=web), *entries)
    assert (len(related.hosts), related.left_out) == (MOST_WATCHED, 5)
    told = with_lifecycle({"findings": entries, "leads": []}, related)
    assert [entry["lifecycle"] is None for entry in told["findings"]] == [False] * MOST_WATCHED + [True] * 5


def test_a_finding_says_of_each_stage_found_clear_or_blind_with_its_records(chain: Related) -> None:
    told = with_lifecycle({"findings": [finding()], "leads": [{"id": "B-1", "hypothesis": "B"}]}, chain)
    lifecycle = told["findings"][0]["lifecycle"]
    assert [stage["stage"] for stage in lifecycle["stages"]] == STAGES
    assert {stage["state"] for stage in lifecycle["stages"] if stage["refs"]} == {FOUND}
    assert all(stage["refs"] for stage in lifecycle["stages"] if stage["state"] == FOUND)
    assert lifecycle["hosts"][0]["names"] == ["ws17"]
    assert "lifecycle" not in told["leads"][0]


def test_hostile_values_are_data(tmp_path: Path) -> None:
    nasty = "'; DROP TABLE x; -- {user} {0.__class__} %s <script>alert(1)</script> \x00".replace("\x00", "\u202e")
    system = [started(FIRST - 1, f"C:\\Temp\\{nasty}.exe", nasty * 50, nasty, device="WS17"),
              endpoint(FIRST - 2, 2004, nasty, "WS17", finding_title=nasty)]  # fmt: skip
    shown = dns(FIRST, HOST, C2, src_endpoint_hostname="WS17", actor_user_name=nasty)
    related = asked(tables(tmp_path, system_activity=system, http_activity=WEB, dns_activity=[shown]))
    [alert, start] = rows(related, "execution").to_dict("records")
    assert alert["sentence"] == f"Alert of the device: {nasty}"
    assert start["sentence"].startswith(nasty) and len(start["sentence"]) < 600


def test_the_span_is_a_parameter(tmp_path: Path) -> None:
    events = tables(tmp_path, system_activity=[*CHAIN, LOGON], http_activity=WEB)
    related = asked(events, around=Around(before_hours=0.1, after_hours=0.1))
    assert set(related.activity.stage) == {"command-and-control"}
    assert states(related)["execution"] == BLIND, "no record shows the host's name in so short a span"


def test_nothing_is_looked_at_without_a_finding(tmp_path: Path) -> None:
    events = tables(tmp_path, http_activity=WEB)
    found = {"findings": [], "leads": []}
    related = related_activity(found, egress_events(events, case()), events, case())
    assert (len(related.activity), len(related.stages), related.hosts) == (0, 0, ())
