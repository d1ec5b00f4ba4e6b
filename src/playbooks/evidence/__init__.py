"""Evidence: preserved copies in a bag, a custody chain of every act, and their verification."""

from playbooks.evidence.checks import Check, State
from playbooks.evidence.custody import Fault
from playbooks.evidence.inputs import find_files, printable
from playbooks.evidence.items import Item, items
from playbooks.evidence.preserve import Added, add, finish
from playbooks.evidence.verify import Verdict, require_intact, verify

__all__ = [
    "Added",
    "Check",
    "Fault",
    "Item",
    "State",
    "Verdict",
    "add",
    "find_files",
    "finish",
    "items",
    "printable",
    "require_intact",
    "verify",
]
