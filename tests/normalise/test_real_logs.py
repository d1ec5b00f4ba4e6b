"""Logs that nobody here wrote: what their annotations expect is what the kit reads.

The logs lie beside the repository (`../shared/logs`) and are never part of it; without them these tests skip.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from playbooks.normalise import Source, detect, read

LOGS = Path(__file__).resolve().parents[3] / "shared" / "logs"
pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="../shared/logs is not there")

ANNOTATED = (
    *("zat/zeek_tsv", "zat/zeek_json", "zed/zeek_tsv_head", "zed/zeek_json_iso_head", "rita/zeek_json_all_fields"),
    *("rita/zeek_proxy_beacon", "otrf/zeek_apt29_day1_json", "slips/zeek_tsv_mixed", "slips/zeek_tsv_labeled_remcos"),
    *("slips/zeek_json_relative_ts", "sekoia/squid", "sekoia/aws_vpcflow", "opensearch/vpcflow_v2_raw"),
    *("panther/aws_vpcdns", "sekoia/cloudtrail", "panther/cloudtrail", "plaso/aws_cloudtrail"),
    *("stratus/cloudtrail_detonations", "invictus/cloudtrail_records", "traildiscover/cloudtrail_serverless"),
    *("sekoia/m365_defender", "otrf/sysmon_nxlog_json", "sekoia/winlogbeat", "sekoia/harfanglab_edr"),
    *("sekoia/cisco_wsa", "sekoia/cloudflare_gateway_http", "stroom/bluecoat_elff", "plaso/iis_w3c"),
    *("opensearch/cloudfront_w3c", "sekoia/zscaler_zia_json", "sekoia/skyhigh_swg", "sekoia/forcepoint_swg_cef"),
    *("sekoia/unbound", "sekoia/umbrella_dns_csv", "sekoia/cloudflare_dns", "sekoia/infoblox_ddi"),
    *("sekoia/m365_ual", "plaso/microsoft_audit_log", "panther/google_workspace", "sekoia/google_workspace_reports"),
    *("sekoia/azure_activity", "plaso/azure_activity_log", "sekoia/azure_entra_logs", "sekoia/azure_front_door"),
    *("panther/azure_activity", "panther/entra_audit", "sekoia/entra_graph_audit"),
    *("sekoia/gcp_audit", "panther/gcp_audit", "plaso/gcp_logging"),
    *("otrf/cloudtrail_jsonl", "sekoia/aws_waf", "sekoia/aws_guardduty", "sekoia/cloudflare_audit"),
    *("sekoia/bind_query", "sekoia/efficientip_ddi"),
    *("ti/urlhaus_csv", "ti/threatfox_csv", "ti/volexity_csv"),
    *("sekoia/azure_nsg_flow", "sekoia/azure_vnet_flow", "slips/argus_binetflow_csv"),
    *("slips/suricata_eve", "opensearch/aws_network_firewall", "sekoia/fortigate"),
    *("sekoia/checkpoint", "sekoia/sophos_fw", "sekoia/cisco_meraki", "sekoia/paloalto", "sekoia/fortiproxy"),
    *("sekoia/cisco_asa_ftd", "sekoia/iptables", "sekoia/pf_filterlog", "sekoia/sonicwall", "sekoia/watchguard"),
    *("sekoia/symantec_wss_json", "sekoia/netskope_transaction_w3c", "sekoia/netskope_events_json"),
    *("sekoia/suricata_eve", "sekoia/sentinelone_cloudfunnel", "otrf/log4shell"),
    *("sekoia/crowdstrike_fdr", "sekoia/windows_nxlog_json"),
)
COUNTED = (
    *(*ANNOTATED, "zeek/baseline_edge", "rita/truncated", "rita/unknown_field", "opensearch/vpcflow_json"),
    *("panther/cloudflare_http", "panther/aws_alb", "plaso/aws_elb"),  # no values expected
    *("panther/cloudflare_firewall", "opensearch/aws_waf", "zat/zeek_intel"),  # no values expected
    *("ti/maltrail_trail", "ti/misp_event", "ti/oasis_stix21", "ti/unit42_stix", "ti/feeds2stix"),
    *("panther/umbrella_dns_json", "panther/ocsf_dns"),  # several logs in one file
    *("panther/crowdstrike_dns", "panther/crowdstrike_fdr", "panther/m365d_advancedhunting"),  # no values expected
    *("panther/m365_aad", "panther/m365_sharepoint", "panther/m365_exchange"),  # no values expected
    *("panther/netskope_audit", "panther/zscaler_adminaudit"),  # no values expected, no zone in their stamps
    *("plaso/azure_appgw", "otrf/goldensaml"),  # other logs between, or no values expected
    *("panther/aws_vpcflow_json", "panther/ocsf_network", "panther/suricata_dns"),  # several logs in one file
    *("msticpy/azure_network_analytics_csv", "maltrail/maltrail_sensor_log"),  # no values expected
)
# the zone in which the annotations read stamps that have none
FIREWALL_CLOCKS = dict.fromkeys(("slips/argus_binetflow_csv", "sekoia/sophos_fw"), "UTC")
CLOCKS = FIREWALL_CLOCKS | {"sekoia/zscaler_zia_json": "UTC", "sekoia/infoblox_ddi": "UTC"}
CLOCKS |= dict.fromkeys(("sekoia/paloalto", "sekoia/fortigate", "sekoia/cisco_asa_ftd", "sekoia/sonicwall"), "UTC")
CLOCKS |= {"sekoia/checkpoint": "UTC", "sekoia/windows_nxlog_json": "UTC"}
LEAST_SHARE = 0.98
# values that are read otherwise with reason: at most so many of a field
OTHERWISE: dict[str, dict[str, int]] = {
    # the device for the client; local time as UTC, the second for the fraction of another; a guess from the text; a
    # refused session that the firewall refused with success
    "sekoia/paloalto": {"src_host": 5, "timestamp": 7, "action": 1, "url": 1, "outcome": 1},
    # no outcome stated, or refused with success; an hour off; the directory's name behind the user's; a name for what
    # was done; CONNECT has no path
    "sekoia/fortigate": {"outcome": 16, "timestamp": 2, "user": 1, "action": 1, "url": 1, "method": 1},
    # the record's kind for what was done; no user; ids of ICMP for ports; a word for a code; the address given for the
    # client's own
    "sekoia/cisco_asa_ftd": {"action": 4, "user": 1, "src_port": 3, "rcode": 1, "src_ip": 1},
    "sekoia/iptables": {"outcome": 1},  # refused with success
    "sekoia/checkpoint": {"outcome": 3, "src_host": 2},  # refused with success; the gateway for the client
    "sekoia/aws_vpcflow": {"outcome": 1},  # a refused flow that was logged
    "sekoia/symantec_wss_json": {"dst_ip": 1},  # the appliance for the server
    # by the vendor's direction; a column that differs by version
    "sekoia/netskope_transaction_w3c": {"bytes_out": 2, "bytes_in": 2, "action": 1},
    "sekoia/netskope_events_json": {"action": 4},  # what the user did for what the policy did
    # Sysmon's service for the user; a name, a kind or a web address that stands only in the words of the event
    "sekoia/windows_nxlog_json": {
        "user": 8,
        "process": 3,
        "src_ip": 2,
        "dst_domain": 1,
        "url": 1,
        "action": 3,
        "rcode": 1,
        "answers": 1,
    },
    # a kind of logon worked out; the host that forwarded for the one that logged
    "sekoia/winlogbeat": {"action": 1, "src_host": 2},
    # when the cloud took it in for when it happened; the module for the process that loaded it; the domain of the host
    "sekoia/crowdstrike_fdr": {"timestamp": 12, "process": 1, "dst_domain": 1},
    # the service that acted for the process; an address in a command line
    "sekoia/sentinelone_cloudfunnel": {"process": 3, "user": 1, "dst_domain": 1, "url": 1},
    "sekoia/suricata_eve": {"url": 1, "dst_domain": 1},
    "otrf/log4shell": {"process": 1},  # the server's process for the client's
    # UDP is a guess where the line has no flags; RRSIG has no data to compare
    "sekoia/efficientip_ddi": {"proto": 22, "answers": 2},
    # the other server is the destination; the class for the type; the server's address is no answer
    "sekoia/bind_query": {"src_ip": 2, "src_port": 2, "query_type": 3, "answers": 1},
    # the record states no result; alerts: who it is about for the service that raised it; a verdict on a mail
    "sekoia/m365_ual": {"outcome": 16, "user": 4, "action": 1},
    # the directory's own id for the object that was changed; a code for what it means
    "panther/entra_audit": {"resource": 27, "outcome": 1},
    # who it was done to for who did it
    "sekoia/entra_graph_audit": {"user": 3},
    "sekoia/azure_entra_logs": {"action": 2},  # a web request has no operation
    "sekoia/google_workspace_reports": {"user": 3, "outcome": 1},  # the device's user for who acted; no result stated
    "sekoia/aws_waf": {"url": 4},  # without the query
    "sekoia/aws_guardduty": {"src_ip": 1, "src_port": 1, "dst_ip": 1, "dst_port": 1},  # the direction says OUTBOUND
    "sekoia/cloudflare_audit": {"resource": 1},  # the type for the name
    "sekoia/cloudtrail": {"action": 1, "outcome": 1},  # an insight is no call
    "ti/volexity_csv": {"indicator": 3, "description": 1},  # counted from the second line where there is no header
}

# expected field → columns of which one must hold the value
COLUMNS: dict[str, tuple[str, ...]] = {
    "src_ip": ("src_endpoint_ip",),
    "src_port": ("src_endpoint_port",),
    # the annotations mean the host that logged, also where it is the destination
    "src_host": ("src_endpoint_hostname", "src_endpoint_ip", "dst_endpoint_hostname", "device_hostname"),
    # an audit log names the program that a mailbox was opened with
    "process": (
        *("actor_process_file_path", "actor_process_name", "process_file_path", "process_name"),
        "actor_invoked_by",
    ),
    "dst_ip": ("dst_endpoint_ip",),
    "dst_port": ("dst_endpoint_port",),
    "dst_domain": ("dst_endpoint_hostname",),
    "user": ("actor_user_name", "user_name"),
    "principal": ("actor_user_uid", "actor_user_name"),
    "url": ("http_request_url_string",),
    "method": ("http_request_http_method",),
    "user_agent": ("http_request_user_agent",),
    "status": ("http_response_code",),
    "bytes_out": ("traffic_bytes_out",),
    "bytes_in": ("traffic_bytes_in",),
    "query": ("query_hostname",),
    "query_type": ("query_type",),
    "rcode": ("rcode",),
    "answers": ("answers",),
    "event_name": ("api_operation", "activity_name"),
    "event_source": ("api_service_name",),
    "region": ("cloud_region",),
    "account": ("cloud_account_uid", "actor_session_issuer"),  # Azure: the tenant, which issued the caller's token
    "resource": ("resource_name", "resource_uid"),
    "sni": ("tls_sni",),
    "ja3": ("tls_ja3",),
    "ja3s": ("tls_ja3s",),
    "proto": ("connection_info_protocol_name",),
    "conn_state": ("disposition",),
    "action": ("disposition", "activity_name", "api_operation"),
    "outcome": ("status", "disposition", "rcode"),
    "indicator": ("indicator",),
    "indicator_type": ("indicator_type",),
    "ip": ("indicator",),
    "confidence": ("confidence",),
    "description": ("description",),
}
# what an item of intelligence says besides stands in the source's own words
QUOTED = ("id", "status", "threat", "tags", "reference", "source", "malware", "port")
QUOTED_IN = ("indicator",)
ITEM_TYPES = {"hostname": "domain", "ipaddress": "ip", "file": "sha256"}
# what a device did, and how it went, in the words of many logs
ALLOWED = (
    *("accept", "alert", "allow", "alerted", "close", "client-rst", "server-rst", "timeout", "dns", "dns request"),
    *("pass", "passthrough", "permit", "permitted", "detect", "detected", "log-only", "tcp_hit", "tcp_nc_miss"),
    *("ok", "success", "succeeded", "200", "transaction permitted", "skip", "log", "noerror", "0"),
)
BLOCKED = (
    *("block", "block-url", "deny", "denied", "drop", "dropped", "reject", "reset", "fail", "failed", "failure"),
    *("transaction blocked", "nxdomain"),
)
CLASSES = dict.fromkeys(ALLOWED, "allowed") | dict.fromkeys(BLOCKED, "blocked")
KINDS = {"dns": "query_hostname", "http": "http_response_code", "tls": "tls_sni", "flow": "tls_sni"}
DERIVED = ("timestamp", "uri", "error")  # compared by their own rules


@dataclass(frozen=True)
class Value:
    """One expected value of one record, and the event that was read there."""

    file: str
    record_no: int
    field: str
    wanted: Any
    also: tuple[Any, ...]
    event: dict[str, Any] | None

    def __str__(self) -> str:
        columns = {column: (self.event or {}).get(column) for column in COLUMNS.get(self.field, ("time",))}
        return f"{self.file}:{self.record_no} {self.field}: wanted {self.wanted!r}, read {columns}"


@cache
def events(file: Path) -> dict[int, dict[str, Any]]:
    clock = CLOCKS.get(file.parent.relative_to(LOGS).as_posix())
    # of several events of one record the first
    return {e["record_no"]: e for rows in read(Source("E001", file, clock)) for e in reversed(rows.in_order())}


@cache
def of_no_part(file: Path) -> set[int]:
    """Records of a kind that the format leaves unread: no network, DNS, web or audit event."""
    unread = [row for rows in read(Source("E001", file)) for row in rows.unread.to_pylist()]
    return {row["record_no"] for row in unread if row["reason"].startswith("a record of kind")}


@cache
def known(file: Path) -> bool:
    return detect(file).format is not None


def supported(folder: str) -> Iterator[Value]:
    """Expected values of files whose format is read, for columns that the format's table has."""
    for entry in json.loads((LOGS / folder / "expected.json").read_text()):
        file = LOGS / folder / entry["file"]
        if not known(file) or not readable(folder, entry):
            continue
        if entry["line_number"] + 1 in of_no_part(file):
            continue
        event = events(file).get(entry["line_number"] + 1)
        also = entry.get("accept_also") or {}
        for field, wanted in entry["fields"].items():
            if field == "action" and event and not {"activity_name", "api_operation"} & set(event):
                continue  # what happened is the table of the row
            columns = (*COLUMNS.get(field, ()), *(QUOTED_IN if field in QUOTED else ()))
            if field in DERIVED or any(event is None or c in event for c in columns):
                more = also.get(field, [])
                more = tuple(more if isinstance(more, list) else [more])
                yield Value(f"{folder}/{entry['file']}", entry["line_number"] + 1, field, wanted, more, event)


