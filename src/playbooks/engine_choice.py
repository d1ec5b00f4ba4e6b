"""Where the questions of a case are asked: in this process, or on a Spark cluster that is there already."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MEMORY = "PLAYBOOKS_MEMORY_BYTES"  # what a kernel may use before it is stopped; its engine takes less
SETTING = re.compile(r"spark\.[A-Za-z0-9_.-]+")
SECRET = re.compile(r"secret|password|access\.key|token|credential(?!s?\.provider)", re.IGNORECASE)


def _setting(name: str) -> str:
    if not SETTING.fullmatch(name):
        raise ValueError("expected the name of a Spark property, e.g. spark.executor.memory")
    if SECRET.search(name):
        raise ValueError("no secret stands in case.yaml; put this property into spark-defaults.conf of this machine")
    return name


class EngineChoice(BaseModel):
    """DuckDB in this process, or Spark; which one answers changes no finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["duckdb", "spark"] = "duckdb"
    master: str | None = Field(default=None, pattern=r"^(spark://\S+|yarn|k8s://\S+|local(\[\S+\])?)$")
    settings: dict[Annotated[str, AfterValidator(_setting)], str] = {}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> EngineChoice:
        if self.kind == "spark" and not self.master:
            raise ValueError("kind: spark needs a master, e.g. spark://127.0.0.1:7077")
        if self.kind == "duckdb" and (self.master or self.settings):
            raise ValueError("master and settings belong to kind: spark")
        return self


DUCKDB = EngineChoice()
