"""The pictures of a report: each with a caption, a sentence with its facts, and its data as a table.

A picture never says anything by colour alone, draws at most `MAX_ROWS` rows, and says what it leaves out.
Without data there is no figure, and the sentence says why.
"""

from __future__ import annotations

from playbooks.report.figures.attack_strip import attack_strip
from playbooks.report.figures.heatmap import coverage_heatmap
from playbooks.report.figures.history import function_history
from playbooks.report.figures.identity_chain import identity_chain
from playbooks.report.figures.lifecycle import lifecycle_timeline
from playbooks.report.figures.novelty import novelty_by_time
from playbooks.report.figures.picture import Picture
from playbooks.report.figures.raster import checkin_raster
from playbooks.report.figures.swim_lanes import swim_lanes
from playbooks.report.figures.tenants import hosts_and_tenants
from playbooks.report.figures.timeline import egress_timeline

__all__ = [
    "Picture",
    "attack_strip",
    "checkin_raster",
    "coverage_heatmap",
    "egress_timeline",
    "function_history",
    "hosts_and_tenants",
    "identity_chain",
    "lifecycle_timeline",
    "novelty_by_time",
    "swim_lanes",
]
