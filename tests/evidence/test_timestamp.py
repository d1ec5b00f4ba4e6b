"""Time stamps: a real authority's token proves a time; whatever else it sends is kept, recorded and named."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.evidence.authority import NEEDS_OPENSSL, NOW, STAMPING, Authority, Certified, authority

from playbooks.case import Case, new_case, open_case
from playbooks.errors import UsageError
from playbooks.evidence import add, custody, timestamp, verify
from playbooks.evidence.checks import Check, State
from playbooks.evidence.keys import public_of
from playbooks.evidence.seal import Sealed, seal
from playbooks.evidence.seal_check import check_seals
from playbooks.evidence.timestamp import LARGEST_ANSWER, Stamp, request_token
from playbooks.evidence.timestamp_check import check_tokens, load_roots
from playbooks.evidence.timestamp_token import NoToken, read_token, verify_token

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
pytestmark = NEEDS_OPENSSL


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = new_case(tmp_path / "case", "TIME-1")
    (tmp_path / "a.log").write_text("a line\n")
    add(made, [tmp_path / "a.log"])
    return made


def asking(case: Case, url: str) -> Case:
    """The case with an authority named in its case file."""
    file = case.path / "case.yaml"
    options = "options: {online_lookups: false, redact_secrets: true"
    text = file.read_text()
    assert options in text
    file.write_text(text.replace(options, f"{options}, timestamp_url: {json.dumps(url)}"))
    return open_case(case.path)


def sealed_and_asked(case: Case, url: str) -> tuple[Sealed, Stamp]:
    named = asking(case, url)
    sealed = seal(named, KEY)
    stamp = request_token(named, sealed.statement)
    assert stamp is not None
    return sealed, stamp


def one(case: Case, *roots: Certified) -> Check:
    (check,) = check_tokens(case, [root.certificate for root in roots])
    return check


def answer(case: Case) -> Path:
    return case.path / "seals/0001.json.tsr"


def asked(tsa: Authority, content: bytes) -> bytes:
    """A query by somebody else."""
    return tsa.query(hashlib.sha256(content).digest())


def recorded(case: Case) -> dict[str, object]:
    last = custody.entries(case.custody)[-1]
    assert last["activity"] == "stamped"
    return {name: last[name] for name in last if name in ("seal", "authority", "outcome", "reason", "answer_sha256")}


# off, asked, granted


def test_nothing_is_sent_unless_the_case_names_an_authority(case: Case, tsa: Authority) -> None:
    before = len(tsa.asked)
    sealed = seal(case, KEY)
    assert request_token(case, sealed.statement) is None
    assert len(tsa.asked) == before
    assert one(case, tsa.root) == Check(
        "time stamp",
        State.NOT_PRESENT,
        "no seal has one; options.timestamp_url in case.yaml names an authority to ask",
    )


def test_a_granted_token_is_kept_recorded_and_verified_with_the_root(case: Case, tsa: Authority) -> None:
    sealed, stamp = sealed_and_asked(case, f"{tsa.url}/granted?key=secret")
    raw = answer(case).read_bytes()
    assert stamp == Stamp(f"{tsa.url}/granted", answer(case), time=stamp.time)
    assert recorded(case) == {
        "seal": 1,
        "authority": f"{tsa.url}/granted",
        "outcome": "success",
        "answer_sha256": hashlib.sha256(raw).hexdigest(),
    }
    assert custody.entries(case.custody)[-1]["stamped_time"] == stamp.time
    claim = f"{stamp.time} (within 1.5 s), says CN=Test Authority"
    assert one(case, tsa.root) == Check(
        "time stamp",
        State.VERIFIED,
        f"0001: the statement existed before {claim}; signature and certificates are right",
    )
    assert one(case) == Check(
        "time stamp",
        State.NOT_CHECKED,
        f"0001: claims {claim}; give the root certificate of the authority with --tsa-root to check its signature",
    )
    assert verify(case).intact
    assert check_seals(case, [public_of(KEY)])[0].state is State.VERIFIED
    assert by_openssl(tsa, sealed.statement, answer(case)) == "Verification: OK\n"


def by_openssl(tsa: Authority, statement: Path, token: Path) -> str:
    """What `openssl ts -verify` says, which knows nothing of this kit."""
    command = ["openssl", "ts", "-verify", "-data", statement, "-in", token, "-CAfile", tsa.folder / "root.pem"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("order", ["chain", "reversed"])
def test_certificates_in_any_order_are_read_and_the_answer_is_kept_as_it_came(
    order: str, case: Case, tsa: Authority
) -> None:
    sealed, stamp = sealed_and_asked(case, f"{tsa.url}/{order}")
    assert stamp.failure == ""
    assert one(case, tsa.root).state is State.VERIFIED
    assert by_openssl(tsa, sealed.statement, answer(case)) == "Verification: OK\n"


def test_a_token_of_another_root_is_not_verified(case: Case, tsa: Authority) -> None:
    _, stamp = sealed_and_asked(case, f"{tsa.url}/stranger")
    words = (
        f"0001: claims {stamp.time} (within 1.5 s), says CN=Strange Authority; "
        "no root that was given leads to the authority that issued it"
    )
    assert one(case, tsa.root) == Check("time stamp", State.NOT_CHECKED, words)
    assert one(case, tsa.root, tsa.other_root).state is State.VERIFIED


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("expired", "a certificate of the authority had expired at the time it states"),
        ("future", "a certificate of the authority was not yet valid at the time it states"),
    ],
)
def test_a_certificate_that_was_not_valid_then_breaks_the_token(
    way: str, words: str, case: Case, tsa: Authority
) -> None:
    sealed_and_asked(case, f"{tsa.url}/{way}")
    check = one(case, tsa.root)
    assert (check.state, check.detail, len(check.faults)) == (State.BROKEN, f"0001: {words}", 1)
    assert check.faults[0].where == "seals/0001.json.tsr"


# what goes wrong at the authority

FAILED = {
    "refused": ("the authority gave no token: status 2 (rejection): Bad request format or system error.", True),
    "error": ("HTTP 500", True),
    "redirect": (
        "HTTP 302: it sends on to file:///etc/passwd, which is not followed; if right, put it in case.yaml",
        True,
    ),
    "garbage": ("no answer of a time stamping authority (", True),
    "empty": ("no answer of a time stamping authority (", True),
    "cut": ("no answer of a time stamping authority (", True),
    "other-bytes": ("the token is over other bytes", True),
    "asked-before": ("the token answers another request: its nonce is not the one that was sent", True),
    "huge": ("the answer is larger than 1 MiB; not kept", False),
    "hang-up": ("not answered: Remote end closed connection without response", False),
}


@pytest.mark.parametrize("way", FAILED)
def test_a_failure_is_told_recorded_and_stops_nothing(way: str, case: Case, tsa: Authority) -> None:
    words, kept = FAILED[way]
    _, stamp = sealed_and_asked(case, f"{tsa.url}/{way}")
    assert stamp.failure.startswith(words)
    assert (stamp.time, stamp.file is not None, answer(case).exists()) == ("", kept, kept)
    assert recorded(case) == {
        "seal": 1,
        "authority": f"{tsa.url}/{way}",
        "outcome": "failure",
        "reason": stamp.failure,
        "answer_sha256": hashlib.sha256(answer(case).read_bytes()).hexdigest() if kept else None,
    }
    expected = Check("time stamp", State.NOT_PRESENT, f"0001: asked for, and none given: {stamp.failure}")
    assert one(case, tsa.root) == one(case) == expected
    assert check_seals(case, [public_of(KEY)])[0].state is State.VERIFIED
    assert verify(case).intact


@pytest.mark.parametrize("address", ["refused", "no host", "no port", "no name"])
def test_an_authority_that_is_not_there_is_named(address: str, case: Case) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    urls = {
        "refused": (f"http://127.0.0.1:{closed}/", "not reached: [Errno 111] Connection refused"),
        "no host": ("http:///tsa", "not reached: no host given"),
        "no port": ("http://127.0.0.1:tsa/", "not answered: nonnumeric port: 'tsa'"),
        "no name": ("http://[::1/", "not answered: Invalid IPv6 URL"),
    }
    url, words = urls[address]
    _, stamp = sealed_and_asked(case, url)
    assert (stamp.failure, stamp.file) == (words, None)
    assert one(case).detail == f"0001: asked for, and none given: {words}"


def test_name_and_password_in_the_address_do_not_reach_the_chain(case: Case) -> None:
    _, stamp = sealed_and_asked(case, "http://ana:hunter2@127.0.0.1:1/tsa?key=hunter2")
    assert stamp.authority == "http://127.0.0.1:1/tsa"
    assert b"hunter2" not in case.custody.read_bytes()


def test_an_answer_that_drips_in_is_given_up(case: Case, tsa: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamp, "PATIENCE_S", 1)
    _, stamp = sealed_and_asked(case, f"{tsa.url}/drip")
    assert stamp.failure == "the answer was not complete after 1 s; not kept"


def test_an_authority_that_says_nothing_is_given_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamp, "SILENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _, stamp = sealed_and_asked(case, f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert stamp.failure == "not answered: timed out"


def test_an_authority_is_asked_once_a_seal(case: Case, tsa: Authority) -> None:
    sealed, _ = sealed_and_asked(case, f"{tsa.url}/garbage")
    with pytest.raises(UsageError, match=r"an authority was asked already. Seal again to ask again\."):
        request_token(open_case(case.path), sealed.statement)
    assert answer(case).read_bytes().startswith(b"<html>")


def test_only_a_statement_is_stamped(case: Case, tsa: Authority, tmp_path: Path) -> None:
    named = asking(case, f"{tsa.url}/granted")
    for file in (tmp_path / "a.log", case.path / "seals/0009.json", case.path / "seals/0001.json.sig"):
        with pytest.raises(UsageError, match=r"Expected a statement such as seals/0001\.json"):
            request_token(named, file)


# changed afterwards


def stamped(case: Case, tsa: Authority) -> None:
    _, stamp = sealed_and_asked(case, f"{tsa.url}/granted")
    assert stamp.failure == ""


def test_a_deleted_token_is_told(case: Case, tsa: Authority) -> None:
    stamped(case, tsa)
    answer(case).unlink()
    check = one(case, tsa.root)
    assert (check.state, check.detail) == (State.BROKEN, "0001: missing, though the chain says that an answer was kept")


def test_a_token_replaced_by_another_good_one_is_told(case: Case, tsa: Authority) -> None:
    stamped(case, tsa)
    content = (case.path / "seals/0001.json").read_bytes()
    answer(case).write_bytes(tsa.reply(asked(tsa, content)))
    check = one(case, tsa.root)
    assert (check.state, check.detail) == (
        State.BROKEN,
        "0001: not the answer that the chain recorded: it was replaced",
    )


def test_a_token_brought_from_elsewhere_counts_and_is_told(case: Case, tsa: Authority) -> None:
    """Asked for by hand, with `openssl ts` and curl."""
    sealed = seal(case, KEY)
    answer(case).write_bytes(tsa.reply(asked(tsa, sealed.statement.read_bytes())))
    check = one(case, tsa.root)
    assert check.state is State.VERIFIED
    assert check.detail.endswith("are right; nothing in the chain records that it was asked for")


def test_a_token_over_other_bytes_is_broken_with_and_without_a_root(case: Case, tsa: Authority) -> None:
    seal(case, KEY)
    answer(case).write_bytes(tsa.reply(asked(tsa, b"other bytes")))
    for check in (one(case), one(case, tsa.root)):
        assert check.state is State.BROKEN
        assert check.detail.startswith("0001: it is over other bytes than the statement")


def test_a_changed_statement_breaks_its_token(case: Case, tsa: Authority) -> None:
    stamped(case, tsa)
    file = case.path / "seals/0001.json"
    file.write_bytes(file.read_bytes().replace(b'"items":1', b'"items":2'))
    assert one(case, tsa.root).detail == "0001: it is over other bytes than the statement"
    file.unlink()
    assert one(case, tsa.root).detail == "0001: the statement is missing, so there is nothing that the token is over"


HOSTILE = {"empty": b"", "bytes": bytes(range(256)), "huge": b"\0" * (LARGEST_ANSWER + 1), "der": b"\x30\x80" * 5000}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_token_is_broken_and_never_a_crash(kind: str, case: Case, tsa: Authority) -> None:
    seal(case, KEY)
    answer(case).write_bytes(HOSTILE[kind])
    check = one(case, tsa.root)
    assert check.state is State.BROKEN
    assert check.detail.isprintable()


def test_a_link_or_a_pipe_for_a_token_is_not_opened(case: Case, tsa: Authority) -> None:
    seal(case, KEY)
    answer(case).symlink_to("/dev/zero")
    assert one(case, tsa.root).detail.startswith("0001: no plain file")


# the token itself


@pytest.fixture(scope="module")
def token(tsa: Authority) -> bytes:
    return tsa.reply(asked(tsa, b"content"))


def test_no_byte_of_what_is_signed_can_be_changed(tsa: Authority, token: bytes) -> None:
    """Time, hash, serial number, policy: from the content's start to its end."""
    roots = [tsa.root.certificate]
    whole = read_token(token)
    assert verify_token(whole, b"content", roots)[0] is State.VERIFIED
    start = token.index(hashlib.sha256(b"content").digest()) - 30
    for place in range(start, start + 100):
        changed = bytearray(token)
        changed[place] ^= 1
        try:
            state, _ = verify_token(read_token(bytes(changed)), b"content", roots)
        except NoToken:
            continue
        assert state is not State.VERIFIED, place


