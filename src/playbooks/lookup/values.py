"""A value as a person pastes it, host, URL, address or hash, fanged or not, told by its shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from playbooks.errors import UsageError
from playbooks.knowledge.catalogue import plain_host
from playbooks.scoping.addresses import parse

LONGEST = 4096
DEFANGED = (
    (re.compile(r"(?i)^\s*h(?:xx|\*\*|__)p"), "http"),
    (re.compile(r"\[(?:://|:)\]//"), "://"),
    (re.compile(r"\[://\]"), "://"),
    (re.compile(r"(?i)\s*[\[({](?:\.|dot)[\])}]\s*"), "."),
    (re.compile(r"\[:\]"), ":"),
)
NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
HASH_NAMES = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}
EXPECTED = "Expected a host, a URL, an address or a hash (MD5, SHA-1, SHA-256), defanged or not."


@dataclass(frozen=True)
class Value:
    """One value: its plain text, its type (domain, ip, url, hash), and the host and path of a URL or name."""

    text: str
    type: str
    host: str | None = None
    path: str | None = None


def read_value(given: str) -> Value:
    """Tell what a value is.

    Raises
    ------
    UsageError
        It is none of them.
    """
    text = given.strip().strip("\"'<>")
    if len(text) > LONGEST:
        raise UsageError(f"value of {len(text):,} characters: at most {LONGEST:,} are read. {EXPECTED}")
    for pattern, plain in DEFANGED:
        text = pattern.sub(plain, text)
    if HASH.fullmatch(text.lower()):
        return Value(text.lower(), "hash")
    if address := parse(text.strip("[]")):
        return Value(str(address), "ip")
    if "://" in text:
        return _url(text, given)
    name = plain_host(_ascii(text))
    if name is None or not NAME.fullmatch(name):
        raise UsageError(f"value {given[:100]!r}: none of them. {EXPECTED}")
    return Value(name, "domain", name)


def _url(text: str, given: str) -> Value:
    try:
        url = urlsplit(text)
        host = url.hostname
    except ValueError:
        host = None
    if not host:
        raise UsageError(f"value {given[:100]!r}: a URL without a host. {EXPECTED}")
    path = url.path + (f"?{url.query}" if url.query else "")
    address = parse(host)
    return Value(text, "url", str(address) if address else plain_host(_ascii(host)) or host, path)


def _ascii(name: str) -> str:
    """A name in other scripts as DNS carries it, `xn--…`; one that DNS cannot carry stays as it is."""
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
