"""Credentials in URLs are hidden; what an investigator pivots on stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.redaction import redact_url

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://hooks.slack.com/services/T0000ABCD/B0000ABCD/EXAMPLE",
            "https://hooks.slack.com/services/T0000ABCD/REDACTED",
        ),
        (
            "https://discord.com/api/webhooks/123456789012345678/EXAMPLE?wait=true",
            "https://discord.com/api/webhooks/123456789012345678/REDACTED?wait=true",
        ),
        (
            "https://prod-88.eastus.logic.azure.com:443/workflows/00000000000000000000000000000abc/x?sv=1&sig=a%2Fb",
            "https://prod-88.eastus.logic.azure.com:443/workflows/00000000000000000000000000000abc/x?sv=1&sig=REDACTED",
        ),
        (
            "https://maker.ifttt.com/trigger/in/with/key/EXAMPLEKEY",
            "https://maker.ifttt.com/trigger/in/with/key/REDACTED",
        ),
        ("https://x.azurewebsites.net/api/f?CODE=abc", "https://x.azurewebsites.net/api/f?CODE=REDACTED"),
        ("https://user:p@ss@example.com/a", "https://REDACTED@example.com/a"),
        ("https://example.com/cb#access_token=abc&x=1", "https://example.com/cb#access_token=REDACTED&x=1"),
        ("https://example.com/a?signal=1&monkey=2", "https://example.com/a?signal=1&monkey=2"),
        ("example.com:443", "example.com:443"),
        ("/relative?token=abc", "/relative?token=REDACTED"),
        ("http://[broken/?token=abc", "http://[broken/?token=REDACTED"),
        ("", ""),
    ],
)
def test_credentials_are_hidden_and_the_rest_stays(url: str, shown: str) -> None:
    assert redact_url(CATALOGUE, url) == shown


@given(st.text())
def test_redacting_never_raises_and_redacting_twice_changes_nothing(url: str) -> None:
    once = redact_url(CATALOGUE, url)
    assert redact_url(CATALOGUE, once) == once
