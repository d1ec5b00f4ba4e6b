"""What a case costs: a model fitted to some runs and checked on others, which are larger than what it was fitted to.

    python -m benchmarks.scale

Each run is the whole of `playbooks run` from evidence to report. Lines are those of a proxy's log, spread over client
and destination pairs; audit records are CloudTrail's. The figures of `docs/scale.md` are what this prints.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.cloud import write_spans
from benchmarks.cloudtrail_mix import HOUR_RECORDS, write_hours
from benchmarks.large import MILLION, SQUID, Ran, run_case
from benchmarks.reading import ADD, apart
from benchmarks.scoping import BEGIN_S, DAY_S, write

MEMORY_GIB = 8


@dataclass(frozen=True)
class Size:
    """How much one case holds, in millions."""

    lines: float
    pairs: float
    audit: float


FITTED = (Size(0.001, 0.0001, 0), Size(2, 0.01, 0), Size(2, 0.1, 0), Size(0.001, 0.0001, 0.2), Size(0.5, 0.05, 0.05))
CHECKED = (Size(1, 0.03, 0.1), Size(8, 0.06, 0), Size(4, 0.4, 0.4))


def main() -> None:
    """Print each run, the model, and the model beside the runs that it has not seen."""
    fitted = [(size, _measured(size)) for size in FITTED]
    terms = np.array([(1, *astuple(size)) for size, _ in fitted])
    seconds, gigabytes = (
        np.linalg.lstsq(terms, np.array([one[which] for _, one in fitted]), rcond=None)[0] for which in (0, 1)
    )
    for what, model in (("seconds", seconds), ("GB", gigabytes)):
        words = (f"{each:.3g} {name}" for each, name in zip(model, ("", "a million lines", "a million pairs",
                 "a million audit records"), strict=True))  # fmt: skip
        print(f"model of {what}: {' + '.join(words)}")
    for size in CHECKED:
        took, held = _measured(size)
        told = [float(np.dot(model, (1, *astuple(size)))) for model in (seconds, gigabytes)]
        print(f"  the model says {told[0]:.0f} s ({told[0] / took:.2f}) and {told[1]:.2f} GB ({told[1] / held:.2f})")


def _measured(size: Size) -> tuple[float, float]:
    """Seconds of a run, and GB of its largest process."""
    with tempfile.TemporaryDirectory() as name:
        case = Path(name) / "case"
        source = Path(name) / "logs"
        source.mkdir()
        write(SQUID, source / "access.log", int(size.lines * MILLION), int(size.pairs * MILLION))
        hours = int(size.audit * MILLION) // HOUR_RECORDS
        if hours:
            write_hours(source / "audit", hours * HOUR_RECORDS)
        apart(Path(name), ADD, case, source)
        if hours:
            write_spans(case, hours, datetime.fromtimestamp(BEGIN_S + DAY_S, UTC))  # the proxy's day is in the window
        subprocess.run(["rm", "-rf", source], check=True)
        ran = run_case(case, MEMORY_GIB)
        subprocess.run(["chmod", "-R", "u+w", case], check=True)  # read-only, as evidence is
    assert ran.code == 0, ran.said[-500:]
    print(f"{size}: {ran.seconds:.1f} s, {_gigabytes(ran):.2f} GB", flush=True)
    return ran.seconds, _gigabytes(ran)


def _gigabytes(ran: Ran) -> float:
    return max(ran.peaks.values()) / 2**30


if __name__ == "__main__":
    main()
