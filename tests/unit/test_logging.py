"""What a failure leaves in the log: where it happened, in full, and of whom, nothing."""

from __future__ import annotations

import json
import logging as standard
from dataclasses import replace

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from shop import logging
from shop.settings import Settings

DRIVER = """duplicate key value violates unique constraint "uq_user_account_email"
DETAIL:  Failing row contains (liu@mall.example, 刘某某, 示例路 1 号

2 栋).
CONTEXT:  SQL statement "INSERT INTO user_account" """


@pytest.fixture
def restored():
    """The logs of all other tests go where they went before."""
    root, before = standard.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def fail() -> None:
    values = {"email": "liu@mall.example", "name": "刘某某"}
    raise IntegrityError("INSERT INTO user_account", values, Exception(DRIVER))


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("ours", [True, False])
def test_a_failure_is_told_in_full_but_for_its_values(capsys, form, ours):
    logging.configure(replace(Settings(), log_format=form))
    logger = logging.get("shop") if ours else standard.getLogger("procrastinate.worker")
    try:
        fail()
    except IntegrityError as error:
        logger.exception("job failed", exc_info=error)
    said = capsys.readouterr().err
    if form == "json":
        said = json.loads(said)["exception"]
    assert "in fail\n" in said
    assert 'violates unique constraint "uq_user_account_email"\nCONTEXT:  SQL statement' in said
    assert "[SQL: INSERT INTO user_account]\n(Background on" in said
    assert [part for part in ("liu@", "刘某某", "示例路", "2 栋") if part in said] == []


@pytest.mark.usefixtures("restored")
def test_two_failures_in_a_row_are_both_told(capsys):
    logging.configure(replace(Settings(), log_format="json"))
    try:
        try:
            fail()
        except IntegrityError as error:
            raise LookupError("no such unit") from error
    except LookupError as error:
        logging.get("shop").error("unhandled", exc_info=error)
    said = json.loads(capsys.readouterr().err)["exception"]
    assert "https://sqlalche.me/" in said
    assert "The above exception was the direct cause" in said
    assert said.endswith("LookupError: no such unit")
    assert "刘某某" not in said
