"""What Sigma rules cost: 200 rules over CloudTrail, beside the time of reading the same records in the same run.

Both are measured in a process of their own: in one file of JSON lines, and as the service delivers it, in packed files.
Run it with `python -m benchmarks.sigma`; BENCH_ROWS and BENCH_RULES change the sizes.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks.logs import CLOUDTRAIL, write, write_cloudtrail
from benchmarks.reading import ADD, READ, apart

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
RULES = int(os.environ.get("BENCH_RULES", "200"))
MOST = 3.0  # times the time of reading, as the project set itself
RUN = """
import json, resource, sys, time
from pathlib import Path
from playbooks.case import open_case
from playbooks.sigma import rule_files, run_sigma
if __name__ == "__main__":
    case = open_case(Path(sys.argv[1]))
    start = time.perf_counter()
    run = run_sigma(case, rule_files(case))
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([took, peak, sum(outcome.status in ("matched", "clear") for outcome in run.outcomes)]))
"""
HEAD = (
    "title: rule {n}\nid: 00000000-0000-4000-8000-{n:012d}\nlevel: low\n"
    "logsource: {{product: aws, service: cloudtrail}}\n"
)
# What public rules are made of, in about their shares: most name a service and some operations.
SHAPES = (
    "selection: {{eventSource: service{n}.amazonaws.com, eventName: [CreateThing{n}, UpdateThing{n}, PutThing{n}]}}\n"
    "  condition: selection",
    "selection: {{eventSource: service{n}.amazonaws.com, 'eventName|startswith': UpdateThing{n}}}\n"
    "  failed: {{'errorCode|contains': Denied}}\n  condition: selection and not failed",
    "selection: {{eventName: Thing{n}, requestParameters.part{n}: 'x*{n}', "
    "'userIdentity.arn|contains': ':role/r{n}'}}\n  condition: selection",
    "selection: {{'userAgent|contains|all': [tool{n}, 'linux/']}}\n  own: {{'sourceIPAddress|startswith': '10.'}}\n"
    "  condition: selection and not own",
    "selection: {{'requestParameters.name|re': '^(a|b){n}[0-9]+$', eventSource: service{n}.amazonaws.com}}\n"
    "  condition: selection",
)


def write_rules(folder: Path, count: int) -> None:
    """As many rules, of the shapes in turn."""
    folder.mkdir()
    for n in range(count):
        text = HEAD.format(n=n) + "detection:\n  " + SHAPES[n % len(SHAPES)].format(n=n) + "\n"
        (folder / f"rule{n:04d}.yml").write_text(text, encoding="utf-8")


def measure(folder: Path) -> None:
    """Print one line for each way in which the records lie."""
    write_rules(folder / "rules", RULES)
    lines, delivered = folder / "lines", folder / "delivered"
    write(CLOUDTRAIL, lines, ROWS)
    write_cloudtrail(delivered, ROWS)
    for source in (lines, delivered):
        case = folder / f"case-{source.name}"
        apart(folder, ADD, case, source)
        config = case / "case.yaml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("sigma_rules: []", f"sigma_rules: [{folder / 'rules'}]"), encoding="utf-8")
        reading, _, events = apart(folder, READ, case)
        took, peak, asked = apart(folder, RUN, case)
        assert (events, asked >= RULES) == (ROWS, True)
        print(
            f"sigma, {source.name:<10} {asked:>4} rules over {events:>10,} records {took:7.2f} s, "
            f"reading {reading:7.2f} s, ratio {took / reading:5.2f} (at most {MOST:g}), "
            f"{events / took:>9,.0f} a second, {peak:5,.0f} MB",
            flush=True,
        )
        subprocess.run(["rm", "-rf", case], check=True)  # read-only, as evidence is


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))
