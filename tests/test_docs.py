"""The documentation says what the kit does: examples run, links lead somewhere, pages match the code."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import SampleRun
from tests.evidence.captures import packets

from playbooks.cli.app import commands
from playbooks.findings.wording import forbidden_claims

pytestmark = pytest.mark.usefixtures("warm_kernels")
ROOT = Path(__file__).resolve().parents[1]
HOW_TO = sorted((ROOT / "docs/how-to").glob("*.md"))
WITH_EXAMPLES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs/tutorial.md", *HOW_TO]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
NOT_RUN = ("make demo", "make test")  # the suite itself, and what takes longer than it
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
ADDRESS = re.compile(r"https?://[^\s`)>\]]+")
SECONDS = 300


@dataclass(frozen=True)
class Example:
    """A command of a page and the lines it is said to print."""

    command: str
    said: tuple[str, ...]


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [block["text"] for block in found if block["language"] == language]


def examples(block: str) -> Iterator[Example]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *said = part.splitlines()
        yield Example(command, tuple(line for line in said if line.strip() not in ("", "…")))


def environment() -> dict[str, str]:
    """The commands of this installation first; nothing that a proxy or a terminal would change."""
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
    return {**os.environ, **here, "TZ": "America/New_York"}


def run(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def fits(said: str, line: str) -> bool:
    """Whether a line of a page is a line of the output; `…` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, said.strip().split("…"))), line.strip()) is not None


def desk(folder: Path) -> Path:
    """A folder in which every example of the pages can be typed."""
    for name in ("data", "notebooks", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    export = folder / "export"
    (export / "proxy").mkdir(parents=True)
    packed = (ROOT / "data/samples/incident/logs/squid_hq_access.log.gz").read_bytes()
    (export / "proxy/access.log").write_bytes(b"".join(gzip.decompress(packed).splitlines(keepends=True)[:40]))
    (export / "office.pcap").write_bytes(packets.pcap(packets.incident()))
    (folder / "newest.log").symlink_to("export/proxy/access.log")
    zeek = '"uid":"C1","id.orig_h":"10.20.3.17","id.resp_h":"198.51.100.7","proto":"tcp","conn_state":"SF"}\n'
    (export / "conn.json").write_text(
        '{"ts":"2026-03-10T09:00:00",' + zeek + '{"ts":"2026-03-10T09:00:01Z",' + zeek, encoding="utf-8"
    )
    (export / "iocs.csv").write_text(
        "indicator,type,source,confidence,valid_from,valid_until,tlp,description\n"
        "hxxps://evil[.]example/x,url,Our CERT,60,2026-03-01T00:00:00Z,,AMBER,second stage\n"
        "198.51.100.65,ip,Our CERT,60,2026-03-01,,AMBER,a date without time\n"
        "evil.example,host,Our CERT,60,2026-03-01T00:00:00Z,,AMBER,no such type\n"
        "evil.example,domain,Our CERT,170,2026-03-01T00:00:00Z,,AMBER,more than all\n",
        encoding="utf-8",
    )
    (export / "ip-ranges.json").write_text(
        '{"syncToken": "1773133200", "createDate": "2026-03-10-09-00-00", "prefixes": ['
        '{"ip_prefix": "192.0.2.0/24", "region": "eu-central-1", "service": "AMAZON"}, '
        '{"ip_prefix": "192.0.2.128/25", "region": "eu-central-1", "service": "EC2"}], "ipv6_prefixes": ['
        '{"ipv6_prefix": "2001:db8::/132", "region": "eu-central-1", "service": "EC2"}]}\n',
        encoding="utf-8",
    )
    own = blocks(ROOT / "docs/how-to/own-format.md", "yaml")[0]  # the page is the only place where it stands
    (export / "acme_proxy.yaml").write_text(own, encoding="utf-8")
    asked = "10.20.3.17 GET app.example.test/x"
    (export / "acme.log").write_text(
        f"2026-03-10T09:00:00Z {asked} 200 512\n2026-03-10T09:01:00Z {asked} never 0\n"
        f"2026-03-10T09:02:00Z {asked} 200 498\n--- rotated ---\n",
        encoding="utf-8",
    )
    odd = folder / "cases/no-zone"
    odd.mkdir(parents=True)
    (odd / "case.yaml").write_text(
        "case_id: IR-1\nwindow: {start: 2026-03-10, end: 2026-03-12T00:00:00Z}\n", encoding="utf-8"
    )
    return folder


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=page_id)
def test_every_example_of_a_page_runs_and_prints_what_the_page_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = desk(tmp_path)
    if page in HOW_TO and (blocks(page, "console") or blocks(page, "python")):
        incident: SampleRun = request.getfixturevalue("incident")
        incident.copy(folder / "cases/IR-31")
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["language"] == "python":
            with (folder / "example.py").open("a", encoding="utf-8") as script:  # cells of one notebook
                script.write(block["text"])
            run("python example.py", folder)
        if block["language"] != "console":
            continue
        for example in examples(block["text"]):
            if not example.command.startswith(NOT_RUN):
                printed = run(example.command, folder).splitlines()
                missing = [said for said in example.said if not any(fits(said, line) for line in printed)]
                assert not missing, f"{example.command} does not print {missing}; it prints\n" + "\n".join(printed)


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert fits("14 files, … entries: intact.", "14 files, 749,110 bytes, 15 entries: intact.")
    assert not fits("14 files, … entries: intact.", "14 files, 749,110 bytes, 15 entries: NOT intact: 1 faults.")


