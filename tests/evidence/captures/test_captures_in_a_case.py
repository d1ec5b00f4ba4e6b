"""A capture in a case: read once by a tool, recorded, checked, and never called clear where nobody looked."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Said
from tests.evidence.captures.packets import NAME, incident, pcap, pcapng
from tests.evidence.captures.programs import REAL, Programs, real

from playbooks.case import Case, new_case
from playbooks.errors import EvidenceChanged, NotFound, UsageError
from playbooks.evidence import add, custody, items, verify
from playbooks.evidence.captures import captures, derive, derive_new
from playbooks.normalise import normalise, show

PACKETS = incident()
EVE = '{"timestamp":"2026-03-10T09:00:00.000001+0000","flow_id":1,"event_type":"flow","src_ip":"192.0.2.1"}'
WRITES = f"open('eve.json', 'w').write('''{EVE}\\n''')"


def case_of(folder: Path, data: bytes = pcap(PACKETS), name: str = "office.pcap") -> Case:
    case = new_case(folder / "case", "IR-1")
    file = folder / name
    file.write_bytes(data)
    [added] = add(case, [file])
    assert added.item is not None
    return case


def acts(case: Case, *activities: str) -> list[dict[str, Any]]:
    return [entry for entry in custody.entries(case.custody) if entry["activity"] in activities]


@pytest.mark.parametrize("tool", REAL)
def test_what_a_tool_reads_becomes_evidence_with_its_origin_on_record(tool: str, tmp_path: Path) -> None:
    version = real(tool).version
    case = case_of(tmp_path)
    [capture] = derive(case, ["E001"], tool)
    first, second = items(case)
    assert capture.into == ("E002",)
    assert capture.state() == f"packet capture (pcap): read by {tool} {version} into E002"
    assert second.name == f"E002-office.pcap.{'tshark.jsonl' if tool == 'tshark' else 'suricata.eve.json'}"
    assert second.source == f"derived from E001 by {tool} {version}: {second.name[5:]}"
    [entry] = acts(case, "derived")
    assert entry["capture"] == {
        "evidence_id": "E001", "name": "E001-office.pcap", "sha256": first.sha256, "kind": "pcap"
    }  # fmt: skip
    assert entry["tool_used"] == {"name": tool, "version": version}
    assert entry["command"][0] == tool
    assert entry["files"] == [{"name": second.name[5:], "sha256": second.sha256, "size": second.size}]
    assert (entry["fault"], entry["packets"]) == ("", len(PACKETS))
    assert verify(case).intact
    assert sorted(path.name for path in (case.path / ".acquiring").iterdir()) == ["captures.held"]


def test_a_capture_is_read_once_and_its_record_adds_up(tmp_path: Path) -> None:
    real("tshark")
    case = case_of(tmp_path, gzip.compress(pcapng(PACKETS)))
    assert len(derive_new(case)) == 1
    chain = case.custody.read_bytes()
    assert derive_new(case) == []
    assert derive(case) == []
    assert case.custody.read_bytes() == chain
    capture, derived = normalise(case)
    assert (capture.records, capture.events, capture.unread, capture.status, capture.blank) == (1, 0, 1, 1, 0)
    assert capture.format is None
    assert capture.note.startswith("packet capture (pcapng): read by ")
    assert derived.events == derived.records > 0
    assert derived.unread == 0
    name = derived.evidence_id
    assert NAME in show(case, [f"{name}:1"])[f"{name}:1"].text
    assert show(case, ["E001:1"])["E001:1"].sha256 == capture.sha256


def test_another_tool_may_read_it_too_and_the_same_one_does_not_read_it_again(tmp_path: Path) -> None:
    for tool in REAL:
        real(tool)
    case = case_of(tmp_path)
    derive(case, ["E001"], "suricata")
    [capture] = derive(case, ["E001"], "tshark")
    assert capture.into == ("E002", "E003")
    assert len(acts(case, "derived")) == 2
    derive(case, ["E001"], "suricata")
    assert len(acts(case, "derived")) == 2


def test_without_a_tool_the_reading_names_what_to_install_and_coverage_is_blind(
    programs: Programs, tmp_path: Path
) -> None:
    from playbooks.coverage.captures import captures_not_read

    case = case_of(tmp_path)
    assert derive_new(case) == []
    assert acts(case, "derived", "derivation failed") == []
    with pytest.raises(NotFound, match="apt install tshark"):
        derive(case)
    [reading] = normalise(case)
    assert (reading.records, reading.events, reading.unread, reading.status) == (1, 0, 1, 0)
    assert "no tool has read it. Install one: apt install tshark (or suricata, or zeek)" in reading.note
    [spot] = captures_not_read(case)
    assert "E001-office.pcap" in spot.missing
    assert "apt install tshark" in spot.recommend
    assert spot.questions == ("egress_rhythm", "known_indicators")
    programs.link("tshark")  # the tool was installed since: the record of the capture is read anew
    assert len(derive_new(case)) == 1
    capture, derived = normalise(case)
    assert (capture.status, derived.format) == (1, "tshark_capture")
    assert list(captures_not_read(case)) == []


def test_a_failure_is_on_record_and_the_same_tool_is_not_tried_again_by_itself(
    programs: Programs, tmp_path: Path
) -> None:
    case = case_of(tmp_path)
    programs.stand_in("suricata", "sys.stderr.write('E: \\x1b[2J<b>broken'); sys.exit(1)", version="7.0.10")
    [capture] = derive_new(case)
    fault = "ended with code 1: E: \x1b[2J<b>broken"
    assert capture.state() == f"packet capture (pcap): suricata 7.0.10 could not read it: {fault}"
    [entry] = acts(case, "derivation failed")
    assert (entry["fault"], entry["files"], entry["capture"]["evidence_id"]) == (fault, [], "E001")
    assert derive_new(case) == []
    [reading] = normalise(case)
    assert (reading.unread, reading.status) == (1, 0)
    assert "could not read it" in reading.note
    derive(case, ["E001"])  # asked for, it is tried again
    assert len(acts(case, "derivation failed")) == 2
    programs.stand_in("suricata", WRITES, version="7.0.11")
    [capture] = derive_new(case)  # another version is another chance
    assert capture.is_read
    assert verify(case).intact


def test_a_part_is_kept_and_named_as_a_part(programs: Programs, tmp_path: Path) -> None:
    from playbooks.coverage.captures import captures_not_read

    case = case_of(tmp_path)
    programs.stand_in("suricata", f"{WRITES}; sys.exit(2)")
    [capture] = derive_new(case)
    assert capture.is_read
    assert capture.faults() == ["suricata 9.9.9: ended with code 2"]
    [spot] = captures_not_read(case)
    assert spot.id == "capture-in-part-E001"
    assert spot.how_established == "suricata 9.9.9: ended with code 2"


def test_a_derivation_that_was_broken_off_before_its_files_were_added_is_done_again(
    programs: Programs, tmp_path: Path
) -> None:
    case = case_of(tmp_path)
    digest = items(case)[0].sha256
    lost = {"name": "x", "sha256": "0" * 64, "size": 1}
    facts = {"capture": {"sha256": digest}, "files": [lost], "tool_used": {"name": "suricata", "version": "9.9.9"}}
    custody.append(case.custody, "IR-1", "derived", fault="", **facts)
    assert not captures(case)[0].is_read
    programs.stand_in("suricata", WRITES)
    [capture] = derive_new(case)
    assert capture.into == ("E002",)


def test_nothing_is_read_out_of_a_capture_that_was_changed(programs: Programs, tmp_path: Path) -> None:
    programs.stand_in("suricata", WRITES)
    case = case_of(tmp_path)
    file = items(case)[0].file(case)
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(EvidenceChanged, match="E001"):
        derive_new(case)
    assert acts(case, "derived", "derivation failed") == []


def test_a_wrong_id_or_tool_is_named_with_what_there_is(programs: Programs, tmp_path: Path) -> None:
    programs.stand_in("suricata", WRITES)
    case = case_of(tmp_path)
    with pytest.raises(NotFound, match=r"E007: no packet capture of case. Its captures: E001\."):
        derive(case, ["E007"])
    with pytest.raises(UsageError, match="expected one of zeek, suricata, tshark"):
        derive(case, ["E001"], "snort")
    with pytest.raises(NotFound, match="zeek: not on this machine"):
        derive(case, ["E001"], "zeek")


def test_captures_in_an_archive_are_named_and_no_log_is_lost_beside_them(tmp_path: Path) -> None:
    import io
    import tarfile

    packed = io.BytesIO()
    line = b'{"ts":"2026-03-10T09:00:00Z","uid":"C1","id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2",'
    line += b'"proto":"tcp","conn_state":"SF"}\n'
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in (("conn.json", line), ("office.pcap", pcap(PACKETS)), ("more.json", line)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    case = case_of(tmp_path, packed.getvalue(), "export.tgz")
    assert captures(case) == []
    [reading] = normalise(case)
    assert (reading.format, reading.records, reading.events, reading.unread) == ("zeek_conn", 3, 2, 1)
    import pyarrow.parquet as pq

    [row] = pq.read_table(case.unread / "E001.parquet").to_pylist()
    assert row["reason"] == "office.pcap: packet capture (pcap); take it out of the archive and add it"


Command = Callable[..., Said]


def test_read_shows_what_a_tool_sees_and_says_which_one(playbooks: Command, tmp_path: Path) -> None:
    tool = next(iter(sorted((real(name) for name in REAL), key=lambda tool: tool.name)))
    file = tmp_path / "-r x\n.pcap"
    file.write_bytes(pcap(PACKETS))
    said = playbooks("read", "--json", file)
    assert said.code == 0
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert NAME in {row.get("query_hostname") for row in rows}
    assert {row["evidence_id"] for row in rows} == {"E001"}
    assert [row["record_no"] for row in rows] == list(range(1, len(rows) + 1))
    assert f"packet capture (pcap), {len(PACKETS)} packets, read by {tool.words}" in said.err
    assert said.err.splitlines()[-1] == f"{len(rows)} records / {len(rows)} events / 0 unread / 0 blank"


def test_read_without_a_tool_says_what_to_install(playbooks: Command, programs: Programs, tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap(PACKETS))
    said = playbooks("read", file)
    assert said.code == 0
    assert "packet capture (pcap); a tool must read it: apt install tshark (or suricata, or zeek)" in said.err
    assert said.err.splitlines()[-1] == "1 records / 0 events / 1 unread / 0 blank"
    programs.stand_in("tshark", "sys.exit(1)")
    said = playbooks("read", file)
    assert "tshark 9.9.9 could not read it: ended with code 1" in said.err
    assert said.err.splitlines()[-1] == "1 records / 0 events / 1 unread / 0 blank"


def test_the_command_reads_captures_and_says_what_became_of_them(
    playbooks: Command, programs: Programs, tmp_path: Path
) -> None:
    case = case_of(tmp_path)
    programs.stand_in("tshark", "sys.exit(3)")
    said = playbooks("acquire", "capture", case.path)
    assert said.code == 4
    assert "tshark 9.9.9 could not read it: ended with code 3" in said.out
    programs.stand_in("suricata", f"{WRITES}; sys.exit(1)")
    said = playbooks("acquire", "capture", case.path, "--json")
    assert said.code == 0
    [facts] = json.loads(said.out)
    assert (facts["evidence_id"], facts["into"], len(facts["derived"]), len(facts["failed"])) == (
        "E001",
        ["E002"],
        1,
        1,
    )
    said = playbooks("acquire", "capture", case.path)
    assert (said.code, said.out) == (0, "No packet capture in this case waits for a tool.\n")
    said = playbooks("acquire", "capture", case.path, "E001", "--with", "snort")
    assert said.code == 2


def test_the_verb_of_the_notebooks_shows_what_became_of_each_capture(programs: Programs, tmp_path: Path) -> None:
    from playbooks import guide

    case = case_of(tmp_path)
    programs.stand_in("suricata", WRITES)
    view = guide.acquire_capture(case, "E001", tool="suricata")
    assert view.words == ("1 of 1 packet captures are read.",)
    [row] = view.tables[0].rows.to_dict("records")
    assert row["state"] == "packet capture (pcap): read by suricata 9.9.9 into E002"


def test_a_run_reads_captures_once_and_gives_the_same_findings_again(playbooks: Command, tmp_path: Path) -> None:
    real("tshark")
    case = case_of(tmp_path)
    assert playbooks("run", case.path, "--only", "6").code == 0
    assert len(acts(case, "derived")) == 1
    findings = (case.results / "findings.json").read_bytes()
    assert playbooks("run", case.path, "--only", "6").code == 0
    assert len(acts(case, "derived")) == 1
    assert (case.results / "findings.json").read_bytes() == findings
    assert playbooks("verify", case.path).code == 0


def test_a_run_without_a_tool_goes_on_and_calls_nothing_clear(
    playbooks: Command, programs: Programs, tmp_path: Path
) -> None:
    case = case_of(tmp_path)
    log = tmp_path / "conn.json"
    log.write_text(
        '{"ts":"2026-03-10T09:00:00Z","uid":"C1","id.orig_h":"10.0.0.1","id.resp_h":"192.0.2.2","proto":"tcp",'
        '"conn_state":"SF"}\n',
        encoding="utf-8",
    )
    add(case, [log])
    for tool in ("bash", "sh", "env"):
        programs.link(tool)
    assert playbooks("run", case.path, "--only", "6").code == 0
    outcome = json.loads((case.results / "findings.json").read_text(encoding="utf-8"))["outcomes"]["egress_rhythm"]
    assert outcome["outcome"] == "blind"
    assert "nobody has looked into them" in outcome["reason"]
    assert "apt install tshark" in outcome["reason"]
