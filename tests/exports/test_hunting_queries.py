"""Queries of KQL and SPL: whole by the parser of their maker or its rules, and no value ever more than a value."""

from __future__ import annotations

import pandas as pd
import pytest
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.rule import SigmaRule
from tests.exports.hunted import HOSTILE_VALUES, blocks, hostile_case, kusto, meant, spl, values_of
from tests.exports.results import HOST, act, material

from playbooks.exports import FORMS
from playbooks.exports.hunting.backends import KqlBackend, SplBackend, SplWhereBackend
from playbooks.exports.hunting.forms import kql_queries, spl_queries
from playbooks.exports.hunting.sources import cloud_sources, egress_sources

OWN_TEXTS = {
    "",
    "HttpHost",
    "SslConnectionInspected",
    "^(?:[a-z]+://)?([^/:]+)",
}  # of the kit's names for tables and fields
OWN_SEARCHES = {
    *("bro:ssl:json", "zeek:ssl:json", "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational", "aws:cloudtrail"),
}


def test_both_languages_have_a_query_for_each_rule_that_they_have_names_for() -> None:
    kql, searches = kql_queries(material()), spl_queries(material())
    assert (kql.content, searches.content) == (kql_queries(material()).content, spl_queries(material()).content)
    assert len(blocks(kql.content, "//")) == len(blocks(searches.content, "```")) == 7
    assert kql.holds == searches.holds == "7 queries"
    assert FORMS["kql"].tables == FORMS["spl"].tables == FORMS["sigma"].tables


def test_a_query_names_tables_and_fields_of_its_product() -> None:
    kql, searches = blocks(kql_queries(material()).content, "//"), blocks(spl_queries(material()).content, "```")
    assert kql[1] == (
        f'_Im_Dns()\n| where (DnsQuery =~ "acme-4417.workers.dev" or DnsQuery =~ "{HOST}") '
        'or DnsQuery endswith ".acme-4417.workers.dev"'
    )
    assert searches[1] == (
        f'search tag=network tag=resolution tag=dns ((query="acme-4417.workers.dev" OR query="{HOST}") '
        'OR query="*.acme-4417.workers.dev")'
    )
    assert kql[4].endswith(
        'where (EventSource =~ "lambda.amazonaws.com" and EventName =~ "UpdateFunctionCode20150331v2") and '
        '((UserIdentityUserName =~ "j.doe" or SessionIssuerUserName =~ "j.doe" or UserIdentityArn endswith "/j.doe")'
        ' or SourceIpAddress =~ "198.51.100.23")'
    )
    assert searches[6].endswith('AND "*invoice-export*")') and kql[6].endswith('* contains "invoice-export"')


def test_a_comment_says_what_the_query_is_and_the_answers_stand_above() -> None:
    for made, mark in ((kql_queries(material()), b"// %b\n"), (spl_queries(material()), b"```%b```\n")):
        assert mark % b"A-1: same destination, in questions of DNS" in made.content
        assert mark % b"Innocent if: An updater does the same." in made.content
        assert mark % b"blind: Who ran it?. no record of runs" in made.content
    empty = material(findings=material().findings | {"findings": [], "leads": []})
    assert blocks(kql_queries(empty).content, "//") == [] and b"blind: Who ran it?" in kql_queries(empty).content


def test_a_log_source_without_a_name_there_is_left_out_by_name() -> None:
    row = act("E001:7", provider="GitHub", service="github", operation="org.add_member")
    given = material(tables=material().tables | {"cloud_activity": pd.DataFrame([row])})
    for made, language in ((kql_queries(given), "KQL"), (spl_queries(given), "SPL")):
        why = f"no {language} name of GitHub's audit log is known; use the Sigma rule"
        assert [
            one for one in made.left_out if one.startswith("B-2: same acts by the same identity") and one.endswith(why)
        ]


def test_each_name_that_the_kit_gives_to_a_field_belongs_to_a_field_of_its_rules() -> None:
    for source in (*egress_sources(), *cloud_sources()):
        mine = {name.partition("|")[0] for names in source.fields.values() for name in names}
        for dialect in source.dialects.values():
            assert set(dialect.fields) <= mine, source.name


@pytest.mark.parametrize("backend", [KqlBackend, SplBackend, SplWhereBackend])
@pytest.mark.parametrize(
    "detection", ["a: {f: 1}", "a: {'f|re': x}", "a: {f: 'x*y'}", "a: {'f|exists': true}", "a: [5]"]
)
def test_what_the_kits_rules_do_not_hold_is_refused(backend: type[KqlBackend], detection: str) -> None:
    text = f"title: t\nlogsource: {{category: proxy}}\ndetection:\n  {detection}\n  condition: a\n"
    with pytest.raises(SigmaFeatureNotSupportedByBackendError):
        backend().convert_rule(SigmaRule.from_yaml(text))


def test_kustos_own_parser_finds_no_fault_and_reads_every_value_as_it_is() -> None:
    cases = [material(), *map(hostile_case, HOSTILE_VALUES)]
    asked: list[tuple[str, set[str]]] = []
    for given in cases:
        made = kql_queries(given).content
        known = values_of(given) | OWN_TEXTS if given.title in HOSTILE_VALUES else set()
        asked += [(query, known) for query in [*blocks(made, "//"), *made.decode("ascii").split("\n\n")]]
    *answers, quotes, pipes = kusto(
        [*(query for query, _ in asked), 'T | where a == "x" y"', "T | where a | project b"]
    )
    assert quotes["faults"] and pipes["pipes"] == 2  # what it would say of a value that got out
    for (query, known), told in zip(asked, answers, strict=True):
        assert told["faults"] == [], query
        assert not known or set(told["texts"]) <= known, query
        assert told["pipes"] == query.count("\n| where "), query


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_by_splunks_rules_of_quoting_every_value_is_as_it_is(value: str) -> None:
    given = hostile_case(value)
    found = set()
    for query in blocks(spl_queries(given).content, "```"):
        told = spl(query)
        assert told["signs"] == [] and told["pipes"] == ("\n| where " in query), query
        assert "`" not in query and "$" not in query and "[" not in query
        assert "\n" not in query.replace("\n| where ", "")
        found |= {meant(text) for text in told["texts"]}
    assert value in found
    assert found <= values_of(given) | OWN_SEARCHES
    for comment in spl_queries(given).content.decode("ascii").split("\n"):
        if comment.startswith("```"):
            assert comment.endswith("```") and "`" not in comment[3:-3] and len(comment) > 6


def test_a_value_that_search_cannot_hold_is_compared_by_where_from_end_to_end() -> None:
    given = material(tables=material().tables | {"cloud_activity": pd.DataFrame([act("E001:7", principal="a*b")])})
    query = next(one for one in blocks(spl_queries(given).content, "```") if "userName" in one)
    assert "match('userIdentity.userName', \"(?i)\\\\Aa\\\\x{002A}b\\\\z\")" in query
    assert "match('userIdentity.arn', \"(?i)\\\\x{002F}a\\\\x{002A}b\\\\z\")" in query
