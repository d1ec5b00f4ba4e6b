"""Hides credentials in URLs before they reach a report; the evidence itself is never touched.

What names the customer of a provider (a deployment, a workspace, a webhook id) stays readable, because it
is what an investigator pivots on.
"""

from __future__ import annotations

import re

from playbooks.knowledge.catalogue import LONGEST_PATH, Catalogue

HIDDEN = "REDACTED"

# Parameter names that carry credentials on any host; `code` and `token` are function and webhook keys too.
SECRET_QUERY: tuple[str, ...] = (
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "client_secret",
    "code",
    "id_token",
    "key",
    "pass",
    "passwd",
    "password",
    "refresh_token",
    "secret",
    "sig",
    "signature",
    "subscription-key",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-functions-key",
    "x-goog-signature",
)
_ORIGIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?P<userinfo>[^/?#]*@)?(?P<host>[^/?#]*)")


def redact_url(catalogue: Catalogue, url: str) -> str:
    """`url` with passwords, credential parameters and the secret part of webhook paths hidden.

    Works on text, not on a parsed URL: a malformed one is redacted as well and otherwise left as it is.
    """
    origin = _ORIGIN.match(url)
    assert origin is not None  # every part of the pattern may be empty
    start, rest = url[: origin.end()], url[origin.end() :]
    if origin["userinfo"]:
        start = start.replace(origin["userinfo"], HIDDEN + "@", 1)
    match = catalogue.classify(origin["host"])
    names = SECRET_QUERY
    if match is not None:
        entry = catalogue.by_id[match.id]
        names += entry.secret_query
        for rule in entry.paths:
            found = rule.regex.match(rest[:LONGEST_PATH])
            if found and found.groupdict().get("secret"):
                rest = rest[: found.start("secret")] + HIDDEN + rest[found.end("secret") :]
                break
    return start + _hide_parameters(rest, names)


def _hide_parameters(text: str, names: tuple[str, ...]) -> str:
    pattern = r"(?i)(?<=[?&#;])((?:{})=)[^&#;]*".format("|".join(re.escape(name) for name in names))
    return re.sub(pattern, rf"\g<1>{HIDDEN}", text)
