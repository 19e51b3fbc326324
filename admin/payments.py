"""Money that arrived and may not be kept: a person has to send it back."""

from __future__ import annotations

from flask import request

from admin import words
from admin.forms.fields import cut, id_of
from admin.page import pages, show
from shop.context import Ctx
from shop.payments.desk import needing_refund, refunds_due

PAGE = 24


@pages.page("/payments", permission="payments.read_any")
def payments(ctx: Ctx) -> str:
    """Payments that have to go back, newest first."""
    found = needing_refund(ctx, id_of(request.args.get("before")), PAGE + 1)
    rows, more = cut(found, PAGE)
    return show(
        "payments.html",
        family="payments",
        rows=rows,
        more=more,
        due=refunds_due(ctx),
        methods=words.PAYMENT_METHODS,
        why=words.WHY_BACK,
    )
