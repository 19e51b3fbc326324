"""A checkout before it is an order: what is bought, what the form shows, what was wished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request

from models.catalog import ReturnRule
from models.identity import BuyerKind
from models.orders import PaymentTerms
from shop.aid.queries import units
from shop.cart import queries as cart_queries
from shop.catalog.for_orders import SkuForPricing
from shop.context import Ctx
from shop.errors import Invalid, NotFound
from shop.identity import queries as people
from shop.identity.rules import AddressInput, normal_email, validated_address
from shop.identity.values import AddressFacts
from shop.ids import secret_token
from shop.orders.inputs import BuyerInput, PlaceOrder
from shop.orders.rules import INSTITUTIONAL_DAYS, MAX_LINES
from shop.orders.terms_queries import may_pay_after_delivery
from shop.pricing.quote import load_basket
from storefront import baskets, visit
from storefront.forms import CheckoutForm, Form, read_leniently, told
from storefront.names import cooperative_names
from storefront.regions import Regions, levels_of, regions
from storefront.shown import pick
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
            **levels_of(region.code if region else None),
        }
    )


def page(ctx: Ctx, form: Form, lines: Items, who: Person) -> Shown:
    """Everything that the checkout shows."""
    chosen = regions(form.data)
    basket = load_basket(ctx, lines, _destination(form.data, chosen, who))
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
        "buy": [f"{sku}:{quantity}" for sku, quantity in lines]
        if request.values.get("buy")
        else [],
        "idempotency_key": form.data.get("idempotency_key") or secret_token(),
    }


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
        "phone": address.phone,
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


def wish(ctx: Ctx, lines: Items) -> PlaceOrder:
    """The order that the form asks for; every fault of the form is told at once.

    Raises:
        Invalid: with the fields at fault.
    """
    values, faults = read_leniently(CheckoutForm)
    address = _address(ctx, values, faults)
    buyer = None if ctx.actor.signed_in else _guest(ctx, values, address, faults)
    if faults or address is None:
        raise Invalid(fields=faults)
    touch = visit.touch(ctx)
    return PlaceOrder(
        lines=tuple(lines),
        address=address,
        buyer=buyer,
        unit=values["unit"],
        channel=touch.channel,
        campaign=touch.campaign,
        storefront=touch.storefront,
        purpose=values["purpose"],
        note=values["note"],
        adult_confirmed=values["adult"],
        no_return_confirmed=values["no_return"],
        payment_terms=(
            PaymentTerms.PAY_AFTER_DELIVERY if values["pay_by"] == "later" else PaymentTerms.PREPAY
        ),
        expected_total_fen=values["expected_total"],
    )


def _address(
    ctx: Ctx, values: Mapping[str, Any], faults: dict[str, list[str]]
) -> AddressInput | None:
    try:
        return _given(ctx, values)
    except Invalid as error:
        for name, texts in error.fields.items():
            faults.setdefault("county" if name == "division_code" else name, texts)
    except NotFound:
        faults["address_id"] = [told(["choose"])]
    return None


def _given(ctx: Ctx, values: Mapping[str, Any]) -> AddressInput:
    address_id: UUID | None = values.get("address_id")
    if address_id is not None:
        kept = people.address(ctx, address_id)
        return AddressInput(kept.recipient, kept.phone, kept.division_code, kept.detail)
    return validated_address(typed_address(values), prefix="", language=ctx.language)


def typed_address(values: Mapping[str, Any]) -> AddressInput:
    """The address fields of a form; the division is empty as long as it is not complete."""
    return AddressInput(
        recipient=values.get("recipient", ""),
        phone=values.get("phone", ""),
        division_code=regions(values).code or "",
        detail=values.get("detail", ""),
    )


def _guest(
    ctx: Ctx,
    values: Mapping[str, Any],
    address: AddressInput | None,
    faults: dict[str, list[str]],
) -> BuyerInput:
    if values.get("buyer_kind") is None:
        faults.setdefault("buyer_kind", [told(["choose"])])
    email = values.get("email")
    try:
        email = normal_email(email, ctx.language) if email else None
    except Invalid as error:
        faults.update(error.fields)
    return BuyerInput(
        name=address.recipient if address else "",
        email=email,
        buyer_kind=values.get("buyer_kind") or BuyerKind.PUBLIC,
    )
