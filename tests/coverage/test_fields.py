"""Fields present: shares over the records that could carry them, and what is blind or weak without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.coverage.logs import Log, covered


@dataclass(frozen=True)
class Question:
    id: str
    needs: tuple[tuple[str, str], ...]
    hypothesis: str = "A"
    title: str = "Is there?"


RHYTHM = Question("egress_rhythm", (("network_activity", "dst_endpoint_ip"),))
KNOWN = Question("known_indicators", (("http_activity", "dst_endpoint_hostname"),))


def fields(folder: Path, *logs: Log) -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = covered(folder, list(logs), None, (RHYTHM, KNOWN))["fields"]
    return {(row["source"], row["table"], row["field"]): row for row in rows}


def log(table: str, form: str, **columns: list[Any]) -> Log:
    count = len(next(iter(columns.values())))
    return Log([float(second) for second in range(count)], form, table, columns)


def test_connect_and_host_only_requests_are_https_without_a_path(tmp_path: Path) -> None:
    web = log(
        "http_activity",
        "squid_access",
        http_request_http_method=["CONNECT", "CONNECT", "GET", "GET", "POST", "GET"],
        http_request_url_string=[
            "a.example:443", None, "https://b.example/x", "http://c.example/", "https://d.example/y", None,
        ],
        dst_endpoint_port=[443, 443, None, 80, 443, 80],
    )  # fmt: skip
    found = fields(tmp_path, web)
    row = found["E001", "http_activity", "https_path"]
    assert (row["filled"], row["of"], row["share"], row["state"]) == (2, 4, 0.5, "in part")
    assert row["questions"] == [{"id": "known_indicators", "effect": "blind"}], "no host: nothing answers it"
    row = found["E001", "http_activity", "path"]
    assert (row["filled"], row["of"]) == (3, 6)


def test_sni_is_asked_of_tls_only_and_absent_where_no_handshake_carries_it(tmp_path: Path) -> None:
    flows = log(
        "network_activity",
        "zeek_conn",
        dst_endpoint_ip=["198.51.100.1"] * 4,
        dst_endpoint_port=[443, 443, 53, 80],
        src_endpoint_ip=["10.0.0.1"] * 4,
    )
    tls = log(
        "network_activity",
        "zeek_ssl",
        dst_endpoint_ip=["198.51.100.1"] * 2,
        tls_sni=["a.example", None],
        tls_version=["TLSv13", "TLSv13"],
        tls_ja4=["t13d1516h2_8daaf6152771_02713d6af862", None],
    )
    found = fields(tmp_path, flows, tls)
    counts = {item: (found[item, "network_activity", "sni"]["filled"], 2) for item in ("E001", "E002")}
    assert counts == {"E001": (0, 2), "E002": (1, 2)}
    assert [found[item, "network_activity", "sni"]["of"] for item in ("E001", "E002")] == [2, 2]
    assert found["E001", "network_activity", "sni"]["questions"] == [
        {"id": "egress_rhythm", "effect": "weak"},
        {"id": "known_indicators", "effect": "blind"},
    ]
    assert found["E001", "network_activity", "sni"]["without"] == "which name stands behind a shared address"
    assert found["E002", "network_activity", "ja4"]["share"] == 0.5
    assert found["E001", "network_activity", "address"]["state"] == "present"
    assert found["E001", "network_activity", "address"]["questions"] == []


def test_answers_are_asked_of_queries_that_got_one(tmp_path: Path) -> None:
    dns = log(
        "dns_activity",
        "zeek_dns",
        query_hostname=["a.example", "b.example", "c.example", None],
        rcode=["NOERROR", "NXDOMAIN", None, "NOERROR"],
        answers=[["198.51.100.1"], [], None, []],
    )
    found = fields(tmp_path, dns)
    assert [found["E001", "dns_activity", "answers"][part] for part in ("filled", "of", "state")] == [1, 3, "in part"]
    assert [found["E001", "dns_activity", "query_hostname"][part] for part in ("filled", "of")] == [3, 4]


def test_records_whose_client_is_a_proxy_hide_who_stands_behind_it(tmp_path: Path) -> None:
    web = log(
        "http_activity",
        "zscaler_web",
        src_endpoint_ip=["10.0.0.5", "10.0.0.6"],
        proxy_endpoint_ip=["10.0.0.2", "10.0.0.2"],
    )
    flows = log("network_activity", "zeek_conn", src_endpoint_ip=["10.0.0.2", "10.0.0.2", "10.0.0.5"])
    found = covered(tmp_path, [web, flows], None)
    assert found["proxies"] == ["10.0.0.2"]
    rows = {(row["source"], row["field"]): row for row in found["fields"]}
    hidden = rows["E002", "client_behind_proxy"]
    assert (hidden["filled"], hidden["of"], hidden["state"]) == (1, 3, "in part")
    assert rows["E001", "client_behind_proxy"]["state"] == "present"
    assert rows["E002", "client"]["state"] == "present"


def test_a_field_that_no_record_could_carry_is_not_called_absent(tmp_path: Path) -> None:
    found = fields(tmp_path, log("http_activity", "zeek_http", http_request_url_string=["http://a.example/x"]))
    row = found["E001", "http_activity", "https_path"]
    assert (row["of"], row["share"], row["state"], row["questions"]) == (0, None, "not applicable", [])


def test_audit_fields_are_counted_per_source(tmp_path: Path) -> None:
    api = log(
        "api_activity",
        "aws_cloudtrail",
        actor_user_uid=["arn:a", None, "arn:b"],
        src_endpoint_ip=["192.0.2.1"] * 3,
        status=["success", "success", None],
        request=[None, None, None],
    )
    found = fields(tmp_path, api)
    states = {
        name: found["E001", "api_activity", name]["state"]
        for name in ("principal", "source_address", "status", "request")
    }
    assert states == {"principal": "present", "source_address": "present", "status": "in part", "request": "absent"}
