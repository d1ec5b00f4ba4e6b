"""What goes wrong while acquiring from AWS is a line of the evidence, and never stops the rest or hurts the case."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.acquire.aws_front import ACCOUNT, Asked, Front, Rule, Said, door_to_moto
from tests.evidence.acquire.aws_house import REGION, clients, package, policy

from playbooks.case import Case, new_case, open_case
from playbooks.errors import AllFailed, UsageError
from playbooks.evidence import custody, items, require_intact
from playbooks.evidence.acquire.answers import FOLDER
from playbooks.evidence.acquire.aws import Wanted, acquire_aws
from playbooks.evidence.acquire.aws_client import Limits

SECRET = "S3cr3t-of-the-orders-function"
FAST = Limits(attempts=2, throttle_waits_s=(0.05,), connect_seconds=2, read_seconds=5)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with door_to_moto() as door:
        for region in (REGION, "eu-west-1"):
            _put(door, region)
        yield door


def _put(door: Front, region: str) -> None:
    client = clients(f"http://127.0.0.1:{door.moto_port}", region)
    if region == REGION:
        client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=policy("sts:AssumeRole"))
    for name in ("orders", "mail"):
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=f"arn:aws:iam::{ACCOUNT}:role/runs",
            Handler="a.b",
            Code={"ZipFile": door.keep(package(f"{name} {region}"))},
            Environment={"Variables": {"TOKEN": SECRET}},
        )


@pytest.fixture
def rules(front: Front) -> Iterator[list[Rule]]:
    """Answers that the door gives in moto's place during one test."""
    front.rules.clear()
    yield front.rules
    front.rules.clear()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "AWS-2")


def acquired(case: Case, front: Front, **more: Any) -> list[dict[str, Any]]:
    wanted = Wanted(**{"regions": (REGION,), "endpoint_url": front.url, "limits": FAST, **more})
    (one,) = acquire_aws(case, wanted)
    return stored(case, one.evidence_id)


def stored(case: Case, evidence_id: str) -> list[dict[str, Any]]:
    (item,) = [item for item in items(case) if item.evidence_id == evidence_id]
    return [json.loads(line) for line in item.file(case).read_text(encoding="ascii").splitlines()]


def of(lines: list[dict[str, Any]], operation: str, resource: str) -> dict[str, Any]:
    (line,) = [one for one in lines if (one["operation"], one.get("resource", "")) == (operation, resource)]
    return line


def says(operation: str, status: int, code: str, times: int = 1_000_000, path: str = "") -> Rule:
    """The door says an error to the first `times` requests for an operation."""
    left = [times]

    def rule(asked: Asked, _: bytes) -> Said | None:
        if asked.operation != operation or path not in asked.path or not left[0]:
            return None
        left[0] -= 1
        headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", code))
        return Said(status, json.dumps({"message": f"no: {code}"}).encode(), headers)

    return rule


def answers(operation: str, body: dict[str, Any]) -> Rule:
    return lambda asked, _: Said(200, json.dumps(body).encode()) if asked.operation == operation else None


# ---------------------------------------------------------------------------------- refused, throttled


def test_a_refused_call_is_a_line_and_stops_nothing(case: Case, front: Front, rules: list[Rule]) -> None:
    rules.append(says("GetPolicy", 403, "AccessDeniedException", path="/orders/"))
    lines = acquired(case, front)
    line = of(lines, "GetPolicy", "orders")
    assert (line["outcome"], line["status"]) == ("refused", 403)
    assert line["error"] == "AccessDeniedException: no: AccessDeniedException"
    assert of(lines, "GetFunctionConcurrency", "orders")["outcome"] == "answered"
    assert of(lines, "GetPolicy", "mail")["outcome"] == "absent"
    require_intact(case)


def test_throttled_calls_are_asked_again(case: Case, front: Front, rules: list[Rule]) -> None:
    rules.append(says("GetFunctionConfiguration", 429, "TooManyRequestsException", times=3, path="/orders/"))
    line = of(acquired(case, front), "GetFunctionConfiguration", "orders")
    # twice by botocore, then a pause of ours, and twice again: the fourth time it is answered
    assert (line["outcome"], line["attempts"]) == ("answered", 2)


