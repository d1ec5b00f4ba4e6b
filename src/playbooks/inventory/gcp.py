"""Google Cloud: lists of gcloud, and an export of Cloud Asset Inventory.

The namespace of a Cloud Run service is the number of its project, which stands in hosts below `run.app`.
Reference: gcloud, `functions list`, `run services list`, `asset export`, `asset list` (`--format=json`).
"""

from playbooks.inventory.layouts import At, Kind, Layout

_NAME: At = {"account": ("name",), "region": ("name",)}
_URLS = "metadata>annotations>run.googleapis.com/urls"
_DATA = "resource>data>"

LAYOUTS = (
    Layout(
        name="gcloud functions list",
        records="[]",
        keys=frozenset({"name"}),
        any_of=frozenset({"httpsTrigger", "serviceConfig", "buildConfig", "entryPoint"}),
        kinds={"": Kind("g-run", ("name",), ("url", "serviceConfig>uri", "httpsTrigger>url"), **_NAME)},
    ),
    Layout(
        name="gcloud run services list",
        records="[]",
        keys=frozenset({"apiVersion", "kind", "metadata"}),
        kind_at="kind",
        tags=("metadata>labels",),
        kinds={
            "service": Kind(
                "g-run",
                ("metadata>name",),
                ("status>url", _URLS),
                account=("metadata>namespace",),
                region=("metadata>labels>cloud.googleapis.com/location",),
            )
        },
    ),
    Layout(
        name="Cloud Asset Inventory",
        records="[]",
        keys=frozenset({"name", "assetType"}),
        kind_at="assetType",
        tags=("labels", f"{_DATA}labels", f"{_DATA}metadata>labels"),
        kinds={
            "cloudfunctions.googleapis.com/cloudfunction": Kind(
                "g-gcf1", ("name",), (f"{_DATA}httpsTrigger>url",), **_NAME
            ),
            "cloudfunctions.googleapis.com/function": Kind(
                "g-run", ("name",), (f"{_DATA}url", f"{_DATA}serviceConfig>uri"), **_NAME
            ),
            "run.googleapis.com/service": Kind(
                "g-run", ("name",), (f"{_DATA}status>url", f"{_DATA}uri", f"{_DATA}urls[]", f"{_DATA}{_URLS}"), **_NAME
            ),
            "apigateway.googleapis.com/gateway": Kind("g-apigw", ("name",), (f"{_DATA}defaultHostname",), **_NAME),
        },
    ),
)
