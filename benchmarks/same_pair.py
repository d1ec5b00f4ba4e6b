"""One pair, several logs: how far the score of a pair moves with the log that shows it and with its neighbours.

The same check-ins are written as Zeek's conn.log and dns.log, Squid's access.log and AWS flow logs, each a
case of its own that goes the whole way: added, read, joined to pairs and scored. Where a format cannot show a
pair as it was, the docs of `lookups` and `flows` say why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.series import DAY, START, Floats, Random, memoryless
from benchmarks.traffic import MALICIOUS_DAY, draw_estates, simulate
from playbooks import evidence
from playbooks.case import new_case
from playbooks.engine import open_tables
from playbooks.normalise import normalise
from playbooks.scoping.egress_pairs import egress_pairs

MOST = 3_000  # contacts of a pair that is written out; faster families have slower relatives
CONN = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state"
DNS = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto query qclass_name qtype_name rcode_name answers"
WIDER = "conn, wider"
Pairs = dict[str, Floats]


def pairs_of(r: Random) -> Pairs:
    """The times of one series of each family of a day, in seconds since 1970."""
    drawn = simulate(r, MALICIOUS_DAY, 1, 1, draw_estates(r, 1))
    return {one.family.name: one.times for one in drawn if len(one.times) <= MOST}


def unrelated(r: Random) -> Pairs:
    """What others do over three days around: it widens the data set."""
    return {f"other {number}": START - DAY + memoryless(r, 900, 0, 3 * DAY) for number in range(20)}


def _numbered(pairs: Pairs) -> list[tuple[float, int]]:
    return sorted((float(time), number) for number, times in enumerate(pairs.values()) for time in times)


def _port(at: int) -> int:
    return 20_000 + at % 40_000


def _zeek(path: str, fields: str, records: list[str]) -> str:
    names = "\t".join(fields.split())
    return "\n".join(["#separator \\x09", f"#path\t{path}", f"#fields\t{names}", *records, ""])


def conn(r: Random, pairs: Pairs) -> str:
    """Zeek's conn.log: the start of each connection, to the microsecond."""
    rest = "443\ttcp\tssl\t0.3\t900\t600\tSF"
    lines = [
        f"{time:.6f}\tC{at:06x}\t10.0.0.{n + 1}\t{_port(at)}\t198.51.100.{n + 1}\t{rest}"
        for at, (time, n) in enumerate(_numbered(pairs))
    ]
    return _zeek("conn", CONN, lines)


def lookups(r: Random, pairs: Pairs) -> str:
    """Zeek's dns.log: one lookup just before each check-in. A cache that outlives the sleep shows fewer of them."""
    lines = [
        f"{time - 0.02:.6f}\tD{at:06x}\t10.0.0.{n + 1}\t{_port(at)}\t10.0.0.53\t53\tudp\t"
        f"pair{n + 1}.example.net\tC_INTERNET\tA\tNOERROR\t198.51.100.{n + 1}"
        for at, (time, n) in enumerate(_numbered(pairs))
    ]
    return _zeek("dns", DNS, lines)


def squid(r: Random, pairs: Pairs) -> str:
    """Squid's access.log: the end of each tunnel, to the millisecond, so each stamp is late by what it lasted."""
    lines = []
    for time, n in _numbered(pairs):
        lasted = float(r.lognormal(np.log(0.3), 0.5))
        lines.append(
            f"{time + lasted:.3f} {lasted * 1000:6.0f} 10.0.0.{n + 1} TCP_TUNNEL/200 6000 CONNECT "
            f"pair{n + 1}.example.net:443 - HIER_DIRECT/198.51.100.{n + 1} -"
        )
    return "\n".join([*sorted(lines), ""])


def flows(r: Random, pairs: Pairs) -> str:
    """AWS flow logs: whole seconds. A connection that is kept alive is summed up and shows no check-ins."""
    lines = [
        f"2 111122223333 eni-0a1b2c3d4e5f60718 10.0.0.{n + 1} 198.51.100.{n + 1} {_port(at)} 443 6 10 1200 "
        f"{int(time)} {int(time) + 1} ACCEPT OK"
        for at, (time, n) in enumerate(_numbered(pairs))
    ]
    return "\n".join([*lines, ""])


LOGS: dict[str, Callable[[Random, Pairs], str]] = {
    "zeek conn": conn,
    "zeek dns": lookups,
    "squid": squid,
    "aws flow": flows,
}


def scores_of(folder: Path, name: str, text: str, pairs: Pairs) -> pd.Series:
    """beacon_score of each pair of a log, by the pair's name, after the whole way from file to table."""
    file = folder / f"{name.replace(' ', '-').replace(',', '')}.log"
    file.write_text(text, encoding="utf-8")
    case = new_case(folder / f"case-{file.stem}", "BENCH")
    evidence.add(case, [file])
    normalise(case)
    found = egress_pairs(open_tables(case.events), case.config)
    by_client = found.set_index("src").beacon_score
    return pd.Series({pair: by_client.get(f"10.0.0.{n}") for n, pair in enumerate(pairs, start=1)}, dtype=float)


def scores_in(r: Random, folder: Path, pairs: Pairs, logs: Iterable[str] = LOGS) -> pd.DataFrame:
    """Scores of each pair (rows) in each log, and in the conn.log once unrelated traffic is in it too (`wider`)."""
    wide = pairs | unrelated(r)
    table = {name: scores_of(folder, name, LOGS[name](r, pairs), pairs) for name in logs}
    return pd.DataFrame({**table, WIDER: scores_of(folder, WIDER, conn(r, wide), wide).loc[list(pairs)]})


def shifts(scores: pd.DataFrame) -> pd.DataFrame:
    """How far each column lies from that of Zeek's conn.log, per pair; a pair not scored counts as 0."""
    known = scores.fillna(0)
    return known.drop(columns="zeek conn").sub(known["zeek conn"], axis=0).abs()
