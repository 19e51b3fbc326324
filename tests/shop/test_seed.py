from dataclasses import replace
from datetime import date

import pytest
import yaml
from sqlalchemy import func, select

from models.catalog import FreightTemplateRow, Product, Sku
from models.identity import Role, RoleGrant, User
from models.inventory import Stock, StockMovement
from models.organization import Campaign, Channel, RuleSetRow, Storefront, Target, Unit
from shop.aid.rules import parse_rule_set
from shop.clock import day_start
from shop.divisions import TOWNSHIPS, lookup
from shop.pricing.freight import parse_template
from shop.seed import people, seed, seed_if_empty
from shop.seed.data import demo
from shop.settings import SettingsError
from tests.conftest import SHARED


def count(ctx, model):
    return ctx.session.orm.scalar(select(func.count()).select_from(model))


def test_every_kind_of_row_is_there(ctx):
    counts = {
        model.__name__: count(ctx, model)
        for model in (
            Product,
            Sku,
            FreightTemplateRow,
            Unit,
            Target,
            Channel,
            Campaign,
            RuleSetRow,
            Storefront,
        )
    }
    assert counts == {
        "Product": 25,
        "Sku": 33,
        "FreightTemplateRow": 7,
        "Unit": 15,
        "Target": 19,
        "Channel": 5,
        "Campaign": 3,
        "RuleSetRow": 2,
        "Storefront": 2,
    }


def test_the_first_stock_is_explained_by_movements(ctx):
    on_hand = select(func.sum(Stock.on_hand))
    moved = select(func.sum(StockMovement.on_hand_delta))
    assert ctx.session.orm.scalar(on_hand) == ctx.session.orm.scalar(moved) == 17_680


def test_the_first_stock_was_there_when_the_year_began(ctx):
    moments = select(StockMovement.at).where(StockMovement.cause == "initial").distinct()
    assert ctx.session.orm.scalars(moments).all() == [day_start(date(2026, 1, 1))]


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_codes_prices_weights_and_stock_are_those_of_the_source():
    source = yaml.safe_load((SHARED / "data/demo.yaml").read_text(encoding="utf-8"))
    fields = ("code", "price_fen", "weight_g", "stock", "gtin", "unit", "net_content")
    ours, theirs = (
        [
            [sku[field] for field in fields]
            for product in data["products"]
            for sku in product["skus"]
        ]
        for data in (demo(), source)
    )
    assert ours == theirs


def test_templates_and_rule_sets_can_be_read_back(ctx):
    definitions = ctx.session.orm.scalars(select(FreightTemplateRow.definition)).all()
    assert {parse_template(one).code for one in definitions} == {"FT_FREE", "FT_WEIGHT", "FT_COLD"}
    rules = ctx.session.orm.scalars(select(RuleSetRow.definition)).all()
    assert {parse_rule_set(one).code for one in rules} == {"aid2026", "reserve832_2026"}


def test_all_goods_come_from_a_township_that_exists(ctx):
    assert set(ctx.session.orm.scalars(select(Product.origin_division))) <= set(TOWNSHIPS)


@pytest.mark.parametrize("order", demo()["order_scenarios"], ids=lambda one: one["code"])
def test_a_worked_order_adds_up(order):
    lines = order["lines"]
    assert order["goods_fen"] == sum(line["quantity"] * line["unit_price_fen"] for line in lines)
    assert order["discount_fen"] == sum(line["discount_fen"] for line in lines)
    parts = order["goods_fen"], -order["discount_fen"], order["freight_fen"]
    assert order["total_fen"] == sum(parts)
    assert lookup(order["division"]).leaf


@pytest.mark.parametrize("text", ["最", "第一", "国家级", "治疗", "疗效", "保健", "预防", "排毒"])
def test_no_description_claims_what_the_law_forbids(text):
    for row in [*demo()["products"], *demo()["cooperatives"]]:
        assert text not in row.get("description", row.get("intro"))


def test_the_accounts_have_their_roles(ctx):
    people.load_people(ctx, "walnut-bridge-42")
    rows = ctx.session.execute(
        select(User.email, RoleGrant.role)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(User.email.endswith("@demo.example"))
    )
    assert {tuple(row) for row in rows} == {
        ("coop@demo.example", Role.COOP_MANAGER),
        ("coop2@demo.example", Role.COOP_MANAGER),
        ("organizer@demo.example", Role.ORGANIZER),
        ("finance@demo.example", Role.FINANCE),
        ("admin@demo.example", Role.PLATFORM_ADMIN),
        ("union@demo.example", Role.UNION_BUYER),
        ("canteen@demo.example", Role.CANTEEN_BUYER),
    }


def test_a_filled_mall_is_left_alone(transactions):
    assert seed_if_empty(transactions, "walnut-bridge-42") is False
    with transactions.begin() as ctx:
        assert count(ctx, Product) == 25


def test_production_gets_no_demonstration(transactions):
    production = replace(transactions.settings, environment="production")
    with pytest.raises(SettingsError, match="refused"):
        seed(replace(transactions, settings=production), "walnut-bridge-42")
    with transactions.begin() as ctx:
        assert count(ctx, Product) == 25