def readable(folder: str, entry: dict[str, Any]) -> bool:
    """Left out: layouts that the kit does not read, and records that hold no time or say that they are no event."""
    stamp = entry["fields"].get("timestamp")
    if folder == "sekoia/squid":
        return entry["line_number"] != 0  # an own `logformat`, date without zone
    if folder == "sekoia/efficientip_ddi":
        return entry["line_number"] != 27  # a port beyond 65535
    if folder == "slips/suricata_eve":
        return entry["fields"]["event_name"] != "flow"  # flows are dated by their start
    if folder == "sekoia/suricata_eve":
        return entry["line_number"] not in (2, 3, 4)  # answers have their client as source, flows their start as time
    if folder == "sekoia/aws_vpcflow":
        return entry["line_number"] != 3  # NODATA
    if folder == "sekoia/cisco_asa_ftd":
        return entry["line_number"] not in (32, 39, 41)  # a port beyond 65535; texts without the tag of a message
    if folder == "sekoia/symantec_wss_json":
        return entry["line_number"] != 1  # a duration in words
    return stamp is None or stamp[:1].isdigit()


def fits(value: Value) -> bool:
    event = value.event
    if event is None:
        return False
    if value.field == "timestamp":
        moment = dt.datetime.fromisoformat(str(value.wanted)[:26].replace("Z", ""))
        if event["time"] is None:
            return False
        later = (event["time"] - moment.replace(tzinfo=dt.UTC)).total_seconds()
        # some annotations leave out the fraction
        return abs(later) < 0.001 or (moment.microsecond == 0 and 0 <= later < 1)
    if "indicator" in event:
        return fits_item(value)
    if value.field == "error":
        return str(event["status_detail"]).startswith(value.wanted)
    if value.field == "uri" and event.get("http_request_http_method") == "CONNECT":
        return bool(event["dst_endpoint_hostname"] == value.wanted.rpartition(":")[0])
    if value.field == "uri":
        return str(event["http_request_url_string"]).endswith(value.wanted)
    found = [event[column] for column in COLUMNS[value.field] if column in event]
    if value.field == "event_name":  # the kind of a record is the table of its row, or stands before the rest
        found += [kind for kind, column in KINDS.items() if column in event]
        found += [str(said).partition(": ")[0] for said in found]
    if value.field == "user":  # some annotations leave out the domain
        found += [str(said).rpartition("\\")[2] for said in found]
        found += [str(said).partition("@")[0].rstrip("$") for said in found]
    if value.field == "src_host":  # and some that of the host; a device that is managed is the resource
        found += [str(said).partition(".")[0] for said in found] + [event.get("resource_name")]
    if value.field == "src_ip":  # and some leave the port behind the address
        found += [f"{said}:{str(value.wanted).rpartition(':')[2]}" for said in found]
    if value.field in ("url", "dst_domain"):  # audit logs name what was touched by its URL
        found += [event.get("resource_uid"), urlsplit(str(event.get("resource_uid"))).hostname]
    if isinstance(value.wanted, list) and value.field == "action":  # each event of the record is a row of its own
        return any(same(one, said) for one in value.wanted for said in found)
    also = value.also
    if value.field == "url":  # and of a URL the host, or they guess a scheme
        also = (*also, str(value.wanted).partition("://")[2] or value.wanted)
        found += [str(said).partition("://")[2] for said in found]
        found += [said[said.find("/") :] for said in map(str, found) if "/" in said]
    if value.field == "action":  # an id may stand before the words
        found += [str(said).partition(": ")[2] for said in found]
    if value.field in ("action", "outcome"):
        also = (*also, CLASSES.get(str(value.wanted).lower(), value.wanted))
        found += [CLASSES.get(str(said).lower(), said) for said in found]
    return any(same(wanted, said) for wanted in (value.wanted, *also) for said in found)


