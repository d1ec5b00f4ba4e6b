"""What AWS publishes of rights: every row names where it was read, and says what the readers of it rely on."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.knowledge import aws_rights
from playbooks.knowledge.aws_rights import load_aws_rights
from playbooks.scoping.policy_documents import read_policy
from playbooks.scoping.used_rights import action_of

KNOWN = load_aws_rights()
ROWS = [row for rows in vars(KNOWN).values() if isinstance(rows, tuple) for row in rows]


def test_every_row_names_a_described_source_and_every_source_is_used() -> None:
    assert len(ROWS) > 50
    assert {row.source for row in ROWS} == set(KNOWN.sources)
    assert all(text.strip() for text in KNOWN.sources.values())
    assert {row.confidence for row in ROWS} <= {"high", "medium"}


def test_a_row_without_source_or_with_one_that_is_not_described_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row: dict[str, Any] = {"label": "x", "prefix": "y", "confidence": "high"}
    whole: dict[str, Any] = {"version": "1", "sources": {"a": "text"}, "prefixes": []}
    for name in ("layer_accounts", "managed_policies", "actions", "no_right_needed", "not_comparable", "data_rights"):
        whole[name] = []
    for prefixes, words in (([row], "source"), ([row | {"source": "b"}], "b: no such source")):
        monkeypatch.setattr(aws_rights, "read_data", lambda name, held=prefixes: {**whole, "prefixes": held})
        with pytest.raises(ValueError, match=words):
            load_aws_rights.__wrapped__()


def test_accounts_are_accounts_and_products_that_use_one_per_region_hold_more_than_their_first() -> None:
    by_product = {row.product: row.accounts for row in KNOWN.layer_accounts}
    assert all(len(account) == 12 and account.isdigit() for account in KNOWN.layers_of_aws)
    assert len(set(by_product["CloudWatch Lambda Insights"])) > 20
    assert sum(map(len, by_product.values())) == len(KNOWN.layers_of_aws), "an account stands in two rows"


def test_documents_of_aws_are_read_whole() -> None:
    for row in KNOWN.managed_policies:
        policy = read_policy({"Statement": list(row.statements)})
        assert policy.fault is None and len(policy.statements) == len(row.statements), row.arn


def test_operations_are_named_once_and_no_action_is_named_otherwise_again() -> None:
    operations = [row.operation for row in KNOWN.actions]
    assert len(operations) == len(set(operations))
    assert not {row.action for row in KNOWN.actions} & set(operations)
    rights = list(KNOWN.unrecorded)
    assert len(rights) == len(set(rights)) and not set(rights) & set(operations)


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("lambda.amazonaws.com", "Invoke", "lambda:InvokeFunction"),
        ("s3.amazonaws.com", "DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
        ("s3.amazonaws.com", "GetObject", "s3:GetObject"),
        ("monitoring.amazonaws.com", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
        ("lambda.amazonaws.com", "CreateFunction20150331", "lambda:CreateFunction"),
        ("apigateway.amazonaws.com", "CreateRestApi", None),
        ("", "CreateRestApi", None),
    ],
)
def test_a_recorded_operation_is_compared_under_the_action_that_grants_it(
    service: str, operation: str, action: str | None
) -> None:
    assert action_of(service, operation) == action
