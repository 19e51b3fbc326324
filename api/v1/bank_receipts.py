"""The bank's lines: taking them in, matching them to orders, explaining the rest."""

from __future__ import annotations

from typing import Any

import orjson
from flask import request

from api.endpoint import Ctx, endpoint
from api.pagination import decode_id, page_of
from api.reading import uploaded
from api.schemas.bank import (
    AsideBody,
    BankMatchAnswer,
    ExtensionAnswer,
    ImportAnswer,
    MatchBody,
    NoteBody,
    ReceiptAnswer,
    ReceiptBody,
    ReceiptPage,
    ReceiptsQuery,
    SentAnswer,
)
from models.refunds import RefundState
from shop.errors import Invalid, Words
from shop.payments import bank_aside, bank_desk, bank_import, bank_review
from shop.payments.bank_rules import Line, clean
from shop.payments.bank_transfer import extend
from shop.web import key_of, refuse_nul

TAG = "Finance"
LONGEST = 500


@endpoint(
    "GET",
    "/payments/bank-receipts",
    permission="bank.read",
    tag=TAG,
    query=ReceiptsQuery,
    answer=ReceiptPage,
)
def receipts(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Lines of the bank's, newest first."""
    limit = query["limit"]
    after = decode_id(query["cursor"])
    found = bank_desk.lines_on_desk(ctx, query["state"], after, limit + 1)
    return page_of(found, limit, "id")


@endpoint(
    "GET",
    "/payments/bank-receipts/<receipt_id>",
    permission="bank.read",
    tag=TAG,
    answer=ReceiptAnswer,
)
def receipt(ctx: Ctx, receipt_id: str) -> dict[str, Any]:
    """One line with all its matches."""
    return bank_desk.line_on_desk(ctx, key_of(receipt_id))


@endpoint(
    "POST",
    "/payments/bank-receipts",
    permission="bank.import",
    tag=TAG,
    body=ReceiptBody,
    answer=ReceiptAnswer,
    status=201,
)
def enter(ctx: Ctx, body: dict[str, Any]) -> dict[str, Any]:
    """Enter a line by hand; the same line twice is refused."""
    texts = {name: clean(body[name], LONGEST) for name in ("payer_name", "payer_account", "remark")}
    line = Line(
        row=0,
        booked_on=body["booked_on"],
        amount_fen=body["amount_fen"],
        bank_reference=clean(body["bank_reference"] or "", LONGEST) or None,
        **texts,
    )
    return bank_desk.line_on_desk(ctx, bank_import.enter_line(ctx, line))


@endpoint(
    "POST",
    "/payments/bank-receipts/import",
    permission="bank.import",
    tag=TAG,
    answer=ImportAnswer,
    status=201,
    upload=True,
)
def take_in(ctx: Ctx) -> bank_import.Imported:
    """Take in a statement (csv or xlsx), whole or not at all; the same file again is harmless."""
    file = uploaded("file")
    name = clean(file.filename or "", LONGEST)
    return bank_import.import_statement(ctx, name, file.read(), _mapping())


def _mapping() -> dict[str, str]:
    """Our name -> the file's header, out of the form's field `mapping`, which is JSON."""
    text = request.form.get("mapping", "").strip() or "{}"
    words = Words("须为 JSON 对象，值为列名", "A JSON object of column names")
    refuse_nul([text])
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise Invalid(fields={"mapping": [words]})
    return found


@endpoint(
    "POST",
    "/payments/bank-receipts/<receipt_id>/match",
    permission="bank.match",
    tag=TAG,
    body=MatchBody,
    answer=BankMatchAnswer,
    status=201,
)
def match(ctx: Ctx, receipt_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Say that a line is for an order; another person has to approve it."""
    match_id = bank_review.enter_match(
        ctx, key_of(receipt_id), body["order"], body["amount_fen"], body["note"]
    )
    return bank_desk.match_on_desk(ctx, match_id)


@endpoint(
    "POST",
    "/payments/bank-matches/<match_id>/approve",
    permission="bank.match",
    tag=TAG,
    answer=BankMatchAnswer,
)
def approve(ctx: Ctx, match_id: str) -> dict[str, Any]:
    """Approve what another person has entered; the order goes on when its money is whole."""
    bank_review.approve_match(ctx, key_of(match_id))
    return bank_desk.match_on_desk(ctx, key_of(match_id))


@endpoint(
    "POST",
    "/payments/bank-matches/<match_id>/reject",
    permission="bank.match",
    tag=TAG,
    body=NoteBody,
    answer=BankMatchAnswer,
)
def reject(ctx: Ctx, match_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Say that a proposed or entered match is wrong."""
    bank_review.reject_match(ctx, key_of(match_id), body["note"])
    return bank_desk.match_on_desk(ctx, key_of(match_id))


@endpoint(
    "POST",
    "/payments/bank-receipts/<receipt_id>/set-aside",
    permission="bank.match",
    tag=TAG,
    body=AsideBody,
    answer=ReceiptAnswer,
)
def set_aside(ctx: Ctx, receipt_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Explain a line that pays no order."""
    bank_aside.set_aside(ctx, key_of(receipt_id), body["reason"])
    return bank_desk.line_on_desk(ctx, key_of(receipt_id))


@endpoint(
    "POST",
    "/payments/bank-receipts/<receipt_id>/reopen",
    permission="bank.match",
    tag=TAG,
    answer=ReceiptAnswer,
)
def reopen(ctx: Ctx, receipt_id: str) -> dict[str, Any]:
    """Take back that a line was set aside."""
    bank_aside.reopen(ctx, key_of(receipt_id))
    return bank_desk.line_on_desk(ctx, key_of(receipt_id))


@endpoint(
    "POST", "/refunds/<number>/sent", permission="refunds.request", tag=TAG, answer=SentAnswer
)
def sent(ctx: Ctx, number: str) -> dict[str, Any]:
    """Say that the bank was told to pay out a refund by transfer; its line will end it."""
    bank_aside.mark_sent(ctx, number)
    return {"number": number, "state": RefundState.SENT}


@endpoint(
    "POST",
    "/orders/<number>/extension",
    permission="orders.extend",
    tag=TAG,
    answer=ExtensionAnswer,
)
def extension(ctx: Ctx, number: str) -> dict[str, Any]:
    """Give a unit 15 days more to pay, once."""
    return {"number": number, "pay_before": extend(ctx, number)}