def test_an_earlier_time_cannot_be_written_into_a_token(tsa: Authority, token: bytes) -> None:
    year = str(NOW.year).encode()
    earlier = token.replace(year, str(NOW.year - 1).encode(), 1)
    found = read_token(earlier)
    assert found.time.year == NOW.year - 1
    assert verify_token(found, b"content", [tsa.root.certificate])[0] is State.BROKEN


def test_a_changed_signature_or_serial_number_is_told(tsa: Authority, token: bytes) -> None:
    words = "its signature is not right"
    number = token.index(b"\x18\x0f" + str(NOW.year).encode()) - 1  # the byte before the time
    for place in (len(token) - 1, number):
        changed = bytearray(token)
        changed[place] ^= 1
        answer = verify_token(read_token(bytes(changed)), b"content", [tsa.root.certificate])
        assert answer == (State.BROKEN, words)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_whatever_is_changed_in_an_answer_nothing_crashes(tsa: Authority) -> None:
    raw = tsa.reply(asked(tsa, b"content"), "-chain", "chain.pem", signer="deep")
    roots, chance, read = [tsa.root.certificate], random.Random(31), 0
    for _ in range(4000):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(raw))] = chance.randrange(256)
        try:
            _, words = verify_token(read_token(bytes(changed)), b"content", roots)
        except NoToken as error:
            words = str(error)
        else:
            read += 1
            assert words
        assert words.isprintable()
    assert 100 < read < 4000
    for size in range(0, len(raw), 7):
        with pytest.raises(NoToken):
            read_token(raw[:size])


