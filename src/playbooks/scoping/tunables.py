"""The knobs that ATT&CK leaves to the local team: `x_mitre_mutable_elements` of AN1053, AN1054 and AN1055.

They narrow what is shown to what a team asks about, or name what it expects. Without values nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pandas as pd

WINDOW_MINUTES = 60  # one sitting; TimeWindow of AN1053 has no official value
TRIGGERING = ("permission", "trigger")
OFFICE = frozenset({"m365"})
SCRIPTED = frozenset({"script", "workflow", "flow", "runbook", "edge-function"})


@dataclass(frozen=True)
class Tunables:
    """Patterns with `*`, compared without regard to case; an empty tuple means all.

    Attributes
    ----------
    role_scope
        AN1053 RoleScope: roles that count as sensitive. Only what such a role does, or what is done to one, stays.
    allowed_functions
        AN1053 AllowedFunctions: functions whose changes are expected; changes of them are left out, what opens them,
        triggers them or touches what is recorded is not.
    time_window_minutes
        AN1053 TimeWindow: how close the steps of a chain follow each other.
    user_context
        AN1054 UserContext: makers who are expected; what they change is left out, with the same exceptions.
    flow_actions
        AN1054 FlowActions: operations that are looked at in office suites; other platforms are not narrowed.
    script_scope
        AN1055 ScriptScope: scripts, flows and workflows that are looked at; other resources are not narrowed.
    trigger_types
        AN1055 TriggerTypes: kinds of resource, or operations, whose permissions and triggers are looked at.
    """

    role_scope: tuple[str, ...] = ()
    allowed_functions: tuple[str, ...] = ()
    time_window_minutes: int = WINDOW_MINUTES
    user_context: tuple[str, ...] = ()
    flow_actions: tuple[str, ...] = ()
    script_scope: tuple[str, ...] = ()
    trigger_types: tuple[str, ...] = ()

    def words(self) -> str:
        """What is narrowed, in a sentence; that nothing is, where nothing is."""
        set_here = {
            "RoleScope": self.role_scope,
            "AllowedFunctions": self.allowed_functions,
            "UserContext": self.user_context,
            "FlowActions": self.flow_actions,
            "ScriptScope": self.script_scope,
            "TriggerTypes": self.trigger_types,
        }
        told = [f"{name} {', '.join(patterns)}" for name, patterns in set_here.items() if patterns]
        return f"Narrowed by {'; '.join(told)}." if told else "Not narrowed: every principal, function and trigger."


def looked_at(activity: pd.DataFrame, tunables: Tunables) -> pd.DataFrame:
    """The rows of `schema.CLOUD_ACTIVITY` that the tunables leave, in the same order."""
    if tunables == Tunables(time_window_minutes=tunables.time_window_minutes):
        return activity
    changes = ~activity["phase"].isin([*TRIGGERING, "defence-evasion"])
    expected = _fits(activity["resource"], tunables.allowed_functions, none=False)
    expected |= _fits(activity["principal"], tunables.user_context, none=False)
    keep = ~(changes & expected)
    keep &= _fits(activity["principal"], tunables.role_scope) | _fits(activity["resource"], tunables.role_scope)
    office = activity["provider"].astype(str).str.lower().isin([*OFFICE, "microsoft 365", "office 365"])
    keep &= ~office | _fits(activity["operation"], tunables.flow_actions)
    keep &= ~activity["resource_type"].isin(SCRIPTED) | _fits(activity["resource"], tunables.script_scope)
    kind = _fits(activity["resource_type"], tunables.trigger_types)
    kind |= _fits(activity["operation_base"], tunables.trigger_types)
    return activity[keep & (~activity["phase"].isin(TRIGGERING) | kind)]


def _fits(values: pd.Series[str], patterns: Iterable[str], none: bool = True) -> pd.Series[bool]:
    """Which values fit any of the patterns; without patterns `none` for all."""
    wanted = [pattern.lower() for pattern in patterns]
    if not wanted:
        return pd.Series(none, index=values.index, dtype=bool)
    named = {value: isinstance(value, str) and fits_any(value, wanted) for value in values.unique()}
    return values.map(named).astype(bool)


def fits_any(value: str, patterns: Iterable[str]) -> bool:
    """Whether a text fits any of the patterns, which are in lower case."""
    return any(fnmatchcase(value.lower(), pattern) for pattern in patterns)
