"""The provider catalogue: complete, sourced, unambiguous, and hard to upset."""

from __future__ import annotations

import re
import time
from importlib import resources

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.knowledge.catalogue import Catalogue, last_two_labels, load_catalogue, plain_host

CATALOGUE = load_catalogue()
EXAMPLES = [
    (entry.id, rule, example) for entry in CATALOGUE.entries for rule in entry.hosts for example in rule.examples
]
PATHS = [(entry, rule, example) for entry in CATALOGUE.entries for rule in entry.paths for example in rule.examples]


def example_host(id: str) -> str:
    return next(example for entry_id, _, example in EXAMPLES if entry_id == id)


def test_holds_at_least_101_services_with_unique_ids() -> None:
    ids = [entry.id for entry in CATALOGUE.entries]
    assert len(ids) >= 101
    assert len(set(ids)) == len(ids)
    assert CATALOGUE.version == "2026.11.22"


def test_is_package_data() -> None:
    assert resources.files("playbooks.knowledge").joinpath("providers.yaml").is_file()


def test_every_service_has_sources_and_every_host_rule_an_example() -> None:
    assert [entry.id for entry in CATALOGUE.entries if not entry.sources] == []
    assert [entry.id for entry in CATALOGUE.entries for rule in entry.hosts if not rule.examples] == []
    assert [entry.id for entry in CATALOGUE.entries for rule in entry.paths if not rule.examples] == []
    assert [entry.id for entry in CATALOGUE.entries if not entry.hosts] == ["aws-lambda-webfn"]


def test_the_groups_a_rule_names_are_in_its_regex() -> None:
    for entry in CATALOGUE.entries:
        for rule in entry.hosts:
            named = {*rule.tenant_groups, rule.region, rule.resource} - {None}
            assert named <= set(rule.regex.groupindex), entry.id
            assert (rule.tenant is None) == (rule.tenant_kind is None), entry.id
        for path in entry.paths:
            assert {path.tenant, path.resource} - {None} <= set(path.regex.groupindex), entry.id
            assert (path.tenant is None) == (path.tenant_kind is None), entry.id


def test_every_regex_means_the_same_to_python_and_to_duckdb() -> None:
    """RE2 refuses look-around and back-references; both engines must accept every example."""
    cases = [(rule.regex.pattern, example) for _, rule, example in EXAMPLES]
    cases += [(rule.regex.pattern, example) for _, rule, example in PATHS]
    with duckdb.connect() as connection:
        for pattern, example in cases:
            assert re.match(pattern, example), (pattern, example)
            row = connection.execute("SELECT regexp_matches(?, ?)", [example, pattern]).fetchone()
            assert row == (True,), (pattern, example)


@pytest.mark.parametrize(("id", "host"), [(id, host) for id, _, host in EXAMPLES])
def test_an_example_is_claimed_by_its_entry_and_by_no_other(id: str, host: str) -> None:
    claims = {entry.id for entry in CATALOGUE.entries for rule in entry.hosts if rule.regex.fullmatch(host)}
    assert claims == {id}
    match = CATALOGUE.classify(host)
    assert match is not None
    assert match.id == id


def test_the_suffix_index_hides_no_example() -> None:
    for id, rule, host in EXAMPLES:
        assert any(host.endswith(suffix) for suffix in rule.suffixes), (id, host)
        assert all(suffix.count(".") >= 1 for suffix in rule.suffixes), id


