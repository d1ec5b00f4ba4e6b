"""Acquire: ask, read-only, and keep every answer as evidence with request, time, collector and digest."""

from playbooks.evidence.acquire.answers import Acquired, Answer, AnswerFile, Outcome, keep, private_folder
from playbooks.evidence.acquire.aws import Wanted, acquire_aws, planned

__all__ = [
    "Acquired",
    "Answer",
    "AnswerFile",
    "Outcome",
    "Wanted",
    "acquire_aws",
    "keep",
    "planned",
    "private_folder",
]
