"""Every type of resource in the catalogue of operations is decided: a function, its like, or neither."""

from __future__ import annotations

import pytest

from playbooks.knowledge.operations import load_operations
from playbooks.knowledge.resource_types import load_resource_types, runs_of

TYPES = load_resource_types()


def test_every_type_of_the_operations_is_decided_and_no_other() -> None:
    assert set(TYPES.types) == {one.resource_type for one in load_operations().operations if one.resource_type}


def test_what_starts_or_carries_code_says_why_no_log_tells_its_runs_or_has_runs_in_the_catalogue() -> None:
    platforms = ("AWS", "Azure", "GCP", "Microsoft 365", "Cloudflare", "Google Workspace", "GitHub", "Alibaba")
    lacking = {
        name
        for name, one in TYPES.types.items()
        if one.does in ("starts", "carries") and not one.runs and not any(runs_of(p, name) for p in platforms)
    }
    assert lacking == set()


@pytest.mark.parametrize(
    ("provider", "name", "expected"),
    [
        ("AWS", "project", True),
        ("GCP", "project", False),
        ("Microsoft 365", "connection", True),
        ("AWS", "role", False),
        (None, "function", True),
        ("AWS", "not a type", False),
    ],
)
def test_a_namesake_on_another_platform_can_be_something_else(provider: str | None, name: str, expected: bool) -> None:
    assert TYPES.is_function_like(provider, name) is expected