@pytest.mark.parametrize(
    ("host", "tenant", "kind", "region", "resource"),
    [
        ("my-worker.acct-sub.workers.dev", "acct-sub", "account", None, "my-worker"),
        ("v2.my-worker.acct-sub.workers.dev", "acct-sub", "account", None, "my-worker"),
        ("acct-sub.workers.dev", "acct-sub", "account", None, None),
        ("0a1b2c3d-my-worker.acct-sub.workers.dev", "acct-sub", "account", None, "0a1b2c3d-my-worker"),
        (
            "jvr6bib2t26jsx3kf6hhnwomzu0jsyeq.lambda-url.eu-north-1.on.aws",
            "jvr6bib2t26jsx3kf6hhnwomzu0jsyeq",
            "function",
            "eu-north-1",
            None,
        ),
        ("r275xc9bmd.execute-api.us-east-1.amazonaws.com", "r275xc9bmd", "api", "us-east-1", None),
        ("us-central1-my-project-123.cloudfunctions.net", "my-project-123", "project", "us-central1", None),
        ("api-313373223340.europe-west12.run.app", "313373223340", "project-number", "europe-west12", "api"),
        ("api-abcdefghij-uc.a.run.app", "abcdefghij", "project-hash", "uc", "api"),
        ("myapp.azurewebsites.net", "myapp", "app", None, None),
        ("myapp.scm.azurewebsites.net", "myapp", "app", None, None),
        (
            "myapp-ds27dh7271aah175.westus-01.azurewebsites.net",
            "myapp-ds27dh7271aah175",
            "app",
            "westus",
            "myapp",
        ),
        (
            "defaultafcb403265a34bf5894edb5aeefe64.71.environment.api.powerplatform.com",
            "afcb403265a34bf5894edb5aeefe6471",
            "environment",
            None,
            None,
        ),
        ("ai-ubq-fi.ubiquity-dao.deno.net", "ubiquity-dao", "organisation", None, "ai-ubq-fi"),
        ("1321773305-lexjg3zrkj-gz.scf.tencentcs.com", "1321773305", "account", "gz", "lexjg3zrkj"),
        ("p01--svc--abc123.code.run", "abc123", "project", None, "p01--svc"),
        ("rev1-dot-svc-dot-my-proj.uc.r.appspot.com", "my-proj", "project", "uc", None),
        ("lemon-dove-8474.twil.io", "lemon-dove-8474", "service", None, None),
        ("script.google.com", None, None, None, None),
        ("hooks.slack.com", None, None, None, None),
        ("webhook.site", None, None, None, None),
    ],
)
def test_the_tenant_is_what_names_the_customer(
    host: str, tenant: str | None, kind: str | None, region: str | None, resource: str | None
) -> None:
    match = CATALOGUE.classify(host)
    assert match is not None
    assert (match.tenant, match.tenant_kind, match.region, match.resource) == (tenant, kind, region, resource)
    assert match.matched_by == "host"


DEPLOYMENT = "AKfycbx0EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0"


@pytest.mark.parametrize(
    ("host", "path", "tenant", "kind", "resource"),
    [
        ("script.google.com", f"/macros/s/{DEPLOYMENT}/exec", DEPLOYMENT, "deployment", DEPLOYMENT),
        ("script.google.com", f"/macros/s/{DEPLOYMENT}/dev?x=1", DEPLOYMENT, "deployment", DEPLOYMENT),
        (
            "script.google.com",
            f"/a/macros/corp.example/s/{DEPLOYMENT}/exec",
            "corp.example",
            "workspace-domain",
            DEPLOYMENT,
        ),
        (
            "sheets.googleapis.com",
            "/v4/spreadsheets/1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789/values:batchGet",
            "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
            "document",
            None,
        ),
        ("hooks.slack.com", "/services/T0000ABCD/B0000ABCD/EXAMPLE", "T0000ABCD", "workspace", None),
        (
            "discord.com",
            "/api/webhooks/123456789012345678/EXAMPLE",
            "123456789012345678",
            "webhook",
            None,
        ),
        ("hooks.zapier.com", "/hooks/catch/1234567/abc123/", "1234567", "account", None),
        (
            "prod-88.eastus.logic.azure.com:443",
            "/workflows/00000000000000000000000000000abc/triggers/manual/paths/invoke?sig=x",
            "00000000000000000000000000000abc",
            "workflow",
            "00000000000000000000000000000abc",
        ),
    ],
)
def test_the_path_names_the_customer_of_a_shared_host(
    host: str, path: str, tenant: str, kind: str, resource: str | None
) -> None:
    match = CATALOGUE.classify(host, path)
    assert match is not None
    assert (match.tenant, match.tenant_kind, match.resource) == (tenant, kind, resource)
    assert (match.matched_by, match.shared) == ("path", True)


def test_every_path_example_is_read_and_gives_no_secret_away() -> None:
    for entry, rule, path in PATHS:
        match = CATALOGUE.classify(example_host(entry.id), path)
        assert match is not None
        assert match.id == entry.id
        assert "secret" not in match.labels
        if rule.tenant and match.matched_by == "path":
            assert match.tenant == match.labels[rule.tenant]


