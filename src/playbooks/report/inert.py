"""Hostile text made harmless and honest: what cannot be seen is shown, what could be clicked is broken.

These functions give *text*, not markup; markup is escaped by the templates and cut by `sanitise`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.redaction import HIDDEN, SECRET_QUERY, redact_url

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|[@-Z\\^_])")
# Control and direction characters, invisible ones, and halves of characters: each can make a line of a
# log read as something that it is not.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_URL = re.compile(r"(?i)\b[a-z][a-z0-9+.\-]{1,20}://[^\s\"'<>\\]+")
_NAMES = "|".join(re.escape(name) for name in sorted(SECRET_QUERY, key=len, reverse=True))
# A parameter outside a URL that we can cut out: escaped ones, and the query column of a web server's log.
_PARAMETER = re.compile(
    rf"(?i)((?:[?&;#]|%3f|%26|\\u0026|(?<=[\s\"',])(?=[\w\-]+=[^\s\"'&]{{8}}))(?:{_NAMES})(?:=|%3d))"
    rf"(?!{HIDDEN})((?:(?!%26|\\u0026)[^\s&;\"'<>\\])+)"
)
_TOKEN_IN_JSON = re.compile(
    r'(?i)(\\?"(?:sessiontoken|secretaccesskey|clientsecret|client_secret|access_token|refresh_token'
    rf'|authorization|password)\\?"\s*:\s*\\?")(?!{HIDDEN})([^"\\]+)'
)

_SCHEME = re.compile(r"(?i)\b(h)tt(ps?):(?=/)")
_NAME = re.compile(
    r"(?i)(?<![\w.\-])((?:[a-z0-9_*](?:[a-z0-9_\-]{0,62})\.)+)(xn--[a-z0-9\-]{2,59}|[a-z]{2,24})(?![\w\-]|\.\w)"
)
# Last labels that make a dotted word a name of a host. Any two letters count too (countries).
_TOP_LEVEL_WORDS = """
    agency app arpa aws biz buzz click cloud club com corp dev digital edu email example fun goog google gov home host
    icu info int internal invalid lan life link live local mil name net network online org page press pro run
    services shop site solutions space store support systems team tech test today top website work world xyz
    zone
"""
_TOP_LEVEL = frozenset(_TOP_LEVEL_WORDS.split())
_FILE_ENDINGS_WORDS = """
    bz cfg cs db gz ini js md pl ps py rb sh so ts xz
"""
_FILE_ENDINGS = frozenset(_FILE_ENDINGS_WORDS.split())


def without_ansi(text: str) -> str:
    """`text` without terminal escape sequences."""
    return _ANSI.sub("", text)


def visible(text: object) -> str:
    """`text` with every unseen character written out, as `‹U+202E›`; line breaks and tabs stay."""
    return _UNSEEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", str(text).replace("\r\n", "\n"))


def redacted(text: str) -> tuple[str, int]:
    """`text` without the secrets in its URLs and the tokens in its JSON, and how many were taken out."""
    catalogue = load_catalogue()
    shown = _URL.sub(lambda url: redact_url(catalogue, url[0]), text)
    for pattern in (_PARAMETER, _TOKEN_IN_JSON):
        shown = pattern.sub(rf"\g<1>{HIDDEN}", shown)
    return shown, shown.count(HIDDEN) - text.count(HIDDEN)


def defanged(text: str, known: Iterable[str] = ()) -> str:
    """`text` with names of hosts that no program will link: `evil[.]example`, `hxxps://`.

    A dotted word counts as a host when its last label is a top-level domain (not a file ending), or when
    it is among the `known` hosts of the case. So `j.doe` and `findings.json` stay.
    """
    hosts = known if isinstance(known, (set, frozenset)) else frozenset(known)

    def broken(found: re.Match[str]) -> str:
        last = found[2].lower()
        a_host = last in _TOP_LEVEL or last.startswith("xn--") or (len(last) == 2 and last not in _FILE_ENDINGS)
        if not a_host and found[0].lower() not in hosts:
            return found[0]
        return f"{found[1][:-1]}[.]{found[2]}"

    return _NAME.sub(broken, _SCHEME.sub(r"\1xx\2:", text))


def shortened(text: str, limit: int) -> str:
    """`text` cut in its middle: the beginning and the end of a name tell it apart."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 3 // 5
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def figure_label(text: object, limit: int = 44) -> str:
    """`text` as one line for a Plotly label or hover, which would otherwise read markup or TeX in it."""
    line = " ".join(visible(without_ansi(str(text)[:4000])).split())
    return html.escape(shortened(defanged(redacted(line)[0]), limit), quote=False).replace("$", "&#36;")
