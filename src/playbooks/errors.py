"""The family of errors a person can act on, each with the exit code of the command that meets it.

A message has three parts: what and where, what was expected, what to do now. Anything that is not a
`PlaybookError` is a bug and keeps its traceback (exit code 1).
"""

from __future__ import annotations

INTERRUPTED = 130  # what a shell gives for Ctrl-C


class PlaybookError(Exception):
    """Something the operator can act on; `cli` prints it without a traceback."""

    exit_code = 1


class UsageError(PlaybookError):
    """An argument or a notebook parameter is unknown or of the wrong type."""

    exit_code = 2


class SomeFailed(PlaybookError):
    """Several inputs were given and some of them were refused; the others are done."""

    exit_code = 3


class AllFailed(PlaybookError):
    """None of the given inputs could be used."""

    exit_code = 4


class CaseError(PlaybookError):
    """There is no case here, or its `case.yaml` or one of its own formats is not valid."""

    exit_code = 5


class EvidenceChanged(PlaybookError):
    """Evidence or its custody record is not what it was when it was added; lists all that differs."""

    exit_code = 6


class StepFailed(PlaybookError):
    """A notebook of the case failed; what was done before it is kept."""

    exit_code = 7


class NotFound(PlaybookError):
    """A reference, step or result that was asked for does not exist in this case."""

    exit_code = 8


class RecordChanged(PlaybookError):
    """The evidence is what it was, but results, report or run record are not what was written."""

    exit_code = 9


class CasesDiffer(PlaybookError):
    """Two cases differ, and `playbooks diff --exit-code` asked to be told by the exit code."""

    exit_code = 10


class CaseBusy(PlaybookError):
    """Another run is at work on this case."""

    exit_code = 11


class EngineMissing(PlaybookError):
    """The engine that `case.yaml` names is not installed here, or does not answer."""

    exit_code = 12


EXIT_CODES: dict[int, str] = {
    0: "done",
    1: "a bug in this kit: a traceback is shown",
    UsageError.exit_code: "an argument or a notebook parameter is unknown or of the wrong type",
    SomeFailed.exit_code: "some of several inputs were refused or failed; the others are done",
    AllFailed.exit_code: "none of the inputs could be used",
    CaseError.exit_code: "no case here, or case.yaml or an own format is not valid",
    EvidenceChanged.exit_code: "evidence or custody record changed: everything that differs is listed",
    StepFailed.exit_code: "a notebook failed: finished steps are kept",
    NotFound.exit_code: "a reference, step or result does not exist in this case",
    RecordChanged.exit_code: "the evidence holds, but run record, results or report are not what was written",
    CasesDiffer.exit_code: "two cases differ, and --exit-code asked for this code",
    EngineMissing.exit_code: "the engine that case.yaml names is not installed, or does not answer",
    CaseBusy.exit_code: "another run is at work on this case: nothing was started",
    INTERRUPTED: "stopped by Ctrl-C: what came to its end is kept, and the next run goes on there",
}
