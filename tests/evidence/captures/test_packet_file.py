"""What is a capture is told by its bytes, and a walk over it says how many packets it holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pyarrow as pa
import pytest
from tests.evidence.captures.packets import START_NS, incident, pcap, pcapng

from playbooks.evidence.captures.packet_file import Packets, capture_kind, kind_of, walk

PACKETS = incident()
SPELLINGS = {
    "pcap little-endian": ("pcap", pcap(PACKETS)),
    "pcap big-endian": ("pcap", pcap(PACKETS, ">")),
    "pcap nanoseconds": ("pcap", pcap(PACKETS, "<", nanoseconds=True)),
    "pcap nanoseconds big-endian": ("pcap", pcap(PACKETS, ">", nanoseconds=True)),
    "pcapng little-endian": ("pcapng", pcapng(PACKETS)),
    "pcapng big-endian": ("pcapng", pcapng(PACKETS, ">")),
}
PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def written(folder: Path, data: bytes) -> Path:
    file = folder / "x.log"  # the name says nothing
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_told_and_its_packets_are_counted(spelling: str, tmp_path: Path) -> None:
    kind, data = SPELLINGS[spelling]
    file = written(tmp_path, data)
    assert kind_of(file) == kind
    assert walk(file) == Packets(len(PACKETS), "")


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("spelling", ["pcap little-endian", "pcapng big-endian"])
def test_a_compressed_capture_is_told_too(packer: str, spelling: str, tmp_path: Path) -> None:
    kind, data = SPELLINGS[spelling]
    packed = PACKERS[packer](data)
    assert kind_of(written(tmp_path, packed)) == kind
    if packer == "gzip":  # the others pack in blocks, and half a block is nothing
        assert kind_of(written(tmp_path, packed[: len(packed) // 2])) == kind, "cut off"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd4\xc3\xb2",
        b"\n\r\r\n1.2.3.4 GET\n",
        b"\n\r\r\n",
        b"{}\n",
        gzip.compress(b"{}\n"),
        gzip.compress(b"x")[:9],
    ],
    ids=["empty", "three bytes", "text like a section", "blank lines", "JSON", "packed JSON", "packed nothing"],
)
def test_what_is_no_capture_is_none(data: bytes, tmp_path: Path) -> None:
    assert kind_of(written(tmp_path, data)) == ""
    assert capture_kind(data) == ""


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (pcap(PACKETS)[:10], Packets(0, "cut off inside its header")),
        (pcap([]), Packets(0, "")),
        (
            pcap([]) + b"\xff" * 100,
            Packets(0, "no packet at byte 24: one of 4,294,967,295 bytes is said to stand there"),
        ),
        (pcap([(START_NS, b"x" * 60)]) + b"\0" * 7, Packets(1, "cut off in the header of packet 2, at byte 100")),
        (pcap([(START_NS, b"x" * 60)])[:-1], Packets(0, "cut off in packet 1, at byte 24")),
        (pcapng([]), Packets(0, "")),
        (pcapng([(START_NS, b"x" * 60)])[:-1], Packets(0, "cut off in the block at byte 48, behind 0 packets")),
        (pcapng([]) + b"\0" * 5, Packets(0, "cut off in a block header, at byte 48")),
        (
            pcapng([]) + b"\xff" * 40,
            Packets(0, "no block at byte 48: one of 4,294,967,295 bytes is said to stand there"),
        ),
        (pcapng(PACKETS) + pcapng(PACKETS, ">"), Packets(2 * len(PACKETS), "")),
    ],
)
def test_where_a_capture_ends_early_is_said(data: bytes, found: Packets, tmp_path: Path) -> None:
    assert walk(written(tmp_path, data)) == found
