"""Values of environment variables never reach the bag: wherever they stand, names are kept and values are hashed."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from playbooks.case import Case, new_case
from playbooks.errors import CaseError
from playbooks.evidence.acquire.environment import KEY_FILE, environment_key, hidden

KEY = b"k" * 32
SECRET = "Tr0ub4dor&3"


def digest(value: str, key: bytes = KEY) -> str:
    return "hmac-sha256:" + hmac.digest(key, value.encode(), "sha256").hex()


def configuration(**variables: Any) -> dict[str, Any]:
    return {"FunctionName": "orders", "Environment": {"Variables": variables}, "Timeout": 3}


PLACES = {
    "GetFunctionConfiguration": configuration(TOKEN=SECRET),
    "GetFunction": {"Configuration": configuration(TOKEN=SECRET), "Tags": {"a": "b"}},
    "ListFunctions": {"Functions": [configuration(A=SECRET), configuration(), configuration(B=SECRET, C="x")]},
    "ListVersionsByFunction": {"Versions": [configuration(TOKEN=SECRET), {"Version": "1"}]},
    "something new": {"A": [[{"B": {"Environment": {"Variables": {"TOKEN": SECRET}}}}]]},
    "a value that is no text": configuration(TOKEN={"deep": [SECRET]}),
    "variables that are no object": {"Environment": {"Variables": [{"Name": "TOKEN", "Value": SECRET}]}},
    "a variable of that name": configuration(Environment=SECRET, Variables=SECRET),
}


@pytest.mark.parametrize("answer", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "plain"])
def test_no_value_is_left_in_any_place(answer: dict[str, Any], ascii_only: bool) -> None:
    stored, said = hidden(json.dumps(answer, ensure_ascii=ascii_only).encode(), KEY)
    assert stored is not None
    assert SECRET.encode() not in stored
    assert said.endswith("values of environment variables hashed, names kept")


def test_nothing_else_is_touched() -> None:
    answer = {"Configuration": configuration(TOKEN=SECRET, STAGE="live"), "Tags": {"TOKEN": SECRET}}
    stored, said = hidden(json.dumps(answer).encode(), KEY)
    expected = {"Configuration": configuration(TOKEN=digest(SECRET), STAGE=digest("live")), "Tags": {"TOKEN": SECRET}}
    assert json.loads(stored or b"") == expected
    assert said == "2 values of environment variables hashed, names kept"


@pytest.mark.parametrize(
    "body",
    [b'{ "Policy" : "x"}', b"[]", b'{"Environment": {"Error": {"Message": "no key"}}}', b'{"a": 1.50}', b"<x/>", b""],
)
def test_an_answer_without_values_stays_byte_for_byte(body: bytes) -> None:
    assert hidden(body, KEY) == (body, "")


@pytest.mark.parametrize(
    "body",
    [
        b'{"Environment": {"Variables": {"TOKEN": "Tr0ub4dor&3"',
        b'{"Environment": {"Variables": {"TOKEN": "Tr0ub4dor&3"}}, "Environment": {}}',
        b'{"Environment": {"Variables": {"A": "Tr0ub4dor&3", "A": "x"}}}',
        b'{"\\u0045nvironment": {"Variables": {"A": "Tr0ub4dor&3"',
        b"Environment=" + b"[" * 100_000,
        b'\xff{"Environment": {"Variables": {"TOKEN": "Tr0ub4dor&3"}}}',
    ],
)
def test_what_cannot_be_read_for_sure_is_not_stored(body: bytes) -> None:
    stored, said = hidden(body, KEY)
    assert stored is None
    assert said.startswith("not stored: ")


def test_an_escaped_name_is_seen() -> None:
    stored, _ = hidden(b'{"\\u0045nvironment": {"Variables": {"A": "Tr0ub4dor&3"}}}', KEY)
    assert json.loads(stored or b"") == {"Environment": {"Variables": {"A": digest(SECRET)}}}


def test_equal_values_are_equal_inside_a_case_and_differ_between_cases(tmp_path: Path) -> None:
    one, other = new_case(tmp_path / "one", "ONE"), new_case(tmp_path / "other", "TWO")
    body = json.dumps(configuration(A=SECRET, B=SECRET)).encode()
    first, again, else_ = (hidden(body, environment_key(case))[0] for case in (one, one, other))
    assert first == again
    variables = json.loads(first or b"")["Environment"]["Variables"]
    assert variables["A"] == variables["B"] == digest(SECRET, (one.path / KEY_FILE).read_bytes())
    assert first != else_


def test_the_key_is_private_lies_beside_the_bag_and_is_made_once(tmp_path: Path) -> None:
    case: Case = new_case(tmp_path / "case", "ENV-1")
    key = environment_key(case)
    assert environment_key(case) == key
    assert (case.path / KEY_FILE).stat().st_mode & 0o077 == 0
    assert [path.name for path in case.path.iterdir() if key in path.read_bytes()] == [KEY_FILE]
    (case.path / KEY_FILE).write_bytes(key[:5])
    with pytest.raises(CaseError, match="expected 32 bytes, found 5"):
        environment_key(case)
