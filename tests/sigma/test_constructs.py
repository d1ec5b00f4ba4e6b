"""Every construct of Sigma, each as a small rule over the same ten records."""

from __future__ import annotations

import base64

import pytest
from tests.sigma.sigma_case import by_title, case_of, cloudtrail, matched, ran, rule

RECORDS = (
    cloudtrail(1, eventName="UpdateFunctionCode20150331v2", requestParameters={"functionName": "pay", "size": 10}),
    cloudtrail(2, eventName="Invoke", sourceIPAddress="198.51.100.7", requestParameters={"functionName": "PAY"}),
    cloudtrail(
        3,
        eventName="ConsoleLogin",
        eventSource="signin.amazonaws.com",
        errorCode="AccessDenied",
        responseElements={"ConsoleLogin": "Failure"},
        additionalEventData={"MFAUsed": "No"},
    ),
    cloudtrail(
        4,
        eventName="AuthorizeSecurityGroupIngress",
        eventSource="ec2.amazonaws.com",
        requestParameters={
            "ipPermissions": {
                "items": [
                    {"toPort": 443, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}},
                    {"toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}},
                ]
            }
        },
    ),
    cloudtrail(
        5,
        eventName="PutObject",
        eventSource="s3.amazonaws.com",
        readOnly=False,
        requestParameters={"key": "50%_off\\*.txt", "note": "line one\nline two", "empty": "", "nothing": None},
    ),
    cloudtrail(
        6,
        eventName="SendCommand",
        eventSource="ssm.amazonaws.com",
        userAgent="curl/8",
        sourceIPAddress="2001:db8::17",
        requestParameters={"command": "cmd /c whoami", "size": 2.5},
    ),
    cloudtrail(
        7,
        eventName="SendCommand",
        eventSource="ssm.amazonaws.com",
        requestParameters={
            "command": "run " + base64.b64encode(b"xx http://relay.example.test/a").decode(),
            "size": 300,
        },
    ),
    cloudtrail(
        8,
        eventName="CreateUser",
        eventSource="iam.amazonaws.com",
        requestParameters={"userName": "dana", "tags": ["red", "blue"], "title": 'Ärger "quoted"'},
    ),
    cloudtrail(
        9,
        eventName="CreateUser",
        eventSource="iam.amazonaws.com",
        userAgent="AWS-CLI/2.15",
        sourceIPAddress="iam.amazonaws.com",
        requestParameters={"userName": "eve", "tags": []},
    ),
    cloudtrail(10, eventName="DeleteTrail", eventSource="cloudtrail.amazonaws.com", sourceIPAddress="10.200.3.4"),
)
ALL = list(range(1, 11))
P = "requestParameters."


def select(*lines: str, condition: str = "selection") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"detection:\n  selection:\n{body}  condition: {condition}"


