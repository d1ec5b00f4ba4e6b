"""The nbconvert exporter behind every page: own template, strict policy, nothing from outside.

A Plotly figure is stored in a notebook as `application/vnd.plotly.v1+json`, which nbconvert's own HTML
drops without a word; here it comes first, as inert JSON that one inlined script draws.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.report.figures.picture import PLOTLY_MIME
from playbooks.report.inert import visible, without_ansi
from playbooks.report.sanitise import sanitised

if TYPE_CHECKING:
    from nbconvert.exporters.templateexporter import TemplateExporter
    from nbformat import NotebookNode

HERE = Path(__file__).parent
PRIORITY = [PLOTLY_MIME, "text/html", "text/markdown", "image/png", "image/jpeg", "text/plain"]
# Kinds that draw from their own data alone; maps would fetch tiles, WebGL kinds need eval.
TRACES = frozenset(
    ("bar", "box", "contour", "funnel", "heatmap", "histogram", "histogram2d", "pie", "scatter", "violin", "waterfall")
)
TLP = ("red", "amber", "amber+strict", "green", "clear")
_LABEL_MARKUP = re.compile(r"<(?!/?(?:b|i|br|sub|sup|extra)/?>)", re.IGNORECASE)
_FOR_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


@dataclass(frozen=True)
class Drawing:
    """A figure, ready to stand in a page: its JSON for a script element, and its height in pixels."""

    json: str
    height: int


def exported(
    notebook: NotebookNode, title: str, marking: str = "", contents: list[tuple[str, str]] | None = None
) -> str:
    """Give `notebook` as one HTML page without any reference to the outside."""
    scripts = [_plotly_js(), _own("draw.js")] if _has_figures(notebook) else []
    page = {
        "title": title,
        "marking": marking,
        "marking_class": f"tlp-{marking.lower().removeprefix('tlp:').split('+')[0]}" if _is_tlp(marking) else "",
        "contents": contents or [],
        "style": _own("style.css"),
        "scripts": scripts,
        "policy": _policy(scripts),
    }
    body, _ = _exporter().from_notebook_node(notebook, resources={"page": page})
    return str(body)


def _is_tlp(marking: str) -> bool:
    return marking.lower().removeprefix("tlp:") in TLP


def _policy(scripts: list[str]) -> str:
    sources = " ".join(f"'sha256-{base64.b64encode(_sha256(script)).decode()}'" for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _sha256(script: str) -> bytes:
    return hashlib.sha256(script.encode()).digest()


@cache
def _own(name: str) -> str:
    return (HERE / "template" / name).read_text("utf-8").strip()


@cache
def _plotly_js() -> str:
    """Give plotly.js as it comes with the plotly package, fit to stand in a script element.

    It holds a few links of map credits, in texts and in code. They are spelt so that JavaScript reads the same
    and a search of the page for references finds none.
    """
    from plotly.offline import get_plotlyjs

    script = str(get_plotlyjs()).replace("\r\n", "\n").strip()
    script = re.sub(r""" href=(["'])(?=https?:)""", lambda found: f" href=\\x{ord(found[1]):x}", script)
    script = script.replace('.href="https://', '.href=""+"https://')
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("this plotly.js cannot be inlined: it holds the end of a script element")
    return script


@cache
def _exporter() -> TemplateExporter:
    """Build the exporter once; the import is here because it takes a third of a second."""
    from nbconvert.exporters.templateexporter import TemplateExporter

    class PageExporter(TemplateExporter):
        """HTML by our own template and filters; nbconvert's HTML exporter would add links to CDNs."""

        output_mimetype = "text/html"

        def _file_extension_default(self) -> str:
            return ".html"

        def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
            yield from super().default_filters()  # type: ignore[no-untyped-call]
            yield "filter_data_type", richest
            yield from _filters().items()

    return PageExporter(  # type: ignore[no-untyped-call]
        template_name="template",
        template_file="index.html.j2",
        extra_template_basedirs=[str(HERE)],
    )


def _filters() -> dict[str, Callable[..., Any]]:
    return {
        "visible": visible,
        "without_ansi": lambda text: without_ansi(str(text)),
        "joined": joined,
        "sanitised": sanitised,
        "markdown_text": markdown_text,
        "drawing": drawing,
        "image": image,
    }


def richest(data: Mapping[str, object]) -> list[str]:
    """Give the kind of an output to show; one that no page shows is "other", which the template says."""
    return [next((kind for kind in PRIORITY if kind in data), "other")]


def joined(text: object) -> str:
    """Give a multi-line string of a notebook, which may be stored as a list of lines."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def markdown_text(source: str) -> str:
    """Give Markdown as HTML; it is not clean before `sanitised`."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, embed_images=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(visible(source)))


def image(data: object, kind: str) -> str:
    """Give an image of an output as a data URL; anything that is not base64 becomes a sentence."""
    packed = "".join(joined(data).split())
    try:
        base64.b64decode(packed, validate=True)
    except binascii.Error:
        return '<p class="note">An image that is not valid base64 is left out.</p>'
    source = f"data:image/{kind};base64,{packed}"
    return f'<figure class="picture"><img alt="Image made by the code above" src="{source}"></figure>'


def drawing(figure: object) -> Drawing | None:
    """Give a Plotly figure as inert JSON, or None where this page does not draw its kind."""
    if not isinstance(figure, Mapping) or not isinstance(figure.get("data"), list):
        return None
    traces = figure["data"]
    if any(trace.get("type", "scatter") not in TRACES for trace in traces):
        return None
    layout = {key: value for key, value in dict(figure.get("layout") or {}).items() if key != "images"}
    height = layout.get("height")
    # ASCII only: U+2028, U+2029 and halves of characters leave as escapes.
    text = json.dumps(_plain({"data": traces, "layout": layout}), ensure_ascii=True, allow_nan=False)
    return Drawing(text.translate(_FOR_SCRIPT), int(height) if isinstance(height, int | float) else 450)


def _plain(value: object) -> object:
    """Keep line breaks and bold in label texts; every other `<` becomes text, links included, and so does TeX."""
    if isinstance(value, str):
        return _LABEL_MARKUP.sub("&lt;", visible(value)).replace("$", "&#36;")
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):  # NaN is no JSON
        return None
    return value


def _has_figures(notebook: NotebookNode) -> bool:
    return any(
        PLOTLY_MIME in output.get("data", {}) and drawing(output["data"][PLOTLY_MIME]) is not None
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.get("outputs", [])
    )