def fits_item(value: Value) -> bool:
    """An item of intelligence: columns of its own, and what the source's own words hold."""
    event = value.event or {}
    words = f"{event['description']}; {event['source']}"
    if value.field in QUOTED:
        wanted = value.wanted if isinstance(value.wanted, list) else [value.wanted]
        return all(one is None or str(one) in words for one in wanted)
    said = event[COLUMNS[value.field][0]]
    if value.field == "indicator_type":
        return bool(said == ITEM_TYPES.get(value.wanted, value.wanted))
    return same(value.wanted, said) or (value.field == "indicator" and str(value.wanted) in words)


def same(wanted: Any, said: Any) -> bool:
    if isinstance(wanted, list) and isinstance(said, list):
        return len(wanted) == len(said) and all(map(same, wanted, said))
    return plain(wanted) == plain(said)


def plain(text: Any) -> str:
    """Text without what has no meaning: case, a final dot, the spelling of an IPv6 address, IPv4 inside IPv6."""
    text = str(text).lower().rstrip(".")
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return text
    return str(address.ipv4_mapped or address)


@pytest.mark.parametrize("folder", ANNOTATED)
def test_annotated_values_are_read(folder: str) -> None:
    values = list(supported(folder))
    missed = [value for value in values if not fits(value)]
    for field, most in OTHERWISE.get(folder, {}).items():
        listed = [value for value in missed if value.field == field]
        assert len(listed) <= most, listed
        missed = [value for value in missed if value not in listed]
    report = "\n".join(map(str, missed[:40]))
    assert len(missed) <= (1 - LEAST_SHARE) * len(values), report
    if missed:
        print(f"{len(missed)} of {len(values)} values of {folder} are read otherwise:\n{report}")