def test_a_certificate_for_other_purposes_stamps_no_time(tsa: Authority) -> None:
    """`openssl ts` refuses to sign with one: so its owner puts it into a token in place of its good twin."""
    good = Certified("Web Server", by=tsa.root, purpose=STAMPING)
    web = Certified("Web Server", by=tsa.root, purpose=ExtendedKeyUsageOID.SERVER_AUTH, twin=good)
    good.write(tsa.folder, "web")
    raw = tsa.reply(asked(tsa, b"content"), signer="web")
    roots = [tsa.root.certificate]
    assert verify_token(read_token(raw), b"content", roots)[0] is State.VERIFIED
    assert raw.count(good.der()) == 1
    words = "its certificate is not one for time stamps"
    assert verify_token(read_token(raw.replace(good.der(), web.der())), b"content", roots) == (State.BROKEN, words)


# roots


def test_roots_are_read_from_pem(tsa: Authority, tmp_path: Path) -> None:
    file = tmp_path / "roots.pem"
    file.write_bytes(tsa.root.pem() + tsa.other_root.pem())
    assert load_roots(file) == [tsa.root.certificate, tsa.other_root.certificate]


@pytest.mark.parametrize("kind", ["missing", "garbage", "key", "folder"])
def test_what_is_no_root_is_named(kind: str, tsa: Authority, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"\x1b[2J garbage")
    (tmp_path / "folder").mkdir()
    file = tsa.folder / "signer.key" if kind == "key" else tmp_path / kind
    with pytest.raises(UsageError) as error:
        load_roots(file)
    expected = "no such file" if kind in ("missing", "folder") else "holds no certificate that can be read. Expected"
    assert expected in str(error.value)
