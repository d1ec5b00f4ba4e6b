"""What one destination becomes: its sentences, its records, its neighbours of the same tenant."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks.findings.egress import egress_subjects
from playbooks.findings.signal import Subject


def subjects(*rows: dict[str, object], intel: pd.DataFrame | None = None, **fields: object) -> list[Subject]:
    """Subjects of these pairs, in an ordinary estate that adds none."""
    return egress_subjects(t.pairs(*t.estate(), *rows), t.intel() if intel is None else intel, t.config(**fields))


def kinds(*rows: dict[str, object]) -> list[tuple[str, ...]]:
    return [subject.kinds for subject in subjects(*rows)]


def test_a_finding_carries_its_facts_and_their_records() -> None:
    [subject] = subjects(t.pair(**t.RHYTHM | t.RARE), intel=t.intel(t.item()))
    assert subject.title == "10.0.0.9 contacted poll.stranger.workers.dev 100 times, about every 60 s"
    assert subject.subjects == {"src": ["10.0.0.9"], "dst": [t.WORKER], "tenant": ["stranger"]}
    assert (subject.first_seen, subject.last_seen) == ("2026-03-10T01:00:00+00:00", "2026-03-10T20:00:00+00:00")
    assert [(s.kind, s.weight, s.refs) for s in subject.signals] == [
        ("intelligence", pytest.approx(0.48), ("E005:1", "E001:1", "E001:100")),
        ("rarity", 0.35, ("E001:1", "E001:100")),
        ("rhythm", pytest.approx(0.475), ("E001:1", "E001:50", "E001:100")),
    ]
    assert subject.attack == ("T1583.007", "T1584.007", "T1102", "T1071.001")
    assert subject.not_observable and subject.innocent_if and subject.next_steps


def test_a_subject_keeps_its_id_while_its_signals_change() -> None:
    [bare], [more] = subjects(t.pair(**t.RHYTHM)), subjects(t.pair(**t.RHYTHM | t.RARE))
    [other] = subjects(t.pair(**t.RHYTHM | {"tenant": "other"}))
    assert bare.id == more.id != other.id


def test_names_of_one_tenant_are_one_subject_and_names_without_tenant_are_not() -> None:
    names = ("a.stranger.workers.dev", "b.stranger.workers.dev")
    [together] = subjects(*(t.pair(dst=name, **t.RHYTHM) for name in names))
    assert together.subjects["dst"] == list(names)
    apart = subjects(*(t.pair(**t.OUTSIDE | t.RHYTHM | {"dst": name}) for name in names))
    assert [subject.subjects["dst"] for subject in apart] == [[names[0]], [names[1]]]


def test_one_tenant_label_at_two_services_is_two_subjects() -> None:
    rows = [t.pair(**t.RHYTHM), t.pair(dst="stranger.pages.dev", **t.RHYTHM | {"catalogue_id": "cf-pages"})]
    assert len(subjects(*rows)) == 2


@pytest.mark.parametrize(
    ("new", "weight", "told"),
    [(True, 0.475, False), (None, 0.475, False), (False, 0.19, True)],
)
def test_a_rhythm_older_than_the_window_weighs_less_and_says_so(new: bool | None, weight: float, told: bool) -> None:
    [subject] = subjects(t.pair(**t.RHYTHM | {"new_in_window": new}))
    [signal] = subject.signals
    assert signal.weight == pytest.approx(weight)
    assert ("in use before the window" in signal.sentence) is told


@pytest.mark.parametrize(
    ("facts", "is_rare"),
    [
        ({"clients": 1, "clients_share": 0.05, "new_in_window": True}, True),
        ({"clients": 2, "clients_share": 0.1, "new_in_window": True}, True),
        ({"clients": 3, "clients_share": 0.15, "new_in_window": True}, False),
        ({"clients": 3, "clients_share": 0.04, "new_in_window": True}, True),  # three of a large estate
        ({"clients": 1, "clients_share": 0.05, "new_in_window": None}, True),  # no baseline: weaker, and told
        ({"clients": 1, "clients_share": 0.05, "new_in_window": False}, False),
    ],
)
def test_rare_is_few_clients_and_nobody_before(facts: dict[str, object], is_rare: bool) -> None:
    [found] = kinds(t.pair(**t.RHYTHM | facts))
    assert ("rarity" in found) is is_rare


def test_rarity_without_a_baseline_weighs_less_and_says_so() -> None:
    [subject] = subjects(t.pair(**t.RHYTHM | t.RARE | {"new_in_window": None}))
    [signal] = [s for s in subject.signals if s.kind == "rarity"]
    assert (signal.weight, signal.sentence.split("; ")[1]) == (
        0.25,
        "without a baseline it cannot be told whether it is new.",
    )


def test_in_an_estate_of_four_nothing_is_rare_and_no_client_is_alone() -> None:
    rows = [t.pair(f"10.0.0.{n}", **t.RHYTHM | t.RARE | {"user_agents": [f"A/{n}"]}) for n in range(4)]
    found = egress_subjects(t.pairs(*rows), t.intel(), t.config())
    assert [subject.kinds for subject in found] == [("rhythm",)]


def test_a_user_agent_counts_when_nobody_else_has_it() -> None:
    alone = t.RHYTHM | {"user_agents": ["Sync/1.0"]}
    assert kinds(t.pair(**alone)) == [("client", "rhythm")]
    shared = kinds(t.pair(**alone), t.pair("10.0.0.8", **t.OUTSIDE | {"user_agents": ["Sync/1.0"]}))
    assert shared == [("rhythm",)]


def test_an_indicator_for_a_user_agent_counts_for_the_pairs_that_sent_it() -> None:
    listed = t.intel(t.item(observable="Sync/1.0", observable_type="user_agent"))
    sent = subjects(t.pair(**t.RHYTHM | {"user_agents": ["Sync/1.0"]}), intel=listed)
    other = subjects(t.pair(**t.RHYTHM | {"user_agents": ["Sync/1.01"]}), intel=listed)
    assert ["intelligence" in subject.kinds for subject in (*sent, *other)] == [True, False]


AGENT = "http_request_user_agent"
STRATUS = "stratus-red-team_00000000-0000-4000-8000-000000000abc"
COMMON = "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko"


def test_the_shape_of_a_known_tool_is_a_signal_with_the_tool_named_as_such() -> None:
    [subject] = subjects(
        t.pair(**{"clients": 15, "clients_share": 0.75} | t.shape("stratus-user-agent", AGENT, STRATUS))
    )
    assert [s.kind for s in subject.signals] == ["tool"]
    assert f"“{STRATUS}” has the shape of" in subject.signals[0].sentence


def test_a_shape_that_common_software_has_too_supports_and_leads_nowhere_alone() -> None:
    shape = t.shape("mythic-http-user-agent", AGENT, COMMON)
    [alone] = subjects(t.pair(**t.RARE | shape))
    assert (alone.kinds, alone.is_lead) == (("client", "rarity"), False)
    [beside] = subjects(t.pair(**t.RHYTHM | shape))
    assert (beside.kinds, beside.is_finding) == (("client", "rhythm"), True)


def test_a_hint_is_told_and_weighs_nothing() -> None:
    hint = t.shape("label-like-a-vendor", "tls_sni", "cdn-update.workers.dev")
    [subject] = subjects(t.pair(**t.RHYTHM | hint))
    assert subject.kinds == ("rhythm",)
    assert any(
        "looks like a label that imitates a vendor (E001:80); weighs nothing" in line for line in subject.context
    )


OWN = {"user_agents": ["Sync/1.0"], "processes": ["C:\\tools\\sync.exe"], "fingerprints": ["ja4:t13d_sync"]}
HOUSE = {"user_agents": ["Browser/1"], "processes": ["C:\\browser.exe"], "fingerprints": ["ja4:t13d_browser"]}
OTHER = {"user_agents": ["Mail/1"], "processes": ["C:\\mail.exe"], "fingerprints": ["ja4:t13d_mail"]}


def with_programs(*rows: dict[str, object]) -> list[Subject]:
    """Subjects in an estate whose clients all have two programs."""
    house = [t.pair(f"10.0.1.{n}", "mail.house.example", **t.OUTSIDE_FACTS | both) for n in range(8)
             for both in (HOUSE, OTHER)]  # fmt: skip
    return egress_subjects(t.pairs(*house, *rows), t.intel(), t.config())


def test_user_agent_process_and_fingerprint_of_one_program_are_one_kind_of_evidence() -> None:
    [three] = with_programs(t.pair(**t.RARE | {"new_in_window": False} | OWN | t.RHYTHM))
    [one] = with_programs(t.pair(**t.RHYTHM | {"user_agents": ["Sync/1.0"]}))
    assert three.kinds == one.kinds == ("client", "rhythm")
    assert three.as_json()["score"] == one.as_json()["score"]
    assert {s.refs[0] for s in three.signals if s.kind == "client"} == {"E001:50", "E001:60", "E001:70"}


def test_a_program_of_ones_own_without_a_rhythm_leads_nowhere() -> None:
    assert [s.is_lead for s in with_programs(t.pair(**t.RARE | OWN))] == [False]


def test_a_program_that_the_baseline_knows_where_it_knows_it_says_nothing() -> None:
    developer = t.pair(**t.RHYTHM | OWN | {"new_in_window": False, "new_for_client": False, "new_programs": []})
    assert [s.kinds for s in with_programs(developer)] == [("rhythm",)]
    changed = developer | {"new_programs": ["C:\\tools\\sync.exe"]}
    [subject] = with_programs(changed)
    [signal] = [s for s in subject.signals if s.kind == "client"]
    assert "sync.exe” is used by 10.0.0.9 alone, and nobody had it in the baseline." in signal.sentence


def test_one_program_in_every_users_folder_is_common() -> None:
    rows = [t.pair(f"10.0.2.{n}", "sync.example", **t.OUTSIDE_FACTS | {"processes": [path]})
            for n, path in enumerate((r"C:\Users\ann\app\sync.exe", r"C:\Users\bob\app\sync.exe"))]  # fmt: skip
    mine = t.pair(**t.RHYTHM | {"processes": [r"C:\Users\eve\app\sync.exe"]})
    assert [s.kinds for s in with_programs(*rows, mine)] == [("rhythm",)]


def test_a_fingerprint_alone_at_a_service_weighs_less_where_others_have_it_elsewhere() -> None:
    workers = [t.pair(f"10.0.1.{n}", "app.house.workers.dev", tenant="house", **HOUSE) for n in range(5)]
    elsewhere = t.pair("10.0.1.7", "mail.example", **t.OUTSIDE_FACTS | {"fingerprints": ["ja4:t13d_go"]})
    mine = t.pair(**t.RHYTHM | {"fingerprints": ["ja4:t13d_go"]})
    found = [with_programs(*workers, mine), with_programs(*workers, mine, elsewhere)]
    weights = [[s.weight for s in subject.signals if s.kind == "client"] for [subject] in found]
    assert weights == [[0.25], [0.15]]


def test_at_a_host_of_all_customers_only_the_rhythm_of_many_is_the_house_at_work() -> None:
    shared = {"dst": "script.google.com", "catalogue_id": "g-apps-script", "tenant": None, "clients": 15}
    people = [t.pair(f"10.0.1.{n}", **shared | {"clients_share": 0.75}) for n in range(14)]
    mine = t.RHYTHM | shared | {"clients_share": 0.75}
    [alone] = subjects(*people, t.pair(**mine))
    assert alone.kinds == ("rhythm",)
    assert subjects(*people[4:], *(t.pair(f"10.0.1.{n}", **mine) for n in range(4)), t.pair(**mine)) == []


def test_an_entry_that_accepts_every_customer_is_not_honoured_and_told() -> None:
    broad = {"kind": "destination", "value": "*.workers.dev", "owner": "Web", "expires": "2026-12-31"}
    [subject] = subjects(t.pair(**t.RHYTHM), allow_list=[broad])
    assert subject.allowed_by is None
    assert any("accepts every customer" in line for line in subject.context)
    [narrow] = subjects(t.pair(**t.RHYTHM), allow_list=[broad | {"value": "*.stranger.workers.dev"}])
    assert narrow.allowed_by and not any("not honoured" in line for line in narrow.context)


@pytest.mark.parametrize(
    ("entry", "facts", "covers"),
    [
        ({"kind": "tenant", "value": "cf-workers/stranger"}, {}, True),
        ({"kind": "tenant", "value": "cf-workers/other"}, {}, False),
        ({"kind": "tenant", "value": "cf-workers/*"}, {}, False),
        ({"kind": "process", "value": "*\\agent.exe"}, {"processes": ["C:\\Agent.exe"]}, True),
        ({"kind": "process", "value": "*\\agent.exe"}, {"processes": ["C:\\Agent.exe", "C:\\x.exe"]}, False),
        ({"kind": "process", "value": "*\\agent.exe"}, {}, False),
        ({"kind": "process", "value": "*"}, {"processes": ["C:\\x.exe"]}, False),
        ({"kind": "destination", "value": t.WORKER, "process": "*agent.exe"}, {"processes": ["C:\\agent.exe"]}, True),
        ({"kind": "destination", "value": t.WORKER, "process": "*agent.exe"}, {}, False),
        ({"kind": "destination", "value": t.WORKER, "expires": "2026-03-09"}, {}, False),
    ],
)
def test_tenants_and_programs_are_accepted_by_name_and_until_their_day(
    entry: dict[str, object], facts: dict[str, object], covers: bool
) -> None:
    accepted = {"owner": "Web", "expires": "2026-12-31"} | entry
    [subject] = subjects(t.pair(**t.RHYTHM | facts), allow_list=[accepted])
    assert (subject.allowed_by is not None) is covers


def test_no_pairs_give_no_subjects() -> None:
    assert egress_subjects(t.pairs(), t.intel(), t.config()) == []


def test_flows_to_a_shared_address_stand_beside_the_name_that_is_a_subject() -> None:
    named = t.pair(dst="c2.example", tenant=None, catalogue_id=None, **t.RHYTHM | t.RARE)
    address = t.pair(dst="203.0.113.9", kind="ip", tenant=None, catalogue_id=None, refs=["E002:5"], **t.RHYTHM | t.RARE)
    shared = address | {"answered_names": ["c2.example", "other.example"]}
    [one] = subjects(named, shared)
    assert one.subjects["dst"] == ["c2.example"]
    assert [line for line in one.context if "203.0.113.9" in line and "E002:5" in line]
    assert len(subjects(named, address)) == 2
    assert len(subjects(named, shared | {"src": "10.0.0.77"})) == 2  # another client asked for it
    listed = t.item(observable="203.0.113.9")
    assert len(subjects(named, shared, intel=t.intel(listed))) == 2  # it has a signal of its own
