"""Findings become HTML pages and figures here. This room draws and computes nothing.

Everything it is given (log lines, file names, sentences built from them) is hostile text until it went
through `inert` (characters) and `sanitise` (markup); see docs/reference for what a page may contain.
"""

from __future__ import annotations

from playbooks.report.batch_page import write_batch_page
from playbooks.report.cloud_section import refs_of_cloud
from playbooks.report.facts import CaseFacts, CloudFacts, OwningFacts
from playbooks.report.figures import (
    Picture,
    checkin_raster,
    coverage_heatmap,
    egress_timeline,
    function_history,
    hosts_and_tenants,
    lifecycle_timeline,
    swim_lanes,
)
from playbooks.report.figures.picture import counted
from playbooks.report.inert import visible
from playbooks.report.owning_section import refs_of_owning
from playbooks.report.pages import notebook_to_html, write_case_report
from playbooks.report.partial import StepState, write_partial_page
from playbooks.report.view import Table, View, enter_lab, frame_markup, in_lab

__all__ = [
    "CaseFacts",
    "CloudFacts",
    "OwningFacts",
    "Picture",
    "StepState",
    "Table",
    "View",
    "checkin_raster",
    "counted",
    "coverage_heatmap",
    "egress_timeline",
    "enter_lab",
    "frame_markup",
    "function_history",
    "hosts_and_tenants",
    "in_lab",
    "lifecycle_timeline",
    "notebook_to_html",
    "refs_of_cloud",
    "refs_of_owning",
    "swim_lanes",
    "visible",
    "write_batch_page",
    "write_case_report",
    "write_partial_page",
]
