"""Names and values of a line → one JSON object of text: key=value, CEF and LEEF.

The first value of a name counts; a later one of the same name is kept under `name_2`, so that nothing is
overwritten. A line that has no pair gives None, and the record is unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

NAME = r"[A-Za-z_][\w.\-/\[\]]*"
# a name begins where a word does: without that, a long line without `=` would be tried at each of its characters
KEY_VALUE = re.compile(rf'(?<![\w.\-/\[\]])({NAME})=(?:"((?:[^"\\]|\\.)*)"|(\S*?))(?=[\s;]|$|,(?:\s|$|{NAME}=))')
CEF = re.compile(r"(?:CEF:\s*)?\d+" + 6 * r"\|((?:[^|\\]|\\.)*)" + r"\|(.*)", re.DOTALL)
CEF_HEADER = ("cef_vendor", "cef_product", "cef_version", "cef_signature", "cef_name", "cef_severity")
CEF_KEY = re.compile(rf"(?:^|(?<=\s))({NAME})=")
LEEF = re.compile(r"LEEF:([12](?:\.0)?)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|(.*)", re.DOTALL)
LEEF_HEADER = ("leef_vendor", "leef_product", "leef_version", "leef_event")
ESCAPED = re.compile(r"\\(?!x[0-9a-f]{2})(.)", re.DOTALL)  # `\xNN` stands for a byte that is no UTF-8
CEF_ESCAPES = {"n": "\n", "r": "\r"}
CEF_ESCAPED = re.compile(r'\\([\\=|"nr])')  # before other characters a backslash is itself: CORP\user


def pairs_json(raw: str, style: str) -> str | None:
    """The pairs of a line as JSON text; None where it has none."""
    found = pairs(raw, style)
    return json.dumps(found) if found else None


def pairs(raw: str, style: str) -> dict[str, str]:
    """The pairs of a line by their plain names; empty where it is no such line."""
    match style:
        case "cef":
            return _cef(raw)
        case "leef":
            return _leef(raw)
        case _:
            return _key_value(raw)


@lru_cache(maxsize=10_000)
def plain_name(name: str) -> str:
    """A name as formats write it: everything but letters, digits and underscore is an underscore."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def _collected(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in found:
        plain = first = plain_name(name)
        number = 2
        while plain in kept:
            plain = f"{first}_{number}"
            number += 1
        kept[plain] = value
    return kept


def _key_value(raw: str) -> dict[str, str]:
    first = KEY_VALUE.search(raw)
    if not first:
        return {}
    prefix = raw[: first.start()].strip()
    found = KEY_VALUE.findall(raw, first.start())
    values = ((name, _unescaped(quoted) if quoted else bare.rstrip(",;")) for name, quoted, bare in found)
    return _collected([("prefix", prefix), *values] if prefix else values)


def _unescaped(text: str) -> str:
    return ESCAPED.sub(r"\1", text) if "\\" in text else text


def _cef(raw: str) -> dict[str, str]:
    match = CEF.search(raw)
    if not match:
        return {}
    *header, extension = match.groups()
    named = [(name, _unescaped(value)) for name, value in zip(CEF_HEADER, header, strict=True)]
    prefix = raw[: match.start()].strip()
    if prefix:
        named.insert(0, ("prefix", prefix))
    return _collected([*named, *_extension(extension)])


def _extension(text: str) -> list[tuple[str, str]]:
    """CEF values run to the next `name=`; blanks in them are not escaped."""
    keys = [key for key in CEF_KEY.finditer(text) if not _is_escaped(text, key.end() - 1)]
    ends = [*(key.start() for key in keys[1:]), len(text)]
    return [(key[1], _cef_value(text[key.end() : end].strip())) for key, end in zip(keys, ends, strict=False)]


def _is_escaped(text: str, at: int) -> bool:
    return at > 0 and text[at - 1] == "\\"


def _cef_value(text: str) -> str:
    return CEF_ESCAPED.sub(lambda m: CEF_ESCAPES.get(m[1], m[1]), text) if "\\" in text else text


def _leef(raw: str) -> dict[str, str]:
    match = LEEF.search(raw)
    if not match:
        return {}
    version, *header, rest = match.groups()
    delimiter = "\t"
    if version.startswith("2"):
        given, bar, tail = rest.partition("|")
        if bar and len(given) <= 6:
            delimiter, rest = _delimiter(given), tail
    named = list(zip(LEEF_HEADER, header, strict=True))
    values = (part.partition("=") for part in rest.split(delimiter) if "=" in part)
    return _collected([*named, *((name.strip(), value.strip()) for name, _, value in values)])


def _delimiter(given: str) -> str:
    """LEEF 2.0 states its delimiter as a character or as its code: `^`, `x09`, `0x09`."""
    code = re.fullmatch(r"(?:0?x)([0-9A-Fa-f]{1,4})", given)
    return chr(int(code[1], 16)) if code else given or "\t"
