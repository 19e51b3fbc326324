"""What a checkout's form asks for, as an order to place; every fault of it told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request

from models.identity import BuyerKind
from models.orders import PaymentTerms
from models.organization import Purpose
from shop import idempotency
from shop.context import Ctx
from shop.errors import Invalid, NotFound
from shop.identity import queries as people
from shop.identity.rules import AddressInput, normal_email, validated_address
from shop.orders.faults import together
from shop.orders.inputs import NO_UNIT, BuyerInput, PlaceOrder
from shop.orders.rules import goods_of, missing_confirmations
from shop.pricing.quote import load_basket
from storefront import visit
from storefront.draft import Items, typed_address
from storefront.forms import CheckoutForm, read_leniently, told

TYPED = ("recipient", "phone", "province", "city", "county", "detail")
ABOUT = ("address_id", "buyer_kind", "unit", "email", "purpose", "note")
"""What an order is about, beside the address typed in where no kept one was chosen."""


def said() -> str:
    """A fingerprint of what the form asks for: where to, in whose name, on what terms.

    Ticks and sums are not part of it, nor is the choice between paying online and by transfer:
    the same order may be paid either way. What is bought is, as far as "buy now" named it; the
    basket is empty as soon as it is ordered.
    """
    form = request.form
    names = ABOUT if form.get("address_id") else ABOUT + TYPED
    parts = [f"{name}={form.get(name, '').strip()}" for name in names]
    parts += [f"buy={one}" for one in form.getlist("buy")]
    parts.append(f"later={form.get('pay_by') == 'later'}")
    return idempotency.fingerprint(*(part.encode() for part in parts))


def wish(ctx: Ctx, lines: Items) -> PlaceOrder:
    """The order that the form asks for; every fault of the form is told at once.

    Raises:
        Invalid: with the fields at fault.
    """
    values, faults = read_leniently(CheckoutForm)
    purpose = _purpose(ctx, values, faults)
    address = _address(ctx, values, faults)
    buyer = None if ctx.actor.signed_in else _guest(ctx, values, address, faults)
    if faults or address is None:
        raise together([Invalid(fields=faults), *_unconfirmed(ctx, values, lines)])
    touch = visit.touch(ctx)
    return PlaceOrder(
        lines=tuple(lines),
        address=address,
        buyer=buyer,
        unit=_unit(values),
        channel=touch.channel,
        campaign=touch.campaign,
        storefront=touch.storefront,
        purpose=purpose,
        note=values["note"],
        adult_confirmed=values["adult"],
        no_return_confirmed=values["no_return"],
        payment_terms=(
            PaymentTerms.PAY_AFTER_DELIVERY if values["pay_by"] == "later" else PaymentTerms.PREPAY
        ),
        expected_total_fen=values["expected_total"],
    )


def _unconfirmed(ctx: Ctx, values: Mapping[str, Any], lines: Items) -> list[Invalid]:
    """What stands beside the other faults: who mends those would else be sent back once more."""
    goods = goods_of(load_basket(ctx, lines).skus.values())
    return missing_confirmations(
        goods, adult=values.get("adult", False), no_return=values.get("no_return", False)
    )


def _unit(values: Mapping[str, Any]) -> str | None:
    """The unit that was chosen; `NO_UNIT` from who left the choice empty, which had been filled."""
    chosen: str | None = values["unit"]
    return chosen or (NO_UNIT if "unit" in request.form else None)


def _purpose(ctx: Ctx, values: Mapping[str, Any], faults: dict[str, list[str]]) -> Purpose:
    """A unit's account says what it buys for: its books and ours go by it. A person need not."""
    purpose: Purpose | None = values.get("purpose")
    if purpose is None and ctx.actor.buyer_kind is BuyerKind.UNIT_ACCOUNT:
        faults.setdefault("purpose", [told(["choose"])])
    return purpose or Purpose.PERSONAL


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
