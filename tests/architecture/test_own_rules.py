"""What the linters cannot say."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from migrations import head
from shop import readiness
from tests.conftest import ROOT

APP = ("models", "shop", "api", "admin", "storefront")
FILES = [path for folder in APP for path in sorted((ROOT / folder).rglob("*.py"))]
FOREIGN_BOOKS = ROOT / "shop" / "payments" / "sandbox"
"""The sandbox is a foreign system with its own database: it commits there."""


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> list[tuple[str, int]]:
    """(name, line) of every method call in a file."""
    return [
        (node.func.attr, node.lineno)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def named(name: str, *, but: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}"
        for path in FILES
        if str(path.relative_to(ROOT)) not in but and FOREIGN_BOOKS not in path.parents
        for found, line in calls(path)
        if found == name
    ]


SESSION = {"shop/db.py", "shop/session.py"}
"""Who decides that a transaction ends, and who tells the driver."""


def test_only_the_database_module_commits():
    assert named("commit", but=SESSION) == []


def test_only_the_database_module_rolls_back():
    assert named("rollback", but=SESSION) == []


def test_nobody_flushes():
    """Statements are sent as they are made; entities wait for the end of the transaction."""
    assert named("flush", but=SESSION) == []


def test_no_backref():
    assert [path for path in FILES if "backref=" in path.read_text(encoding="utf-8")] == []


MONEY = (
    "models",
    "shop/aid",
    "shop/cart",
    "shop/catalog",
    "shop/formatting.py",
    "shop/fulfilment",
    "shop/inventory",
    "shop/ledger",
    "shop/orders",
    "shop/payments",
    "shop/pricing",
    "shop/reports",
)
NO_MONEY = {
    ROOT / "shop" / "catalog" / "cache.py": "seconds of waiting",
    ROOT / "shop" / "reports" / "charts.py": "places on a screen; figures are printed as they come",
}
"""File -> what its fractions are of."""


@pytest.mark.parametrize("place", MONEY)
def test_no_float_where_money_is(place):
    files = [one for one in FILES if str(one.relative_to(ROOT)).startswith(place)]
    assert files != []
    for path in files:
        if path in NO_MONEY or FOREIGN_BOOKS in path.parents:
            continue
        literals = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, float)
        ]
        makes = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "float"
        ]
        halves = [
            node.lineno
            for node in ast.walk(tree(path))
            if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        ]
        assert (path, literals, makes, halves) == (path, [], [], [])


def test_only_the_clock_asks_what_time_it_is():
    for question in ("now", "utcnow", "today"):
        assert named(question, but={"shop/clock.py"}) == []


def test_the_contract_of_pure_rules_names_all_of_them():
    """It cannot say "every file whose name ends so"; whoever adds one adds it there."""
    said = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [pure] = [
        set(one["source_modules"])
        for one in said["tool"]["importlinter"]["contracts"]
        if one["name"] == "Rules and state tables are pure"
    ]
    assert {"shop.*.rules", "shop.*.states"} < pure
    named_so = (ROOT / "shop").glob("*/*_*.py")
    meant = {
        f"shop.{path.parent.name}.{path.stem}"
        for path in named_so
        if path.stem.endswith(("_rules", "_states", "_matching"))
    }
    assert meant - pure == set()


def test_readiness_knows_the_newest_migration():
    assert head() == readiness.HEAD


def test_surfaces_read_a_key_by_the_function_for_it():
    """`key_of`, `key_in`, `id_in`; a cursor holds more than a key and is taken apart by itself."""
    of_their_own = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] in {"api", "admin", "storefront"}
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Return)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "UUID"
    ]
    assert [place.partition(":")[0] for place in of_their_own] == ["api/pagination.py"]


FOREIGN_CALLS = {
    "open_checkout",
    "fetch_checkout",
    "close_checkout",
    "find_checkout",
    "fetch_aftermath",
    "send_refund",
    "balance_lines",
    "missed_events",
}


def test_every_foreign_call_asserts_that_nothing_is_open():
    for path in (ROOT / "shop" / "payments").glob("*.py"):
        for function in (n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef)):
            names = [
                node.func.attr
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            ]
            if path.name != "stripe_gateway.py" and FOREIGN_CALLS.intersection(names):
                assert "nothing_open" in names, f"{path.name}:{function.name}"
