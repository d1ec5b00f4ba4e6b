"""What can be collected: sourced, ordered, and tied to things that the other catalogues know."""

from __future__ import annotations

from playbooks import schema
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.operations import load_operations
from playbooks.knowledge.volatility import load_volatility

KNOWN = load_volatility()
KINDS = {kind.id: kind for kind in KNOWN.kinds}
WITHOUT_CODE = {
    *("identity", "user", "policy", "stack", "alias", "domain", "file", "setting", "code-signing-config"),
    *("role-assignment", "diagnostic-setting", "service-account", "sink", "flow-log", "query-log-config", "detector"),
    *("token", "log-job", "log-group", "role", "trail", "bucket", "topic", "member", "secret", "exclusion", "log"),
    *("log-bucket", "identity-pool", "project", "api-service", "domain-mapping", "integration", "repository"),
    *("alert", "application-insights", "audit-log", "connector", "delegation", "environment", "log-workspace"),
    *("organization", "search", "storage-account", "configuration-recorder", "delivery-channel", "event-data-store"),
    *("log-destination", "log-policy", "roles-anywhere-profile", "security-hub", "trust-anchor"),
}


def test_every_kind_is_named_once_sourced_and_says_how_and_when_it_is_lost() -> None:
    assert len(KINDS) == len(KNOWN.kinds)
    for kind in KNOWN.kinds:
        assert kind.sources, kind.id
        assert kind.what and kind.how and kind.lost, kind.id
        assert not kind.what.endswith(".") and not kind.lost.endswith("."), kind.id
        assert kind.retention_days is None or kind.retention_days > 0, kind.id
        assert kind.confidence != "low" or kind.retention_days is None, f"{kind.id}: days that nobody documents"


def test_the_file_stands_in_the_order_of_volatility_within_an_entity_and_cloud() -> None:
    orders = [kind.order for kind in KNOWN.of("resource", "aws", "function")]
    assert orders == sorted(orders)
    assert [kind.id for kind in KNOWN.of("resource", "aws", "function")] == [
        *("warm-environment", "function-code", "function-access", "function-logs", "function-metrics"),
        "function-network",
    ]


def test_memory_comes_before_logs_and_logs_before_settings_and_settings_before_audit_records() -> None:
    order = {name: kind.order for name, kind in KINDS.items()}
    chain = ("host-memory", "resolver-logs", "proxy-logs", "function-code", "function-access", "role-policies")
    chain += ("function-logs", "cloudtrail", "function-metrics", "outside-knowledge")
    assert [order[name] for name in chain] == sorted(order[name] for name in chain)


def test_documented_days_are_those_of_the_providers() -> None:
    days = {name: kind.retention_days for name, kind in KINDS.items() if kind.retention_days}
    assert days == {
        "workers-logs": 7,
        "function-metrics": 15,
        "power-automate-flow": 28,
        "azure-runbook": 30,
        "gcp-function-logs": 30,
        "state-machine": 90,
        "azure-app-logs": 90,
        "azure-workflow": 90,
        "cloudtrail": 90,
        "azure-activity": 90,
        "detector-findings": 90,
        "unified-audit-log": 180,
        "workspace-reports": 180,
        "gcp-audit": 400,
        "cloudflare-audit": 547,
    }


def test_what_a_kind_applies_to_is_known_to_the_other_catalogues() -> None:
    types = {operation.resource_type for operation in load_operations().operations}
    assert {part for kind in KNOWN.kinds for part in kind.resource_types} <= types
    assert {part for kind in KNOWN.kinds for part in kind.catalogue_ids} <= set(load_catalogue().by_id)
    assert {part for kind in KNOWN.kinds for part in kind.tables} <= set(schema.EVENT_TABLES)


def test_everything_that_can_run_code_in_a_cloud_has_something_to_collect() -> None:
    running = {
        (operation.platform, operation.resource_type)
        for operation in load_operations().operations
        if operation.resource_type not in WITHOUT_CODE and operation.platform != "alibaba"
    }
    lacking = sorted(pair for pair in running if pair[1] and not KNOWN.of("resource", *pair))
    assert lacking == []


def test_a_destination_outside_the_catalogue_gets_what_needs_no_catalogue() -> None:
    assert [kind.id for kind in KNOWN.of("destination")] == ["outside-knowledge"]
    assert [kind.id for kind in KNOWN.of("destination", None, "cf-workers")] == ["own-web-logs", "outside-knowledge"]
    assert KNOWN.of("host", None, None)[0].id == "host-memory"
    assert [kind.id for kind in KNOWN.of("source", None, "dns_activity")] == ["resolver-logs"]


def test_a_blind_spot_knows_what_would_close_it() -> None:
    assert [kind.id for kind in KNOWN.asked_by("no-dns_activity")] == ["resolver-logs"]
    assert [kind.id for kind in KNOWN.asked_by("no-data-events")] == ["cloudtrail"]
    assert KNOWN.asked_by("unread") == ()
