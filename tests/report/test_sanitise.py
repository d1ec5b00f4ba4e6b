"""Markup keeps its structure and loses everything that acts."""

from __future__ import annotations

import pytest

from playbooks.report.sanitise import sanitised


@pytest.mark.parametrize(
    "markup",
    [
        '<h2 id="coverage">Coverage</h2>',
        '<table><caption>C</caption><thead><tr><th scope="col">a</th></tr></thead>'
        '<tbody><tr><td colspan="2">1</td></tr></tbody></table>',
        "<details><summary>More</summary><p>x</p></details>",
        "<figure><figcaption>F</figcaption></figure><dl><dt>a</dt><dd>b</dd></dl>",
        '<pre><code>x &lt; y</code></pre><a href="#E003-4118">E003:4118</a>',
        '<p class="note">x</p>',
    ],
)
def test_the_structure_of_a_page_stays(markup: str) -> None:
    assert sanitised(markup) == markup


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        ("<script>alert(1)</script>", "alert(1)"),
        ('<img src=x onerror="alert(1)">', ""),
        ('<p style="x:y" onclick="z()">t</p>', "<p>t</p>"),
        ('<a href="javascript:x()">t</a>', "<a>t</a>"),
        ('<a href="https://evil.example">t</a>', "<a>t</a>"),
        ('<a href="other.html">t</a>', "<a>t</a>"),
        ('<a href="//evil.example">t</a>', "<a>t</a>"),
        ('<p class="note plot js-plotly-plot">t</p>', '<p class="note">t</p>'),
        ('<p id="Plotly">t</p>', "<p>t</p>"),
        ("<style>p{}</style>t", "p{}t"),
        ('<iframe srcdoc="x"></iframe><form action="/x"><input></form>t', "t"),
        ("<!-- x -->t", "t"),
        ("a\u202eb", "a‹U+202E›b"),
    ],
)
def test_what_acts_or_refers_to_the_outside_goes(markup: str, left: str) -> None:
    assert sanitised(markup) == left


def test_the_style_that_pandas_puts_before_a_table_is_not_shown_as_text() -> None:
    import pandas as pd

    cleaned = sanitised(pd.DataFrame({"a": ["<b>x</b>"]})._repr_html_())
    assert "vertical-align" not in cleaned
    assert "<td>&lt;b&gt;x&lt;/b&gt;</td>" in cleaned