def test_a_service_that_throttles_without_end_is_left(case: Case, front: Front, rules: list[Rule]) -> None:
    rules.append(says("GetPolicy", 429, "TooManyRequestsException"))
    before = len(front.asked)
    lines = acquired(case, front)
    assert of(lines, "GetPolicy", "orders")["error"].startswith("TooManyRequestsException: ")
    # two attempts, a pause and two more for the first function; no pause for the second
    assert len([asked for asked in front.asked[before:] if asked.operation == "GetPolicy"]) == 2 + 2 + 2
    assert of(lines, "GetFunctionConcurrency", "mail")["outcome"] == "answered"


def test_a_refused_listing_does_not_make_anything_gone(case: Case, front: Front, rules: list[Rule]) -> None:
    acquired(case, front)
    rules.append(says("ListFunctions", 403, "AccessDeniedException"))
    lines = acquired(case, front)
    assert [line for line in lines if line["outcome"] == "gone"] == []
    rules[:] = [answers("ListFunctions", {"Functions": []})]
    gone = {line["operation"] for line in acquired(case, front) if line["outcome"] == "gone"}
    assert {"GetFunction", "ListTags", "GetRole", "GetObject"} <= gone


def test_an_endpoint_that_nobody_listens_at_is_recorded_once_and_not_asked_again(case: Case, front: Front) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AllFailed, match="AWS answered nothing: EndpointConnectionError"):
        acquire_aws(case, Wanted(regions=(REGION,), functions=("orders",), endpoint_url=url, limits=FAST))
    lines = stored(case, items(case)[0].evidence_id)
    assert {line["outcome"] for line in lines} == {"failed"}
    asked = [line for line in lines if line["service"] == "lambda" and not line["error"].startswith("NotAsked")]
    assert len(asked) == 1
    require_intact(case)


def test_without_credentials_or_region_nothing_is_asked(
    case: Case, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(front.asked)
    with pytest.raises(UsageError, match=r"names no region\. State --region"):
        acquire_aws(case, Wanted(endpoint_url=front.url))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UsageError, match="no credentials found"):
        acquire_aws(case, Wanted(regions=(REGION,), endpoint_url=front.url))
    with pytest.raises(UsageError, match="profile 'nobody'"):
        acquire_aws(case, Wanted(regions=(REGION,), profiles=("nobody",), endpoint_url=front.url))
    with pytest.raises(UsageError, match=r"--region 'evil\.example/'"):
        acquire_aws(case, Wanted(regions=("evil.example/",), endpoint_url=front.url))
    assert len(front.asked) == before
    assert not case.custody.exists()


# --------------------------------------------------------------------------------------------- killed

KILLED = """
import sys
from pathlib import Path
from playbooks.case import open_case
from playbooks.evidence.acquire.aws import Wanted, acquire_aws
acquire_aws(open_case(Path(sys.argv[1])), Wanted(regions=("us-east-1",), endpoint_url=sys.argv[2]))
"""


@pytest.mark.parametrize("after", [1, 9, 25])
def test_killed_midway_nothing_is_in_the_bag_and_the_next_acquisition_works(
    after: int, case: Case, front: Front, rules: list[Rule]
) -> None:
    reached, released, count = threading.Event(), threading.Event(), [0]

    def stall(asked: Asked, _: bytes) -> None:
        count[0] += 1
        if count[0] > after:
            reached.set()
            released.wait(30)

    rules.append(stall)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(case.path), front.url])
    try:
        assert reached.wait(30)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        released.set()
        rules.clear()
    assert items(case) == []
    assert custody.entries(case.custody) == []
    lines = acquired(open_case(case.path), front)
    assert of(lines, "GetFunction", "orders")["outcome"] == "answered"
    assert list((case.path / FOLDER).iterdir()) == []
    require_intact(case)


