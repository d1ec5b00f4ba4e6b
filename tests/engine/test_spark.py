"""The same questions on a real Spark cluster: word by word, and result by result over the sample and random events."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
import yaml
from tests.conftest import SampleRun
from tests.engine.cluster import SETTINGS, cluster, why_not
from tests.engine.mix import write_mix
from tests.engine.words import GROUPED, WORDS, rows

from playbooks.case import CASE_FILE, Case, CaseFile, open_case
from playbooks.engine import Tables, connect, keep_table, open_tables, parked, read_table
from playbooks.engine.parity import DIFFERS, HERE_ONLY, NOT_COMPARED, SAME
from playbooks.engine_choice import EngineChoice
from playbooks.errors import EngineMissing
from playbooks.guide.results import Results
from playbooks.guide.state_tables import CloudState
from playbooks.scoping.cloud_activity import activity_table
from playbooks.scoping.control_plane import framed
from playbooks.scoping.egress_channels import egress_channels
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.egress_pairs import egress_pairs
from playbooks.scoping.identities import identities
from playbooks.scoping.resolutions import resolutions

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineChoice]:
    from pyspark.sql import SparkSession

    with cluster(tmp_path_factory.mktemp("spark")) as master:
        yield EngineChoice(kind="spark", master=master, settings=SETTINGS)
        if session := SparkSession.getActiveSession():
            session.stop()


@pytest.fixture(scope="module")
def backends(spark: EngineChoice, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    on_spark = open_tables(tmp_path_factory.mktemp("none"), spark)
    return ibis.duckdb.from_connection(connect()), on_spark.dns_activity.get_backend()


def test_the_cluster_is_one(spark: EngineChoice, backends: tuple[Any, Any]) -> None:
    """Not Spark inside this process: two workers hold an executor each."""
    held = backends[1]._session.sparkContext
    assert held.master == spark.master
    assert held._jsc.sc().getExecutorMemoryStatus().size() == 3  # the driver is one


@pytest.mark.parametrize("name", WORDS)
def test_a_word_means_the_same(name: str, backends: tuple[Any, Any]) -> None:
    table = rows()
    asked = table.select("n", x=WORDS[name](table)).order_by("n")
    here, there = (backend.to_pyarrow(asked)["x"].to_pylist() for backend in backends)
    assert there == here


@pytest.mark.parametrize("name", GROUPED)
def test_a_word_of_a_group_means_the_same(name: str, backends: tuple[Any, Any]) -> None:
    table = rows()
    asked = table.group_by(g=table.n % 3).agg(x=GROUPED[name](table)).order_by("g")
    here, there = (backend.to_pyarrow(asked)["x"].to_pylist() for backend in backends)
    assert there == here


def test_what_spark_cannot_say_alike_is_refused_and_not_guessed(backends: tuple[Any, Any]) -> None:
    table = rows()
    for asked in (
        table.select(x=table.text.re_search(table.text)),
        table.select(x=table.text.split(table.text)),
        table.aggregate(x=table.text.collect(order_by=[table.n.desc()])),
    ):
        with pytest.raises(TypeError, match="Spark"):
            backends[1].to_pyarrow(asked)


def test_rows_are_parked_kept_and_read_again(spark: EngineChoice, backends: tuple[Any, Any], tmp_path: Path) -> None:
    tables = open_tables(tmp_path / "none", spark)
    asked = tables.dns_activity.select("record_no", "time", "answers").limit(0)
    for again in (parked(asked), (keep_table(asked, tmp_path / "x"), read_table(tables, tmp_path / "x"))[1]):
        assert again.schema() == asked.schema()
        assert again.count().execute() == 0


# --- result by result ---


@dataclasses.dataclass(frozen=True)
class Both:
    """One case twice: its results here and on the cluster."""

    here: Results
    there: Results


def _on(case: Path, to: Path, engine: EngineChoice | None) -> Results:
    shutil.copytree(case, to, ignore=shutil.ignore_patterns("results", "report", "notebooks"))
    if engine:
        file = to / CASE_FILE
        stated = yaml.safe_dump({"engine": engine.model_dump()})
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{stated}", encoding="utf-8")
    return Results(open_case(to))


@pytest.fixture(scope="module")
def both(incident: SampleRun, spark: EngineChoice, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("both")
    return Both(_on(incident.case, folder / "here", None), _on(incident.case, folder / "there", spark))


def _told(results: Results, name: str) -> Any:
    return getattr(results if hasattr(Results, name) else results.cloud_state, name)


def different(here: Any, there: Any, at: str) -> Iterator[str]:
    """Where two results differ: fractions by more than 1e-9, everything else at all."""
    if isinstance(here, pd.DataFrame):
        try:
            pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=0, atol=1e-9)
        except AssertionError as error:
            yield f"{at}: {error}"
    elif dataclasses.is_dataclass(here):
        for field in dataclasses.fields(here):
            yield from different(getattr(here, field.name), getattr(there, field.name), f"{at}.{field.name}")
    elif isinstance(here, dict) and isinstance(there, dict):
        if here.keys() != there.keys():
            yield f"{at}: {here.keys() ^ there.keys()}"
        for key in here.keys() & there.keys():
            yield from different(here[key], there[key], f"{at}.{key}")
    elif isinstance(here, list | tuple) and isinstance(there, list | tuple) and len(here) == len(there):
        for one, other in zip(here, there, strict=True):
            yield from different(one, other, at)
    elif isinstance(here, float) and isinstance(there, float):
        if abs(here - there) > 1e-9:
            yield f"{at}: {here} {there}"
    elif here != there:
        yield f"{at}: {here!r:.200} {there!r:.200}"


@pytest.mark.parametrize("name", SAME)
def test_a_question_has_the_same_answer_on_both_engines(name: str, both: Both) -> None:
    found = different(_told(both.here, name), _told(both.there, name), name)
    assert [where for where in found if not where.startswith(tuple(DIFFERS))] == []


def test_the_findings_of_the_sample_are_the_same_file(both: Both, incident: SampleRun) -> None:
    assert both.there.findings["findings"]
    files = [results.case.results / "findings.json" for results in (both.here, both.there)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_no_result_is_left_out_of_the_comparison() -> None:
    """What `Results` and its state of the clouds tell is compared, or is said to stay here."""

    told = {name for of in (Results, CloudState) for name in vars(of) if not name.startswith("_")}
    not_asked = {
        # made of what is compared, or of no events at all
        *("readings", "tables", "footprint", "cloud_events", "cloud_state", "owning", "deciding_fields", "sigma"),
        *("look_around", "share_traits", "judge", "checklist", "checkins", "chains_within"),
        *NOT_COMPARED,
    }
    assert told - set(SAME) == not_asked
    assert "Sigma rules" in HERE_ONLY


# --- random events ---


def _config() -> CaseFile:
    day = dt.timedelta(days=1)
    begin = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
    window, baseline = {"start": begin, "end": begin + day}, {"start": begin - day, "end": begin}
    own = {"own": {"aws_accounts": ["111111111111"]}}
    return CaseFile(case_id="MIX", window=window, baseline=baseline, estate=own)


def _by_ref(rows: Any) -> pd.DataFrame:
    frame = rows.to_pandas()
    return frame.sort_values(["evidence_id", "record_no"], ignore_index=True)


ASKED: dict[str, Callable[[Tables, Case], Any]] = {
    "contacts": lambda tables, case: _by_ref(egress_events(tables, case.config)),
    "egress_pairs": lambda tables, case: egress_pairs(tables, case.config),
    "egress_channels": lambda tables, case: egress_channels(tables, case.config),
    "resolutions": lambda tables, _: resolutions(tables),
    "activity": lambda tables, case: framed(activity_table(tables, case)),
    "identities": lambda tables, case: identities(tables, case.config),
}


@pytest.fixture(scope="module", params=[1, 2])
def mixed(request: pytest.FixtureRequest, spark: EngineChoice, tmp_path_factory: pytest.TempPathFactory) -> Any:
    events = write_mix(tmp_path_factory.mktemp("mix") / "events", request.param)
    return open_tables(events), open_tables(events, spark), Case(events.parent, _config())


@pytest.mark.parametrize("name", ASKED)
def test_random_events_are_answered_alike(name: str, mixed: tuple[Tables, Tables, Case]) -> None:
    here, there, case = mixed
    expected = ASKED[name](here, case)
    assert len(expected), "nothing is compared"
    assert list(different(expected, ASKED[name](there, case), name)) == []


# --- what goes wrong ---


def test_a_master_that_does_not_answer_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"nobody answers at spark://127\.0\.0\.1:9 .*Start it"):
        open_tables(tmp_path, EngineChoice(kind="spark", master="spark://127.0.0.1:9"))
