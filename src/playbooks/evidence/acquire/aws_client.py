"""One read-only call of AWS: bounded, retried, and its raw answer taken before botocore parses it.

botocore reads a whole answer into memory and hands out what it parsed. Here its HTTP session is wrapped:
the body is read up to a limit and kept as the bytes that came over the wire. Credentials come from
boto3's own chain; nothing of them is kept but the id of the access key.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from playbooks import __version__
from playbooks.errors import AllFailed, UsageError
from playbooks.evidence.acquire.answers import Outcome

USER_AGENT = f"playbooks-acquire/{__version__}"
READS = re.compile(r"(Get|List|Describe|Lookup|Filter)[A-Z]\w+")
BLOCK = 1 << 16
ABSENT = frozenset({"ResourceNotFoundException", "NoSuchEntity", "NoSuchEntityException"})
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "LimitExceededException",
    }
)
# botocore's parsers trust their server: an answer that is not shaped as documented can raise any of these
PARSE_FAULTS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError)


@dataclass(frozen=True)
class Limits:
    """What an answer, a listing and an acquisition may take at most."""

    answer_bytes: int = 7 << 20  # a record of more than 16 million characters is not read later
    answer_seconds: float = 300
    package_bytes: int = 512 << 20
    object_bytes: int = 2 << 30
    pages: int = 10_000
    calls: int = 1_000_000
    attempts: int = 5
    throttle_waits_s: tuple[float, ...] = (5, 20, 60)
    connect_seconds: float = 10
    read_seconds: float = 60


class OutOfBounds(AllFailed):
    """An answer larger or slower than an acquisition takes."""


@dataclass(frozen=True)
class Reply:
    """What came back of one call; `body` is what came over the wire, None where nothing did."""

    outcome: Outcome
    asked: dt.datetime
    answered: dt.datetime
    attempts: int
    status: int | None = None
    code: str = ""
    message: str = ""
    body: bytes | None = None
    request_id: str = ""
    parsed: Mapping[str, Any] = field(default_factory=dict)
    unreachable: bool = False

    @property
    def error(self) -> str:
        """`code: message`; empty where there was none."""
        return f"{self.code}: {self.message}" if self.code else ""


class _Wire:
    """Stands in for botocore's HTTP session: reads the body within limits and keeps it."""

    def __init__(self, inner: Any, limits: Limits) -> None:
        self.inner = inner
        self.limits = limits
        self.forget()

    def forget(self) -> None:
        """Before the next call."""
        self.attempts = 0
        self.body: bytes | None = None
        self.status: int | None = None

    def send(self, request: Any) -> Any:
        """Send one attempt; the body of an answer that is to be streamed is left to its reader."""
        from botocore.awsrequest import AWSResponse

        self.attempts += 1
        self.body = self.status = None
        streamed, request.stream_output = request.stream_output, True
        response = self.inner.send(request)
        self.status = response.status_code
        if streamed and response.status_code < 300:
            return response
        self.body = b"".join(bounded(response, self.limits.answer_bytes, self.limits.answer_seconds))
        return AWSResponse(response.url, response.status_code, response.headers, _Whole(self.body))

    def close(self) -> None:
        """As botocore's own."""
        self.inner.close()


@dataclass(frozen=True)
class _Whole:
    body: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.body


def bounded(response: Any, most: int, seconds: float) -> Iterator[bytes]:
    """The body of a response, block by block.

    Raises
    ------
    OutOfBounds
        It is larger than `most` bytes, or takes longer than `seconds`.
    """
    from botocore.response import StreamingBody

    end, size = time.monotonic() + seconds, 0
    body = StreamingBody(response.raw, response.headers.get("content-length"))
    try:
        while block := body.read(BLOCK):
            size += len(block)
            if size > most:
                raise OutOfBounds(f"the answer is larger than {most:,} bytes: not taken")
            if time.monotonic() > end:
                raise OutOfBounds(f"the answer took longer than {seconds:,.0f} seconds: not taken")
            yield block
    finally:
        body.close()


@cache
def _service_models() -> Any:
    """Descriptions of the services: reading them takes longer than many calls, and they are the same for all."""
    from botocore.loaders import create_loader

    return create_loader()


