"""The six notebooks as a CACAO playbook: start, one action per notebook, end; each notebook whole, with its digest.

It says what was done in this case and can be done again, and holds no record of it. Parameters are variables of the
playbook, with the notebooks' own defaults; whoever runs a step sets them as papermill does. An answer *blind* is
among the words of the playbook: running it finds no more than the evidence holds.
Reference: OASIS, CACAO Security Playbooks Version 2.0 (action steps, Jupyter commands, variables, data markings).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any

from playbooks import __version__
from playbooks.exports.material import Made, Material, one_line
from playbooks.notebook_files import OWN_PARAMETER, STEPS, Parameter, notebooks_folder, parameters_of

SPECIFICATION = "cacao-2.0"
# The vocabulary of activities is open, and has no word for preserving.
ACTIVITIES = {
    "1_preserve_evidence": "preserve-evidence",
    "5_enrich": "match-indicator",
    "6_decide_and_report": "identify-indicators",
}
USUAL = "analyze-collected-data"
TYPES = {"str": "string", "int": "integer", "float": "float", "bool": "bool"}


def cacao_playbook(material: Material) -> Made:
    """One playbook; the same kit and case give the same bytes."""
    from playbooks.report.stix import UNDATED, name_based

    maker, made = f"identity--{name_based('identity|playbooks')}", _stamp(UNDATED)
    agent = f"security-category--{name_based('cacao|agent')}"
    marking = f"marking-tlp--{name_based(f'cacao|tlp|{material.tlp}')}"
    activities = [*dict.fromkeys(ACTIVITIES.get(step, USUAL) for step in STEPS)]
    workflow = _workflow(material, agent)
    playbook = {
        "type": "playbook",
        "spec_version": SPECIFICATION,
        "id": f"playbook--{material.id_of('cacao', __version__)}",
        "name": one_line(f"{material.case_id}: suspected serverless command and control"),
        "description": "\n".join(one_line(line) for line in (material.title, *material.answers()) if line),
        "playbook_types": ["investigation"],
        "playbook_activities": activities,
        "playbook_processing_summary": {"data_markings": True},
        "created_by": maker,
        "created": made,
        "modified": _stamp(max(UNDATED, material.last_seen())),
        "impact": 1,  # it reads, and changes nothing outside the case
        "labels": [f"playbooks {__version__}"],
        "markings": [marking],
        "playbook_variables": {_variable(one.name): _stated(one) for step in STEPS for one in parameters_of(step)},
        "workflow_start": next(iter(workflow)),
        "workflow": workflow,
        "agent_definitions": {agent: _agent()},
        "data_marking_definitions": {
            marking: {"type": "marking-tlp", "id": marking, "created_by": maker, "created": made} | _level(material.tlp)
        },
    }
    text = json.dumps(playbook, indent=1, ensure_ascii=True) + "\n"
    return Made(text.encode("ascii"), f"{len(STEPS)} notebooks")


def _agent() -> dict[str, Any]:
    return {
        "type": "security-category",
        "name": f"Jupyter with playbooks {__version__}",
        "description": "Runs each notebook in the folder of the case, by hand or as papermill does.",
        "category": ["analytics"],
    }


def _level(tlp: str) -> dict[str, str]:
    return {"tlpv2_level": f"TLP:{tlp}"}


def _workflow(material: Material, agent: str) -> dict[str, Any]:
    """The steps by id, in their order."""
    start, *actions, end = (
        f"{kind}--{material.id_of('cacao-step', name)}"
        for kind, name in (("start", "start"), *(("action", step) for step in STEPS), ("end", "end"))
    )
    steps: dict[str, Any] = {start: {"type": "start", "name": "Start", "on_completion": actions[0]}}
    for step, id, after in zip(STEPS, actions, (*actions[1:], end), strict=True):
        steps[id] = _action(step, agent) | {"on_success": after, "on_failure": end}
    return steps | {end: {"type": "end", "name": "End"}}


def _action(step: str, agent: str) -> dict[str, Any]:
    content = (notebooks_folder() / f"{step}.ipynb").read_bytes()
    title, asked = _first_words(content)
    command = {
        "type": "jupyter",
        "description": f"Notebook {step}.ipynb as playbooks {__version__} ships it",
        "playbook_activity": ACTIVITIES.get(step, USUAL),
        "command_b64": base64.b64encode(content).decode("ascii"),
        "external_references": [
            {"name": f"{step}.ipynb", "description": "SHA-256 of the notebook", "external_id": _digest(content)}
        ],
    }
    arguments = [f"{_variable(one.name)}:value" for one in parameters_of(step)]
    return {
        "type": "action",
        "name": title,
        "description": asked,
        "commands": [command],
        "agent": agent,
        "in_args": arguments,
    }


def _first_words(notebook: bytes) -> tuple[str, str]:
    """The title of a notebook, and what stands under it: when to use it, what it needs, what it cannot tell."""
    first = "".join(json.loads(notebook)["cells"][0]["source"])
    title, _, rest = first.partition("\n")
    return title.lstrip("# "), rest.strip()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _variable(name: str) -> str:
    return f"__{name}__"


def _stated(parameter: Parameter) -> dict[str, Any]:
    value = parameter.default
    text = str(value).lower() if isinstance(value, bool) else str(value)
    stated = {"type": TYPES[parameter.type], "description": parameter.help, "value": text, "constant": False}
    return stated | {"external": parameter.name == OWN_PARAMETER}


def _stamp(time: dt.datetime) -> str:
    """A time as CACAO wants it: UTC, to the millisecond."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