def annotated() -> Iterator[Value]:
    """Every annotated value of every set, with nothing left out; without an event where the record is unread."""
    for expected in sorted(LOGS.rglob("expected.json")):
        for entry in json.loads(expected.read_text()):
            if "line_number" in entry and entry.get("file"):
                file, number = expected.parent / entry["file"], entry["line_number"] + 1
                name = file.relative_to(LOGS).as_posix()
                for field, wanted in (entry.get("fields") or {}).items():
                    more = (entry.get("accept_also") or {}).get(field, [])
                    also = tuple(more if isinstance(more, list) else [more])
                    yield Value(name, number, field, wanted, also, events(file).get(number))


def has_a_place(value: Value) -> bool:
    """Whether the row has a column for such a value."""
    event = value.event or {}
    columns = {*COLUMNS.get(value.field, ()), *(QUOTED_IN if value.field in QUOTED else ())}
    columns |= {"resource_uid"} if value.field in ("url", "dst_domain") else set()
    columns |= set(KINDS.values()) if value.field == "event_name" else set()
    return value.field in DERIVED or bool(columns & set(event))


def test_98_in_100_annotated_values_of_the_records_that_are_read_are_read_so() -> None:
    values = list(annotated())
    assert len(values) > 13_000
    read = [value for value in values if value.event is not None]
    assert len(values) - len(read) <= 0.006 * len(values), "records that are unread, each with its reason"
    assert sum(has_a_place(value) and fits(value) for value in read) >= LEAST_SHARE * len(read)