class Account:
    """The clients of one profile in one region, and the calls made with them. For one thread."""

    def __init__(self, profile: str | None, region: str | None, endpoint_url: str | None, limits: Limits) -> None:
        import boto3
        import botocore.session
        from botocore.exceptions import BotoCoreError

        try:
            core = botocore.session.Session(profile=profile)
            core.register_component("data_loader", _service_models())
            self.session = boto3.Session(botocore_session=core, region_name=region)
            self.credentials = self.session.get_credentials()
        except BotoCoreError as error:
            raise UsageError(f"profile {profile!r}: {error}. Expected a profile of your AWS configuration.") from error
        if self.credentials is None:
            raise UsageError(
                f"profile {profile or 'default'!r}: no credentials found. Expected what the AWS tools use: "
                "environment, profile, single sign-on or role. Log in and acquire again."
            )
        self.endpoint_url = endpoint_url
        self.limits = limits
        self._clients: dict[str, tuple[Any, _Wire]] = {}
        self._unreachable: dict[str, str] = {}
        self._throttled: set[tuple[str, str]] = set()

    @property
    def access_key_id(self) -> str:
        """Id of the access key, as audit logs write it; empty where none could be fetched. Never the secret."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return str(self.credentials.access_key)
        except (BotoCoreError, ClientError):
            return ""  # the first call says why

    def client(self, service: str) -> tuple[Any, _Wire]:
        """The client of a service, made once, with what stands between it and the wire."""
        if service not in self._clients:
            from botocore.config import Config

            client = self.session.client(
                service,
                endpoint_url=self.endpoint_url,
                config=Config(
                    user_agent_extra=USER_AGENT,
                    connect_timeout=self.limits.connect_seconds,
                    read_timeout=self.limits.read_seconds,
                    retries={"mode": "standard", "total_max_attempts": self.limits.attempts},
                ),
            )
            wire = _Wire(client._endpoint.http_session, self.limits)
            client._endpoint.http_session = wire
            self._clients[service] = (client, wire)
        return self._clients[service]

    def ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Reply:
        """Make one call, again after a pause while the service says that there are too many.

        An operation that pauses did not help once is not paused for again: the rest would wait for hours.

        Raises
        ------
        ValueError
            The operation is no read: a bug of this kit.
        """
        if not READS.fullmatch(operation):
            raise ValueError(f"{service} {operation} is no read-only operation")
        if why := self._unreachable.get(service):
            now = dt.datetime.now(dt.UTC)
            return Reply(Outcome.FAILED, now, now, 0, code="NotAsked", message=why)
        reply = self._ask(service, operation, parameters)
        for pause in () if (service, operation) in self._throttled else self.limits.throttle_waits_s:
            if reply.code not in THROTTLED:
                break
            time.sleep(pause)
            reply = self._ask(service, operation, parameters)
        if reply.code in THROTTLED:
            self._throttled.add((service, operation))
        if reply.unreachable:
            self._unreachable[service] = f"the endpoint was unreachable before ({reply.code})"
        return reply

    def _ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Reply:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
        from botocore.parsers import ResponseParserError

        asked = dt.datetime.now(dt.UTC)
        try:
            client, wire = self.client(service)
            wire.forget()
        except (BotoCoreError, ValueError) as error:  # no such endpoint in this region
            return _failed(asked, error)
        try:
            parsed = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            if wire.status is None:  # the service that gives out credentials said no
                return _failed(asked, error, wire)
            return _answer(asked, wire, _outcome(error), error.response)
        except (EndpointConnectionError, ConnectTimeoutError) as error:
            return _failed(asked, error, wire, unreachable=True)
        except (BotoCoreError, ResponseParserError, OutOfBounds, *PARSE_FAULTS) as error:
            return _failed(asked, error, wire)
        return _answer(asked, wire, Outcome.ANSWERED, parsed)


def _outcome(error: Any) -> Outcome:
    if error.response.get("Error", {}).get("Code") in ABSENT:
        return Outcome.ABSENT
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Outcome.REFUSED if 400 <= status < 500 else Outcome.FAILED


def _answer(asked: dt.datetime, wire: _Wire, outcome: Outcome, parsed: Mapping[str, Any]) -> Reply:
    if wire.status is None:
        raise RuntimeError("botocore answered without using the session that was given to it")
    error = parsed.get("Error", {}) if outcome is not Outcome.ANSWERED else {}
    return Reply(
        outcome,
        asked,
        dt.datetime.now(dt.UTC),
        wire.attempts,
        wire.status,
        str(error.get("Code", "")),
        " ".join(str(error.get("Message", "")).split())[:2000],
        wire.body,
        str(parsed.get("ResponseMetadata", {}).get("RequestId", "")),
        {name: value for name, value in parsed.items() if name != "ResponseMetadata"},
    )


def _failed(asked: dt.datetime, error: Exception, wire: _Wire | None = None, unreachable: bool = False) -> Reply:
    status = wire.status if wire else None
    return Reply(
        Outcome.REFUSED if status and 400 <= status < 500 else Outcome.FAILED,
        asked,
        dt.datetime.now(dt.UTC),
        wire.attempts if wire else 0,
        status,
        type(error).__name__,
        " ".join(str(error).split())[:2000],
        wire.body if wire else None,
        unreachable=unreachable,
    )
