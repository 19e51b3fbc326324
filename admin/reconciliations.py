"""Days compared with the provider and the bank: the list, one run, and the form that runs one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import book_words
from admin.ledger import after
from admin.page import again, back_to, pages, show
from models.reconciliation import Side
from shop.clock import business_day
from shop.context import Ctx, Transactions
from shop.errors import Invalid, ShopError, Words
from shop.identity.policy import allowed
from shop.payments import difference_queries as queries
from shop.payments.reconcile_jobs import RUN
from shop.web import key_of

PAGE = 24


@pages.page("/reconciliations", permission="reconciliations.read")
def reconciliations(ctx: Ctx) -> str:
    """Every run, the newest day first."""
    return _list(ctx)


def _list(ctx: Ctx, *, form: Any = None, error: ShopError | None = None) -> str:
    side = next((one for one in Side if one == request.args.get("side")), None)
    found = queries.runs(ctx, side=side, after=None if error else after(), limit=PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return show(
        "reconciliations.html",
        family="payments",
        rows=found[:PAGE],
        more=f"{last['day']}_{last['id']}" if last else None,
        side=side,
        sides=book_words.SIDES,
        waiting=queries.open_count(ctx),
        may_run=allowed(ctx.actor, "reconciliations.run"),
        yesterday=business_day(ctx.now) - timedelta(days=1),
        form=form or {},
        error=error,
    )


@pages.page(
    "/reconciliations/run",
    permission="reconciliations.run",
    methods=("POST",),
    phases=True,
    retry=again(_list),
)
def reconcile(opened: Transactions) -> Any:
    """Compare a day now; repeating it is harmless."""
    side = next((one for one in Side if one == request.form.get("side")), Side.PROVIDER)
    run_id = RUN[side](opened, _day())
    flash(gettext("对账完成。"), "success")
    return back_to("admin.reconciliation", run_id=run_id)


@pages.page("/reconciliations/<run_id>", permission="reconciliations.read")
def reconciliation(ctx: Ctx, run_id: str) -> str:
    """One run: both sides by kind, the balances, and what does not agree."""
    return show(
        "reconciliation.html",
        family="payments",
        run=queries.whole_run(ctx, key_of(run_id)),
        sides=book_words.SIDES,
        movements=book_words.MOVEMENTS,
        kinds=book_words.DIFFERENCE_KINDS,
        states=book_words.DIFFERENCE_STATES,
        tones=book_words.TONES,
    )


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("day", ""))
    except ValueError as error:
        words = Words("日期格式有误", "This is not a day")
        raise Invalid(words, words.en, fields={"day": [words]}) from error
