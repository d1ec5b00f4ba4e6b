"""Terraform and OpenTofu: state of version 4 (`terraform.tfstate`, `terraform state pull`).

Managed resources only: what a `data` block reads belongs to somebody else. A state holds secrets; only names are read.
Reference: HashiCorp, "State"; the documents of the providers aws, google, azurerm and cloudflare for the attributes.
"""

from playbooks.inventory.layouts import Kind, Layout

ARN = ("attributes>arn", "attributes>function_arn")
PROJECT = ("attributes>project",)
PLACE = ("attributes>region", "attributes>location")
AZURE = ("attributes>id",)

_LAMBDA_URL = Kind(
    "aws-lambda-url", ("attributes>function_name", *ARN[1:]), ("attributes>function_url",), account=ARN, region=ARN
)
_FUNCTION_V1 = Kind("g-gcf1", ("attributes>name",), ("attributes>https_trigger_url",), account=PROJECT, region=PLACE)
_FUNCTION_V2 = Kind(
    "g-run",
    ("attributes>name",),
    ("attributes>url", "attributes>service_config[]>uri"),
    account=PROJECT,
    region=PLACE,
)
_RUN_V1 = Kind("g-run", ("attributes>name",), ("attributes>status[]>url",), account=PROJECT, region=PLACE)
_RUN_V2 = Kind("g-run", ("attributes>name",), ("attributes>uri", "attributes>urls[]"), account=PROJECT, region=PLACE)
_SITE = Kind(
    "az-functions",
    ("attributes>name",),
    ("attributes>default_hostname",),
    account=AZURE,
    region=PLACE,
    fold=True,
)
_LOGIC = Kind(
    "az-logicapps", ("attributes>name",), ("attributes>access_endpoint",), account=AZURE, region=PLACE, fold=True
)
_SCRIPT = Kind("cf-workers", ("attributes>script_name", "attributes>name"), account=("attributes>account_id",))
_ROUTE = Kind("cf-workers", ("attributes>script_name", "attributes>script"), ("attributes>pattern",))
_DOMAIN = Kind("cf-workers", ("attributes>service",), ("attributes>hostname",), account=("attributes>account_id",))

KINDS = {
    "aws_lambda_function": Kind("aws-lambda-url", ("attributes>function_name",), account=ARN, region=ARN),
    "aws_lambda_function_url": _LAMBDA_URL,
    "aws_apigatewayv2_api": Kind(
        "aws-apigw", ("attributes>id",), ("attributes>api_endpoint",), account=ARN, region=ARN
    ),
    "aws_api_gateway_rest_api": Kind(
        "aws-apigw",
        ("attributes>id",),
        account=("attributes>execution_arn",),
        region=("attributes>execution_arn",),
        made_host="{resource}.execute-api.{region}.amazonaws.com",
    ),
    "google_cloudfunctions_function": _FUNCTION_V1,
    "google_cloudfunctions2_function": _FUNCTION_V2,
    "google_cloud_run_service": _RUN_V1,
    "google_cloud_run_v2_service": _RUN_V2,
    **dict.fromkeys(
        (
            *("azurerm_function_app", "azurerm_linux_function_app", "azurerm_windows_function_app"),
            *("azurerm_function_app_flex_consumption", "azurerm_logic_app_standard"),
        ),
        _SITE,
    ),
    "azurerm_logic_app_workflow": _LOGIC,
    **dict.fromkeys(("cloudflare_worker_script", "cloudflare_workers_script"), _SCRIPT),
    **dict.fromkeys(("cloudflare_worker_route", "cloudflare_workers_route"), _ROUTE),
    **dict.fromkeys(
        ("cloudflare_worker_domain", "cloudflare_workers_domain", "cloudflare_workers_custom_domain"), _DOMAIN
    ),
    "cloudflare_pages_project": Kind(
        "cf-pages",
        ("attributes>name",),
        ("attributes>subdomain", "attributes>domains[]"),
        account=("attributes>account_id",),
    ),
}

LAYOUTS = (
    Layout(
        name="Terraform state",
        records="resources[]>instances[]",
        keys=frozenset({"attributes"}),
        root={"version": 4},
        kind_at="^type",
        only=(("^mode", "managed"),),
        tags=("attributes>labels", "attributes>tags", "attributes>tags_all"),
        kinds=KINDS,
        declared=True,
    ),
)
