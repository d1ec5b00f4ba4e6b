"""The samples are what their script makes, small, synthetic, and alike but for what is planted."""

from __future__ import annotations

import csv
import gzip
import ipaddress
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
TWINS = ("incident", "quiet")
ALLOWED = tuple(
    ipaddress.ip_network(network)
    for network in ("10.20.0.0/16", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
ADDRESS = re.compile(r"(?<![\w./#])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|\b[0-9a-f]{1,4}(?:::?[0-9a-f]{1,4}){2,7}\b")
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


def truth(twin: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / twin / "truth.json").read_text())
    return loaded


def content(twin: str, name: str) -> bytes:
    stored = (SAMPLES / twin / "logs" / name).read_bytes()
    return gzip.decompress(stored) if name.endswith(".gz") else stored


def records(twin: str, name: str) -> list[bytes]:
    """Records as the README counts them, found without the script's own counting."""
    raw = content(twin, name)
    if name.endswith((".json", ".json.gz")) and name.startswith("cloudtrail"):
        loaded = json.loads(raw)
        found = loaded if isinstance(loaded, list) else loaded.get("Records") or loaded["Events"]
        return [json.dumps(item).encode() for item in found]
    lines = [line for line in raw.split(b"\n") if line.strip() and not line.startswith(b"#")]
    return lines[1:] if name.endswith(".csv") or lines[0].startswith(b"version ") else lines


def run_script(*arguments: str, zone: str = "UTC") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", str(SAMPLES / "make_samples.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={"TZ": zone, "PYTHONHASHSEED": "7"}, check=False)


