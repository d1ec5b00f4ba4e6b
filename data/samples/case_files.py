"""What stands beside the logs: the indicator file, `case.yaml` and the README of the samples."""

from __future__ import annotations

import hashlib
from pathlib import Path
from string import Template
from typing import Any

import estate
from lines import LogFile

_HEADER = b"indicator,type,source,confidence,valid_from,valid_until,tlp,description\n"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def indicators(quiet: bool) -> LogFile:
    """Items of intelligence; in `incident` one matches, in `quiet` only an expired one does."""
    valid, old = "2026-02-20T00:00:00Z,2026-12-31T00:00:00Z", "2025-06-01T00:00:00Z,2026-01-31T00:00:00Z"
    hit = (
        f"{estate.SAAS_CRM},domain,CERT example,80,{old},AMBER,host seen in a phishing mail of 2025"
        if quiet
        else f"{estate.WORKER_C2},domain,CERT example,80,{valid},AMBER,check-in host of a loader"
    )
    rows = (
        hit,
        f"hxxps://evil[.]example/x,url,CERT example,70,{valid},GREEN,download address",
        f"203.0.113.250,ip,CERT example,50,{valid},GREEN,scanner",
        f"drop-zone[.]example,domain,Example blog,40,{valid},CLEAR,unvetted list",
        f'"Mozilla/5.0 (compatible; Nothing, Really)",user_agent,CERT example,60,{valid},GREEN,tool default',
        f"{_hash('ja3')[:32]},ja3,CERT example,40,{valid},GREEN,client of a loader",
        f"t13d1516h2_{_hash('ja4')[:12]}_{_hash('ja4')[12:24]},ja4,CERT example,40,{valid},GREEN,client of a loader",
        f"{_hash('file')},sha256,CERT example,90,{valid},AMBER,loader",
        f"old-c2.example,domain,CERT example,80,{old},AMBER,taken down",
    )
    log = LogFile("indicators.csv", "indicators, CSV", header=_HEADER)
    for row in rows:
        log.add(0, row)
    log.add(
        0,
        f"sync.example,hostmask,CERT example,50,{valid},GREEN,type that does not exist",
        "unread broken: type that does not exist",
    )
    log.add(
        0,
        "late.example,domain,CERT example,50,yesterday,2026-12-31T00:00:00Z,GREEN,date that is none",
        "unread broken: date that is none",
    )
    return log


def _fill(template: str, **values: object) -> str:
    """A file of `templates/` with `$names` filled in; the names of `estate.py` stand in lower case."""
    names = {name.lower(): value for name, value in vars(estate).items() if isinstance(value, str)}
    text = (Path(__file__).parent / "templates" / template).read_text(encoding="utf-8")
    return Template(text).substitute(names, **values)


def case_yaml(quiet: bool) -> str:
    """The case file of a sample."""
    new_worker = (
        f"  - {{resource: null, host: {estate.NEW_IMAGE_WORKER}, tenant: corp-edge, service: cf-workers, "
        "owner: Web, approved: true}\n"
    )
    return _fill(
        "case.yaml",
        scenario="QUIET" if quiet else "INCIDENT",
        title="The same estate in ordinary weeks" if quiet else "A workstation calls a Worker host every minute",
        new_worker=new_worker if quiet else "",
    )


def _numbers(records: list[int]) -> str:
    """Record numbers as a reader wants them: all if few, the ends if many."""
    if len(records) <= 6:
        return ", ".join(map(str, records))
    return f"{records[0]} … {records[-1]} ({len(records)} records)"


def _fact_rows(truth: dict[str, Any]) -> str:
    return "\n".join(
        f"| {fact['id']} | `{place['file']}` | {_numbers(place['records'])} |"
        for fact in truth["planted"]
        for place in fact["records"]
    )


def _unread_rows(truth: dict[str, Any]) -> str:
    return "\n".join(f"| `{row['file']}` | {row['record']} | {row['kind']} | {row['why']} |" for row in truth["unread"])


def _file_rows(incident: dict[str, Any], quiet: dict[str, Any]) -> str:
    return "\n".join(
        f"| `{a['file']}` | {a['layout']} | {a['records']:,} | {b['records']:,} |"
        for a, b in zip(incident["files"], quiet["files"], strict=True)
    )


def readme(incident: dict[str, Any], quiet: dict[str, Any]) -> str:
    """The README, with the record numbers of this run."""
    about = {
        f"{fact['id'].lower()}_{name}": value
        for fact in incident["planted"]
        for name, value in (
            ("title", fact["title"]),
            ("expect", "; ".join(fact["expect"])),
            ("first", fact["first_seen"]),
            ("last", fact["last_seen"]),
        )
    }
    bad_byte = incident["readable_in_spite"][0]
    scripts = incident["inert_script_user_agent"]
    return _fill(
        "README.md",
        **about,
        fact_rows=_fact_rows(incident),
        unread_rows=_unread_rows(incident),
        file_rows=_file_rows(incident, quiet),
        bad_byte_file=bad_byte["file"],
        bad_byte_record=bad_byte["records"][0],
        script_places=", ".join(f"`{place['file']}` record {place['record']}" for place in scripts),
        incident_records=f"{sum(file['records'] for file in incident['files']):,}",
        quiet_records=f"{sum(file['records'] for file in quiet['files']):,}",
    )
