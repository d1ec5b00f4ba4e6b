"""The simulator: every family of traffic by name, and series of them as contacts of pairs.

Own design: what tools, people and programs do, by published defaults; nothing is taken from a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks import traffic_by_design as by_design
from benchmarks import traffic_malicious as bad
from benchmarks import traffic_people as people
from benchmarks import traffic_weeks as weeks
from benchmarks.series import DAY, START, Estate, Family, Series, varied
from benchmarks.traffic_context import around
from benchmarks.traffic_malicious import Beat, all_day, chosen

SLEEPS = {10.0: "10 s", 60.0: "60 s", 300.0: "300 s", 900.0: "900 s", 3_600.0: "3,600 s"}
JITTERS: dict[str, tuple[float, ...]] = {"0": (0.0,), "10–30": (0.1, 0.2, 0.3), "50": (0.5,), "90": (0.9,)}


def _grid(sleep: float, jitters: tuple[float, ...], named: str) -> Family:
    name = f"sleep {SLEEPS[sleep]}, jitter {named} %"
    draw = all_day(lambda r: chosen(r, (sleep,), jitters))
    return Family(name, "A sleep and a symmetric jitter as most tools take them.", draw, "all day")


GRID = tuple(_grid(sleep, jitters, named) for sleep in SLEEPS for named, jitters in JITTERS.items())
TOOLS = (
    Family(
        "Sliver, 60 s + up to 30 s",
        "Default of a Sliver beacon: the jitter is added.",
        all_day(lambda r: Beat(60, 0.5, "more")),
        "tools",
    ),
    Family("Mythic, 10 s ± 23 %", "Default of its http profiles.", all_day(lambda r: Beat(10, 0.23)), "tools"),
    Family(
        "Cobalt Strike, 45 or 60 s, shortened by up to 37 %",
        "The jquery profiles; its jitter only shortens the sleep.",
        all_day(lambda r: Beat(float(r.choice([45, 60])), 0.37, "less")),
        "tools",
    ),
    Family(
        "shortened by up to 50 or 90 %",
        "The same with what operators set.",
        all_day(lambda r: Beat(float(r.choice([300, 600, 900])), float(r.choice([0.5, 0.9])), "less")),
        "tools",
    ),
    Family(
        "lengthened by up to 50 or 100 %",
        "Jitter that only adds, as operators set it.",
        all_day(lambda r: Beat(float(r.choice([60, 300, 900])), float(r.choice([0.5, 1.0])), "more")),
        "tools",
    ),
    Family("Havoc, 2 s", "Sleep of its sample profiles.", all_day(lambda r: Beat(2, 0)), "tools"),
    Family(
        "ticker without jitter",
        "GC2 polls a sheet by a ticker: answers do not delay the next call.",
        all_day(lambda r: Beat(float(r.choice([5, 10, 30, 60])), 0, "ticker")),
        "tools",
    ),
    Family("sleep from a list", "A script with a handful of sleeps.", bad.from_a_list, "tools"),
    Family("scheduled task, delayed by chance", "Persistence as a task of the host.", bad.scheduled, "tools"),
)
SITUATIONS = (
    Family("working hours", "The host is off at night.", bad.working_hours, "working hours"),
    Family("working hours, jitter 50 %", "The same, wider.", bad.wide_working_hours, "working hours"),
    Family("working hours, 30 % missed", "A bad line as well.", bad.working_hours_missed, "working hours"),
    Family("split day", "On in the morning and in the evening.", bad.split_day, "split days"),
    Family("laptop opened and closed", "On for an hour at a time.", bad.lid_closed, "split days"),
    Family("30 % missed", "Lost in the log, or no way out.", bad.missed(0.3), "missed"),
    Family("50 % missed", "The same.", bad.missed(0.5), "missed"),
    Family("70 % missed", "The same.", bad.missed(0.7), "missed, 70 %"),
    Family("missed in stretches", "The network is gone for a while.", bad.outages, "missed"),
    Family("30 % missed, jitter 50 %", "Both at once.", bad.missed(0.3, (0.5,)), "missed"),
    Family("last 2–4 h", "The infection is young.", bad.late((30.0, 60.0, 120.0, 300.0), bad.JITTERS), "short"),
    Family("last 2–4 h, jitter 50 %", "The same, wider.", bad.late((30.0, 60.0, 120.0, 300.0), (0.5,)), "short"),
    Family("last 2–4 h, sleep 600 s", "Few check-ins.", bad.late((600.0,), bad.JITTERS), "short, few"),
    Family("last 2–4 h, sleep 900 s", "Eight to sixteen.", bad.late((900.0,), bad.JITTERS), "short, few"),
    Family("shared front, few visits", "The user goes there, too.", bad.front((0.5, 3)), "shared front"),
    Family("shared front, many visits", "The user works there all day.", bad.front((6, 20)), "shared front"),
    Family("shared front, jitter 50 %", "The same, wider.", bad.front((2, 10), (0.5,)), "shared front"),
    Family("redirect pairs", "Apps Script answers 302: two requests per poll.", bad.several(2, 2, 1.5), "redirects"),
    Family("two or three requests", "Fetch, answer, upload.", bad.several(2, 3, 5), "requests"),
    Family(
        "lognormal sizes",
        "Tasking and results of any size.",
        all_day(chosen, varied),
        "sizes",
    ),
    Family("exfiltration in pieces", "Bursts of uploads.", bad.exfiltration, "sizes"),
    Family("operator at the keyboard", "Sleep 1 s for a while.", bad.at_the_keyboard, "pace"),
    Family("change of pace", "Sleeps long until a sandbox gives up.", bad.change_of_pace, "pace"),
    Family("slower by night", "Sleeps longer outside working hours.", bad.slower_by_night, "pace"),
    Family("back-off after failure", "The server was gone for hours.", bad.back_off, "pace"),
    Family("lookups thinned by a cache", "What DNS shows of it.", bad.cached, "clocks"),
    Family(
        "whole seconds, fast",
        "Stamps without a fraction.",
        bad.coarse((1,), lambda r: chosen(r, (5.0, 10.0), (0.0, 0.1, 0.23))),
        "clocks",
    ),
    Family(
        "flows summed up",
        "The clock steps by 10 s or a minute.",
        bad.coarse((10, 60), lambda r: chosen(r, (300.0, 600.0, 900.0))),
        "clocks",
    ),
    Family("hosts in turn", "Mythic httpx: a list of hosts, one after the other.", bad.in_turn, "several hosts"),
    Family("one of several hosts", "The same, by chance.", bad.one_of_several, "several hosts"),
    Family("fail-over host", "Used when the first one fails.", bad.failed_over, "several hosts"),
    Family("two implants", "Two processes, or two hosts behind one address.", bad.two_implants, "several hosts"),
    Family("kept alive", "A connection per 50 or 100 polls.", bad.kept_alive, "several hosts"),
    Family("everything at once", "Missed, jitter, requests, tasking, visits.", bad.all_at_once, "everything"),
)
MALICIOUS_DAY = tuple(replace(family, malicious=True) for family in (*GRID, *TOOLS, *SITUATIONS))
MALICIOUS_WEEK = tuple(replace(family, malicious=True) for family in weeks.FAMILIES)

BENIGN = (
    Family("reading", "Pauses of any length.", people.reading, "people"),
    Family("page loads", "Bursts at each page.", people.page_loads, "people"),
    Family(
        "visits to a host", "Sittings of a few pages.", lambda r, d: people.browsing(r, d, r.uniform(2, 20)), "people"
    ),
    Family("messages", "Quick replies, then silence.", people.quick_replies, "people"),
    Family("advertisement and measurement", "Calls at each page.", people.analytics, "people"),
    Family("autosave", "Seconds after typing.", people.autosave, "people"),
    Family("film on demand", "A buffer that is filled.", people.streaming, "people"),
    Family("lookups of visits", "DNS, thinned by a cache.", people.lookups(people.page_loads), "people"),
    Family("memoryless, one size", "Many causes, one message.", people.at_any_hour_one_size, "memoryless"),
    Family("memoryless, any size", "Many causes.", people.at_any_hour, "memoryless"),
    Family("memoryless by day", "The rate follows the day.", people.by_day, "memoryless"),
    Family("chat reconnects", "When the line drops.", people.reconnects, "programs"),
    Family("telemetry of use", "Batches while somebody works.", people.usage_telemetry, "programs"),
    Family("queue drained on demand", "When something comes in.", people.drained, "programs"),
    Family("git and build jobs", "At each push.", people.builds, "programs"),
    Family("downloads in parts", "Hundreds of ranges.", people.downloads, "programs"),
)
BY_DESIGN = tuple(
    Family(name, reason, draw, "by design", periodic=True)
    for name, reason, draw in (
        ("updater", "Every half hour to four hours.", by_design.updater),
        ("monitoring", "Every minute.", by_design.monitoring),
        ("mail polling", "Every five minutes.", by_design.mail_polling),
        ("clock sync", "64 to 1,024 s.", by_design.clock_sync),
        ("backup", "Every hour.", by_design.backup),
        ("heartbeat of an agent", "It says it is alive.", by_design.heartbeat),
        ("certificate checks", "Every few hours.", by_design.certificates),
        ("calendar and feeds", "Every quarter of an hour.", by_design.feeds),
        ("live video", "A list fetched every few seconds.", by_design.live_video),
        ("dashboard", "A page that refreshes itself.", by_design.dashboard),
    )
)


def draw_estates(r: np.random.Generator, count: int) -> list[Estate]:
    """So many houses of 40 to 600 clients; one in seven has no baseline."""
    sizes = 40 * 15 ** r.random(count)
    return [Estate(number, int(size), bool(r.random() > 1 / 7)) for number, size in enumerate(sizes)]


def simulate(
    r: np.random.Generator, families: Iterable[Family], count: int, days: int, estates: Sequence[Estate]
) -> list[Series]:
    """Draw `count` series of each family over so many days, spread evenly over the estates."""
    return [_series(family, r, days, number, estates) for family in families for number in range(count)]


def _series(family: Family, r: np.random.Generator, days: int, number: int, estates: Sequence[Estate]) -> Series:
    estate = estates[number % len(estates)]
    made = family.draw(r, days)
    made = made.at(made.times).within(0, days * DAY)
    context = around(r, family, number, estate)
    return Series(family, START + made.times, made.bytes_out, made.bytes_in, estate, context)
