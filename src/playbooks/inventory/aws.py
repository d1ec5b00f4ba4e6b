"""AWS: answers of the command line, a snapshot of AWS Config, a search of Resource Explorer.

Reference: AWS CLI, `lambda list-functions`, `lambda list-function-url-configs`, `apigatewayv2 get-apis`,
`resource-explorer-2 search`; AWS Config, "Example configuration snapshot".
"""

from playbooks.inventory.layouts import At, Kind, Layout

_ARN = ("FunctionArn",)
_FUNCTION = Kind("aws-lambda-url", ("FunctionName", "FunctionArn"), account=_ARN, region=_ARN)
_REST_HOST = "{resource}.execute-api.{region}.amazonaws.com"
_AT: At = {"account": ("awsAccountId",), "region": ("awsRegion",)}
_FOUND: At = {"account": ("OwningAccountId", "Arn"), "region": ("Region", "Arn")}

LAYOUTS = (
    Layout(
        name="aws lambda list-functions",
        records="Functions[]",
        keys=frozenset({"FunctionName", "FunctionArn"}),
        kinds={"": _FUNCTION},
    ),
    Layout(
        name="aws lambda list-function-url-configs",
        records="FunctionUrlConfigs[]",
        keys=frozenset({"FunctionUrl", "FunctionArn"}),
        kinds={"": Kind("aws-lambda-url", _ARN, ("FunctionUrl",), account=_ARN, region=_ARN)},
    ),
    Layout(
        name="aws apigatewayv2 get-apis",
        records="Items[]",
        keys=frozenset({"ApiId", "ApiEndpoint"}),
        kinds={"": Kind("aws-apigw", ("ApiId",), ("ApiEndpoint",))},
    ),
    Layout(
        name="AWS Config snapshot",
        records="configurationItems[]",
        keys=frozenset({"resourceType", "awsRegion"}),
        kind_at="resourceType",
        kinds={
            "aws::lambda::function": Kind("aws-lambda-url", ("resourceName", "resourceId"), **_AT),
            "aws::apigatewayv2::api": Kind("aws-apigw", ("resourceId",), ("configuration>apiEndpoint",), **_AT),
            "aws::apigateway::restapi": Kind("aws-apigw", ("resourceId",), made_host=_REST_HOST, **_AT),
        },
    ),
    Layout(
        name="AWS Resource Explorer search",
        records="Resources[]",
        keys=frozenset({"Arn", "ResourceType"}),
        kind_at="ResourceType",
        tags=("Properties[]>Data",),
        kinds={
            "lambda:function": Kind("aws-lambda-url", ("Arn",), **_FOUND),
            "apigateway:apis": Kind("aws-apigw", ("Arn",), made_host=_REST_HOST, **_FOUND),
            "apigateway:restapis": Kind("aws-apigw", ("Arn",), made_host=_REST_HOST, **_FOUND),
        },
    ),
)
