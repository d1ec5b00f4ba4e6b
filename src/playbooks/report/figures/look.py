"""The one look of all figures: a Plotly template, colours that colour-blind readers can tell apart, symbols.

Text, grid and axis colours are left to the page's style sheet, which knows light, dark and paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito, "Color Universal Design" (2008); always together with a symbol or a word.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, GREY = "#2f7fc1", "#d98c00", "#009e73", "#d55e00", "#b8689a", "#7a828c"
# One hue, pale to deep: reads in grey print and on a dark page.
MANY = [[0.0, "#bcd7ec"], [0.5, "#5b9bd0"], [1.0, "#1b5a96"]]
FONT = 'system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif'
ROW_HEIGHT = 24
OUTCOMES: dict[str, tuple[str, str]] = {  # outcome → symbol, colour
    "success": ("circle", BLUE),
    "failure": ("x", VERMILION),
    "unknown": ("diamond-open", GREY),
}


def template() -> go.layout.Template:
    """Give the layout that every figure starts from."""
    import plotly.graph_objects as go

    axis = {
        "showline": False,
        "zeroline": False,
        "gridcolor": "rgba(122,130,140,.22)",
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "rgba(122,130,140,.5)",
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 12}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": "#3a424b"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
            "hoverlabel": {
                "bgcolor": "#20262d",
                "bordercolor": "#20262d",
                "font": {"family": FONT, "size": 12, "color": "#ffffff"},
                "align": "left",
                "namelength": -1,
            },
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
            "dragmode": False,
        }
    )


def framed(figure: go.Figure, rows: int, extra: int = 110) -> go.Figure:
    """Give `figure` the look, and a height that suits `rows` rows."""
    return figure.update_layout(template=template(), height=max(rows, 2) * ROW_HEIGHT + extra)
