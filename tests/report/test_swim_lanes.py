"""Swim lanes: who handed what to whom, readable with two and with forty steps, and inert."""

from __future__ import annotations

import pandas as pd
from tests.report.fabricated import ATTACK, chain_steps, cloud, hostile

from playbooks.report import Picture, swim_lanes
from playbooks.report.figures.swim_lanes import ON_ARROW, SIGNS
from playbooks.scoping.chain_links import CREDENTIALS, FUNCTION, RIGHTS, ROLE
from playbooks.scoping.chains import STAGES

ARN = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_PlatformAdministratorAccess_0123456789abcdef/person"


def drawn(steps: pd.DataFrame) -> Picture:
    return swim_lanes(pd.DataFrame([{"chain": "C-1", "score": 0.8, "steps": len(steps)}]), steps)


def labels(picture: Picture) -> list[str]:
    return [note.text for note in picture.figure.layout.annotations if note.text]


def test_a_lane_per_principal_a_row_per_step_and_an_arrow_for_what_was_handed_over() -> None:
    picture = swim_lanes(cloud().chains, cloud().chain_steps)
    assert list(picture.figure.layout.xaxis.ticktext) == [
        "<b>mallory</b>", "<b>svc-backup</b>", "<b>export-role</b><br><i>role of</i><br><i>export</i>",
    ]  # fmt: skip
    assert list(picture.figure.layout.yaxis.ticktext) == [
        "CreateAccessKey · export  <b>2024-04-15 02:01:00</b>", "UpdateFunctionCode · export  <b>02:02:00</b>",
        "GetSecretValue · export  <b>02:03:00</b>",
    ]  # fmt: skip
    arrows = [(note.ax, note.x, note.y) for note in picture.figure.layout.annotations if note.showarrow]
    assert arrows == [(0, 1, 1), (1, 2, 2)]
    assert labels(picture) == ["key or password", "runs as"]
    assert picture.summary == (
        "3 steps by 3 principals between 2024-04-15 02:01 and 2024-04-15 02:03 UTC, score 0.85: preparation 1, "
        "change 1, downstream 1. mallory → svc-backup: key or password handed over; svc-backup → export-role: changed "
        "code runs as this role. A step is consistent with its stage, no more."
    )
    assert list(picture.table.ref) == ["E004:1", "E004:2", "E004:3"]


def test_every_stage_and_hand_over_of_a_chain_has_a_sign_of_its_own() -> None:
    assert tuple(SIGNS) == STAGES
    assert len({symbol for symbol, _ in SIGNS.values()}) == len(STAGES), "colour alone says nothing"
    assert set(ON_ARROW) == {CREDENTIALS, RIGHTS, ROLE, FUNCTION, "run"}


def test_the_first_of_equal_hand_overs_is_drawn_and_one_to_oneself_is_not() -> None:
    steps = chain_steps(
        ("preparation", "a", "CreateUser"), ("change", "b", "UpdateFunctionCode", "rights", "a", 1),
        ("run", "b", "Invoke", "rights", "a", 1), ("run", "a", "Invoke", "run", "a", 1),
        ("run", "c", "Invoke", "run", "nobody", 9),
    )  # fmt: skip
    assert labels(drawn(steps)) == ["rights"]


def test_minutes_in_which_nothing_happened_are_written_and_a_new_day_is_named() -> None:
    steps = chain_steps(("preparation", "a", "X"), ("change", "a", "Y"), ("run", "a", "Z"))
    steps = steps.assign(time=pd.to_datetime(["2024-04-15 23:50", "2024-04-16 00:14", "2024-04-16 00:15"], utc=True))
    assert list(drawn(steps).figure.layout.yaxis.ticktext) == [
        "X · export  <b>2024-04-15 23:50:00</b>", "<i>24 min later</i>", "Y · export  <b>2024-04-16 00:14:00</b>",
        "Z · export  <b>00:15:00</b>",
    ]  # fmt: skip


def test_forty_steps_of_ten_with_long_names_stay_readable() -> None:
    many = [("change", f"{ARN}-{number // 4}", "UpdateFunctionConfiguration20150331v2") for number in range(40)]
    picture = drawn(chain_steps(*many))
    heads = list(picture.figure.layout.xaxis.ticktext)
    assert len(heads) == 6 and heads[-1] == "5 others,<br>see data"
    lines = [line.removeprefix("<b>").removesuffix("</b>") for head in heads for line in head.split("<br>")]
    assert max(map(len, lines)) <= 11
    assert sum(len(trace.y) for trace in picture.figure.data) == 40
    assert picture.figure.layout.height >= 40 * 24
    assert any(ARN in words for words in picture.table.principal), "the whole name stands in the data"
    assert "assumed-role" in picture.figure.data[1].text[0]


def test_steps_that_a_chain_does_not_list_are_counted() -> None:
    steps = chain_steps(("preparation", "a", "X"), ("change", "a", "Y"))
    picture = swim_lanes(pd.DataFrame([{"chain": "C-1", "score": 0.8, "steps": 45}]), steps)
    assert picture.summary.endswith("Not drawn: 43 later steps of the same chain.")


def test_without_a_chain_there_is_no_figure_but_a_reason() -> None:
    none = cloud().chains.head(0)
    for picture, why in (
        (swim_lanes(none, cloud().chain_steps), "no steps lead to each other within the window"),
        (swim_lanes(cloud().chains, cloud().chain_steps, "C-other"), "no chain C-other is known"),
    ):
        assert picture.figure is None and picture.table.empty
        assert picture.summary == f"No picture: {why}."


def test_hostile_names_are_inert_in_labels_and_hover() -> None:
    picture = swim_lanes(hostile().cloud.chains, hostile().cloud.chain_steps)
    text = picture.figure.to_json().replace("\\u003c", "<")
    assert all(tag not in text for tag in ("<script", "<img", "<a ", "<svg", "\u202e"))
    assert ATTACK in set(picture.table.principal)