@pytest.mark.parametrize("folder", COUNTED)
def test_counts_add_up(folder: str) -> None:
    for file in sorted((LOGS / folder).rglob("*")):
        if file.is_file() and file.name != "expected.json":
            numbers: list[int] = []
            for rows in read(Source("E001", file)):
                numbers += rows.events["record_no"].to_pylist() if rows.events.num_columns else []
                numbers += rows.unread["record_no"].to_pylist()
            # a record of several events has its number on each
            assert sorted(set(numbers)) == list(range(1, len(set(numbers)) + 1)), file.name


@pytest.mark.parametrize("folder", ["stratus/cloudtrail_detonations", "invictus/cloudtrail_records"])
def test_every_audit_record_is_an_event(folder: str) -> None:
    for file in sorted((LOGS / folder).glob("*.json")):
        if file.name != "expected.json":
            loaded = json.loads(file.read_text())
            records = loaded["Records"] if isinstance(loaded, dict) else loaded
            found = events(file)
            assert sorted(found) == list(range(1, len(records) + 1)), file.name
            assert [found[n]["metadata_uid"] for n in sorted(found)] == [record["eventID"] for record in records]


def test_a_truncated_log_loses_only_its_cut_record() -> None:
    def counts(file: str) -> tuple[int, int]:
        rows = list(read(Source("E001", LOGS / file)))
        return sum(r.events.num_rows for r in rows), sum(r.unread.num_rows for r in rows)

    assert counts("rita/truncated/conn.log") == (58, 1)
    assert counts("rita/truncated/conn_json.log") == (2, 2), "one record holds a port beyond 65535"
    assert counts("zat/zeek_tsv/http.log.corrupt.gz") == (150, 1)
    assert counts("zat/zeek_tsv/http.log.gz") == counts("zat/zeek_tsv/http.log") == (150, 0)
