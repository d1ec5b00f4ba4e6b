"""Evidence: preserved copies in a bag, a custody chain of every act, and their verification."""

from playbooks.evidence.custody import Fault
from playbooks.evidence.preserve import Added, Item, add, find_files, items, printable
from playbooks.evidence.verify import Verdict, require_intact, verify

__all__ = [
    "Added",
    "Fault",
    "Item",
    "Verdict",
    "add",
    "find_files",
    "items",
    "printable",
    "require_intact",
    "verify",
]
