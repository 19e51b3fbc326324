"""The bank's lines: importing them, matching them to orders by two people, explaining the rest."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import bank_words, refund_words, words
from admin.forms.bank import COLUMN, amount_of, line_of, mapping_of, packed, upload_of
from admin.forms.fields import cut, id_of, text_of
from admin.once import once
from admin.page import again, back_to, pages, show
from shop.context import Ctx, Transactions
from shop.errors import Conflict, ShopError
from shop.formatting import minute
from shop.identity.policy import allowed
from shop.payments import bank_aside, bank_desk, bank_import, bank_refunds, bank_review
from shop.payments.bank_desk import Pile
from shop.payments.bank_transfer import extend
from shop.web import key_of

PAGE = 24
LONGEST_NUMBER = 20
SAMPLE = 8
"""Lines of a file that the preview shows."""

MOST_ERRORS = 20


@pages.page("/bank", permission="bank.read")
def bank(ctx: Ctx) -> str:
    """The bank's lines of one pile, newest first, and the form that takes in a file."""
    return _desk(ctx)


def _desk(ctx: Ctx, *, form: Any = None, error: ShopError | None = None, **_path: Any) -> str:
    pile = next((one for one in Pile if one == request.args.get("pile")), Pile.OPEN)
    before = id_of(request.args.get("before"))
    rows, more = cut(bank_desk.lines_on_desk(ctx, pile, before, PAGE + 1), PAGE)
    return show(
        "bank.html",
        family="payments",
        rows=rows,
        more=more,
        pile=pile,
        counts=bank_desk.counts(ctx),
        statements=bank_desk.statements(ctx),
        last_day=bank_desk.last_line_on(ctx),
        refunds=bank_desk.refunds_to_pay(ctx),
        may_import=allowed(ctx.actor, "bank.import"),
        may_refund=allowed(ctx.actor, "refunds.request"),
        refund_states=refund_words.REFUND_STATES,
        refund_tones=refund_words.TONES,
        named=bank_words,
        column=COLUMN,
        form=form or {},
        error=error,
    )


@pages.page("/bank/import", permission="bank.import", methods=("POST",), retry=again(_desk))
def bank_take_in(ctx: Ctx) -> Any:
    """Show what a file would bring, or take it in; the same file again is harmless."""
    name, data = upload_of(request.form, request.files)
    mapping = mapping_of(request.form)
    if request.form.get("step") != "import":
        return _preview(ctx, name, data, mapping)
    found = bank_import.import_statement(ctx, name, data, mapping)
    if found.already:
        flash(gettext("这个文件已经导入过，没有重复导入。"), "info")
    else:
        text = gettext("已导入 %(new)s 笔新流水，系统正在匹配订单。", new=found.rows_new)
        flash(text, "success")
    return back_to("admin.bank")


def _preview(ctx: Ctx, name: str, data: bytes, mapping: dict[str, str]) -> str:
    reading = bank_import.preview(ctx, data, mapping)
    return show(
        "bank_import.html",
        family="payments",
        filename=name,
        packed=packed(data),
        reading=reading,
        sample=reading.lines[:SAMPLE],
        errors=reading.errors[:MOST_ERRORS],
        came_in=sum(line.amount_fen for line in reading.lines if line.amount_fen > 0),
        went_out=sum(line.amount_fen for line in reading.lines if line.amount_fen < 0),
        named=bank_words,
        column=COLUMN,
    )


@pages.page("/bank/lines", permission="bank.import", methods=("POST",), retry=again(_desk))
def bank_enter(ctx: Ctx) -> Any:
    """Enter one line by hand."""
    receipt_id = bank_import.enter_line(ctx, line_of(request.form))
    flash(gettext("已录入一笔流水。"), "success")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page("/bank/<receipt_id>", permission="bank.read")
def bank_line(ctx: Ctx, receipt_id: str) -> str:
    """One line: what is left of it, its matches, and the forms to explain it."""
    return _line(ctx, receipt_id=receipt_id)


def _line(
    ctx: Ctx,
    *,
    receipt_id: str,
    match_id: str = "",
    form: Any = None,
    error: ShopError | None = None,
) -> str:
    """The page; a refused form stands where it was: at a match, or below."""
    found = bank_desk.line_on_desk(ctx, key_of(receipt_id))
    open_fen = found["open_fen"]
    waits = found["state"] == "open" and open_fen > 0
    return show(
        "bank_line.html",
        family="payments",
        line=found,
        candidates=bank_desk.waiting_orders(ctx, open_fen) if waits else [],
        may_match=allowed(ctx.actor, "bank.match"),
        order_states=words.ORDER_STATES,
        named=bank_words,
        decided=match_id,
        form=form or {},
        error=error,
    )


