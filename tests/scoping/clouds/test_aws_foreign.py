"""Code of strangers that a change lets in, and messages that it sends out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scoping.cloud_case import HOME, STRANGER

from playbooks.knowledge.operations import load_operations
from playbooks.scoping.clouds.aws_exposure import House
from playbooks.scoping.clouds.aws_foreign import code_of_strangers, sent_outside

HOUSE = House(HOME, frozenset({"222222222222"}))
UPDATED = load_operations().find("AWS", "lambda.amazonaws.com", "UpdateFunctionConfiguration")
DELETED = load_operations().find("AWS", "lambda.amazonaws.com", "DeleteFunction")


def layer(account: str) -> str:
    return f"arn:aws:lambda:eu-central-1:{account}:layer:x:1"


def image(account: str) -> str:
    return f"{account}.dkr.ecr.eu-central-1.amazonaws.com/app:1"


@pytest.mark.parametrize(
    ("request_", "account"),
    [
        ({"layers": [layer(STRANGER)]}, STRANGER),
        ({"layers": [layer(HOME), layer("222222222222"), layer("580247275435")]}, None),
        ({"code": {"imageUri": image(STRANGER)}}, STRANGER),
        ({"imageUri": image(HOME)}, None),
        ({"containerDefinitions": [{"image": "nginx"}, {"image": image(STRANGER)}]}, STRANGER),
        ({"layers": {"a": 1}, "code": [[["\ud800"]]], "imageUri": 7}, None),
    ],
)
def test_layers_and_images_of_other_accounts_are_named(request_: dict[str, Any], account: str | None) -> None:
    assert UPDATED is not None and DELETED is not None
    fact = code_of_strangers(UPDATED, request_, HOUSE)
    assert fact is None if account is None else f"of account {account}, not ours" in (fact or "")
    assert code_of_strangers(DELETED, request_, HOUSE) is None


@pytest.mark.parametrize(
    ("request_", "host"),
    [
        ({"protocol": "https", "endpoint": "https://collect.example/x?token=secret"}, "collect.example"),
        ({"protocol": "email", "endpoint": "a@mail.example"}, "mail.example"),
        ({"invocationEndpoint": "https://hook.example/*"}, "hook.example"),
        ({"protocol": "https", "endpoint": "https://ops.corp.example/x"}, None),
        ({"protocol": "lambda", "endpoint": "arn:aws:lambda:x"}, None),
        ({"protocol": "https", "endpoint": "https://[/"}, None),
        ({"protocol": ["https"], "endpoint": {}}, None),
    ],
)
def test_messages_to_hosts_and_mailboxes_outside_are_told_without_path_and_token(
    request_: dict[str, Any], host: str | None
) -> None:
    fact = sent_outside(request_, frozenset({"corp.example"}))
    assert fact is None if host is None else (fact or "").startswith(f"messages go to {host} (")
    assert "secret" not in (fact or "")
