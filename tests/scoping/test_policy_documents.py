"""Policy documents as they stand in records and answers, honest and hostile."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from playbooks.scoping.clouds.aws_exposure import House
from playbooks.scoping.policy_documents import MAX_DOCUMENT, matches, read_policy, verdict
from playbooks.scoping.policy_weaknesses import of_identity, of_resource

HOME, STRANGER = "111111111111", "999999999999"
HOUSE = House(HOME, frozenset())


def document(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", **statement}]}


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("*", "lambda:InvokeFunction", True),
        ("lambda:*", "lambda:InvokeFunction", True),
        ("LAMBDA:invoke*", "lambda:InvokeFunction", True),
        ("lambda:Get?olicy", "lambda:GetPolicy", True),
        ("lambda:Get?policy", "lambda:GetPolicy", False),
        ("iam:Pass*Role", "iam:PassRole", True),
        ("lambda:Invoke", "lambda:InvokeFunction", False),
        ("lambda:[a-z]*", "lambda:InvokeFunction", False),
        ("", "lambda:InvokeFunction", False),
        ("*:PassRole", "iam:PassRole", True),
    ],
)
def test_a_pattern_covers_what_iam_says_it_covers(pattern: str, action: str, covered: bool) -> None:
    assert matches(pattern, action) is covered


def test_a_pattern_of_many_stars_costs_no_more_than_its_length() -> None:
    begun = time.monotonic()
    assert not matches("*a" * 5_000 + "b", "a" * 5_000)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("shape", [lambda d: d, json.dumps, lambda d: quote(json.dumps(d))])
def test_a_document_is_read_as_object_as_text_and_as_iam_encodes_it(shape: Any) -> None:
    (statement,) = read_policy(shape(document(Resource="*"))).statements
    assert (statement.actions, statement.resources, statement.everywhere) == (("s3:GetObject",), ("*",), True)


DEEP = '{"Statement":' + '{"a":' * 50_000 + "1" + "}" * 50_001
HOSTILE: list[Any] = [
    *(None, 7, True, "", "[]", "{", "null", "[" * 100_000, DEEP, "%7B" * 50_000, "\ud800", {"Statement": "x"}),
    {"Statement": [None, 3, "x", [], {"Effect": ["Allow"]}, {"Effect": "allow"}, {"Effect": {"Allow": 1}}]},
    {"Statement": {"Effect": "Allow", "Action": {"a": 1}, "Resource": [None, ["x"]], "Principal": 7}},
    {"Statement": {"Effect": "Allow", "Action": [1, None, "\ud800:*"], "Principal": {"AWS": {"x": "*"}}}},
    {"Statement": {"Effect": "Allow", "Condition": "x"}},
    {"Statement": {"Effect": "Deny", "Condition": {"StringEquals": ["x"], "Bool": {"k": {"d": 1}}, "": {"": None}}}},
    {"Statement": [document()["Statement"][0]] * 100_000},
    "x" * (MAX_DOCUMENT + 1),
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_document_gives_few_statements_a_reason_and_no_error(content: Any) -> None:
    policy = read_policy(content)
    list(of_identity(policy.statements))
    list(of_resource(policy.statements, HOUSE, trust=True))
    assert len(policy.statements) <= 200
    assert policy.fault is not None or len(policy.statements) == 1


def told(content: Any) -> list[tuple[str, str]]:
    return [(one.kind, one.right) for one in of_identity(read_policy(content).statements)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "*", "Resource": "*"}, [("all_actions", "*"), ("pass_role_wide", "iam:PassRole")]),
        ({"Action": "*:*", "Resource": "*"}, [("all_actions", "*:*"), ("pass_role_wide", "iam:PassRole")]),
        ({"Action": ["lambda:*"], "Resource": "*"}, [("service_wildcard", "lambda:*")]),
        ({"Action": "lambda:Update*", "Resource": "arn:x"}, [("action_wildcard", "lambda:Update*")]),
        ({"NotAction": "s3:*", "Action": None, "Resource": "*"},
         [("not_action", "*"), ("pass_role_wide", "iam:PassRole")]),
        ({"Action": "s3:GetObject", "NotResource": "arn:x"}, [("not_resource", "s3:GetObject")]),
        ({"Action": "lambda:UpdateFunctionCode", "Resource": "*"},
         [("wildcard_resource", "lambda:UpdateFunctionCode")]),
        ({"Action": "iam:PassRole", "Resource": "*"}, [("pass_role_wide", "iam:PassRole")]),
        ({"Action": "iam:PassRole", "Resource": "*",
          "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
         [("pass_role", "iam:PassRole")]),
        ({"Action": "iam:PassRole", "Resource": f"arn:aws:iam::{HOME}:role/app"}, [("pass_role", "iam:PassRole")]),
        # near misses: one object of one bucket, and what a Deny says of itself
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}, []),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, []),
    ],
)  # fmt: skip
def test_what_a_policy_of_a_role_leaves_wide(statement: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(document(**statement)) == expected


def test_a_deny_is_taken_into_account_and_named() -> None:
    content = document(Action="iam:PassRole", Resource="*")
    content["Statement"].append({"Effect": "Deny", "Action": "iam:*", "Resource": "*"})
    statements = read_policy(content).statements
    assert [one.denied for one in of_identity(statements)] == ["denied everywhere by a Deny"]
    assert not verdict(statements, "iam:PassRole").allowed
    content["Statement"][1]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    limited = verdict(read_policy(content).statements, "iam:PassRole")
    assert (limited.allowed, limited.denied) == (True, "a Deny covers some resources or conditions")


OIDC = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
SUBJECT = "token.actions.githubusercontent.com:sub"


@pytest.mark.parametrize(
    ("statement", "trust", "expected"),
    [
        ({"Principal": "*"}, False, ["anyone"]),
        ({"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False,
         ["limited_anyone"]),
        ({"Principal": {"AWS": "*"}, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False, ["anyone"]),
        ({"Principal": {"AWS": STRANGER}}, False, ["cross_account"]),
        ({"Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}}, True, ["cross_account", "condition_gap"]),
        ({"Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"},
          "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}, True, ["cross_account"]),
        ({"Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}}, True, []),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False, ["condition_gap"]),
        ({"Principal": {"Service": "sns.amazonaws.com"},
          "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:x"}}}, False, []),
        ({"Principal": {"Service": "lambda.amazonaws.com"}}, True, []),
        ({"Principal": {"Federated": OIDC}}, True, ["condition_gap"]),
        ({"Principal": {"Federated": OIDC}, "Condition": {"StringLike": {SUBJECT: "*"}}}, True, ["condition_gap"]),
        ({"Principal": {"Federated": OIDC}, "Condition": {"StringLike": {SUBJECT: "repo:a/b:*"}}}, True, []),
        ({"NotPrincipal": {"AWS": HOME}}, False, ["anyone"]),
        ({"Effect": "Deny", "Principal": "*"}, False, []),
    ],
)  # fmt: skip
def test_who_a_policy_lets_in_and_which_condition_is_missing(
    statement: dict[str, Any], trust: bool, expected: list[str]
) -> None:
    found = of_resource(read_policy(document(**statement)).statements, HOUSE, trust)
    assert [one.kind for one in found] == expected
