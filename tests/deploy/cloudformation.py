"""The SAM template as CloudFormation: packaged as `sam package` does it, transformed as AWS does it, offline.

What the imitation of AWS cannot do is adapted here, and only that; each adaptation says why.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"


def read(template: pathlib.Path) -> dict[str, Any]:
    """A template with the short forms of its tags spelled out."""
    return yaml_parse(template.read_text())


def packaged(template: dict[str, Any], upload: Callable[[str], str]) -> dict[str, Any]:
    """A built template whose functions take their code from S3: `upload` gets the folder of each, and answers a URL."""
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = upload(one["Properties"]["CodeUri"])
    return template


def cloudformation(template: dict[str, Any], region: str) -> dict[str, Any]:
    """What AWS's macro makes of a packaged template, with routes that MiniStack understands."""
    names = {"AWS::Region": region, "AWS::Partition": "aws"}
    made = transform(template, names, _NoManagedPolicies())
    made.pop("Transform", None)
    on_loopback(made)
    without_layers(made["Resources"])
    for name, one in list(made["Resources"].items()):
        if one["Type"] == "AWS::ApiGatewayV2::Api":
            explicit_routes(made["Resources"], name)
    return made


class _NoManagedPolicies:
    """No function uses one of AWS's policies by name."""

    def load(self) -> dict[str, str]:
        return {}


def on_loopback(template: dict[str, Any]) -> None:
    """Deployments speak https only; here GitLab and the gateway are on loopback, without TLS."""
    for parameter in template["Parameters"].values():
        if "AllowedPattern" in parameter:
            parameter["AllowedPattern"] = parameter["AllowedPattern"].replace("https://", "https?://")


def without_layers(resources: dict[str, Any]) -> None:
    """The one layer is a program of AWS's, which is not to be had here; `secrets_extension` answers in its place."""
    for one in resources.values():
        if one["Type"] == "AWS::Lambda::Function":
            layers = one["Properties"].pop("Layers", [])
            assert len(layers) <= 1 and "SecretsExtension" in json.dumps(layers or "SecretsExtension"), layers


def explicit_routes(resources: dict[str, Any], api: str) -> None:
    """MiniStack makes no routes of the OpenAPI document that SAM writes for events: the same, as resources."""
    properties = resources[api]["Properties"]
    paths = properties.pop("Body")["paths"]
    properties |= {"Name": {"Ref": "AWS::StackName"}, "ProtocolType": "HTTP"}
    for number, (path, methods) in enumerate(sorted(paths.items())):
        assert list(methods) == [ANY], f"{path} has other methods than ANY: {list(methods)}"
        integration = methods[ANY][INTEGRATION]
        resources[f"Integration{number}"] = {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": api},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": integration["uri"],
                "PayloadFormatVersion": integration["payloadFormatVersion"],
            },
        }
        # The gateway's greedy variable also takes an empty rest, as in `/api/stac/`; MiniStack's does not. AWS itself
        # would refuse a route that ends in a slash.
        keys = [path, path.removesuffix("{proxy+}")] if path.endswith("/{proxy+}") else [path]
        for variant, key in enumerate(keys):
            resources[f"Route{number}V{variant}"] = {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": api},
                    "RouteKey": f"ANY {key}",
                    "Target": {"Fn::Sub": f"integrations/${{Integration{number}}}"},
                },
            }
