"""What the deployed functions hold and say: no secret is in their settings, no token in their logs."""

import json

from servers import token

import stack as stacks
from conftest import SYNC_TOKEN


def secrets_of(stack) -> dict[str, str]:
    """The stack's secrets, by their names."""
    vault = stack.cloud.client("secretsmanager")
    names = [stack.resources["TokenKey"], stack.resources["WebhookSecret"], stacks.SYNC_TOKEN]
    held = {name: vault.get_secret_value(SecretId=name)["SecretString"] for name in names}
    assert held[stacks.SYNC_TOKEN] == SYNC_TOKEN and all(len(secret) > 15 for secret in held.values())
    return held


def test_no_secret_is_in_a_functions_settings(stack):
    functions = stack.cloud.client("lambda").list_functions()["Functions"]
    assert len(functions) == 8
    for function in functions:
        variables = function["Environment"]["Variables"]
        assert variables["PERIGEE_TABLE"] == stack.resources["Table"]
        for name, secret in secrets_of(stack).items():
            assert secret not in json.dumps(list(variables.values()), ensure_ascii=False), f"{function['FunctionName']}: {name}"


def test_no_token_is_in_the_logs(stack):
    """Of all that the other tests did before, and of one more request."""
    stack.invoke("CatalogSync", {"source": "aws.scheduler"})
    pages = stack.cloud.client("logs").get_paginator("filter_log_events")
    group = stack.resources["Logs"]
    lines = [event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]]
    assert any("the catalog is synchronised" in line for line in lines), f"{group} has {len(lines)} lines"
    said = "\n".join(lines) + stack.cloud.log()
    for account in ("developer", "guest", "outsider", "nobody"):
        assert token(account) not in said, account
    for name, secret in secrets_of(stack).items():
        assert secret not in said, name