def test_a_path_nobody_knows_leaves_the_host_match_as_it_is() -> None:
    for path in ("", "/", "/channels/@me", "/macros/s/short/exec", "\x00", "/" + "a" * 100_000):
        match = CATALOGUE.classify("discord.com", path)
        assert match is not None
        assert (match.tenant, match.matched_by) == (None, "host")


def test_a_host_that_names_the_customer_keeps_its_tenant_beside_a_path() -> None:
    match = CATALOGUE.classify("us-central1-my-proj-1.cloudfunctions.net", "/relay?x=1")
    assert match is not None
    assert (match.tenant, match.resource, match.matched_by) == ("my-proj-1", "relay", "host")


@pytest.mark.parametrize(
    "host",
    [
        "evil-workers.dev.example.com",
        "a.b.workers.dev.example.com",
        "notworkers.dev",
        "a.notworkers.dev",
        "workers.dev",
        ".workers.dev",
        "a..workers.dev",
        "a.b.workers.dev..",
        "a.b.workers.dev\n",
        "a\x00.b.workers.dev",
        "script.google.com.evil.test",
        "notscript.google.com",
        "www.google.com",
        "evilhooks.slack.com",
        "slack.com",
        "lambda-url.eu-north-1.on.aws",
        "short.lambda-url.eu-north-1.on.aws",
        "jvr6bib2t26jsx3kf6hhnwomzu0jsyeq.lambda-url.eu-north-1.amazonaws.com",
        "bucket.s3.amazonaws.com",
        "r275xc9bmd.execute-api.us-east-1.amazonaws.com.evil.test",
        "azurewebsites.net",
        "w\u043erker.acct.workers.dev",
        "worker.acct.wor\u212aers.dev",
        "192.0.2.1",
        "[2001:db8::1]:443",
        "2001:db8::1",
        "localhost",
        "com",
        ".",
        ":443",
        "",
    ],
)
def test_a_near_miss_is_not_in_the_catalogue(host: str) -> None:
    assert CATALOGUE.classify(host) is None


@pytest.mark.parametrize(
    "host",
    ["My-Worker.Acct-Sub.WORKERS.dev", "my-worker.acct-sub.workers.dev.", "my-worker.acct-sub.workers.dev:8443"],
)
def test_case_final_dot_and_port_do_not_matter(host: str) -> None:
    assert CATALOGUE.classify(host) == CATALOGUE.classify("my-worker.acct-sub.workers.dev")


def test_a_name_too_long_for_dns_is_refused_at_once() -> None:
    assert CATALOGUE.classify("a" * 10_000 + ".acct.workers.dev") is None
    assert CATALOGUE.classify("a." * 5_000 + "workers.dev") is None
    assert CATALOGUE.classify("\x00" * 10_000) is None


@given(st.text(), st.none() | st.text())
def test_no_text_upsets_it(host: str, path: str | None) -> None:
    CATALOGUE.classify(host, path)


@given(st.sampled_from(EXAMPLES), st.text(max_size=12), st.text(max_size=12), st.text(max_size=40))
def test_text_around_a_known_name_never_raises_and_never_gives_another_service(
    example: tuple[str, object, str], before: str, after: str, path: str
) -> None:
    match = CATALOGUE.classify(before + example[2] + after, "/" + path)
    if match is not None:
        assert last_two_labels(plain_host(before + example[2] + after) or "") in {
            last_two_labels(suffix) for rule in CATALOGUE.by_id[match.id].hosts for suffix in rule.suffixes
        }


def test_equal_names_give_equal_and_hashable_matches() -> None:
    first, second = (CATALOGUE.classify("a.b.workers.dev") for _ in range(2))
    assert first == second
    assert len({first, second}) == 1


def test_names_outside_the_catalogue_cost_next_to_nothing() -> None:
    """A million names must not be felt: far under 50 microseconds a name, also on a busy machine."""
    hosts = [f"host{number}.example{number % 100}.com" for number in range(20_000)]
    start = time.perf_counter()
    assert [host for host in hosts if CATALOGUE.classify(host)] == []
    assert time.perf_counter() - start < 1.0


def test_it_is_read_once() -> None:
    assert load_catalogue() is load_catalogue()
    assert isinstance(load_catalogue(), Catalogue)
