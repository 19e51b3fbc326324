"""A checkout before it is an order: what is bought, and what its form shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import request

from models.catalog import ReturnRule
from models.identity import BuyerKind
from shop.aid.queries import units
from shop.cart import queries as cart_queries
from shop.catalog.for_orders import SkuForPricing
from shop.context import Ctx
from shop.identity import queries as people
from shop.identity.rules import AddressInput
from shop.identity.values import AddressFacts
from shop.ids import secret_token
from shop.orders.rules import INSTITUTIONAL_DAYS, MAX_LINES
from shop.orders.terms_queries import may_pay_after_delivery
from shop.pricing.quote import Basket, load_basket
from shop.web import language
from storefront import baskets, visit
from storefront.forms import Form
from storefront.names import cooperative_names
from storefront.page import own_path
from storefront.regions import Regions, levels_of, regions
from storefront.shown import phone_text, pick
from storefront.texts import _

Items = list[tuple[str, int]]
Shown = dict[str, Any]

NEW = ""
"""The choice "a new address" among the kept ones."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is signed in, as far as a checkout asks; nobody for a guest."""

    addresses: tuple[AddressFacts, ...] = ()
    unit: str | None = None

    def address(self, address_id: str | None) -> AddressFacts | None:
        """The kept address with this id."""
        return next((one for one in self.addresses if str(one.id) == address_id), None)


def items(ctx: Ctx) -> Items:
    """What is being bought: what "buy now" named, else the whole basket."""
    named = [_item(text) for text in request.values.getlist("buy")[:MAX_LINES]]
    chosen = [one for one in named if one is not None]
    return chosen or cart_queries.items(ctx, visit.basket_owner(ctx))


def _item(text: str) -> tuple[str, int] | None:
    sku, _colon, quantity = text.rpartition(":")
    return (sku, int(quantity)) if sku and quantity.isdecimal() and len(quantity) < 8 else None  # noqa: PLR2004


def person(ctx: Ctx) -> Person:
    """The person signed in, with address book: two statements; none for a guest."""
    if not ctx.actor.signed_in:
        return Person()
    me = people.me(ctx)
    return Person(me.addresses, me.user.unit.code if me.user.unit else None)


def first(who: Person) -> Form:
    """The form as it is first seen: what is known is filled in."""
    default = next(iter(who.addresses), None)
    region = visit.region()
    return Form(
        {
            "address_id": str(default.id) if default else NEW,
            "unit": who.unit or "",
            "pay_by": "online",
            "save": "" if who.addresses else "1",
            **levels_of(region.code if region else None),
        }
    )


def page(
    ctx: Ctx, form: Form, lines: Items, who: Person, *, without_problems: bool = False
) -> Shown:
    """Everything that the checkout shows; on demand without the lines that cannot be ordered."""
    chosen = regions(form.data)
    destination = _destination(form.data, chosen, who)
    basket = load_basket(ctx, lines, destination)
    rest = _rest(lines, basket)
    if without_problems and rest:
        lines, basket = rest, load_basket(ctx, rest, destination)
    named = without_problems or bool(request.values.get("buy"))
    buy = [f"{sku}:{quantity}" for sku, quantity in lines] if named else []
    return {
        "form": Form({**form.data, **chosen.chosen}, form.errors),
        "regions": chosen,
        "quote": baskets.quote(basket, cooperative_names(ctx)),
        "needs": needs(basket.skus.values()),
        "addresses": [_kept(one) for one in who.addresses],
        "units": unit_choices(ctx),
        "buyer_kinds": buyer_kinds(),
        "purposes": purposes() if ctx.actor.buyer_kind is BuyerKind.UNIT_ACCOUNT else [],
        "ways_to_pay": ways_to_pay(ctx),
        "hold_minutes": ctx.settings.reservation_minutes,
        "hold_days": INSTITUTIONAL_DAYS,
        "buy": buy,
        "can_leave_out": bool(rest) and len(rest) < len(lines),
        "sign_in_next": own_path(baskets.checkout_url(buy), "/checkout"),
        "lang_url": partial(_other_language, buy),
        "idempotency_key": form.data.get("idempotency_key") or secret_token(),
    }


def _rest(lines: Items, basket: Basket) -> Items:
    """The lines that nothing stands in the way of."""
    at_fault = {problem.sku for problem in basket.quote.problems}
    return [one for one in lines if one[0] not in at_fault]


def _other_language(buy: list[str]) -> str:
    """This page in the other language: what a form said of "buy now" stands in no address."""
    return baskets.checkout_url(buy, lang="zh" if language() == "en" else "en")


def _destination(values: Mapping[str, Any], chosen: Regions, who: Person) -> str | None:
    """Freight goes by the province, so an address half chosen already has a price."""
    kept = who.address(values.get("address_id"))
    if kept is not None:
        return kept.division_code
    return chosen.chosen["county"] or chosen.chosen["city"] or chosen.chosen["province"] or None


def needs(skus: Any) -> dict[str, bool]:
    """Which confirmations the goods ask for."""
    held: list[SkuForPricing] = list(skus)
    return {
        "adult": any(one.age_restricted for one in held),
        "no_return": any(one.no_reason_return is ReturnRule.NEEDS_CONFIRM for one in held),
    }


def _kept(address: AddressFacts) -> Shown:
    return {
        "id": str(address.id),
        "recipient": address.recipient,
        "phone": phone_text(address.phone),
        "region": address.division_name,
        "detail": address.detail,
    }


def unit_choices(ctx: Ctx) -> list[tuple[str, str]]:
    """Units and alumni associations for a select, each below the one it belongs to."""
    return [(one.code, "　" * one.depth + pick(one.name, one.name_en)) for one in units(ctx)]


def buyer_kinds() -> list[tuple[str, str]]:
    """What one may call oneself."""
    return [
        ("staff", _("教职工")),
        ("student", _("学生")),
        ("alumni", _("校友")),
        ("public", _("社会人士")),
    ]


def purposes() -> list[tuple[str, str]]:
    """What a unit's account buys for."""
    return [
        ("personal", _("个人消费")),
        ("union_gift", _("工会慰问")),
        ("canteen", _("食堂采购")),
    ]


def ways_to_pay(ctx: Ctx) -> list[tuple[str, str]]:
    """How a unit may pay; a person pays online, and is not asked."""
    if ctx.actor.buyer_kind is not BuyerKind.UNIT_ACCOUNT:
        return []
    later = [("later", _("货到后付款"))] if may_pay_after_delivery(ctx) else []
    return [("online", _("在线支付")), ("transfer", _("对公转账")), *later]


def typed_address(values: Mapping[str, Any]) -> AddressInput:
    """The address fields of a form; the division is empty as long as it is not complete."""
    return AddressInput(
        recipient=values.get("recipient", ""),
        phone=values.get("phone", ""),
        division_code=regions(values).code or "",
        detail=values.get("detail", ""),
    )
