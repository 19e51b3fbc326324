"""The provider's books re-added from its own rows, and what in them contradicts itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from shop.payments.sandbox.balance import LINE
from shop.payments.sandbox.books import Books, Json
from shop.payments.sandbox.disputes import held
from shop.payments.sandbox.machine import INTENT, SESSION

MOST_COMPLAINTS: Final = 100


@dataclass(slots=True)
class Sums:
    """What one payment, or all of them together, came to; fen."""

    captured: int = 0
    refunded: int = 0
    refunds_pending: int = 0
    disputed: int = 0


@dataclass(slots=True)
class Found:
    """What was added up.

    `owed` is what the lines of each charge, refund, dispute and payout must come to, `lines` what
    they do come to, `given_back` what the refunds say of each charge.
    """

    total: Sums = field(default_factory=Sums)
    payments: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    fees: int = 0
    payouts: int = 0
    balance: int = 0
    lines: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    owed: dict[str, int] = field(default_factory=dict)
    given_back: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def books(books: Books, *, each: bool = False) -> Json:
    """The totals, and `disagree`: one sentence for every contradiction, none in good books.

    `each` adds `payments`: the same sums by payment intent. Nothing is written meanwhile.
    """
    with books.writing():
        found = Found()
        _lines(books, found)
        _refunds(books, found)
        _disputes(books, found)
        charged = list(_charges(books, found))
        complaints = [*charged, *_intents(books, found), *_sessions(books, found)]
        complaints += [*_payouts(books, found), *_sources(found), *_balance(found)]
    total = found.total
    shown: Json = {
        "captured": total.captured,
        "refunded": total.refunded,
        "refunds_pending": total.refunds_pending,
        "disputed": total.disputed,
        "fees": found.fees,
        "payouts": found.payouts,
        "balance": found.balance,
        "disagree": complaints[:MOST_COMPLAINTS],
    }
    if each:
        shown["payments"] = dict(found.payments)
    return shown


def _lines(books: Books, found: Found) -> None:
    for line in books.every(LINE):
        found.lines[line["source"]] += line["amount"]
        found.fees += line["fee"]
        found.balance += line["net"]


def _refunds(books: Books, found: Found) -> None:
    for refund in books.every("refund"):
        failed = refund["status"] == "failed"
        amount = 0 if failed else refund["amount"]
        found.owed[refund["id"]] = -amount
        found.given_back[refund["charge"]] += amount
        for sums in (found.total, found.payments[refund["payment_intent"]]):
            if refund["status"] == "pending":
                sums.refunds_pending += amount
            else:
                sums.refunded += amount


def _disputes(books: Books, found: Found) -> None:
    for dispute in books.every("dispute"):
        amount = dispute["amount"] if held(dispute) else 0
        found.owed[dispute["id"]] = -amount
        for sums in (found.total, found.payments[dispute["payment_intent"]]):
            sums.disputed += amount


def _charges(books: Books, found: Found) -> Iterator[str]:
    for charge in books.every("charge"):
        number, taken = charge["id"], charge["amount_captured"]
        if not charge["captured"]:
            continue
        found.owed[number] = taken
        for sums in (found.total, found.payments[charge["payment_intent"]]):
            sums.captured += taken
        back = found.given_back.pop(number, 0)
        if (charge["amount_refunded"], charge["refunded"]) != (back, back == taken):
            yield f"{number} says {charge['amount_refunded']} is refunded, its refunds say {back}"
        if back > taken:
            yield f"{number} took {taken} and gave back {back}"
    for number in found.given_back:
        yield f"{number} gave money back and took none"


def _intents(books: Books, found: Found) -> Iterator[str]:
    for intent in books.every(INTENT):
        number = intent["id"]
        taken = found.payments[number].captured if number in found.payments else 0
        said = intent["amount"] if intent["status"] == "succeeded" else 0
        if not said == taken == intent["amount_received"]:
            yield f"{number} ({intent['status']}) says {said} arrived, its charges say {taken}"


def _sessions(books: Books, found: Found) -> Iterator[str]:
    for session in books.every(SESSION):
        intent = session["payment_intent"]
        taken = found.payments[intent].captured if intent in found.payments else 0
        said = session["amount_total"] if session["payment_status"] == "paid" else 0
        if said != taken:
            yield f"{session['id']} says {said} was paid, its charges say {taken}"


def _payouts(books: Books, found: Found) -> Iterator[str]:
    for payout in books.every("payout"):
        found.owed[payout["id"]] = -payout["amount"]
        found.payouts += payout["amount"]
        if payout["status"] != "paid":
            yield f"{payout['id']} is {payout['status']}"


def _sources(found: Found) -> Iterator[str]:
    """Every line must be about something, and together they must come to what it is."""
    for number in sorted({*found.owed, *found.lines}):
        wanted, lines = found.owed.get(number), found.lines.get(number, 0)
        if wanted != lines:
            yield f"{number} should come to {wanted} in the balance and comes to {lines}"


def _balance(found: Found) -> Iterator[str]:
    total = found.total
    gone = total.refunded + total.refunds_pending + total.disputed + found.fees + found.payouts
    if total.captured - gone != found.balance:
        yield f"the balance should be {total.captured - gone} and is {found.balance}"