def test_every_command_is_in_the_reference_and_in_the_readme() -> None:
    reference = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [name for name, _ in commands()]
    assert names
    assert [name for name in names if f"\n## {name}\n" not in reference] == []
    assert [name for name in names if f"`playbooks {name}" not in readme] == []


def test_every_how_to_page_and_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    pages = [*HOW_TO, *(ROOT / "docs/decisions").glob("*.md"), *(ROOT / "docs/reference").glob("*.md")]
    assert [page.name for page in pages if f"/{page.name})" not in index] == []


def anchors(page: Path) -> set[str]:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    wrong = []
    for link in LINK.finditer(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link["target"].partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link["target"])
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_holds_an_address_a_path_of_a_machine_or_a_claim_that_no_report_may_make(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert ADDRESS.findall(text) == []
    assert re.findall(r"(?<![\w.])/(?:home|root|Users|work|tmp)/\w+", text.replace("/tmp/demo", "")) == []
    assert re.findall(r"(?i)index-url|pypi|simple/", text) == []
    assert forbidden_claims(text) == []


def test_the_readme_opens_with_the_two_commands_and_is_short() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 150
    assert [line.split("#")[0].strip() for line in lines[3:5]] == ["$ make demo", "$ make test"]


def test_decisions_and_walks_are_short() -> None:
    walks = [ROOT / "docs/how-to" / name for name in ("add-a-format.md", "add-a-question.md", "add-a-provider.md")]
    lengths = {page: len(page.read_text(encoding="utf-8").splitlines()) for page in PAGES}
    assert {page.name: n for page, n in lengths.items() if page.parent.name == "decisions" and n > 35} == {}
    assert {page.name: lengths[page] for page in walks if lengths[page] > 60} == {}


def test_the_screenshot_is_a_small_picture() -> None:
    picture = ROOT / "docs/images/report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000


def make_reference(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "docs/make_reference.py"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_reference_pages_are_what_the_code_says() -> None:
    done = make_reference(ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reference_page_that_differs_is_named(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    page = tmp_path / "docs/reference/exit-codes.md"
    page.write_text(page.read_text(encoding="utf-8").replace("done", "fine"), encoding="utf-8")
    done = make_reference(tmp_path)
    assert done.returncode == 1
    assert done.stderr == "docs/reference/exit-codes.md is not what the code says. Run: make docs\n"