CASES: dict[str, tuple[str, list[int]]] = {
    "equal, whatever the case": (select("eventName: invoke", f"{P}functionName: Pay"), [2]),
    "one of a list": (select("eventName: [Invoke, DeleteTrail]"), [2, 10]),
    "all fields of a map": (select("eventName: CreateUser", f"{P}userName: eve"), [9]),
    "one of a list of maps": (select("- eventName: Invoke", f"- {P}userName: eve"), [2, 9]),
    "contains": (select("eventName|contains: FUNCTION"), [1]),
    "contains all": (select(f"{P}command|contains|all: [cmd, whoami]"), [6]),
    "startswith for names with a version behind": (select("eventName|startswith: UpdateFunctionCode"), [1]),
    "endswith": (select("eventSource|endswith: .amazonaws.com", "eventName|endswith: v2"), [1]),
    "wildcard for many": (select("eventName: Create*"), [8, 9]),
    "wildcard in the middle": (select("eventName: A*Security*Ingress"), [4]),
    "wildcard for one": (select("eventName: Invo?e"), [2]),
    "an escaped wildcard is a character": (select(f"{P}key|contains: '\\*.txt'"), [5]),
    "a percent sign and an underscore are characters": (select(f"{P}key: 50%_o*"), [5]),
    "a percent sign fits no other": (select(f"{P}key: 5_%*"), []),
    "a wildcard alone needs a value": (select("errorCode: '*'"), [3]),
    "cased": (select(f"{P}functionName|cased: PAY"), [2]),
    "cased contains": (select("userAgent|cased|contains: aws-cli"), [1, 2, 3, 4, 5, 7, 8, 10]),
    "regular expression, in its own case": (select(f"{P}functionName|re: '^pay$'"), [1]),
    "regular expression, any case": (select(f"{P}functionName|re|i: '^pay$'"), [1, 2]),
    "regular expression over lines": (select(f"{P}note|re|m: '^line two$'"), [5]),
    "regular expression with a dot for line ends": (select(f"{P}note|re|s: 'one.line'"), [5]),
    "regular expression without it": (select(f"{P}note|re: 'one.line'"), []),
    "a catastrophic regular expression takes no longer": (select(f"{P}command|re: '^(([a-z])+.)+[A-Z]([a-z])+$'"), []),
    "address in a network": (select("sourceIPAddress|cidr: 10.0.0.0/8"), [10]),
    "address in an odd network": (select("sourceIPAddress|cidr: 198.51.100.4/30"), [2]),
    "address in a network of version 6": (select("sourceIPAddress|cidr: 2001:db8::/64"), [6]),
    "address beside a network of version 6": (select("sourceIPAddress|cidr: 2001:db8:1::/48"), []),
    "base64 at any offset": (select(f"{P}command|base64offset|contains: 'http://relay.example.test'"), [7]),
    "base64": (select(f"{P}command|base64|contains: 'xx http://relay.example.tes'"), [7]),
    "a dash or a slash": (select(f"{P}command|windash|contains: ' -c whoami'"), [6]),
    "a field that is there": (select(f"{P}functionName|exists: true"), [1, 2]),
    "a field that is not there": (select("errorCode|exists: false", "eventSource: ec2.amazonaws.com"), [4]),
    "null is no value": (select(f"{P}nothing: null", f"{P}empty: ''"), [5]),
    "less": (select(f"{P}size|lt: 3"), [6]),
    "at most": (select(f"{P}size|lte: 10"), [1, 6]),
    "more, by number and not by text": (select(f"{P}size|gt: 9"), [1, 7]),
    "at least": (select(f"{P}size|gte: 300"), [7]),
    "a number": (select(f"{P}size: 300"), [7]),
    "a boolean": (select("readOnly: false"), [5]),
    "another field": (select("userIdentity.userName|fieldref: requestParameters.userName"), [8]),
    "the hour of a field": (select("eventTime|hour: 9", "eventName: Invoke"), [2]),
    "a value that is not one": (select("eventSource: iam.amazonaws.com", f"{P}userName|neq: dana"), [9]),
    "one of a list in the record": (select(f"{P}tags: BLUE"), [8]),
    "through lists of the record": (select(f"{P}ipPermissions.items.ipRanges.items.cidrIp: 0.0.0.0/0"), [4]),
    "a number in lists of the record": (select(f"{P}ipPermissions.items.toPort|lt: 100"), [4]),
    "an object as text": (select("responseElements|contains: Failure"), [3]),
    "not, where the field is missing": (
        "detection:\n  selection: {eventSource: iam.amazonaws.com}\n  filter: {errorCode: '*'}\n"
        "  condition: selection and not filter",
        [8, 9],
    ),
    "brackets and or": (
        "detection:\n  a: {eventName: Invoke}\n  b: {eventName: DeleteTrail}\n  c: {sourceIPAddress: 10.200.3.4}\n"
        "  condition: (a or b) and not c",
        [2],
    ),
    "1 of a pattern": (
        "detection:\n  selection_a: {eventName: Invoke}\n  selection_b: {eventName: DeleteTrail}\n"
        "  other: {eventName: CreateUser}\n  condition: 1 of selection_*",
        [2, 10],
    ),
    "all of a pattern": (
        "detection:\n  selection_a: {eventName: CreateUser}\n  selection_b: {'userAgent|startswith': aws}\n"
        "  condition: all of selection_*",
        [8, 9],
    ),
    "all of them": (
        "detection:\n  a: {eventName: CreateUser}\n  b: {userAgent: AWS-CLI/2.15}\n  condition: all of them",
        [8, 9],
    ),
    "keywords anywhere in the record": (
        "detection:\n  keywords: [whoami, deletetrail]\n  condition: keywords",
        [6, 10],
    ),
    "a keyword that JSON escapes": ("detection:\n  keywords: ['\"quoted\"']\n  condition: keywords", [8]),
    "a keyword that JSON writes in ASCII": ("detection:\n  keywords: ['Ärger']\n  condition: keywords", [8]),
    "a keyword with a wildcard": ("detection:\n  keywords: ['cmd*whoami']\n  condition: keywords", [6]),
    "all keywords": ("detection:\n  keywords: {'|all': [cmd, whoami]}\n  condition: keywords", [6]),
    "a keyword as regular expression": ("detection:\n  keywords: {'|re': 'who[am]{2}i'}\n  condition: keywords", [6]),
    "a quote in a value ends nothing": (select('eventName: "x\' OR 1=1 --"'), []),
    "a quote in a field ends nothing": (select("\"eventName' OR '1'='1\": x"), []),
    "several conditions are alternatives": (
        "detection:\n  a: {eventName: Invoke}\n  b: {eventName: DeleteTrail}\n  condition: [a, b]",
        [2, 10],
    ),
    "every record": (select("recipientAccountId: '111122223333'"), ALL),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    rules = {f"{number:02d}.yml": rule(title, body) for number, (title, (body, _)) in enumerate(CASES.items())}
    run = ran(case_of(tmp_path_factory.mktemp("constructs"), RECORDS, rules))
    assert {one.title: one.reason for one in by_title(run).values() if one.status not in ("matched", "clear")} == {}
    return matched(run)


@pytest.mark.parametrize("title", CASES)
def test_a_construct_fits_the_records_that_it_names(title: str, found: dict[str, list[int]]) -> None:
    assert found[title] == CASES[title][1]


NOT_CONVERTED = {
    "a placeholder": (
        select("userIdentity.arn|expand: '%admins%'"),
        "the placeholder %admins% has no values in a case",
    ),
    "a wide text": (select(f"{P}command|wide|base64offset|contains: who"), ""),
    "a wide text as it is": (select(f"{P}command|wide: who"), "a value with NUL characters"),
    "a pattern that looks ahead": (select("eventName|re: '^(?!Get).*'"), "Regular expression"),
    "a condition of very many brackets": (
        select("eventName: a", condition="(" * 9 + "selection" + ")" * 9),
        "brackets",
    ),
    "a pattern too large": (select("eventName|re: '((a{100}){100}){100}'"), "Regular expression"),
}


def test_what_cannot_be_tested_is_listed_with_its_reason(tmp_path_factory: pytest.TempPathFactory) -> None:
    rules = {f"{number}.yml": rule(title, body) for number, (title, (body, _)) in enumerate(NOT_CONVERTED.items())}
    run = ran(case_of(tmp_path_factory.mktemp("refused"), RECORDS[:1], rules))
    for title, outcome in by_title(run).items():
        reason = NOT_CONVERTED[title][1]
        assert (outcome.status, outcome.reason[: len(reason)] == reason or reason in outcome.reason) == (
            "not converted" if reason else "clear",
            True,
        ), outcome