def test_a_broken_off_acquisition_ends_its_threads_and_leaves_nothing(
    case: Case, front: Front, rules: list[Rule]
) -> None:
    class BrokenOff(KeyboardInterrupt):
        pass

    broken = threading.Event()

    def told(name: str) -> None:
        if name == "mail" and not broken.is_set():
            broken.set()
            raise BrokenOff

    rules.append(lambda *_: time.sleep(0.05))  # the other region has much before it when one breaks off

    wanted = Wanted(regions=(REGION, "eu-west-1"), endpoint_url=front.url, limits=FAST)
    with pytest.raises(BrokenOff):
        acquire_aws(case, wanted, told=told)
    time.sleep(2)  # the calls that were under way
    before = len(front.asked)
    time.sleep(0.5)
    assert len(front.asked) == before
    assert items(case) == []
    assert list((case.path / FOLDER).iterdir()) == []


# ------------------------------------------------------------------------------------ what is wanted


def test_values_of_the_environment_are_kept_when_the_case_says_so(case: Case, front: Front) -> None:
    text = (case.path / "case.yaml").read_text(encoding="utf-8")
    kept = text.replace("redact_secrets: true", "redact_secrets: true, keep_environment_values: true")
    (case.path / "case.yaml").write_text(kept, encoding="utf-8")
    line = of(acquired(open_case(case.path), front, functions=("orders",)), "GetFunctionConfiguration", "orders")
    assert json.loads(line["body"])["Environment"] == {"Variables": {"TOKEN": SECRET}}
    assert "redacted" not in line


def test_named_functions_only_are_asked_about(case: Case, front: Front) -> None:
    lines = acquired(case, front, functions=(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders:live", "lost"))
    asked = {line["request"]["FunctionName"] for line in lines if "FunctionName" in line["request"]}
    assert asked == {"orders", "lost"}
    assert of(lines, "GetFunction", "lost")["outcome"] == "absent"
    with pytest.raises(UsageError, match="expected the name or the ARN of a Lambda function"):
        acquired(case, front, functions=("../../x",))


def test_regions_run_in_the_executor_of_the_caller(case: Case, front: Front) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        wanted = Wanted(regions=(REGION, "eu-west-1"), endpoint_url=front.url, limits=FAST)
        (one,) = acquire_aws(case, wanted, executor)
    lines = stored(case, one.evidence_id)
    for region in (REGION, "eu-west-1"):
        told = [line for line in lines if line["region"] == region and line["operation"] == "GetFunctionConfiguration"]
        assert {line["resource"] for line in told if line["outcome"] == "answered"} == {"orders", "mail"}
    # a role of the whole account is asked about once, though functions of both regions run with it
    assert [line["region"] for line in lines if line["operation"] == "GetRole"] == ["global"]
    assert len([line for line in lines if line["operation"] == "GetObject" and line["outcome"] == "answered"]) == 4


def test_each_profile_is_an_item_and_an_act_of_its_own(
    case: Case, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        "".join(f"[{n}]\naws_access_key_id=AKIA{n.upper()}\naws_secret_access_key=x\n" for n in ("one", "two"))
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    wanted = Wanted(regions=(REGION,), profiles=("one", "two"), endpoint_url=front.url, limits=FAST)
    done = acquire_aws(case, wanted)
    assert [one.entry["collector"]["access_key_id"] for one in done] == ["AKIAONE", "AKIATWO"]
    assert [one.entry["scope"]["profile"] for one in done] == ["one", "two"]
    assert len({one.evidence_id for one in done}) == 2


def test_a_redirected_log_group_is_the_one_that_is_asked_about(case: Case, front: Front, rules: list[Rule]) -> None:
    configuration = {"FunctionName": "orders", "LoggingConfig": {"LogGroup": "/quiet/place"}}
    rules.append(answers("GetFunction", {"Configuration": configuration}))
    lines = acquired(case, front, functions=("orders",))
    groups = {line["request"]["logGroupNamePrefix"] for line in lines if line["operation"] == "DescribeLogGroups"}
    assert groups == {"/quiet/place"}


def test_the_digest_of_a_container_image_is_told_and_the_image_is_said_not_to_be_there(
    case: Case, front: Front, rules: list[Rule]
) -> None:
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/orders@sha256:{'ab' * 32}"
    rules.append(answers("GetFunction", {"Configuration": {}, "Code": {"ResolvedImageUri": image}}))
    line = of(acquired(case, front, functions=("orders",)), "GetObject", "orders")
    assert (line["outcome"], line["image"]) == ("failed", image)
    assert line["error"] == f"NotCollected: the code is a container image, which is not fetched: {image}"
