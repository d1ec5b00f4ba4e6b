"""Make the two sample cases, `incident/` and `quiet/`, and the README that lists what is planted.

    python data/samples/make_samples.py [--to DIR] [--check]

Deterministic: fixed seeds, no clock, no network, standard library only. `--check` compares what is
on disk with what the script makes and exits 1 if they differ.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import cloudtrail_files
import cloudtrail_records
import endpoint_logs
import estate
import exchanges
import network_logs
from case_files import case_yaml, indicators, readme
from lines import LogFile

HERE = Path(__file__).resolve().parent
SCENARIOS = ("incident", "quiet")
FACTS: dict[str, dict[str, Any]] = {
    "A1": {
        "hypothesis": "A",
        "catalogue_id": "cf-workers",
        "subjects": ["10.20.3.17", estate.WORKER_C2],
        "title": "Cloudflare Worker asked every 60 s plus up to half of it, some check-ins missed",
        "expect": ["rhythm", "indicator, confidence 80, valid", "new in the window", "one client only"],
    },
    "A2": {
        "hypothesis": "A",
        "catalogue_id": "aws-lambda-url",
        "subjects": ["10.20.5.44", estate.LAMBDA_C2, estate.LAMBDA_C2_ALIAS],
        "title": "Lambda function URL asked every 300 s, 30 % either way, three hours of it under an alias",
        "expect": ["rhythm", "new in the window", "one client only", "bytes out grow"],
    },
    "B1": {
        "hypothesis": "B",
        "catalogue_id": "aws-lambda-url",
        "subjects": [
            "j.doe",
            "invoice-export",
            estate.ABUSED_URL,
            cloudtrail_records.INTRUDER_IP,
            cloudtrail_records.CALLER_IP,
        ],
        "title": "j.doe replaces the code of invoice-export, opens it to everyone and ends its data events",
        "expect": [
            "never did this before",
            "new source address",
            "new user agent",
            "refused attempts before",
            "public permission and function URL",
            "data events turned off",
        ],
    },
}


def log_files(scenario: str) -> list[LogFile]:
    """All log files of a sample, filled."""
    logs, quiet = network_logs.new_logs(), scenario == "quiet"
    extra = exchanges.heavier_use() if quiet else exchanges.planted()
    for number, exchange in enumerate((*exchanges.habits(), *extra)):
        network_logs.write_exchange(logs, exchange, number)
    network_logs.write_background(logs)
    network_logs.write_damage(logs)
    audit, endpoint = cloudtrail_files.write_trail(quiet), endpoint_logs.write_endpoint(quiet)
    return [*logs.values(), *audit, indicators(quiet), endpoint]


def marked(files: list[LogFile], fact: str) -> list[dict[str, Any]]:
    """Where a fact stands: file and record numbers."""
    found = []
    for file in files:
        numbers = [number for number, line in file.records() if line.fact.startswith(fact)]
        if numbers:
            found.append({"file": file.name, "count": len(numbers), "records": numbers})
    return found


def planted_facts(files: list[LogFile]) -> list[dict[str, Any]]:
    """The planted facts with their first and last time stamp and every record that shows them."""
    facts = []
    for name, about in FACTS.items():
        times = [line.time for file in files for _, line in file.records() if line.fact == name]
        if times:
            facts.append(
                {
                    "id": name,
                    **about,
                    "first_seen": estate.iso(min(times)),
                    "last_seen": estate.iso(max(times)),
                    "records": marked(files, name),
                }
            )
    return facts


def truth(scenario: str, files: list[LogFile]) -> dict[str, Any]:
    """The machine-readable truth; record numbers count non-blank, non-header records from 1."""
    unread = [
        {
            "file": file.name,
            "record": number,
            "kind": line.fact.split(":")[0].split()[1],
            "why": line.fact.split(": ")[1],
        }
        for file in files
        for number, line in file.records()
        if line.fact.startswith("unread")
    ]
    return {
        "case_id": f"SAMPLE-{scenario.upper()}",
        "planted": planted_facts(files),
        "unread": unread,
        "readable_in_spite": marked(files, "readable"),
        "inert_script_user_agent": [
            {"file": file.name, "record": number}
            for file in files
            for number, line in file.records()
            if b"<script>" in line.text
        ],
        "files": [
            {"file": file.name, "layout": file.layout, "records": sum(1 for _ in file.records())} for file in files
        ],
    }


def all_files() -> dict[str, bytes]:
    """Every file the script makes: path below the target folder → bytes."""
    made: dict[str, bytes] = {}
    truths = {}
    for scenario in SCENARIOS:
        files = log_files(scenario)
        truths[scenario] = truth(scenario, files)
        made |= {f"{scenario}/logs/{file.name}": file.stored() for file in files}
        made[f"{scenario}/case.yaml"] = case_yaml(scenario == "quiet").encode()
        made[f"{scenario}/truth.json"] = as_json(truths[scenario]).encode()
    made["README.md"] = readme(truths["incident"], truths["quiet"]).encode()
    return made


def as_json(value: dict[str, Any]) -> str:
    """JSON with one item a line, so that a change shows as a short difference."""
    rows = []
    for key, item in value.items():
        if isinstance(item, list) and item:
            inner = ",\n".join("    " + json.dumps(entry, ensure_ascii=False) for entry in item)
            rows.append(f"  {json.dumps(key)}: [\n{inner}\n  ]")
        else:
            rows.append(f"  {json.dumps(key)}: {json.dumps(item)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


def same(path: Path, expected: bytes) -> bool:
    """Whether a file is as made; gzip by content, because builds of zlib compress differently."""
    if not path.is_file():
        return False
    found = path.read_bytes()
    return found == expected or (path.suffix == ".gz" and gzip.decompress(found) == gzip.decompress(expected))


def differences(target: Path, made: dict[str, bytes]) -> list[str]:
    """What differs on disk, what is missing, what nobody made."""
    wrong = [f"differs or is missing: {name}" for name, content in made.items() if not same(target / name, content)]
    there = {
        str(path.relative_to(target))
        for scenario in SCENARIOS
        for path in (target / scenario).rglob("*")
        if path.is_file()
    }
    return wrong + [f"not made by the script: {name}" for name in sorted(there - set(made))]


def main() -> int:
    """Write or compare; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", type=Path, default=HERE, metavar="DIR", help="folder to write to (default: this one)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the files on disk differ")
    options = parser.parse_args()
    made = all_files()
    if options.check:
        wrong = differences(options.to, made)
        print("\n".join(wrong) or f"{len(made)} files are as the script makes them")
        return 1 if wrong else 0
    for name, content in made.items():
        path = options.to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(f"{len(made)} files, {sum(map(len, made.values())):,} bytes below {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
