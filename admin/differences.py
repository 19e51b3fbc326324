"""What does not agree with the provider's books or the bank's, and the word of who looked."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import book_words
from admin.forms.fields import cut, id_of
from admin.once import once
from admin.page import again, back_to, pages, show
from models.reconciliation import DifferenceState, Side
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.identity.policy import allowed
from shop.payments import difference_queries as queries
from shop.payments.differences import explain
from shop.web import key_of

PAGE = 24


@pages.page("/differences", permission="reconciliations.read")
def differences(ctx: Ctx) -> str:
    """Differences, newest first; those that are open unless asked for others."""
    asked = request.args.get("state", DifferenceState.OPEN)
    state = next((one for one in DifferenceState if one == asked), None)
    side = next((one for one in Side if one == request.args.get("side")), None)
    before = id_of(request.args.get("before"))
    found = queries.differences(ctx, state=state, side=side, before=before, limit=PAGE + 1)
    rows, more = cut(found, PAGE)
    return show(
        "differences.html",
        family="payments",
        rows=rows,
        more=more,
        state=state or "all",
        side=side,
        waiting=queries.open_count(ctx),
        sides=book_words.SIDES,
        kinds=book_words.DIFFERENCE_KINDS,
        states=book_words.DIFFERENCE_STATES,
        tones=book_words.TONES,
    )


@pages.page("/differences/<difference_id>", permission="reconciliations.read")
def difference(ctx: Ctx, difference_id: str) -> str:
    """One difference, with the form that explains it while it is open."""
    return _detail(ctx, difference_id=difference_id)


def _detail(
    ctx: Ctx, *, difference_id: str, form: Any = None, error: ShopError | None = None
) -> str:
    return show(
        "difference.html",
        family="payments",
        row=queries.difference(ctx, key_of(difference_id)),
        may_explain=allowed(ctx.actor, "differences.explain"),
        form=form or {},
        error=error,
        sides=book_words.SIDES,
        kinds=book_words.DIFFERENCE_KINDS,
        states=book_words.DIFFERENCE_STATES,
        tones=book_words.TONES,
    )


@pages.page(
    "/differences/<difference_id>/explain",
    permission="differences.explain",
    methods=("POST",),
    phases=True,
    retry=again(_detail),
)
def explain_difference(opened: Transactions, difference_id: str) -> Any:
    """Say why both sides differ, and close it."""
    key, words = key_of(difference_id), request.form.get("explanation", "")
    if once(opened, lambda ctx: explain(ctx, key, words)):
        flash(gettext("已记录说明，差异关闭。"), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.difference", difference_id=difference_id)
