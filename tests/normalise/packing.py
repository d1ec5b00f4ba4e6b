"""Ways of packing text, for tests: each takes the members of an archive, or the one text of a compressed file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pyarrow as pa


class Pipe(io.RawIOBase):
    """A stream that cannot be wound back: zip writers put sizes behind the data of a member then."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def xz(data: bytes) -> bytes:
    return lzma.compress(data)


def zst(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


Members = list[tuple[str, bytes]]


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def piped_zip(members: Members) -> bytes:
    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=zipfile.ZIP_DEFLATED)
    return bytes(out.data)


def zip64(members: Members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                member.write(data)
    return out.getvalue()


def tarred(members: Members, form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


STREAMS: dict[str, Callable[[bytes], bytes]] = {"gzip": gz, "bzip2": bz2.compress, "xz": xz, "zstd": zst}

ARCHIVES: dict[str, Callable[[Members], bytes]] = {
    "zip": zipped,
    "zip, stored": lambda members: zipped(members, zipfile.ZIP_STORED),
    "zip, bzip2": lambda members: zipped(members, zipfile.ZIP_BZIP2),
    "zip, lzma": lambda members: zipped(members, zipfile.ZIP_LZMA),
    "zip, sizes behind": piped_zip,
    "zip64": zip64,
    "tar": tarred,
    "tar, ustar": lambda members: tarred(members, tarfile.USTAR_FORMAT),
    "tar, pax": lambda members: tarred(members, tarfile.PAX_FORMAT),
    "tar.gz": lambda members: gz(tarred(members)),
    "tar.bz2": lambda members: bz2.compress(tarred(members)),
    "tar.xz": lambda members: xz(tarred(members)),
    "tar.zst": lambda members: zst(tarred(members)),
    "zip of gz": lambda members: zipped([(name, gz(data)) for name, data in members]),
    "tar of zst": lambda members: tarred([(name, zst(data)) for name, data in members]),
    "tar.gz of xz": lambda members: gz(tarred([(name, xz(data)) for name, data in members])),
}

WHOLE: dict[str, Callable[[bytes], bytes]] = {
    **STREAMS,
    **{name: (lambda data, pack=pack: pack([("a.log", data)])) for name, pack in ARCHIVES.items()},
    "gz of gz": lambda data: gz(gz(data)),
}
