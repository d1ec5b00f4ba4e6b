"""A tool that crashes, hangs, floods or babbles costs no more than it may, and what became of it is said."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from tests.evidence.captures.packets import incident, pcap
from tests.evidence.captures.programs import Programs, seen_by

from playbooks.evidence.captures import Derived, read_capture
from playbooks.evidence.captures.running import Limits, alone

LIMITS = Limits(seconds=20, memory=1 << 30, output=1 << 20)
PLAIN = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)"  # Python would rather raise an error
LINE = '{"timestamp":"1","layers":{"frame_number":["%d"],"frame_time_epoch":["1.5"],"frame_len":["60"]}}'


def by(tool: str, folder: Path, limits: Limits = LIMITS) -> Derived:
    capture = folder / "c.pcap"
    capture.write_bytes(pcap(incident()))
    place = folder / "out"
    place.mkdir()
    return read_capture(capture, seen_by(tool), place, limits)


@pytest.mark.parametrize(
    ("tool", "body", "fault"),
    [
        (
            "suricata",
            "sys.stderr.write('E: no such thing\\nE: more\\n'); sys.exit(3)",
            "ended with code 3: E: no such thing",
        ),
        ("suricata", "os.kill(os.getpid(), 11)", "was ended by signal SIGSEGV"),
        ("tshark", "os.kill(os.getpid(), 6)", "was ended by signal SIGABRT; tshark told 0 of 42 packets"),
        (
            "suricata",
            f"{PLAIN}; open('eve.json', 'wb').write(b'x' * (2 << 20))",
            "wrote a file of more than 1,048,576 bytes",
        ),
        ("tshark", "print('no packet'); print('[1]'); print('{\"layers\": 3}')", "3 lines of tshark could not be read"),
        ("tshark", "x = bytearray(2 << 30)", "ended with code 1"),
    ],
    ids=["code", "crash", "abort", "too much", "babble", "memory"],
)
def test_a_tool_that_fails_is_a_failure_with_its_reason(
    tool: str, body: str, fault: str, programs: Programs, tmp_path: Path
) -> None:
    programs.stand_in(tool, body)
    found = by(tool, tmp_path)
    assert fault in found.fault
    assert found.failed == (not found.files)
    if tool == "tshark":
        assert found.files == ()


def test_a_tool_that_hangs_is_stopped_with_all_that_it_started(programs: Programs, tmp_path: Path) -> None:
    programs.stand_in("suricata", "os.fork(); open(f'pid{os.getpid()}', 'w').close(); time.sleep(600)")
    began = time.monotonic()
    found = by("suricata", tmp_path, Limits(seconds=2, memory=1 << 30, output=1 << 20))
    assert time.monotonic() - began < 15
    assert (found.fault, found.failed) == ("took longer than 2 seconds and was stopped", True)
    for file in (tmp_path / "out").glob("pid*"):
        pid = int(file.name.removeprefix("pid"))
        deadline = time.monotonic() + 5
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            assert time.monotonic() < deadline, "a child of the tool still runs"
            time.sleep(0.05)


def test_a_tool_that_hangs_behind_its_output_is_stopped_too(programs: Programs, tmp_path: Path) -> None:
    programs.stand_in("tshark", f"print('''{LINE % 1}''', flush=True); time.sleep(600)")
    found = by("tshark", tmp_path, Limits(seconds=2, memory=1 << 30, output=1 << 20))
    assert found.fault == "took longer than 2 seconds and was stopped; tshark told 1 of 42 packets"
    assert found.failed


def test_an_endless_line_is_read_in_constant_memory_and_counts_once(programs: Programs, tmp_path: Path) -> None:
    programs.stand_in("tshark", "for _ in range(64): sys.stdout.write('x' * (1 << 20))")
    assert "1 lines of tshark could not be read" in by("tshark", tmp_path).fault


def test_a_flood_of_flows_is_stopped_at_the_limit(programs: Programs, tmp_path: Path) -> None:
    body = (
        "for n in range(10**9):\n"
        '    print(\'{"layers":{"frame_number":["%d"],"frame_time_epoch":["%d.0"],"frame_len":["60"],\'\n'
        '          \'"frame_protocols":["eth:ip:udp"],"ip_src":["192.0.2.1"],"ip_dst":["192.0.2.2"],\'\n'
        '          \'"udp_stream":["%d"]}}\' % (n, n * 100, n))'
    )
    programs.stand_in("tshark", body)
    found = by("tshark", tmp_path, Limits(seconds=60, memory=1 << 30, output=1 << 18))
    assert found.fault.startswith("gave more than 262,144 bytes and was stopped")
    assert [file.stat().st_size < 1 << 19 for file in found.files] == [True]


def test_packets_keep_their_place_when_tshark_begins_a_session_anew(programs: Programs, tmp_path: Path) -> None:
    ends = '"frame_protocols":["eth:ip:udp"],"ip_src":["192.0.2.1"],"ip_dst":["192.0.2.2"]'
    query = '"frame_time_epoch":["1.0"],"dns_id":["0x1"],"dns_flags_response":["0"]'
    line = f'{{"layers":{{"frame_number":["%d"],{ends},{query}}}}}'
    programs.stand_in("tshark", f"for n in (1, 2, 3, 1, 2, 3, 1): print({line!r} % n)")
    [file] = by("tshark", tmp_path).files
    rows = [json.loads(raw) for raw in file.read_bytes().splitlines()]
    assert [row["frame"] for row in rows if row["tshark"] == "dns"] == [1, 2, 3, 4, 5, 6, 7]
    assert [(row["frame"], row["packets_out"]) for row in rows if row["tshark"] == "flow"] == [(1, 7)]


def test_a_tool_has_no_network_no_home_of_a_person_and_no_input(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example")
    monkeypatch.setenv("SSLKEYLOGFILE", "keys.log")
    body = (
        "import json, socket\n"
        "nets = [name for _, name in socket.if_nameindex()]\n"
        "facts = {'env': dict(os.environ), 'nets': nets, 'cwd': os.getcwd(), 'argv': sys.argv}\n"
        "facts['in'] = sys.stdin.read()\n"
        "open('eve.json', 'w').write(json.dumps(facts))"
    )
    programs.stand_in("suricata", body)
    found = by("suricata", tmp_path)
    facts = json.loads(found.files[0].read_text(encoding="utf-8"))
    place = str(tmp_path / "out")
    assert facts["cwd"] == place
    assert {facts["env"][name] for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "WIRESHARK_CONFIG_DIR")} == {place}
    assert {"HTTPS_PROXY", "SSLKEYLOGFILE", "PYTHONPATH"} & set(facts["env"]) == set()
    assert facts["in"] == ""
    assert facts["argv"][1:] == found.facts["command"][1:]
    if alone():
        assert facts["nets"] == ["lo"]
        assert found.facts["limits"]["network"] == "none"


def test_zeek_logs_are_taken_and_the_others_are_named(programs: Programs, tmp_path: Path) -> None:
    """Zeek itself is in no Debian: a stand-in writes what its documentation shows."""
    head = "#separator \\\\x09\\n#path\\tconn\\n#fields\\tts\\tuid\\n"
    programs.stand_in(
        "zeek",
        f"open('conn.log', 'w').write('{head}')\n"
        "open('files.log', 'w').write('x')\nopen('dns.log', 'w').close()\n"
        "assert sys.argv[1:] == ['-C', '-r', 'capture', 'LogAscii::use_json=F']",
        version="6.0.4",
    )
    found = by("zeek", tmp_path)
    assert [file.name for file in found.files] == ["conn.log"]
    assert (found.fault, found.failed) == ("", False)
    assert found.facts["not_kept"] == ["dns.log", "files.log"]
    assert found.facts["tool_used"] == {"name": "zeek", "version": "6.0.4"}


def test_suricata_that_dropped_or_missed_packets_says_so(programs: Programs, tmp_path: Path) -> None:
    stats = json.dumps({"stats": {"decoder": {"pkts": 40}, "flow": {"memcap": 0}, "tcp": {"ssn_memcap_drop": 2}}})
    programs.stand_in(
        "suricata",
        f"open('eve.json', 'w').write('{{}}')\nopen('stats.json', 'w').write('{{}}\\n' + '''{stats}''' + '\\n{{')",
    )
    found = by("suricata", tmp_path)
    assert found.fault == "suricata told 40 of 42 packets; suricata dropped tcp.ssn_memcap_drop 2"
    assert not found.failed


def test_a_tool_that_cannot_say_its_version_is_not_used(programs: Programs) -> None:
    from playbooks.evidence.captures import choose, installed

    (programs.folder / "zeek").write_text("#!/nonexistent\n")
    (programs.folder / "zeek").chmod(0o755)
    programs.stand_in("tshark", "", version="4.0.17")
    assert [tool.words for tool in installed()] == ["tshark 4.0.17"]
    assert seen_by("tshark").words == "tshark 4.0.17"
    tool = choose()
    assert tool is not None
    assert tool.name == "tshark"
    programs.stand_in("suricata", "")
    assert [one.name for one in installed()] == ["suricata", "tshark"], "the best one first"


def test_only_a_tshark_that_knows_ja4_is_asked_for_it(programs: Programs) -> None:
    for version, knows in (("4.0.17", False), ("4.2.0", True), ("4.10.1", True), ("3.6.2", False)):
        programs.stand_in("tshark", "", version=version)
        assert ("tls.handshake.ja4" in seen_by("tshark").command()) == knows, version
    assert os.environ["PATH"] == str(programs.folder)
