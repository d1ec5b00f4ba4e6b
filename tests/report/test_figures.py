"""Each picture says in words and rows what it draws, and why where it draws nothing."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.report.fabricated import HOURS, activity, calm, checkins, coverage, hostile

from playbooks.report import Picture, checkin_raster, coverage_heatmap, egress_timeline, function_history

EMPTY = {
    "heat map": lambda: coverage_heatmap({}),
    "timeline": lambda: egress_timeline(calm().egress_hours.head(0)),
    "raster": lambda: checkin_raster(checkins().head(0)),
    "history": lambda: function_history(activity().head(0)),
    "history of an unknown function": lambda: function_history(activity(), "nobody"),
}


@pytest.mark.parametrize("draw", EMPTY.values(), ids=EMPTY.keys())
def test_without_data_there_is_no_figure_but_a_reason(draw: object) -> None:
    picture = draw()  # type: ignore[operator]
    assert picture.figure is None
    assert picture.summary.startswith("No picture: ")
    assert picture.table.empty
    assert picture.bundle() == {}


def test_the_coverage_sentence_names_span_gaps_and_cell() -> None:
    picture = coverage_heatmap(coverage())
    assert picture.summary == (
        "2,640 events of 1 source between 2024-04-15 00:00 and 2024-04-17 00:00 UTC. "
        "1 gap (1 in the window), the longest 4 h from 2024-04-15 10:00 in E002. A cell is 1 hour."
    )
    assert picture.table.to_dict("records") == [
        {"evidence item": "E002", "name": "proxy access.log", "table": "http_activity", "from": "2024-04-15 00:00",
         "to": "2024-04-17 00:00", "records": 2640, "quiet hours": 4, "gaps": 1,
         "longest gap": "4 h from 2024-04-15 10:00", "note": "1 gap"}
    ]  # fmt: skip


def test_empty_cells_and_gaps_are_marked_by_signs_not_by_colour_alone() -> None:
    dots, gaps = coverage_heatmap(coverage()).figure.data[1:]
    assert (dots.name, dots.marker.symbol, len(dots.x)) == ("no record", "circle", 4)
    assert (gaps.name, gaps.mode, gaps.marker.symbol) == ("gap", "lines+markers", "line-ns-open")
    assert [str(edge)[11:16] for edge in gaps.x[:2]] == ["10:00", "14:00"]
    assert list(gaps.y) == [0, 0, None]


def test_without_a_gap_that_is_said_and_no_line_is_drawn() -> None:
    picture = coverage_heatmap({**coverage(), "gaps": []})
    assert "No silence longer than the sources' own rhythm explains." in picture.summary
    assert len(picture.figure.data[2].x) == 0


def test_window_and_baseline_are_bracketed_and_named() -> None:
    spans = {
        "window": {"start": "2024-04-16T00:00:00Z", "end": "2024-04-17T00:00:00Z"},
        "baseline": {"start": "2024-04-15T00:00:00Z", "end": "2024-04-16T00:00:00Z"},
    }
    figure = coverage_heatmap({**coverage(), **spans}).figure
    assert {"window", "baseline"} <= {note.text for note in figure.layout.annotations}
    assert {"solid", "dot"} <= {shape.line.dash for shape in figure.layout.shapes}
    bare = coverage_heatmap(coverage()).figure
    assert {note.text for note in bare.layout.annotations} == {"1 gap"}


def test_what_was_not_read_and_what_is_missing_have_a_row_with_words() -> None:
    lost = {"evidence_id": "E009", "name": "E009-odd.txt", "unread": 12, "events": 0}
    absent = {"table": "dns_activity", "events": 0}
    known = coverage()
    picture = coverage_heatmap({**known, "items": [*known["items"], lost], "tables": [*known["tables"], absent]})
    assert list(picture.figure.layout.yaxis.ticktext) == ["E002  proxy access.log", "E009  odd.txt", "DNS logs"]
    assert {"not read: 12 records", "none in evidence"} <= {note.text for note in picture.figure.layout.annotations}
    assert picture.summary.endswith("1 file could not be read. Not in evidence: DNS logs. A cell is 1 hour.")
    assert len(picture.figure.data[1].x) == 4, "no dots where there are words"


def test_notes_say_quiet_unread_timeless_and_doubt() -> None:
    known = coverage()
    key = {"source": "E002", "table": "http_activity"}
    row = {**known["matrix"]["rows"][0], "timeless": 7}
    more = {
        "gaps": [],
        "matrix": {**known["matrix"], "rows": [row]},
        "streams": [{**key, "quiet_in_window": True, "in_doubt": True}],
        "sources": [{"evidence": ["E002"], "unread_share": 0.05}],
    }
    assert coverage_heatmap({**known, **more}).table.note[0] == (
        "nothing in the window, 5% unread, 7 without time, too few records"
    )


def test_a_long_case_is_drawn_in_wider_cells() -> None:
    hours = pd.date_range("2024-01-01", periods=24 * 10, freq="h", tz="UTC")
    row = {"evidence_id": "E1", "name": "a", "table": "t", "counts": [number % 2 for number in range(240)]}
    picture = coverage_heatmap({"matrix": {"hours": [str(hour) for hour in hours], "cell_hours": 1, "rows": [row]}})
    assert len(picture.figure.data[0].x) == 120
    assert len(picture.figure.data[1].x) == 0, "every cell of two hours holds a record"
    assert "A cell is 2 hours" in picture.summary
    days = pd.date_range("2024-01-01", periods=90, freq="D", tz="UTC")
    row = {**row, "counts": [5] * 90, "quiet_hours": [20] * 90}
    picture = coverage_heatmap({"matrix": {"hours": [str(day) for day in days], "cell_hours": 24, "rows": [row]}})
    assert (len(picture.figure.data[0].x), "A cell is 1 day." in picture.summary) == (90, True)
    assert picture.table["quiet hours"][0] == 1800


def test_the_timeline_says_who_was_seen_most_and_that_presence_is_no_signal() -> None:
    assert egress_timeline(calm().egress_hours).summary == (
        "2,880 connections to 1 destination between 2024-04-15 00:00 and 2024-04-17 00:00 UTC. poll.workers.dev was "
        "seen in the most hours (48, with 2,880 connections). Being here is not suspicious by itself."
    )


def test_at_most_thirty_rows_are_drawn_and_the_rest_is_counted() -> None:
    names = [f"t{number:02}.workers.dev" for number in range(45)]
    many = pd.DataFrame({"hour": HOURS[0], "dst": names, "service": None, "connections": 1})
    picture = egress_timeline(many)
    assert len(picture.figure.layout.yaxis.ticktext) == 30
    assert picture.summary.endswith("Not drawn: 15 more destinations; the table has them.")
    assert len(picture.table) == 45


def test_destinations_that_look_the_same_when_cut_stay_two_rows() -> None:
    twins = [f"{'a' * 40}{middle}{'b' * 40}.example" for middle in "xy"]
    picture = egress_timeline(pd.DataFrame({"hour": HOURS[0], "dst": twins, "service": "S", "connections": 1}))
    assert sorted(picture.figure.data[0].y) == [0, 1]


def test_the_raster_gives_the_rhythm_in_seconds_and_draws_hours_when_strokes_are_close() -> None:
    picture = checkin_raster(checkins())
    assert picture.summary.startswith(
        "10.1.4.23 contacted poll.workers.dev 400 times between 2024-04-15 00:00 and 2024-04-15 06:45 UTC, "
        "half of the time 61 to 61 seconds apart (median 61). Each row is one hour"
    )
    assert list(picture.figure.layout.yaxis.ticktext) == [f"15 Apr {hour:02}:00" for hour in range(7)]
    assert sum(picture.figure.data[1].y) == 399


def test_rare_checkins_are_drawn_by_day() -> None:
    times = pd.date_range("2024-04-15", periods=100, freq="50min", tz="UTC")
    picture = checkin_raster(pd.DataFrame({"time": times, "src": "a", "dst": "b"}))
    days = ("Mon 15", "Tue 16", "Wed 17", "Thu 18")
    assert list(picture.figure.layout.yaxis.ticktext) == [f"{day} Apr 2024" for day in days]


def test_one_checkin_has_no_interval_and_says_so() -> None:
    assert "One event has no interval." in checkin_raster(checkins().head(1)).summary


def test_the_history_has_a_lane_per_phase_and_a_symbol_per_outcome() -> None:
    picture = function_history(activity())
    assert list(picture.figure.layout.yaxis.ticktext) == ["modify-code  (1)", "permission  (1)", "other  (1)"]
    assert [(trace.name, trace.marker.symbol, len(trace.x)) for trace in picture.figure.data] == [
        ("success", "circle", 1), ("failure", "x", 1), ("outcome not logged", "diamond-open", 1)
    ]  # fmt: skip
    assert picture.summary.endswith("modify-code 1, permission 1, other 1. 1 event failed (drawn as a cross).")


def test_the_history_of_one_function_holds_only_its_events() -> None:
    assert function_history(activity(), "export").table["ref"].tolist() == ["E004:17", "E004:18"]


def pictures_of_hostile_data() -> list[Picture]:
    facts = hostile()
    return [
        coverage_heatmap(facts.coverage), egress_timeline(facts.egress_hours), checkin_raster(facts.checkins),
        function_history(facts.activity),
    ]  # fmt: skip


def test_no_label_or_hover_of_a_figure_holds_markup_from_a_log() -> None:
    for picture in pictures_of_hostile_data():
        text = picture.figure.to_json().replace("\\u003c", "<")
        assert "<script" not in text and "<img" not in text and "<a " not in text and "<svg" not in text


def test_a_picture_shows_itself_in_a_notebook_with_its_words_and_rows_escaped() -> None:
    shown = function_history(hostile().activity)._repr_mimebundle_()
    assert set(shown) == {"application/vnd.plotly.v1+json", "text/html", "text/plain"}
    assert "3 control-plane events" in shown["text/plain"]
    assert "<script" not in shown["text/html"] and "<th>principal</th>" in shown["text/html"]
    assert set(checkin_raster(checkins().head(0))._repr_mimebundle_()) == {"text/html", "text/plain"}
