"""The ledger: balances, entries, and the proof that everything adds up."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import request

from admin import book_words
from admin.forms.fields import id_of
from admin.page import pages, show
from shop.context import Ctx
from shop.errors import Invalid
from shop.ledger import queries
from shop.ledger.rules import NAMES, Account
from shop.payments.proof import NOT_PROVED, prove
from shop.web import key_of

PAGE = 24
LONGEST = 40


@pages.page("/ledger", permission="ledger.read")
def ledger(ctx: Ctx) -> str:
    """Every account with its balance, now or at the end of a day."""
    on = day_of("on")
    return show(
        "ledger.html",
        family="payments",
        accounts=queries.accounts(ctx, on),
        on=on,
        kinds=book_words.ACCOUNT_KINDS,
    )


@pages.page("/ledger/entries", permission="ledger.read")
def ledger_entries(ctx: Ctx) -> str:
    """Journal entries, the newest day first, of an account, a party, a day, an order."""
    account = next((one for one in Account if one == request.args.get("account")), None)
    wanted = queries.EntryFilter(
        account=account,
        party=_text("party"),
        subject=_text("subject"),
        day=day_of("day"),
        order_number=_text("order"),
    )
    found = queries.entries(ctx, wanted, after(), PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return show(
        "ledger_entries.html",
        family="payments",
        rows=found[:PAGE],
        more=f"{last['day']}_{last['id']}" if last else None,
        wanted=wanted,
        args={
            "account": account,
            "party": wanted.party,
            "subject": wanted.subject,
            "day": wanted.day,
            "order": wanted.order_number,
        },
        names=account_names(ctx.language),
        subjects=book_words.SUBJECTS,
        causes=book_words.CAUSES,
    )


@pages.page("/ledger/entries/<entry_id>", permission="ledger.read")
def ledger_entry(ctx: Ctx, entry_id: str) -> str:
    """One journal entry with its postings."""
    return show(
        "ledger_entry.html",
        family="payments",
        entry=queries.entry(ctx, key_of(entry_id)),
        names=account_names(ctx.language),
        causes=book_words.CAUSES,
    )


@pages.page("/ledger/proof", permission="ledger.read")
def ledger_proof(ctx: Ctx) -> str:
    """Everything added up again from zero."""
    return show(
        "ledger_proof.html",
        family="payments",
        proof=prove(ctx),
        checks=book_words.CHECKS,
        names=account_names(ctx.language),
        not_proved=NOT_PROVED,
    )


def account_names(language: str) -> dict[str, str]:
    """Account -> its name in the reader's language."""
    place = 1 if language.startswith("zh") else 2
    return {account.value: names[place] for account, names in NAMES.items()}


def day_of(name: str) -> date | None:
    """A day out of the address; None when there is none.

    Raises:
        Invalid: it is no day.
    """
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("日期格式有误", "This is not a day") from error


def after() -> tuple[date, UUID] | None:
    """Where a list by day goes on: `day_key` in the address.

    Raises:
        Invalid: somebody changed it.
    """
    day, _, key = request.args.get("after", "").partition("_")
    if not day:
        return None
    found = id_of(key)
    try:
        begun = date.fromisoformat(day)
    except ValueError as error:
        raise Invalid("分页位置无效", "There is no such page") from error
    if found is None:
        raise Invalid("分页位置无效", "There is no such page")
    return begun, found


def _text(name: str) -> str | None:
    return request.args.get(name, "").strip()[:LONGEST] or None
