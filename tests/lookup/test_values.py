"""What a pasted value is, fanged or not, and what is none."""

from __future__ import annotations

import pytest

from playbooks.errors import UsageError
from playbooks.lookup import Value, read_value

PLAIN = Value("https://a.example.com:8443/x?y=1", "url", "a.example.com", "/x?y=1")


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("a.example.com", Value("a.example.com", "domain", "a.example.com")),
        ("A[.]Example[.]COM.", Value("a.example.com", "domain", "a.example.com")),
        ("a(dot)example {.} com", Value("a.example.com", "domain", "a.example.com")),
        ("bücher.example", Value("xn--bcher-kva.example", "domain", "xn--bcher-kva.example")),
        ("hxxps://a[.]example[.]com:8443/x?y=1", PLAIN),
        ("https[:]//a.example.com:8443/x?y=1", PLAIN),
        ("hxxps[://]a.example.com:8443/x?y=1", PLAIN),
        ("<https://a.example.com:8443/x?y=1>", PLAIN),
        ("198.51.100[.]7", Value("198.51.100.7", "ip")),
        ("[2001:DB8::1]", Value("2001:db8::1", "ip")),
        ("http://198.51.100.7/a", Value("http://198.51.100.7/a", "url", "198.51.100.7", "/a")),
        ("AB" * 32, Value("ab" * 32, "hash")),
        ("ab" * 16, Value("ab" * 16, "hash")),
    ],
)
def test_a_value_is_told_by_its_shape(given: str, value: Value) -> None:
    assert read_value(given) == value


@pytest.mark.parametrize(
    "given", ["", "word", "two words", "a..b", "http://", "-", "198.51.100.300", "x" * 5000, "a\x00.com"]
)
def test_what_is_none_of_them_is_refused_with_what_was_expected(given: str) -> None:
    with pytest.raises(UsageError, match="Expected a host, a URL, an address or a hash"):
        read_value(given)
