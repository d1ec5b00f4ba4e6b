"""From CloudTrail's bytes to verbs and report: a key handed over, a function changed, its role calling anew."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bs4 import BeautifulSoup

from playbooks import guide
from playbooks.case import Case, new_case

HOME = "111122223333"
ROLE = f"arn:aws:iam::{HOME}:role/relay-role"
KEY = "AKIAEXAMPLE000000042"
RELAY = {"functionName": "relay"}
WINDOW = (
    "window: {start: 2026-03-10T00:00:00Z, end: 2026-03-12T00:00:00Z}\n"
    "baseline: {start: 2026-03-01T00:00:00Z, end: 2026-03-10T00:00:00Z}\n"
    "change_list: [{id: CHG-1, resource: ledger}]\n"
)


def user(name: str, key: str = "AKIAEXAMPLE000000001") -> dict[str, Any]:
    return {"type": "IAMUser", "userName": name, "arn": f"arn:aws:iam::{HOME}:user/{name}", "accountId": HOME,
            "accessKeyId": key}  # fmt: skip


def session(name: str) -> dict[str, Any]:
    issuer = {"type": "Role", "arn": ROLE, "accountId": HOME, "userName": "relay-role"}
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::{HOME}:assumed-role/relay-role/{name}", "accountId": HOME,
            "accessKeyId": "ASIAEXAMPLE000000002", "sessionContext": {"sessionIssuer": issuer}}  # fmt: skip


def record(time: str, what: str, who: dict[str, Any], asked: Any = None, **more: Any) -> dict[str, Any]:
    service, name = what.split(":")
    return {
        "eventVersion": "1.11", "userIdentity": who, "eventTime": f"2026-{time}:00Z", "awsRegion": "eu-central-1",
        "eventSource": f"{service}.amazonaws.com", "eventName": name, "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.24", "requestParameters": asked, "responseElements": None, "eventID": f"{time}-{name}",
        "recipientAccountId": HOME, "eventType": "AwsApiCall", "eventCategory": "Management",
    } | more  # fmt: skip


def records() -> list[dict[str, Any]]:
    svc, lambda_agent = user("svc-backup", KEY), {"userAgent": "Boto3/1.34 exec-env/AWS_Lambda_python3.12"}
    made = {"accessKey": {"accessKeyId": KEY, "userName": "svc-backup", "status": "Active"}}
    return [
        record("03-03T09:00", "lambda:CreateFunction20150331", user("admin"), {**RELAY, "role": ROLE}),
        record("03-04T09:00", "s3:ListBuckets", session("relay"), **lambda_agent),
        record("03-11T02:00", "iam:CreateAccessKey", user("mallory"), {"userName": "svc-backup"},
               responseElements=made),
        record("03-11T02:10", "lambda:UpdateFunctionCode20150331v2", svc, RELAY),
        record("03-11T02:12", "lambda:AddPermission20150331v2", svc, {**RELAY, "principal": "*"}),
        record("03-11T02:20", "lambda:Invoke", user("outsider"), RELAY, eventCategory="Data"),
        record("03-11T02:21", "secretsmanager:GetSecretValue", session("relay"), {"secretId": "db"}, **lambda_agent),
        record("03-11T02:22", "secretsmanager:ListSecrets", session("by-hand")),
        record("03-11T02:30", "cloudtrail:StopLogging", svc, {"name": "main"}),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("chain")
    log = folder / "trail.json"
    log.write_text(json.dumps({"Records": records()}), encoding="utf-8")
    made = new_case(folder / "case", "T-1")
    (made.path / "case.yaml").write_text(f"case_id: T-1\n{WINDOW}", encoding="utf-8")
    found = guide.open_case(str(made.path))
    guide.add(found, str(log))
    guide.normalise(found)
    return guide.open_case(str(made.path))


def test_the_chain_is_drawn_across_principals(case: Case) -> None:
    view = guide.chains(case)
    [picture] = view.pictures
    heads, steps = view.data
    assert list(heads.iloc[0].principals) == ["mallory", "svc-backup", "outsider", "relay-role"]
    assert [words for words in picture.summary.split(". ") if "→" in words] == [
        "mallory → svc-backup: key or password handed over; svc-backup → outsider: runs what was changed; "
        "svc-backup → relay-role: changed code runs as this role"
    ]
    assert view.tables[1].rows.linked_by.iloc[0] is None
    assert len(view.tables[1].rows) == len(steps)


def test_what_the_role_called_anew_and_a_session_of_somebody_else_are_told_apart(case: Case) -> None:
    view = guide.role_activity(case, function="relay")
    assert view.words == ("2 calls by 1 role of functions, 2 kinds of call new against the baseline; 1 session outside "
                          "the function, 0 unclear.",)  # fmt: skip
    calls, outside = view.tables
    assert set(calls.rows.operation) == {"GetSecretValue", "ListSecrets"}
    assert list(outside.rows.session) == ["by-hand"]
    none = guide.role_activity(case, function="other")
    assert none.words == ("No call by a role of other is in the window; other roles made some.",)
    assert none.tables == ()


def test_of_one_principal_every_value_is_told_and_of_nobody_nothing(case: Case) -> None:
    everyone = guide.identities(case)
    assert everyone.tables[0].rows.principal.iloc[0] == "svc-backup"
    assert len(everyone.tables) == 1
    details = guide.identities(case, "svc-backup").tables[1].rows
    assert {"operation", "address", "user agent", "access key"} <= set(details.kind)
    assert guide.identities(case, "nobody").words == ("No audit record of the window names nobody.",)


def test_the_report_tells_it_with_the_records_behind_each_row(case: Case) -> None:
    guide.report(case)
    page = BeautifulSoup((case.report / "report.html").read_text(encoding="utf-8"), "html.parser")
    parts = {head.get_text(): head for head in page.find(id="own-cloud").find_all_next("h3")}
    anchors = {element["id"] for element in page.find_all(id=True)}

    def table(title: str) -> Any:
        return parts[title].find_next("table")

    for title, told in (
        ("Chains of steps", "mallory, svc-backup, outsider, relay-role"),
        ("Who made calls that attackers use", "svc-backup"),
        ("Changes without a ticket", "UpdateFunctionCode"),
        ("What functions' roles called anew", "GetSecretValue"),
        ("Credentials used outside the function", "by-hand"),
        ("Logging after which less was recorded", "main"),
    ):
        rows = table(title).find("tbody")
        assert told in rows.get_text(), title
        for row in rows.find_all("tr"):
            links = [link["href"].removeprefix("#") for link in row.find_all("a")]
            assert links and set(links) <= anchors, f"{title}: a row without its raw record"
    assert page.find("figcaption", string=lambda text: text and text.startswith("Chain C-"))
