"""Refunds: the list, one of them, and the form that asks for one with a look before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, request
from flask_babel import gettext

from admin import refund_words, words
from admin.forms.fields import cut, id_of
from admin.forms.refund import PIECES, YUAN, kept, wish_of
from admin.once import once
from admin.page import again, back_to, pages, show
from models.refunds import RefundCause, RefundState
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.formatting import yuan
from shop.identity.policy import allowed
from shop.orders.access import order_id_of
from shop.orders.desk import order_on_desk
from shop.payments import refund_rows
from shop.payments.refund_queries import RefundFilter, refund_on_desk, refunds_on_desk
from shop.payments.refund_rules import WHY, RefundWish
from shop.payments.refunds import plan_refund, request_refund, retry_refund
from shop.reasons import checked_reason

PAGE = 24
LONGEST_NUMBER = 20


@pages.page("/refunds", permission="refunds.read")
def refunds(ctx: Ctx) -> str:
    """Refunds of all orders, newest first, by state, cause and order."""
    number = request.args.get("order", "").strip().partition("R")[0][:LONGEST_NUMBER]
    state = next((one for one in RefundState if one == request.args.get("state")), None)
    cause = next((one for one in RefundCause if one == request.args.get("cause")), None)
    before = id_of(request.args.get("before"))
    found = refunds_on_desk(ctx, RefundFilter(state, cause, number), before, PAGE + 1)
    rows, more = cut(found, PAGE)
    return show(
        "refunds.html",
        family="payments",
        rows=rows,
        more=more,
        number=number,
        state=state,
        cause=cause,
        methods=words.PAYMENT_METHODS,
        named=refund_words,
    )


@pages.page("/refunds/<number>", permission="refunds.read")
def refund(ctx: Ctx, number: str) -> str:
    """One refund: what of each line goes back, and how far it is."""
    return _detail(ctx, number=number)


def _detail(ctx: Ctx, *, number: str, form: Any = None, error: ShopError | None = None) -> str:
    return show(
        "refund.html",
        family="payments",
        refund=refund_on_desk(ctx, number),
        form=form or {},
        error=error,
        may_refund=allowed(ctx.actor, "refunds.request"),
        methods=words.PAYMENT_METHODS,
        named=refund_words,
    )


@pages.page(
    "/refunds/<number>/retry",
    permission="refunds.request",
    methods=("POST",),
    phases=True,
    retry=again(_detail),
)
def retry(opened: Transactions, number: str) -> Any:
    """Try a failed refund again, as a new one."""
    written: list[UUID] = []
    if once(opened, lambda ctx: written.append(_again(ctx, number))):
        flash(gettext("已重新发起退款。"), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.refund", number=number)


def _again(ctx: Ctx, number: str) -> UUID:
    return retry_refund(ctx, refund_on_desk(ctx, number)["id"])


@pages.page("/orders/<number>/refund", permission="refunds.request")
def refund_form(ctx: Ctx, number: str) -> str:
    """What of an order can still be refunded, and the form for it."""
    return _form(ctx, number=number, form={"kind": "whole", "freight": "1"})


def _form(ctx: Ctx, *, number: str, form: Any, error: ShopError | None = None) -> str:
    order = order_on_desk(ctx, number)
    lines = {line.id: line for line in refund_rows.lines_of(ctx, order["id"])}
    return show(
        "refund_form.html",
        family="orders",
        order=order,
        lines=lines,
        left=sum(line.goods_left_fen + line.freight_left_fen for line in lines.values()),
        pieces=PIECES,
        yuan_field=YUAN,
        form=form,
        error=error,
        states=words.ORDER_READINGS,
        tones=words.TONES,
    )


@pages.page(
    "/orders/<number>/refund/preview",
    permission="refunds.request",
    methods=("POST",),
    retry=again(_form),
)
def refund_preview(ctx: Ctx, number: str) -> str:
    """What the form would return, line by line; nothing is written."""
    wish = wish_of(request.form)
    reason = checked_reason(request.form.get("reason", ""), *WHY)
    order = order_on_desk(ctx, number)
    found = plan_refund(ctx, order["id"], wish)
    return show(
        "refund_preview.html",
        family="orders",
        order=order,
        names={line["line_id"]: line for part in order["consignments"] for line in part["lines"]},
        planned=found,
        reason=reason,
        fields=kept(request.form),
        method=words.PAYMENT_METHODS[found.payment.method],
    )


@pages.page(
    "/orders/<number>/refund",
    permission="refunds.request",
    methods=("POST",),
    phases=True,
    retry=again(_form),
)
def send_refund(opened: Transactions, number: str) -> Any:
    """Ask for the refund that the preview showed."""
    if "change" in request.form:
        with opened.begin() as ctx:
            return _form(ctx, number=number, form=request.form)
    wish, reason = wish_of(request.form), request.form.get("reason", "")
    told: list[str] = []
    if once(opened, lambda ctx: told.append(_request(ctx, number, wish, reason))):
        flash(gettext("退款 %(amount)s 已提交。", amount=told[0]), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.order", number=number)


def _request(ctx: Ctx, number: str, wish: RefundWish, reason: str) -> str:
    refund_id = request_refund(ctx, order_id_of(ctx, number), wish, reason)
    parts = refund_rows.parts_of(ctx, refund_id)
    return yuan(sum(part.goods_fen + part.freight_fen for part in parts))
