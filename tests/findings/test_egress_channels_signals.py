"""What a channel weighs: a kind of its own where the fact is its own, none where it is not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks import schema
from playbooks.findings import with_priority
from playbooks.findings.egress import egress_subjects
from playbooks.findings.egress_channels import WEIGHTS, channel_signals, with_groups
from playbooks.findings.signal import Subject
from playbooks.scoping.egress_channels import KINDS


def channel(kind: str, **facts: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "src": t.CLIENT,
        "dst": t.WORKER,
        "dsts": [t.WORKER],
        "sentence": f"A {kind} with figures.",
        "strength": 0.8,
        "clients": 1,
        "source": "http",
        "first_seen": t.at(1),
        "last_seen": t.at(20),
        "connections": 7,
        "refs": ["E001:7", "E001:9"],
    } | facts


def channels(*rows: dict[str, Any]) -> pd.DataFrame:
    return t.table(schema.EGRESS_CHANNELS, list(rows))


def subjects(found: pd.DataFrame, *rows: dict[str, Any]) -> list[Subject]:
    return egress_subjects(t.pairs(*t.estate(), *rows), t.intel(), t.config(), found)


def test_every_kind_of_channel_has_its_weight() -> None:
    assert tuple(WEIGHTS) == (*KINDS[:6], *[kind for kind in WEIGHTS if kind in KINDS[6:]])
    assert set(WEIGHTS) == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "signal", "weight"),
    [
        ("long_connection", "session", 0.4),
        ("tunnel", "session", 0.4),
        ("shared_rhythm", "rhythm", 0.4),
        ("polling_pairs", "rhythm", 0.4),
        ("upload_asymmetry", "volume", 0.36),
        ("fronting", "fronting", 0.4),
    ],
)
def test_a_channel_of_a_pair_is_a_lead_and_with_a_second_kind_a_finding(kind: str, signal: str, weight: float) -> None:
    [alone] = subjects(channels(channel(kind)), t.pair())
    assert [(s.kind, round(s.weight, 3), s.refs) for s in alone.signals] == [(signal, weight, ("E001:7", "E001:9"))]
    assert (alone.is_lead, alone.is_finding) == (True, False)
    [both] = subjects(channels(channel(kind)), t.pair(**t.RARE))
    assert (both.kinds, both.is_finding) == (tuple(sorted({signal, "rarity"})), True)


def test_a_rhythm_over_several_hosts_does_not_count_beside_that_of_the_pair() -> None:
    [subject] = subjects(channels(channel("shared_rhythm")), t.pair(**t.RHYTHM))
    assert subject.kinds == ("rhythm",)
    assert not subject.is_finding


def test_a_burst_supports_and_leads_nowhere_alone() -> None:
    found = channels(channel("first_contact_burst", strength=0.4))
    [alone] = subjects(found, t.pair())
    assert not alone.is_lead
    [both] = subjects(found, t.pair(**t.RHYTHM))
    assert both.is_finding


def test_weak_channels_say_nothing() -> None:
    weak = channels(channel("long_connection", strength=0.3), channel("dns_channel", strength=0.2, dst="c2.example"))
    assert subjects(weak, t.pair()) == []
    assert channel_signals(weak) == {}


def test_a_channel_over_many_destinations_is_a_subject_of_its_own() -> None:
    many = [f"198.51.100.{n}" for n in range(30)]
    found = channels(
        channel("rotating_destinations", dst="ja4:t13d_x", dsts=many),
        channel("dns_channel", dst="c2.example", dsts=["c2.example"], score=0.9, period_s=13.0, source="dns"),
    )
    names, mark = sorted(subjects(found, t.pair()), key=lambda subject: subject.key)
    assert (names.key, names.kinds, names.subjects["dst"]) == ("c2.example", ("dns", "rhythm"), ["c2.example"])
    assert (mark.key, mark.kinds, mark.subjects["src"]) == ("ja4:t13d_x", ("rhythm",), [t.CLIENT])
    assert "30 destinations under one mark" in " ".join(mark.context)


def test_channels_raise_the_priority_of_their_pair() -> None:
    frame = t.pairs(*t.estate(), t.pair(), t.pair(dst="other.example"))
    ranked = with_priority(frame, t.intel(), t.config(), channels(channel("tunnel")))
    [plain] = with_priority(frame, t.intel(), t.config()).query("dst == @t.WORKER").priority
    assert ranked.iloc[0].dst == t.WORKER
    assert ranked.iloc[0].priority > plain
    assert "session: A tunnel with figures." in list(ranked.iloc[0].priority_reasons)


def test_a_rotation_stands_among_the_pairs_and_is_one_subject_all_the_same() -> None:
    rotation = channel("rotating_destinations", dst="ja4:t13d_x", dsts=["203.0.113.1", "203.0.113.2"], score=0.9) | {
        "period_s": 60.0
    }
    before = t.pairs(*t.estate())
    after = with_groups(before, channels(rotation))
    [row] = after.iloc[len(before) :].itertuples(index=False)
    assert (row.kind, row.dst, row.beacon_score, row.beacon_period_s) == ("fingerprint", "ja4:t13d_x", 0.9, 60.0)
    assert list(row.refs) == ["E001:7", "E001:9"]
    assert dict(after.dtypes) == dict(before.dtypes)
    found = channels(rotation)
    one, other = (egress_subjects(pairs, t.intel(), t.config(), found) for pairs in (before, after))
    assert [subject.as_json() for subject in one] == [subject.as_json() for subject in other] and len(one) == 1
    assert len(with_groups(after, found)) == len(after)
    assert len(with_groups(before, channels())) == len(before)