def test_the_files_are_what_the_script_makes_in_any_zone() -> None:
    checked = run_script("--check", zone="America/New_York")
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_a_changed_missing_or_extra_file_is_told(tmp_path: Path) -> None:
    assert run_script("--to", str(tmp_path)).returncode == 0
    (tmp_path / "incident/logs/zeek_dns.log").write_bytes(b"changed")
    (tmp_path / "quiet/case.yaml").unlink()
    (tmp_path / "quiet/logs/extra.log").write_bytes(b"")
    checked = run_script("--check", "--to", str(tmp_path))
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        "differs or is missing: incident/logs/zeek_dns.log",
        "differs or is missing: quiet/case.yaml",
        "not made by the script: quiet/logs/extra.log",
    ]


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run_script("--to", str(tmp_path / name)).returncode == 0
    made = {
        name: {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("a", "b")
    }
    assert made["a"] == made["b"]


def test_samples_are_small() -> None:
    sizes = [path.stat().st_size for twin in TWINS for path in (SAMPLES / twin).rglob("*") if path.is_file()]
    assert sum(sizes) < 2_500_000
    assert sum(file["records"] for twin in TWINS for file in truth(twin)["files"]) <= 25_000


def test_twins_use_the_same_files_and_formats() -> None:
    layouts = [[(file["file"], file["layout"]) for file in truth(twin)["files"]] for twin in TWINS]
    assert layouts[0] == layouts[1]
    for twin in TWINS:
        assert sorted(path.name for path in (SAMPLES / twin / "logs").iterdir()) == sorted(
            name for name, _ in layouts[0]
        )


@pytest.mark.parametrize("twin", TWINS)
def test_every_address_is_a_documentation_address_or_of_the_estate(twin: str) -> None:
    strange = set()
    for file in truth(twin)["files"]:
        for found in ADDRESS.findall(CLOCK.sub("", content(twin, file["file"]).decode("utf-8", "replace"))):
            address = ipaddress.ip_address(found)
            if not any(address in network for network in ALLOWED if network.version == address.version):
                strange.add((file["file"], found))
    assert strange == set()


@pytest.mark.parametrize("twin", TWINS)
def test_the_truth_counts_records_as_they_stand_in_the_files(twin: str) -> None:
    for file in truth(twin)["files"]:
        assert len(records(twin, file["file"])) == file["records"], file["file"]


def test_every_planted_record_shows_what_the_truth_says() -> None:
    names = {
        "A1": (b"bluefern-4417.workers.dev", b"198.51.100.6", b"WS-0317"),
        "A2": (b"q7m2xw5tkd4hzv6nacr3ybe5ju0sfgpl", b"cdn-assets.example-partner.test", b"203.0.113.14"),
        "B1": (b"j.doe", b"invoice-export"),
    }
    facts = {fact["id"]: fact for fact in truth("incident")["planted"]}
    assert set(facts) == set(names)
    for fact in facts.values():
        for place in fact["records"]:
            rows = records("incident", place["file"])
            assert len(place["records"]) == place["count"]
            for number in place["records"]:
                assert any(name in rows[number - 1] for name in names[fact["id"]]), (place["file"], number)


def test_nothing_is_planted_in_quiet() -> None:
    everything = b"".join(content("quiet", file["file"]) for file in truth("quiet")["files"])
    assert truth("quiet")["planted"] == []
    for trace in (
        b"bluefern",
        b"sfgpl.lambda-url",
        b"example-partner.test",
        b"198.51.100.23",
        b"CreateAccessKey",
        b"PutEventSelectors",
        b"CreateFunctionUrlConfig",
        b'"principal":"*"',
    ):
        assert trace not in everything


def test_the_planted_sequence_stands_in_order_within_half_an_hour() -> None:
    found = []
    for place in next(fact for fact in truth("incident")["planted"] if fact["id"] == "B1")["records"]:
        rows = records("incident", place["file"])
        for number in place["records"]:
            record = json.loads(rows[number - 1])
            record = json.loads(record["CloudTrailEvent"]) if "CloudTrailEvent" in record else record
            found.append((record["eventTime"], record["eventName"], record.get("errorCode", "")))
    found.sort()
    told = [(name, error) for _, name, error in found if not name.startswith("Invoke")]
    assert told == [
        ("GetFunction20150331v2", "AccessDenied"),
        ("UpdateFunctionCode20150331v2", "AccessDenied"),
        ("AttachUserPolicy", ""),
        ("CreateAccessKey", ""),
        ("UpdateFunctionCode20150331v2", ""),
        ("AddPermission20150331v2", ""),
        ("AddPermission20150331v2", ""),
        ("CreateFunctionUrlConfig", ""),
        ("PutEventSelectors", ""),
    ]
    assert [name for _, name, _ in found].count("InvokeFunctionUrl") == 12
    assert (found[0][0], found[-1][0]) == ("2026-03-11T10:04:11Z", "2026-03-11T10:31:16Z")


@pytest.mark.parametrize("twin", TWINS)
def test_what_is_unread_is_broken_and_all_else_is_whole(twin: str) -> None:
    broken = {(row["file"], row["record"]) for row in truth(twin)["unread"]}
    for name in ("cloudtrail_2026-03-11.jsonl", "zeek_ssl.json.log.gz", "route53_resolver.log.gz"):
        for number, row in enumerate(records(twin, name), 1):
            if (name, number) in broken:
                with pytest.raises(json.JSONDecodeError):
                    json.loads(row)
            else:
                assert isinstance(json.loads(row), dict)
    for name, separator in (
        ("zeek_conn.log.gz", b"\t"),
        ("zeek_dns.log", b"\t"),
        ("zeek_http.log", b"\t"),
        ("vpcflow_v2.log", b" "),
        ("vpcflow_custom.log", b" "),
        ("squid_hq_access.log.gz", None),
    ):
        rows = records(twin, name)
        width = len(rows[0].split(separator))
        odd = {(name, number) for number, row in enumerate(rows, 1) if len(row.split(separator)) != width}
        assert odd == {place for place in broken if place[0] == name and name != "vpcflow_v2.log"}


@pytest.mark.parametrize("twin", TWINS)
def test_the_indicator_file_and_the_case_hold_what_is_written_about_them(twin: str) -> None:
    rows = list(csv.DictReader(content(twin, "indicators.csv").decode().splitlines()))
    matched = rows[0]
    assert matched["valid_until"] == {"incident": "2026-12-31T00:00:00Z", "quiet": "2026-01-31T00:00:00Z"}[twin]
    case = yaml.safe_load((SAMPLES / twin / "case.yaml").read_text())
    assert case["case_id"] == truth(twin)["case_id"]
    assert all(entry["owner"] and entry["expires"] for entry in case["allow_list"])


def test_the_readme_tells_every_place_of_every_fact() -> None:
    readme = (SAMPLES / "README.md").read_text()
    for fact in truth("incident")["planted"]:
        for place in fact["records"]:
            assert f"| {fact['id']} | `{place['file']}` | {place['records'][0]}" in readme
