"""The finance desk's first page: everything that waits for a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, request
from flask_babel import gettext

from admin import refund_words, words
from admin.forms.fields import cut, id_of
from admin.money_tabs import tabs_for
from admin.once import once
from admin.page import again, back_to, pages, show
from models.refunds import DisputeState
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.identity.policy import allowed
from shop.payments.desk import finance_counts, needing_refund
from shop.payments.dispute_queries import disputes_on_desk
from shop.payments.overdue import close_overdue, overdue
from shop.payments.refund_queries import RefundFilter, refunds_on_desk
from shop.payments.refunds import refund_payment
from shop.web import key_of

PAGE = 24


@pages.page("/payments", permission="payments.read_any")
def payments(ctx: Ctx) -> str:
    """Money to send back, refunds that failed or take long, disputes to answer."""
    return _desk(ctx)


def _desk(ctx: Ctx, *, form: Any = None, error: ShopError | None = None, **_path: Any) -> str:
    before = id_of(request.args.get("before")) if error is None else None
    rows, more = cut(needing_refund(ctx, before, PAGE + 1), PAGE)
    return show(
        "payments.html",
        family="payments",
        rows=rows,
        more=more,
        form=form or {},
        error=error,
        counts=_counts(ctx),
        stuck=refunds_on_desk(ctx, RefundFilter(stuck=True), limit=PAGE),
        slow=refunds_on_desk(ctx, RefundFilter(slow=True), limit=PAGE),
        disputes=disputes_on_desk(ctx, state=DisputeState.OPEN, limit=PAGE),
        overdue=overdue(ctx, PAGE),
        may_refund=allowed(ctx.actor, "refunds.request"),
        may_close=allowed(ctx.actor, "orders.close"),
        methods=words.PAYMENT_METHODS,
        why=words.WHY_BACK,
        named=refund_words,
    )


def _counts(ctx: Ctx) -> list[tuple[Any, str, dict[str, str], int, int]]:
    """(name, endpoint, place, how many, fen) of what waits on pages that the actor may open."""
    found = finance_counts(ctx)
    opened = {endpoint for endpoint, _label in tabs_for(ctx.actor)}
    return [
        (name, endpoint, place, *found[kind])
        for kind, (name, endpoint, place) in refund_words.COUNTS.items()
        if endpoint in opened
    ]


@pages.page(
    "/payments/<payment_id>/refund",
    permission="refunds.request",
    methods=("POST",),
    phases=True,
    retry=again(_desk),
)
def refund_money(opened: Transactions, payment_id: str) -> Any:
    """Send back, whole, money that no order may keep."""
    key = key_of(payment_id)
    reason = request.form.get("reason", "")
    if once(opened, lambda ctx: _send_back(ctx, key, reason)):
        flash(gettext("退款已提交，正在原路退回。"), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.payments")


def _send_back(ctx: Ctx, payment_id: UUID, reason: str) -> None:
    refund_payment(ctx, payment_id, reason)


@pages.page(
    "/orders/<number>/close",
    permission="orders.close",
    methods=("POST",),
    phases=True,
    retry=again(_desk),
)
def close_order(opened: Transactions, number: str) -> Any:
    """Close an order whose time is over and that the provider does not let the timer close."""
    close_overdue(opened, number, request.form.get("reason", ""))
    flash(gettext("订单 %(number)s 已关闭，库存已放回。", number=number), "success")
    return back_to("admin.payments")
