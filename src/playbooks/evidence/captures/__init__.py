"""Packet captures: told by content, read by an installed tool, and what it gives kept as evidence."""

from playbooks.evidence.captures.keeping import Capture, captures, derive, derive_new
from playbooks.evidence.captures.packet_file import HEAD_BYTES, capture_kind, kind_of
from playbooks.evidence.captures.reading import Derived, read_capture
from playbooks.evidence.captures.tools import INSTALL, TOOLS, Tool, choose, installed

__all__ = [
    "HEAD_BYTES",
    "INSTALL",
    "TOOLS",
    "Capture",
    "Derived",
    "Tool",
    "capture_kind",
    "captures",
    "choose",
    "derive",
    "derive_new",
    "installed",
    "kind_of",
    "read_capture",
]
