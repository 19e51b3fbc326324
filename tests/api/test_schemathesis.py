"""Whatever the document allows or forbids is sent to it: nothing makes it stumble."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from api.openapi import document
from tests.api.mall import Mall
from tests.cast import PASSWORD, email

SIGN_OUT = "DELETE /auth/tokens/current"

CALLER = {
    "account": "bob", "session": "bob", "consignments": "bob", "skus": "bob", "stock": "bob",
    "reports": "olga", "entries": "olga",
    "refunds": "fiona", "disputes": "fiona", "bank": "fiona", "ledger": "fiona",
    "reconciliations": "fiona", "differences": "fiona", "events": "fiona",
}  # fmt: skip
"""Who may call what, by the family of its permission; everybody the rest."""

schema = schemathesis.openapi.from_dict(document())
schema.config.seed = 20261123


@pytest.fixture(scope="module")
def bearers(mall: Mall) -> dict[str, str]:
    """The tokens of Bob and Olga; whoever loses one on the way gets another."""
    return {}


def authorization(mall: Mall, bearers: dict[str, str], who: str | None) -> dict[str, str]:
    if who is None:
        return {}
    if who not in bearers:
        body = {"login": email(who), "password": PASSWORD}
        bearers[who] = mall.api.post("/auth/tokens", body).json["token"]
    return {"Authorization": f"Bearer {bearers[who]}"}


def known(mall: Mall, path: str) -> dict[str, str]:
    """What the variables of a path may really be."""
    part = "-1" if path.startswith("/cooperative/") else ""
    return {
        "number": mall.paid["number"] + part,
        "slug": "high-mountain-green-tea",
        "sku": "P01-1",
        "code": "C01" if path.startswith("/cooperatives") else "P01-1",
    }


def tried(examples: int, *phases: Phase) -> settings:
    checks = list(HealthCheck)
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=checks, phases=phases,
        database=None, derandomize=True,
    )  # fmt: skip


@schema.parametrize()
@tried(8, Phase.explicit, Phase.generate)
def test_nothing_makes_it_stumble(case: Any, mall: Mall, bearers: dict[str, str]) -> None:
    """Every rule of the document, kept and broken, by somebody who may call the operation."""
    family = document()["paths"][case.path][case.operation.method]["x-permission"].split(".")[0]
    send(case, mall, bearers, CALLER.get(family))


@pytest.mark.parametrize("who", [None, "bob", "olga"])
@schema.parametrize()
@tried(4, Phase.generate)
def test_nobody_makes_it_stumble(
    case: Any, mall: Mall, bearers: dict[str, str], who: str | None
) -> None:
    """By everybody, and with what the variables of a path may really be."""
    send(case, mall, bearers, who)
    real = known(mall, case.path)
    if real.keys() & case.path_parameters.keys():
        case.path_parameters = {
            name: real.get(name, value) for name, value in case.path_parameters.items()
        }
        send(case, mall, bearers, who)


def send(case: Any, mall: Mall, bearers: dict[str, str], who: str | None) -> None:
    """An answer is what the document says, or a problem document; never a fault of ours."""
    answer = case.call(app=mall.app, headers=authorization(mall, bearers, who))
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
    if case.method != "HEAD":
        case.operation.validate_response(answer)
    if case.operation.label == SIGN_OUT and answer.status_code == 204:
        bearers.pop(who or "", None)