@pages.page(
    "/bank/<receipt_id>/match",
    permission="bank.match",
    methods=("POST",),
    phases=True,
    retry=again(_line),
)
def bank_match(opened: Transactions, receipt_id: str) -> Any:
    """Say that a line is for an order; another person approves."""
    number = "".join(request.form.get("order", "").split())[:LONGEST_NUMBER]
    amount, note = amount_of(request.form), request.form.get("note", "")
    key = key_of(receipt_id)

    def enter(ctx: Ctx) -> None:
        bank_review.enter_match(ctx, key, number, amount, note)

    if once(opened, enter):
        flash(gettext("已录入匹配，请另一位同事复核。"), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page(
    "/bank/<receipt_id>/matches/<match_id>/approve",
    permission="bank.match",
    methods=("POST",),
    retry=again(_line),
)
def bank_approve(ctx: Ctx, receipt_id: str, match_id: str) -> Any:
    """The second person agrees."""
    paid = bank_review.approve_match(ctx, key_of(match_id))
    flash(gettext("已复核，订单已付款。") if paid else gettext("已复核。"), "success")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page(
    "/bank/<receipt_id>/matches/<match_id>/reject",
    permission="bank.match",
    methods=("POST",),
    retry=again(_line),
)
def bank_reject(ctx: Ctx, receipt_id: str, match_id: str) -> Any:
    """A proposed or entered match is wrong."""
    note = text_of(request.form, "note", "请填写原因", "A reason is needed")
    bank_review.reject_match(ctx, key_of(match_id), note)
    flash(gettext("已驳回匹配。"), "success")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page(
    "/bank/<receipt_id>/set-aside",
    permission="bank.match",
    methods=("POST",),
    retry=again(_line),
)
def bank_set_aside(ctx: Ctx, receipt_id: str) -> Any:
    """A line that pays no order is explained."""
    bank_aside.set_aside(ctx, key_of(receipt_id), request.form.get("reason", ""))
    flash(gettext("已搁置。"), "success")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page(
    "/bank/<receipt_id>/reopen", permission="bank.match", methods=("POST",), retry=again(_line)
)
def bank_reopen(ctx: Ctx, receipt_id: str) -> Any:
    """Take back that a line was set aside."""
    bank_aside.reopen(ctx, key_of(receipt_id))
    flash(gettext("已恢复为待匹配。"), "success")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page(
    "/bank/refunds/<number>/sent",
    permission="refunds.request",
    methods=("POST",),
    retry=again(_desk),
)
def bank_refund_sent(ctx: Ctx, number: str) -> Any:
    """The bank has been told to pay a refund out."""
    bank_aside.mark_sent(ctx, number)
    flash(gettext("已标记为已汇出，银行流水导入后自动完成。"), "success")
    return back_to("admin.bank")


@pages.page(
    "/bank/<receipt_id>/refund",
    permission="bank.match",
    methods=("POST",),
    phases=True,
    retry=again(_line),
)
def bank_refund(opened: Transactions, receipt_id: str) -> Any:
    """Say which refund a line brings back or has paid out; another person approves."""
    number = "".join(request.form.get("refund", "").split())[:LONGEST_NUMBER]
    key, reason = key_of(receipt_id), request.form.get("refund_reason", "")

    def enter(ctx: Ctx) -> None:
        bank_refunds.enter_refund(ctx, key, number, reason)

    if once(opened, enter):
        flash(gettext("已录入，请另一位同事复核。"), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.bank_line", receipt_id=receipt_id)


@pages.page(
    "/bank/refunds/<number>/failed",
    permission="refunds.request",
    methods=("POST",),
    retry=again(_desk),
)
def bank_refund_failed(ctx: Ctx, number: str) -> Any:
    """The bank did not pay a refund out."""
    bank_refunds.fail_sent(ctx, number, request.form.get("reason", ""))
    flash(gettext("已登记为汇出失败，可在退款页重新退款。"), "success")
    return back_to("admin.refund", number=number)


@pages.page("/orders/<number>/extension", permission="orders.extend", methods=("POST",))
def extend_order(ctx: Ctx, number: str) -> Any:
    """Give a unit 15 days more to pay, once; a second click is told that it is done."""
    try:
        until = extend(ctx, number)
    except Conflict as error:
        if error.error_code != "already_extended":
            raise
        flash(gettext("付款期已延长过一次，不能再延长。"), "info")
    else:
        flash(gettext("付款期已延长至 %(time)s", time=minute(until, ctx.language)), "success")
    return back_to("admin.order", number=number)
