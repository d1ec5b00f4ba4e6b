"""Compressed files and archives: read as the text in them is, whatever happened to them on the way."""

from __future__ import annotations

import gzip
import io
import os
import random
import re
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.refresh_cases import CASES
from tests.normalise.packing import ARCHIVES, STREAMS, WHOLE, Members, gz, tarred, xz, zipped, zst

from playbooks.case import Case, new_case
from playbooks.evidence import add
from playbooks.formats import FORMATS, Json, TextLines
from playbooks.normalise import Source, containers, normalise, raw_records, read, show
from playbooks.normalise import cut as cutting
from playbooks.normalise.containers import packed_kind, source, zips
from playbooks.normalise.cut import cut
from playbooks.normalise.detect import take_sample
from playbooks.normalise.records import Records
from playbooks.normalise.text import EDGE, Damage, read_text

LINES = TextLines(r"(?P<line>.+)")
LAYOUTS = {form.name: form.cut for form in FORMATS}
CLOUDTRAIL = LAYOUTS["aws_cloudtrail"]
INDICATORS = LAYOUTS["indicator_csv"]
loose = settings(
    deadline=None, derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Cut = tuple[list[str], list[str], int]


def runs(data: bytes, folder: Path, layout: cutting.Layout = LINES) -> list[Records]:
    file = folder / "evidence"
    file.write_bytes(data)
    return list(cut(read_text(file), layout))


def cut_up(data: bytes, folder: Path, layout: cutting.Layout = LINES) -> Cut:
    """Raw records, reasons of the broken ones, and how many lines were blank."""
    found = runs(data, folder, layout)
    raws = [raw for run in found for raw in run.raws]
    reasons = [reason for run in found for _, reason in sorted(run.broken.items())]
    return raws, reasons, sum(run.blank for run in found)


def lines_of(member: str, count: int = 12) -> list[str]:
    """Lines that pack badly, so that every byte of a small archive counts."""
    chance = random.Random(member)
    return [f"{member} {i} {chance.getrandbits(64):x}" for i in range(count)]


def text_of(member: str) -> bytes:
    return ("\n".join(lines_of(member)) + "\n").encode()


THREE: Members = [(f"logs/{member}.log", text_of(member)) for member in ("one", "two", "three")]
THREE_LINES = [line for member in ("one", "two", "three") for line in lines_of(member)]


# ---------------------------------------------------------------- whole


@pytest.mark.parametrize("pack", WHOLE.values(), ids=WHOLE)
@given(text=st.one_of(st.text(max_size=300), st.lists(st.sampled_from(["a,b", "", "\r", "\n", "{", '"x"', "ü "]))))
@loose
def test_packed_text_is_cut_exactly_as_plain_text_is(pack: object, text: str | list[str], tmp_path: Path) -> None:
    data = "".join(text).encode("utf-8", "replace")
    assert callable(pack)
    if not packed_kind(data):
        for layout in (LINES, INDICATORS, CLOUDTRAIL):
            assert cut_up(pack(data), tmp_path, layout) == cut_up(data, tmp_path, layout)


@pytest.mark.parametrize("pack", WHOLE.values(), ids=WHOLE)
def test_a_packed_log_is_detected_and_read_as_the_plain_one_is(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    for name in ("aws_cloudtrail", "indicator_csv", "squid_access", "zeek_conn"):
        file = CASES / name / "normal.log"
        packed = tmp_path / f"{name}.log"
        packed.write_bytes(pack(file.read_bytes()))
        assert take_sample(packed).lines == take_sample(file).lines
        plain, unpacked = (list(read(Source("E001", path))) for path in (file, packed))
        assert [rows.in_order() for rows in unpacked] == [rows.in_order() for rows in plain]
        assert sum(rows.count for rows in unpacked) > 0
        assert [rows.unread for rows in unpacked] == [rows.unread for rows in plain]


def test_text_larger_than_a_block_is_the_same_packed_as_plain(tmp_path: Path) -> None:
    """JSON lines are told by the first block, so blocks must be the same too."""
    data = b'{"eventName": "' + b"x" * 1_500_000 + b'"}\n{"eventName": "b"}\n' + b'{"eventName": "c"}\n' * 60_000
    plain = cut_up(data, tmp_path, CLOUDTRAIL)
    assert len(plain[0]) == 60_002
    for pack in WHOLE.values():
        assert cut_up(pack(data), tmp_path, CLOUDTRAIL) == plain


@pytest.mark.parametrize("pack", ARCHIVES.values(), ids=ARCHIVES)
def test_members_are_read_in_the_order_of_the_archive(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    assert cut_up(pack(THREE), tmp_path) == (THREE_LINES, [], 0)
    assert cut_up(pack(THREE[::-1]), tmp_path)[0][0].startswith("three")


@pytest.mark.parametrize("pack", ARCHIVES.values(), ids=ARCHIVES)
def test_the_last_line_of_a_member_does_not_run_on_into_the_next(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    archive = pack([("a", b"one\ntwo"), ("b", b"three"), ("c", b"four\n")])
    assert cut_up(archive, tmp_path) == (["one", "two", "three", "four"], [], 0)


def test_the_tools_of_the_trade_agree(tmp_path: Path) -> None:
    """Archives made by the programs that others use, not by Python."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for member, data in THREE:
        (folder / Path(member).name).write_bytes(data)
    made = []
    for program, command in {
        "tar": "tar --create --file made.tar --directory logs one.log two.log three.log",
        "gzip": "tar --create --gzip --file made.tgz --directory logs one.log two.log three.log",
        "zstd": "tar --create --zstd --file made.tzst --directory logs one.log two.log three.log",
        "zip": "cd logs && zip -q ../made.zip one.log two.log three.log",
        "xz": "tar --create --xz --file made.txz --directory logs one.log two.log three.log",
    }.items():
        if subprocess.run(["bash", "-c", f"command -v {program}"], capture_output=True, check=False).returncode == 0:
            subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
            made.append(program)
    files = [file for file in tmp_path.iterdir() if file.is_file()]
    assert len(files) == len(made)
    for file in files:
        assert cut_up(file.read_bytes(), tmp_path)[:2] == (THREE_LINES, []), file.name


# ---------------------------------------------------------------- cut off, changed


@pytest.mark.parametrize("pack", STREAMS.values(), ids=STREAMS)
def test_a_stream_cut_off_at_any_byte_says_so_and_keeps_what_was_whole(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(text_of("one"))
    for length in range(len(packed)):
        if packed_kind(packed[:length]):
            raws, reasons, _ = cut_up(packed[:length], tmp_path)
            assert [re.sub(r"^\w+ ", "", reason) for reason in reasons] == ["data ends early: the file is cut off"]
            assert raws[:-1] == lines_of("one")[: len(raws) - 1]


@pytest.mark.parametrize("pack", ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_cut_off_at_any_byte_says_so_and_keeps_what_was_whole(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(THREE)
    most = 0
    for length in range(min(len(packed), len(packed.rstrip(b"\0")) + 1100)):  # tar archives end in many zeros
        if packed_kind(packed[:length]):
            found = runs(packed[:length], tmp_path)
            raws = [raw for run in found for raw in run.raws]
            broken = [i for run in found for i in run.broken]
            assert broken or raws == THREE_LINES, length
            whole = [raw for run in found for i, raw in enumerate(run.raws) if i not in run.broken]
            assert whole == THREE_LINES[: len(whole)], length
            assert len(broken) <= 2, (length, [run.broken for run in found])
            most = max(most, len(whole))
    assert most >= len(THREE_LINES) * 2 // 3 or pack in (ARCHIVES["tar.bz2"], ARCHIVES["tar.zst"])  # one block each


@pytest.mark.parametrize("pack", WHOLE.values(), ids=WHOLE)
def test_a_changed_byte_raises_nothing(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(text_of("one"))
    for place in range(len(packed.rstrip(b"\0"))):
        changed = bytearray(packed)
        changed[place] ^= 0x41
        cut_up(bytes(changed), tmp_path)


CHECKED = ("gzip", "bzip2", "xz", *(kind for kind in ARCHIVES if "zip" in kind), "tar.gz", "tar.bz2", "tar.xz")


@pytest.mark.parametrize("kind", CHECKED)
def test_a_changed_byte_is_told_where_the_text_is_another(kind: str, tmp_path: Path) -> None:
    """zstd and tar may lack checksums of their data."""
    packed = ARCHIVES[kind](THREE) if kind in ARCHIVES else STREAMS[kind](text_of("one"))
    wanted = THREE_LINES if kind in ARCHIVES else lines_of("one")
    told = 0
    for place in range(len(packed)):
        changed = bytearray(packed)
        changed[place] ^= 0x41
        if packed_kind(bytes(changed)):
            raws, reasons, _ = cut_up(bytes(changed), tmp_path)
            assert reasons or raws == wanted, place
            told += bool(reasons)
    assert told > len(packed) // 2


def headers_of(tar: bytes) -> list[int]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return [info.offset for info in archive]


def test_a_damaged_header_of_a_tar_costs_its_member_only(tmp_path: Path) -> None:
    packed = bytearray(tarred(THREE))
    place = headers_of(bytes(packed))[1]
    packed[place + 130] ^= 0x01
    raws, reasons, _ = cut_up(bytes(packed), tmp_path)
    assert [raw for raw in raws if raw] == lines_of("one") + lines_of("three")
    assert reasons == [f"at byte {place:,}: a tar header is damaged; 512 bytes up to the next one were not read"]


def test_a_damaged_member_costs_itself_and_what_stands_before_the_damage_is_kept(tmp_path: Path) -> None:
    for pack in (zipped, tarred):
        members = [(member, gz(data)) for member, data in THREE]
        damaged = bytearray(members[1][1])
        damaged[len(damaged) // 2] ^= 0xFF
        members[1] = (members[1][0], bytes(damaged))
        raws, reasons, _ = cut_up(pack(members), tmp_path)
        assert len(reasons) == 1
        assert reasons[0].startswith("logs/two.log: gzip data is damaged: ")
        assert [raw for raw in raws if raw.startswith(("one", "three"))] == lines_of("one") + lines_of("three")
        assert raws[12:15] == lines_of("two")[:3]


def test_a_damaged_member_of_a_zip_is_told_by_its_checksum(tmp_path: Path) -> None:
    packed = bytearray(zipped(THREE, zipfile.ZIP_STORED))
    packed[packed.index(b"two 3")] ^= 0x01
    raws, reasons, _ = cut_up(bytes(packed), tmp_path)
    assert reasons == ["logs/two.log: its checksum is wrong: the zip archive is damaged"]
    assert raws[:12] + raws[-12:] == lines_of("one") + lines_of("three")


def test_a_zip_without_its_end_is_read_by_the_headers_of_its_members(tmp_path: Path) -> None:
    for kind in ("zip", "zip, lzma", "zip, sizes behind", "zip64", "zip of gz"):
        packed = ARCHIVES[kind](THREE)
        raws, reasons, _ = cut_up(packed[: packed.index(b"PK\x01\x02")], tmp_path)
        assert [raw for raw in raws if raw] == THREE_LINES, kind
        assert [reason[:49] for reason in reasons] == ["the zip archive has no table of contents at its end"[:49]], kind


def test_the_end_of_an_archive_inside_of_a_cut_off_one_is_not_taken_for_its_own(tmp_path: Path) -> None:
    """A stored archive as a member: its table of contents is the last one there is."""
    outer = zipped([("a.log", b"outer\n"), ("inner.zip", zipped([("b.log", b"inner\n")]))], zipfile.ZIP_STORED)
    raws, reasons, _ = cut_up(outer[: outer.rindex(b"a.log") - 46], tmp_path)
    assert raws[0] == "outer"
    assert len(reasons) == 2
    assert "inner" not in raws


def test_a_table_of_contents_that_lies_is_told(tmp_path: Path) -> None:
    packed = bytearray(zipped(THREE))
    packed[-12] += 1  # how many members there are
    raws, reasons, _ = cut_up(bytes(packed), tmp_path)
    assert [raw for raw in raws if raw] == THREE_LINES
    assert reasons == ["the zip archive says that it has 4 members; its table of contents lists 3"]


def test_tar_archives_may_follow_one_another_and_nothing_else_may(tmp_path: Path) -> None:
    one, two = tarred(THREE[:1]), tarred(THREE[1:])
    assert cut_up(one + two, tmp_path) == (THREE_LINES, [], 0)
    raws, reasons, _ = cut_up(one + b"something else " * 50, tmp_path)
    assert reasons == ["what follows the end of the tar archive is no archive and was not read"]
    assert raws[:-1] == lines_of("one")


# ---------------------------------------------------------------- empty, many, large


@pytest.mark.parametrize("pack", WHOLE.values(), ids=WHOLE)
def test_empty_text_has_no_records(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    assert cut_up(pack(b""), tmp_path) == ([], [], 0)


@pytest.mark.parametrize("pack", ARCHIVES.values(), ids=ARCHIVES)
def test_empty_members_change_nothing(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    members = [("empty", b""), *THREE[:1], ("logs/", b""), ("blank", b"\n\n"), *THREE[1:], ("end", b"")]
    assert cut_up(pack(members), tmp_path) == (THREE_LINES, [], 2)


def test_archives_without_members_have_no_records(tmp_path: Path) -> None:
    assert cut_up(zipped([]), tmp_path) == ([], [], 0)
    folder = tarfile.TarInfo("logs")
    folder.type = tarfile.DIRTYPE
    assert cut_up(folder.tobuf() + bytes(1024), tmp_path) == ([], [], 0)


def test_a_file_of_zeros_is_no_empty_tar_archive(tmp_path: Path) -> None:
    """What is left of a file after a power failure: nobody may think that nothing was lost."""
    assert cut_up(bytes(10240), tmp_path) == (["\0" * 10240], [], 0)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "zip of gz"])
def test_more_members_than_the_limit_are_told(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAX_MEMBERS", 10)
    members = [(f"{i}.log", b"line\n") for i in range(11)]
    assert cut_up(ARCHIVES[kind](members[:10]), tmp_path) == (["line"] * 10, [], 0)
    raws, reasons, _ = cut_up(ARCHIVES[kind](members), tmp_path)
    assert raws == [*["line"] * 10, ""]
    assert reasons[0].startswith("the archive has more than 10 members: the others were not read.")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_many_small_members_are_few_runs(kind: str, tmp_path: Path) -> None:
    record = b'{"Records":[{"eventName":"a"},{"eventName":"b"}]}'
    members = [(f"{i}.json", record) for i in range(3000)]
    found = runs(ARCHIVES[kind](members), tmp_path, CLOUDTRAIL)
    assert [len(run.raws) for run in found] == [6000]


def test_a_long_table_of_contents_is_not_held_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "many.zip"
    file.write_bytes(zipped([(f"a folder/with a long name/{i:08}.log", b"") for i in range(20_000)]))
    tracemalloc.start()
    assert set(read_text(file)) == {EDGE}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert file.stat().st_size > 3_000_000


LIMIT = 8 << 20
ZEROS = b"0" * (100 << 20)
BOMBS = {kind: pack for kind, pack in WHOLE.items() if kind not in ("zip, stored", "tar", "tar, ustar", "tar, pax")}


@pytest.mark.parametrize("pack", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_stopped_in_every_container(pack: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", LIMIT)
    assert callable(pack)
    file = tmp_path / "bomb"
    file.write_bytes(pack(ZEROS))
    blocks = list(read_text(file))
    size = sum(len(block) for block in blocks if isinstance(block, str))
    [damage] = [block for block in blocks if isinstance(block, Damage)]
    assert "this looks like a bomb" in damage.reason
    assert size < 5 * LIMIT
    assert blocks[-1] == damage


def test_a_bomb_of_many_members_is_counted_over_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", LIMIT)
    members = [(f"{i}.log", b"0" * (1 << 20)) for i in range(50)]
    for kind in ("zip", "tar.gz", "tar.zst", "zip of gz"):
        *_, last = read_text_of(ARCHIVES[kind](members), tmp_path)
        assert isinstance(last, Damage), kind
        assert "this looks like a bomb" in last.reason, kind


def test_members_that_share_their_bytes_are_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of contents that names the same bytes again and again: bytes taken twice count once."""
    monkeypatch.setattr(source, "BOMB_BYTES", LIMIT)
    packed = zipped([("a.log", os.urandom(20_000).hex().encode())], zipfile.ZIP_STORED)
    table, end = packed.index(b"PK\x01\x02"), packed.rindex(b"PK\x05\x06")
    entry = packed[table:end]
    count = 2000
    fields = list(zips.END.unpack_from(packed, end))
    fields[3:6] = [count, count, len(entry) * count]
    *blocks, last = read_text_of(packed[:table] + entry * count + zips.END.pack(*fields), tmp_path)
    assert isinstance(last, Damage)
    assert "this looks like a bomb" in last.reason
    assert sum(len(block) for block in blocks if isinstance(block, str)) < 80_000 * count


def read_text_of(data: bytes, folder: Path) -> list[object]:
    file = folder / "evidence"
    file.write_bytes(data)
    return list(read_text(file))


MEMORY = """
import sys
from pathlib import Path
from playbooks.formats import TextLines
from playbooks.normalise.cut import cut
from playbooks.normalise.text import read_text
records = sum(len(run.raws) for run in cut(read_text(Path(sys.argv[1])), TextLines("(?P<line>.+)")))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(records, int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is asked of Linux")
@pytest.mark.parametrize("kind", ["zstd", "tar.gz", "zip of gz"])
def test_memory_stays_constant(kind: str, tmp_path: Path) -> None:
    """300 MB unpacked, under 400 MB of memory with all that the kit loads."""
    chance = random.Random(3)
    block = "".join(
        f"1773100800.{i % 1000:03} 12 10.0.0.{i % 250} TCP_MISS/200 {chance.randrange(10**6)} GET "
        f"http://a{chance.randrange(10**6)}.example.test/{'x' * 160} - HIER_DIRECT/198.51.100.7 text/html\n"
        for i in range(10_000)
    )
    data = (block * (300_000_000 // len(block) + 1)).encode()
    file = tmp_path / "access.log"
    file.write_bytes(WHOLE[kind](data))
    script = tmp_path / "memory.py"
    script.write_text(MEMORY, encoding="utf-8")
    done = subprocess.run([sys.executable, script, file], capture_output=True, text=True, check=True)
    records, megabytes = map(int, done.stdout.split())
    assert records == data.count(b"\n")
    assert megabytes < 400


# ---------------------------------------------------------------- nested, odd, refused


def test_one_more_compression_is_unpacked_and_nothing_beyond(tmp_path: Path) -> None:
    data = text_of("one")
    for nested, kind in {
        zipped([("in.zip", zipped([("a", data)]))]): "zip",
        zipped([("in.tar", tarred([("a", data)]))]): "tar",
        tarred([("in.tgz", gz(tarred([("a", data)])))]): "tar",
        tarred([("in.gz.gz", gz(gz(data)))]): "gzip",
        zipped([("in.7z", b"7z\xbc\xaf\x27\x1c" + data)]): "7z",
    }.items():
        raws, reasons, _ = cut_up(nested, tmp_path)
        assert raws == [""]
        assert re.fullmatch(rf"in\.\S+: {kind} data is not unpacked here; unpack it elsewhere and add .*", reasons[0])
    for nested, kind in {
        gz(zipped([("a", data)])): "zip",
        gz(gz(gz(data))): "gzip",
        xz(zst(tarred([("a", data)]))): "tar",
        b"Rar!\x1a\x07\x01\0" + data: "RAR",
    }.items():
        raws, reasons, _ = cut_up(nested, tmp_path)
        assert raws == [""]
        assert reasons[0].startswith(f"{kind} data is not unpacked here; ")


def test_a_nested_archive_costs_itself_only(tmp_path: Path) -> None:
    for pack in ARCHIVES.values():
        raws, reasons, _ = cut_up(pack([*THREE[:1], ("in.zip", zipped(THREE)), *THREE[1:]]), tmp_path)
        assert [raw for raw in raws if raw] == THREE_LINES
        assert len(reasons) == 1


def special(kind: bytes, member: str, link: str = "") -> bytes:
    info = tarfile.TarInfo(member)
    info.type, info.linkname = kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def test_links_devices_and_pipes_are_one_unread_record_each(tmp_path: Path) -> None:
    packed = (
        special(tarfile.SYMTYPE, "logs/link", "/etc/passwd")
        + special(tarfile.LNKTYPE, "hard", "logs/link")
        + special(tarfile.CHRTYPE, "null")
        + special(tarfile.BLKTYPE, "sda")
        + special(tarfile.FIFOTYPE, "pipe")
        + special(b"Z", "odd")
        + special(tarfile.DIRTYPE, "folder")
        + tarred(THREE)
    )
    raws, reasons, _ = cut_up(packed, tmp_path)
    assert raws == [""] * 6 + THREE_LINES
    assert reasons == [
        "logs/link: a link is not read",
        "hard: a link is not read",
        "null: a device is not read",
        "sda: a device is not read",
        "pipe: a pipe is not read",
        "odd: a tar member of the kind b'Z' is not read",
    ]


def test_a_link_in_a_zip_is_an_unread_record(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.log", "line\n")
    assert cut_up(out.getvalue(), tmp_path) == (["", "line"], ["link: a link is not read"], 0)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_sparse_file_is_an_unread_record_and_the_next_member_is_read(form: int, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        for number in range(60):  # more holes than fit into one header
            file.seek(number * 1_000_000)
            file.write(b"line\n")
    (tmp_path / "after.log").write_bytes(text_of("one"))
    form_name = {tarfile.GNU_FORMAT: "gnu", tarfile.PAX_FORMAT: "posix"}[form]
    command = ["tar", "--create", "--sparse", f"--format={form_name}", "--file", "s.tar", "sparse", "after.log"]
    if subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode:
        pytest.skip("no GNU tar here")
    packed = (tmp_path / "s.tar").read_bytes()
    assert len(packed) < 10_000_000
    raws, reasons, _ = cut_up(packed, tmp_path)
    assert raws == ["", *lines_of("one")]
    assert [re.sub(r"^\S+sparse|^sparse", "…", reason) for reason in reasons] == ["…: a sparse file is not read"]


def encrypted(members: Members, which: str) -> bytes:
    """Marked as encrypted in both headers, as zip tools mark it."""
    packed = bytearray(zipped(members))
    for signature, flags, place in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = -1
        while (at := packed.find(signature, at + 1)) >= 0:
            if packed[at + place :].startswith(which.encode()):
                packed[at + flags] |= 1
    return bytes(packed)


def test_an_encrypted_member_is_one_unread_record(tmp_path: Path) -> None:
    raws, reasons, _ = cut_up(encrypted(THREE, "logs/two.log"), tmp_path)
    assert raws == [*lines_of("one"), "", *lines_of("three")]
    assert reasons == ["logs/two.log: encrypted; unpack it elsewhere with its password and add the files in it"]
    file = encrypted(THREE, "logs/")
    assert cut_up(file[: file.index(b"PK\x01\x02")], tmp_path)[1][:3] == [
        f"logs/{member}.log: encrypted; unpack it elsewhere with its password and add the files in it"
        for member in ("one", "two", "three")
    ]


def test_a_method_that_is_not_known_is_one_unread_record(tmp_path: Path) -> None:
    packed = bytearray(zipped([("a.log", b"line\n")]))
    packed[packed.index(b"PK\x01\x02") + 10] = 9
    assert cut_up(bytes(packed), tmp_path)[1] == [
        "a.log: packed with method 9 (Deflate64), which is not unpacked here; unpack it elsewhere"
    ]


@pytest.mark.parametrize(("method", "pack"), [(93, zst), (95, xz)])
def test_newer_methods_of_zip_are_read(method: int, pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    data = text_of("one")
    packed = bytearray(zipped([("a.log", pack(data))], zipfile.ZIP_STORED))
    for at in (packed.index(b"PK\x03\x04") + 8, packed.index(b"PK\x01\x02") + 10):
        packed[at] = method
        packed[at + 6 : at + 10] = zips.zlib.crc32(data).to_bytes(4, "little")
        packed[at + 14 : at + 18] = len(data).to_bytes(4, "little")
    assert cut_up(bytes(packed), tmp_path) == (lines_of("one"), [], 0)


ODD_NAMES = [
    "../../etc/passwd",
    "/etc/cron.d/x",
    "C:\\Windows\\x",
    "a\nb",
    "\x1b[31mred",
    "x" * 3000,
    "ü/日本",
    " ",
    ".",
]


def test_names_lead_nowhere_and_can_be_printed(tmp_path: Path) -> None:
    folder = tmp_path / "only" / "this"
    folder.mkdir(parents=True)
    members = [(member, gz(b"one\n") + b"garbage") for member in ODD_NAMES]
    for kind in ("zip", "tar", "tar, pax"):
        raws, reasons, _ = cut_up(ARCHIVES[kind](members), folder)
        assert raws.count("one") == len(ODD_NAMES)
        assert len(reasons) == len(ODD_NAMES)
        assert all(reason.isprintable() and len(reason) < 300 for reason in reasons)
        assert reasons[4].startswith("\\x1b[31mred: gzip data is damaged")
        assert [path.name for path in tmp_path.rglob("*")] == ["only", "this", "evidence"]


def test_names_that_are_no_text_are_shown(tmp_path: Path) -> None:
    packed = zipped([("ü.log", b"line\n")]).replace("ü".encode(), b"\xff\xfe")
    broken = packed.replace(b"line", b"lime")
    assert cut_up(packed, tmp_path) == (["line"], [], 0)
    assert cut_up(broken, tmp_path)[1] == [] or cut_up(broken, tmp_path)[1][0].startswith("\\xff\\xfe.log: ")
    odd = tarred([("ab.gz", gz(b"line\n")[:-1])])
    header = bytearray(odd)
    header[:2] = b"\xff\xfe"
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:512]) + 8 * 32)
    assert cut_up(bytes(header), tmp_path)[1] == ["\\xff\\xfe.gz: gzip data ends early: the file is cut off"]


# ---------------------------------------------------------------- headers, numbers, a whole case


def test_a_header_line_speaks_of_its_own_member_only(tmp_path: Path) -> None:
    header = b"indicator,type,source,confidence,valid_from,valid_until,tlp,note\n"
    row = b"192.0.2.%d,ip,CERT,60,2026-03-01,,AMBER,x\n"
    other = b"note,indicator,type,source,confidence,valid_from,valid_until,tlp\n"
    members = [
        ("a", header + row % 1),
        ("b", row % 2),
        ("c", other + b"x,192.0.2.3,ip,CERT,60,2026-03-01,,\n"),
    ]
    found = runs(zipped(members), tmp_path, INDICATORS)
    named = [(run.names[0] if run.names else "", raw[:11]) for run in found for raw in run.raws]
    assert named == [("indicator", "192.0.2.1,i"), ("", "192.0.2.2,i"), ("note", "x,192.0.2.3")]
    zeek = [("a", b"#fields\tts\tuid\n1\tC1\n"), ("b", b"2\tC2\n"), ("c", b"#fields\tuid\tts\nC3\t3\n")]
    found = runs(tarred(zeek), tmp_path, LAYOUTS["zeek_conn"])
    assert [(run.names, run.raws) for run in found if run.raws] == [
        (("ts", "uid"), ["1\tC1"]),
        ((), ["2\tC2"]),
        (("uid", "ts"), ["C3\t3"]),
    ]
    w3c = next(layout for layout in LAYOUTS.values() if type(layout).__name__ == "W3c")
    members = [("a", b"#Fields: date c-ip\n2026-03-01 192.0.2.1\n"), ("b", b"2026-03-01 192.0.2.2\n")]
    found = runs(zipped(members), tmp_path, w3c)
    assert [run.names for run in found if run.raws] == [("date", "c_ip"), ()]


def test_records_of_another_zeek_log_in_an_archive_are_unread_and_never_taken_for_this_one(tmp_path: Path) -> None:
    """A day of Zeek logs in one archive: the format is that of the first, the others say what they are."""
    header = b"#separator \\x09\n#path\t%b\n#fields\tts\tuid\tid.orig_h\n"
    members = [
        (member, header % member.encode() + b"1773100800.0\tC1\t10.0.0.1\n") for member in ("conn", "dns", "conn")
    ]
    raws, reasons, _ = cut_up(tarred(members), tmp_path, LAYOUTS["zeek_conn"])
    assert len(raws) == 3
    assert reasons == ["a record of the Zeek log dns, not of conn"]


def test_an_open_quote_or_bracket_ends_with_its_member(tmp_path: Path) -> None:
    raws, reasons, _ = cut_up(zipped([("a", b'x,"open\n'), ("b", b'close",y\n')]), tmp_path, INDICATORS)
    assert raws == ['x,"open', 'close",y']
    assert reasons == ["a quote is opened and never closed"] * 2
    shapes = [("a", b'{"Records": [{"a": 1}, {"a": '), ("b", b'{"a": 2}\n{"a": 3}\n'), ("c", b'[\n{"a": 4}\n]')]
    raws, reasons, _ = cut_up(zipped(shapes), tmp_path, CLOUDTRAIL)
    assert [raw for raw in raws if "}" in raw] == ['{"a": 1}', '{"a": 2}', '{"a": 3}', '{"a": 4}']
    assert len(reasons) == 1


def test_a_cutter_that_stops_early_does_not_lose_the_next_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbooks.normalise.json_records.MAX_JSON_CHARS", 2_500_000)
    long = b"[" + b'{"a": 1},' * 500_000 + b"{}]"
    for kind in ("zip", "tar.gz"):
        raws, reasons, _ = cut_up(ARCHIVES[kind]([("a", long), ("b", b'{"a": 2}\n')]), tmp_path, BARE_JSON)
        assert raws[-1] == '{"a": 2}'
        assert reasons[-1].startswith("JSON of more than 2,500,000 characters")


BARE_JSON = Json(keys=frozenset(), shape="{}")
SQUID = (
    "1773100800.{:03} 12 10.0.0.1 TCP_MISS/200 512 GET http://a.example.test/ - HIER_DIRECT/198.51.100.7 text/html\n"
)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """An archive with a good member, an encrypted one, a damaged one, and another good one."""
    log = "".join(map(SQUID.format, range(20))).encode()
    members = [("a.log", log), ("secret.log", log), ("b.log.gz", gz(log)[:-4]), ("c.log", log + b"\nhalf a li")]
    (tmp_path / "logs.zip").write_bytes(encrypted(members, "secret.log"))
    case = new_case(tmp_path / "case", "ZIP-1")
    add(case, [tmp_path / "logs.zip"])
    return case


def test_the_counts_of_an_archive_add_up_and_its_records_keep_their_numbers(case: Case) -> None:
    import pandas as pd

    [reading] = normalise(case)
    assert reading.format == "squid_access"
    assert (reading.records, reading.events, reading.unread, reading.blank) == (64, 60, 3, 1)
    unread = pd.read_parquet(case.unread / "E001.parquet")
    assert unread.record_no.tolist() == [21, 42, 63]
    assert unread.reason.str.split(":").str[0].tolist() == [
        "secret.log",
        "b.log.gz",
        "not a line of Squid access.log, native",
    ]
    events = pd.read_parquet(case.events / "http_activity" / "E001.parquet")
    refs = [f"E001:{number}" for number in (1, 20, 21, 22, 41, 42, 43, 62, 63)]
    shown = [record.text for record in show(case, refs).values()]
    line = SQUID.rstrip("\n")
    assert shown[0] == shown[3] == shown[6] == line.format(0)
    assert shown[1] == shown[4] == line.format(19)
    assert (shown[2], shown[5], shown[8]) == ("", "", "half a li")
    assert events.record_no.tolist() == [n for n in range(1, 63) if n not in (21, 42)]


@given(members=st.lists(st.lists(st.sampled_from(["x", "", "yy"]), max_size=5), max_size=5), spoilt=st.integers(0, 4))
@loose
def test_read_and_raw_records_number_alike(members: list[list[str]], spoilt: int, tmp_path: Path) -> None:
    data = [(f"{i}.gz", gzip.compress("\n".join(lines).encode(), mtime=0)) for i, lines in enumerate(members)]
    data = [(member, packed[:-3] if i == spoilt else packed) for i, (member, packed) in enumerate(data)]
    file = tmp_path / "evidence"
    for pack in (zipped, tarred):
        file.write_bytes(pack(data))
        numbers, raws = [], []
        for rows in read(Source("E001", file)):
            assert not rows.tables
            numbers += rows.unread["record_no"].to_pylist()
            raws += rows.unread["raw"].to_pylist()
        assert numbers == list(range(1, len(numbers) + 1))
        assert raw_records(file, set(numbers)) == dict(zip(numbers, raws, strict=True))
