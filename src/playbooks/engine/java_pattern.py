"""Patterns as RE2 reads them, written for Java: Spark runs on Java, DuckDB on RE2, and a question has one pattern.

Where they differ on the patterns of this kit: in RE2 `$` is the end of the text alone and `.` everything but a line
feed; in Java `$` stands before a last line end too, `.` stops at six characters, and a bracket inside a class opens
another class. Java's `\\s` holds the vertical tab as well.
"""

from __future__ import annotations

import re

ONE = re.compile(r"\\.|\[\^?\]?|[\]$]|&&|.", re.DOTALL)
SPACE = r"\t\n\f\r "


def java_pattern(pattern: str) -> str:
    """The same pattern for Java.

    Parameters
    ----------
    pattern
        A pattern in RE2's syntax, without `(?m)`.
    """
    out, inside = ["(?d)"], False
    for part in ONE.findall(pattern):
        if part.startswith("[") and not inside:
            inside = True
            out.append(part.replace("]", r"\]"))
            continue
        if part == "]":
            inside = False
        out.append(_inside(part) if inside else _outside(part))
    return "".join(out)


def _outside(part: str) -> str:
    return {"$": r"\z", r"\s": f"[{SPACE}]", r"\S": f"[^{SPACE}]"}.get(part, part)


def _inside(part: str) -> str:
    if part.startswith("["):  # [, [^, [] or [^]: the bracket is a character here, and a closing one ends the class
        return r"\[" + part[1:]
    return {r"\s": SPACE, "&&": r"&\&"}.get(part, part)
