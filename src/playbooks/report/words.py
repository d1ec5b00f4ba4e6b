"""Values become words of a report: escaped, with unseen characters shown, hosts defanged, secrets out.

The filters of the section templates. Jinja escapes whatever a filter gives as plain text; only the links
to records are markup, and they are made from references of the kit's own shape.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from playbooks.report.inert import defanged, redacted, shortened, visible, without_ansi

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_IN_CELL = 1_500  # characters; a longer value is cut in its middle
MOST_REFS = 8
SHORT = 14  # characters of a cell that never break
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
REF = re.compile(r"\bE\d{3,9}:\d{1,12}\b")
_CITED = re.compile(rf"{REF.pattern}|\b[AB]-[0-9a-f]{{8}}\b")  # a record, or a finding


def anchor(ref: object) -> str:
    """Give the anchor of a reference or id: `E003:4118` → `E003-4118`."""
    words = re.sub(r"[^A-Za-z0-9.\-]+", "-", str(ref))[:100].strip("-")
    return words if words[:1].isalpha() else f"id-{words}"


def when(time: object) -> str:
    """Give a time to the second in UTC, or say that there is none."""
    import pandas as pd

    if is_missing(time):
        return "no time"
    try:
        moment = pd.Timestamp(time)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return "no valid time"
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def span(first: object, last: object) -> str:
    """Give two times as `2024-04-19 08:05:00 to 2024-04-19 09:00:00 UTC`."""
    return f"{when(first).removesuffix(' UTC')} to {when(last)}"


def utc_time(time: object) -> str:
    """Give a time for a column whose head says UTC."""
    return when(time).removesuffix(" UTC")


def column_heads(names: Iterable[str], numeric: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Give the heads of a table; numbers stand to the right."""
    right = set(numeric)
    return [{"name": visible(name), "num": name in right} for name in names]


def is_missing(value: object) -> bool:
    """Tell whether `value` says nothing: None, NaN, NaT, or a field that the results do not have."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("", "NaT", "<NA>")


def weight(value: object) -> str:
    """Give a weight or score with two digits."""
    return f"{value:.2f}" if isinstance(value, int | float) and not is_missing(value) else "–"


def filters(known_hosts: frozenset[str], with_anchor: frozenset[str], redact: bool) -> dict[str, Callable[..., Any]]:
    """Give the filters of one report.

    Parameters
    ----------
    known_hosts : names that are hosts whatever their last label is
    with_anchor : references and ids of findings that stand in the report, and can be linked
    redact : whether secrets are taken out
    """
    from markupsafe import Markup, escape

    def plain(value: object, limit: int = MOST_IN_CELL) -> str:
        text = shortened(visible(without_ansi(str(value))), limit)
        return redacted(text)[0] if redact else text

    def linked(text: str) -> Markup:
        def link(found: re.Match[str]) -> str:
            return f'<a href="#{anchor(found[0])}">{found[0]}</a>' if found[0] in with_anchor else found[0]

        words = _HASH.sub(r'<span class="hash">\g<0></span>', _CITED.sub(link, str(escape(text))))
        return Markup(words)  # noqa: S704 - escaped one call before

    def say(value: object) -> Markup:
        if isinstance(value, Markup):
            return value
        return linked(defanged(plain(_flat(value)), known_hosts))

    def refs(found: Iterable[str] | None) -> Markup:
        every = list(found or [])
        more = f" and {len(every) - MOST_REFS:,} more" if len(every) > MOST_REFS else ""
        return linked(", ".join(plain(ref, 60) for ref in every[:MOST_REFS]) + more)

    def say_list(values: Iterable[object]) -> Markup:
        every = [str(value) for value in values]
        more = f" and {len(every) - 6:,} more" if len(every) > 6 else ""
        return linked(", ".join(defanged(plain(value, 120), known_hosts) for value in every[:6]) + more or "not known")

    return {
        "is_short": _is_short,
        "say": say, "say_list": say_list, "refs": refs, "plain": plain,
        "when": when, "span": span, "weight": weight, "anchor": anchor,
    }  # fmt: skip


def _is_short(value: object) -> bool:
    """Whether it is one word or two that would break in an odd place."""
    return isinstance(value, str) and len(value) <= SHORT


def _flat(value: object) -> str:
    """Give one value of any kind as text; lists with commas, mappings as `name: value`."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_flat(part)}" for key, part in value.items()) or "–"
    if isinstance(value, str):
        return value or "–"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_flat, value)) or "–"
    if is_missing(value):
        return "–"
    if hasattr(value, "tolist"):  # NumPy, from Parquet
        return _flat(value.tolist())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return when(value) if hasattr(value, "tzinfo") else str(value)
