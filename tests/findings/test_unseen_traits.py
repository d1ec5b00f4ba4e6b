"""A trait that no loaded record can show is named with the column that is missing, and only then."""

from __future__ import annotations

from playbooks.findings.unseen_traits import in_words, traits_not_looked_for


def unseen(**tables: dict[str, float]) -> dict[str, str]:
    rows = traits_not_looked_for({"tables": [{"table": name, "fields": found} for name, found in tables.items()]})
    return {row["trait"]: row["why"] for row in rows}


def test_a_flow_log_shows_no_trait_at_all_and_each_says_why() -> None:
    told = unseen(network_activity={"dst_endpoint_ip": 1.0, "tls_sni": 0.0})
    assert told["fireprox-path"] == "no record carries http_request_url_string"
    assert told["sliver-ja4"] == "no record carries tls_ja4"
    assert told["worker-target-header"] == "no table of the kit holds it: look into the evidence itself"
    assert told["flareprox-host"] == "no record carries query_hostname or tls_sni or dst_endpoint_hostname"


def test_one_column_that_carries_a_value_is_enough() -> None:
    told = unseen(dns_activity={"query_hostname": 0.01}, http_activity={"http_request_url_string": 0.5})
    assert "flareprox-host" not in told and "fireprox-path" not in told
    assert "mythic-http-user-agent" in told


def test_audit_records_do_not_show_traits_of_traffic_and_their_own_are_not_asked_for() -> None:
    told = unseen(api_activity={"http_request_user_agent": 1.0})
    assert "mythic-http-user-agent" in told
    assert "fireprox-api-title" not in told


def test_the_limits_say_it_once_per_reason() -> None:
    lines = in_words(traits_not_looked_for({"tables": []}))
    assert len(lines) == len(set(lines)) < 12
    [urls] = [line for line in lines if "no record carries http_request_url_string:" in line]
    assert "FireProx" in urls and "GC2" in urls
