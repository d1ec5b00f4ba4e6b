"""Markup cut down to what a page of this kit may hold: structure, tables and anchors; nothing that acts.

Every HTML fragment of every page goes through here, also those of our own templates: a slip there stays
without effect. Scripts and styles come only from the page template.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from playbooks.report.inert import visible

if TYPE_CHECKING:
    import nh3

_TAGS_WORDS = """
    a abbr article aside b blockquote br caption code col colgroup dd del details div dl dt em figcaption
    figure h1 h2 h3 h4 h5 h6 header hr i kbd li mark nav ol p pre s samp section small span strong sub
    summary sup table tbody td tfoot th thead time tr u ul var wbr
"""
TAGS = frozenset(_TAGS_WORDS.split())
_CLASSES_WORDS = """
    answer blind brief card chain clear confidence dataframe end facts finding found grid hash kicker label lead
    long meta more next note num picture query raw readings refs score scroll signal stamp technique unseen verdict
    warn what wide
"""
CLASSES = frozenset(_CLASSES_WORDS.split())
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id"},
    "a": {"href"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope", "headers"},
    "col": {"span"},
    "details": {"open"},
    "ol": {"start"},
    "time": {"datetime"},
    "abbr": {"title"},
}
# An id becomes a name on the window: short plain ones only, and none that the drawing script could meet.
_ID = re.compile(r"(?!plotly)[A-Za-z][\w.:\-]{0,120}", re.IGNORECASE)
_TABLE_STYLE = re.compile(r"<style scoped>[^<]{0,2000}</style>")  # pandas puts one before each table
# What may be wider or higher than its place is reached and moved by keyboard; nothing else takes the focus.
_SCROLLS = {
    '<div class="scroll">': '<div class="scroll" tabindex="0" role="group" aria-label="Table">',
    '<pre class="long">': '<pre class="long" tabindex="0" role="group" aria-label="Record">',
}
# Inside the page, or from the index of a batch to the report of a case beside it; never to another place.
_HREF = re.compile(r"#[\w.:\-%]{1,200}|(?:[\w.\-%]{1,400}/){0,20}report/report\.html")


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(word for word in value.split() if word in CLASSES) or None
    if name == "id":
        return value if _ID.fullmatch(value) else None
    if name == "href":
        return value if _HREF.fullmatch(value) else None
    return value


@cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(),  # what stood in a script is shown, as text: log content is never dropped
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=set(),
        link_rel=None,
    )


def sanitised(markup: str) -> str:
    """`markup` with only the tags, attributes, classes and `#anchor` links that a page may hold."""
    clean = _cleaner().clean(visible(_TABLE_STYLE.sub("", markup)))
    for plain, reached in _SCROLLS.items():
        clean = clean.replace(plain, reached)
    return clean
