"""A folder of rules is the work of strangers: each file and document in it ends in one outcome, and nothing raises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.sigma.sigma_case import AWS, brought, by_title, case_of, cloudtrail, matched, ran, rule

from playbooks.sigma import rule_files

GOOD = rule("good", "detection:\n  selection: {eventName: Invoke}\n  condition: selection")
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 8)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: dict[str, tuple[str | bytes, str, str]] = {
    "bomb": (BOMB, "not parsed", "YAML aliases"),
    "deep": ("a: " + "[" * 500 + "]" * 500, "not parsed", "nested more than 40 levels deep"),
    "binary": (b"\x7fELF\xff\xfe\x00\x01", "not parsed", "not UTF-8 text"),
    "control characters": (b"title: \x00\x01", "not parsed", "not valid YAML"),
    "broken": ("title: [", "not parsed", "not valid YAML"),
    "a date that is none": ("title: x\ndate: 2026-02-30\n", "not parsed", "not valid YAML"),
    "code": ("title: !!python/object/apply:os.system ['true']\n", "not parsed", "not valid YAML"),
    "a list": ("- title\n- other\n", "not parsed", "no mapping of fields"),
    "a word": ("title\n", "not parsed", "no mapping of fields"),
    "empty": ("---\n---\n", "not parsed", "no rule in it"),
    "too long": ("# " + "x" * 600_000, "not parsed", "bytes; a rule file may have"),
    "too many values": ("title: x\nlist: [" + "1, " * 60_000 + "1]\n", "not parsed", "more than 50,000 values"),
    "no detection": (f"title: x\n{AWS}", "not parsed", "detection"),
    "no condition": (f"title: x\n{AWS}detection:\n  a: {{b: c}}\n", "not parsed", "condition"),
    "detection of an odd type": (f"title: x\n{AWS}detection: 17\n", "not parsed", ""),
    "fields of odd types": (
        "title: [1]\nid: {a: 1}\nlevel: 7\ntags: word\nlogsource: 5\ndetection: x\n",
        "not parsed",
        "",
    ),
    "an unknown modifier": (rule("x", "detection:\n  a: {'b|evil': c}\n  condition: a"), "not parsed", "modifier"),
    "a name that is not there": (rule("x", "detection:\n  a: {b: c}\n  condition: z"), "not converted", "z"),
    "an old pipe": (rule("x", "detection:\n  a: {b: c}\n  condition: a | count() > 5"), "not converted", "pipe"),
    "a huge condition": (
        rule("x", f"detection:\n  a: {{b: c}}\n  condition: {' or '.join(['a'] * 2000)}"),
        "not converted",
        "condition",
    ),
    "too many tests": (
        rule("x", f"detection:\n  a:\n    b: [{', '.join(map(str, range(10_050)))}]\n  condition: a"),
        "not converted",
        "tests",
    ),
    "a filter": (
        "title: x\nlogsource: {product: aws}\nfilter: {rules: [a], s: {b: c}, condition: s}\n",
        "not parsed",
        "filter",
    ),
    "an unknown product": (
        rule("x", "detection:\n  a: {b: c}\n  condition: a", "logsource: {product: toaster}\n"),
        "blind",
        "no mapping: the kit knows no records for the log source product toaster",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_outcome_and_the_rule_beside_it_runs(name: str, tmp_path: Path) -> None:
    text, status, reason = HOSTILE[name]
    run = ran(case_of(tmp_path, [cloudtrail(eventName="Invoke")], {"bad.yml": text, "good.yml": GOOD}))
    bad = [one for one in brought(run) if one.path.endswith("bad.yml")]
    assert [one.status for one in bad] == [status], bad
    assert reason in bad[0].reason and "\n" not in bad[0].reason
    assert matched(run)["good"] == [1]


def test_the_counts_add_up_to_the_rules_given(tmp_path: Path) -> None:
    rules = {f"{n}.yml": text for n, (text, _, _) in enumerate(HOSTILE.values())} | {"good.yml": GOOD, "README.md": "x"}
    run = ran(case_of(tmp_path, [cloudtrail(eventName="Invoke")], rules))
    assert sum(run.counts().values()) == len(run.outcomes)
    assert len(brought(run)) == len(HOSTILE) + 1
    assert run.others == 1


def test_rules_of_one_id_run_each_and_no_correlation_can_mean_both(tmp_path: Path) -> None:
    twin = rule(
        "twin",
        "detection:\n  a: {eventName: Invoke}\n  condition: a",
        name="twin",
        id="0d8f1a52-3f0f-4d0a-9e54-0a3f4a1c2b3d",
    )
    count = "correlation: {type: event_count, rules: [twin], timespan: 1h, condition: {gte: 1}}"
    rules = {"a.yml": twin, "b.yml": twin, "count.yml": rule("count", count, source="")}
    run = ran(case_of(tmp_path, [cloudtrail(eventName="Invoke")], rules))
    assert matched(run)["twin"] == [1, 1]
    assert by_title(run)["count"].status == "not converted"
    assert by_title(run)["count"].reason == "2 rules among those given is called 'twin'"


def test_templates_of_several_documents_give_a_rule_each(tmp_path: Path) -> None:
    text = (
        f"action: global\ntitle: base\n{AWS}detection:\n  condition: a\n---\n"
        "detection:\n  a: {eventName: Invoke}\n---\ndetection:\n  a: {eventName: Other}\n"
    )
    run = ran(case_of(tmp_path, [cloudtrail(eventName="Invoke")], {"two.yml": text}))
    assert [(one.document, one.status) for one in brought(run)] == [(2, "matched"), (3, "clear")]


def test_links_pipes_and_missing_folders_are_told_and_not_followed(tmp_path: Path) -> None:
    case = case_of(tmp_path, [cloudtrail(eventName="Invoke")], {"good.yml": GOOD, "folder/odd.txt": "x"})
    folder = tmp_path / "rules"
    (tmp_path / "secret.yml").write_text(GOOD, encoding="utf-8")
    (folder / "link.yml").symlink_to(tmp_path / "secret.yml")
    os.mkfifo(folder / "pipe.yml")
    case.config.sigma_rules.append("../nowhere")
    reasons = {one.path: (one.status, one.reason) for one in brought(ran(case))}
    assert reasons["../rules/link.yml"] == ("not parsed", "a symbolic link, which is not followed")
    assert reasons["../rules/pipe.yml"] == ("not parsed", "no regular file")
    assert reasons["../nowhere"] == ("not parsed", "no such file or folder")
    assert reasons["../rules/good.yml"][0] == "matched"


def test_the_digest_follows_every_byte_of_a_rule_and_nothing_else(tmp_path: Path) -> None:
    case = case_of(tmp_path, [cloudtrail()], {"good.yml": GOOD, "notes.txt": "x"})
    first = rule_files(case).sha256
    (tmp_path / "rules" / "notes.txt").write_text("y", encoding="utf-8")
    assert rule_files(case).sha256 == first
    (tmp_path / "rules" / "good.yml").write_text(GOOD + "# \n", encoding="utf-8")
    assert rule_files(case).sha256 != first


def test_hostile_records_stop_no_rule(tmp_path: Path) -> None:
    records = [
        cloudtrail(1, eventName="Invoke", requestParameters="text instead of an object"),
        cloudtrail(2, eventName="Invoke", requestParameters=[[[{"functionName": 5}]]] * 3),
        cloudtrail(3, eventName="Invoke", requestParameters={"functionName": "x" * 100_000}),
        cloudtrail(4, eventName="Invoke", userIdentity=None),
        cloudtrail(5, eventName="Invoke", userAgent="\u0000 \U0001f600 ' \" \\"),
    ]
    body = (
        "detection:\n  a: {eventName: Invoke, requestParameters.functionName: '5'}\n  k: [\"' \"]\n  condition: a or k"
    )
    case = case_of(tmp_path, records, {"a.yml": rule("a", body), "good.yml": GOOD})
    found = matched(ran(case))
    assert found == {"a": [2, 5], "good": [1, 2, 3, 4, 5]}
