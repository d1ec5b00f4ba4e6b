"""`playbooks acquire aws`: the plan without a call, the acquisition in words and as JSON, what a run makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.evidence.acquire.aws_front import ACCOUNT, Front, door_to_moto
from tests.evidence.acquire.aws_house import REGION, clients, package, policy

from playbooks.case import Case, new_case
from playbooks.coverage import coverage
from playbooks.engine import open_tables
from playbooks.evidence import custody, items
from playbooks.evidence.acquire.aws_plan import PLAN, TRAIL_CALLS
from playbooks.normalise import normalise

Playbooks = Callable[..., Said]
PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/acquire-aws.md"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with door_to_moto() as door:
        client = clients(f"http://127.0.0.1:{door.moto_port}")
        client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=policy("sts:AssumeRole"))
        client("lambda").create_function(
            FunctionName="orders",
            Runtime="python3.12",
            Role=f"arn:aws:iam::{ACCOUNT}:role/runs",
            Handler="a.b",
            Code={"ZipFile": door.keep(package("orders"))},
        )
        yield door


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "AWS-5")


def test_a_dry_run_shows_the_plan_and_sends_nothing(playbooks: Playbooks, case: Case, front: Front) -> None:
    before = len(front.asked)
    said = playbooks("acquire", "aws", case.path, "--endpoint-url", front.url, "--dry-run")
    assert said.code == 0
    assert re.search(r"(?m)^lambda ListFunctions +per region +every function", said.out)
    assert "FilterLogEvents" not in said.out
    assert said.out.endswith(" Nothing was sent.\n")
    assert len(front.asked) == before
    assert not case.custody.exists()


def test_the_plan_follows_the_options(playbooks: Playbooks, case: Case) -> None:
    span = ("--window-from", "2026-03-10T00:00:00Z", "--window-to", "2026-03-11T00:00:00+01:00")
    options = ("--function", "orders", "--cloudtrail-lookup", "--without-logs", "--cloudtrail-s3", "s3://trail/x")
    said = playbooks("acquire", "aws", case.path, *span, *options, "--dry-run", "--json")
    planned = {(call["operation"], call["per"]) for call in json.loads(said.out)}
    assert ("LookupEvents", "lookup") in planned
    assert ("GetMetricData", "function") in planned
    assert ("ListObjectsV2", "trail_files") in planned
    assert planned & {("ListFunctions", "region"), ("FilterLogEvents", "log_group")} == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--window-from", "2026-03-10"), "has no zone, and none is guessed"),
        (("--window-from", "noon"), "expected a time such as"),
        (("--window-from", "2026-03-10T00:00:00Z"), "state --window-from and --window-to"),
        (("--function", "a b"), "expected the name or the ARN"),
        (("--region", "mars"), "expected a region such as"),
        (("--cloudtrail-s3", "trail"), "expected s3://BUCKET/PREFIX"),
        (("--cloudtrail-lookup",), "needs a window"),
    ],
)
def test_an_option_that_is_wrong_is_named(
    options: tuple[str, ...], words: str, playbooks: Playbooks, case: Case
) -> None:
    said = playbooks("acquire", "aws", case.path, *options)
    assert said.code == 2
    assert words in said.err


def test_an_acquisition_says_what_it_brought_and_what_was_not_answered(
    playbooks: Playbooks, case: Case, front: Front
) -> None:
    said = playbooks("acquire", "aws", case.path, "--region", REGION, "--endpoint-url", front.url)
    assert said.code == 0, said.err
    assert re.match(rf"E001  AWS account {ACCOUNT}  \d+ absent, \d+ answered, \d+ refused\n", said.out)
    assert "      1 packages and files beside it\n" in said.out
    assert "      not answered: lambda ListFunctionUrlConfigs (1)\n" in said.out
    assert "No window in case.yaml" in said.err
    told = playbooks("acquire", "aws", case.path, "--region", REGION, "--endpoint-url", front.url, "--json")
    (entry,) = json.loads(told.out)
    assert entry == custody.entries(case.custody)[-1]
    assert entry["counts"]["unchanged"] > 10


def test_a_run_reads_the_answers_and_says_what_could_not_be_asked(
    playbooks: Playbooks, case: Case, front: Front
) -> None:
    assert playbooks("acquire", "aws", case.path, "--region", REGION, "--endpoint-url", front.url).code == 0
    readings = normalise(case)
    answers = readings[0]
    assert (answers.format, answers.unread, answers.blank) == ("acquired_answers", 0, 0)
    found = coverage(case, readings, open_tables(case.events), ())
    (spot,) = [spot for spot in found["blind_spots"] if spot["id"] == "refused-aws"]
    assert "lambda ListFunctionUrlConfigs (1)" in spot["missing"]
    reference = re.search(r"E001:(\d+)", spot["how_established"])
    assert reference
    line = items(case)[0].file(case).read_text(encoding="ascii").splitlines()[int(reference[1]) - 1]
    assert json.loads(line)["outcome"] == "refused"


def test_the_policy_of_the_page_allows_what_the_plan_asks_and_nothing_more() -> None:
    (text,) = re.findall(r"(?s)```json\n(.*?)```", PAGE.read_text(encoding="utf-8"))
    allowed = {action for statement in json.loads(text)["Statement"] for action in statement["Action"]}
    asked = {f"{call.service}:{call.operation}" for call in (*PLAN, *TRAIL_CALLS)}
    assert allowed == (asked - {"s3:ListObjectsV2"}) | {"s3:ListBucket"}
