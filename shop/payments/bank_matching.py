"""Which orders a line of the bank's is for: pure. Money in fen.

What is certain is matched at once; what is likely is proposed to a person; of the rest we say
why it stays open.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from uuid import UUID

from models.orders import OrderState
from shop.ids import check_digit, is_order_number

LENGTH = 14
"""Digits of an order number (`shop.ids.order_number`)."""

BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-_.,;:/#*()|·、，。；：“”'\"]+(?=\d)")
DIGITS = re.compile(rf"\d{{{LENGTH},}}", re.ASCII)
REFUND = re.compile(rf"(\d{{{LENGTH}}})\s*[Rr]\s*(\d{{1,3}})(?!\d)", re.ASCII)
MOST_NEAR = 4
"""Mistyped numbers that are looked into; a remark with more of them is no list of orders."""

ALIKE_PERCENT = 80
SHORTEST_PART = 3
"""Two characters are a given name; three in common are a unit's name in a longer one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is open of an incoming line."""

    id: UUID
    open_fen: int
    payer_name: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order that somebody may have paid for: `missing_fen` is what it still waits for."""

    id: UUID
    number: str
    state: OrderState
    missing_fen: int
    names: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether money for it is welcome."""
        return self.state is OrderState.PENDING_PAYMENT and self.missing_fen > 0


@dataclass(frozen=True, slots=True)
class Found:
    """The orders that a line may be for, by how they were found.

    `beside` are other open lines that name the same single order.
    """

    named: tuple[Wanted, ...] = ()
    near: tuple[Wanted, ...] = ()
    same_amount: tuple[Wanted, ...] = ()
    beside: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """So many fen of a receipt are for this order; `certain` ones need no person."""

    receipt_id: UUID
    order_id: UUID
    amount_fen: int
    why: str
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a line, and why the rest of it stays open (a code, or empty)."""

    matches: tuple[Match, ...] = ()
    reason: str = ""


def decide(receipt: Receipt, found: Found) -> Decision:
    """Match, propose, or say why not."""
    if len(found.named) > 1:
        return _several(receipt, found.named)
    if found.named:
        return _single(receipt, found.named[0], found.beside)
    near = [one for one in found.near if one.waits]
    if len(near) == 1 and (
        near[0].missing_fen == receipt.open_fen or alike(receipt.payer_name, near[0].names)
    ):
        return Decision((_part(receipt, near[0], "near_number"),), "near_number")
    payers = [
        one for one in found.same_amount if one.waits and alike(receipt.payer_name, one.names)
    ]
    if len(payers) == 1:
        return Decision((_part(receipt, payers[0], "payer_and_amount"),), "payer_and_amount")
    return Decision(reason="several_candidates" if payers else "no_order")


def _single(receipt: Receipt, order: Wanted, beside: Sequence[Receipt]) -> Decision:
    if not order.waits:
        return Decision(reason=f"order_{order.state}")
    if receipt.open_fen == order.missing_fen:
        return Decision((_part(receipt, order, "number_and_amount", certain=True),))
    together = (receipt, *beside)
    if beside and sum(one.open_fen for one in together) == order.missing_fen:
        return Decision(tuple(_part(one, order, "adds_up", certain=True) for one in together))
    reason = "overpaid" if receipt.open_fen > order.missing_fen else "underpaid"
    return Decision((_part(receipt, order, reason),), reason)


def _several(receipt: Receipt, orders: Sequence[Wanted]) -> Decision:
    """One line for several orders is split only where it sums; else a person decides."""
    whole = sum(one.missing_fen for one in orders)
    if all(one.waits for one in orders) and whole == receipt.open_fen:
        return Decision(tuple(_part(receipt, one, "sums_up", certain=True) for one in orders))
    return Decision(reason="several_do_not_sum")


def _part(receipt: Receipt, order: Wanted, why: str, *, certain: bool = False) -> Match:
    amount = min(receipt.open_fen, order.missing_fen)
    return Match(receipt.id, order.id, amount, why, certain)


def plain(text: str) -> str:
    """A remark with narrow digits, and with nothing between two of them."""
    return BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))


def numbers_in(text: str) -> list[str]:
    """Everything in a text that can be an order number, however it is spaced, once each."""
    found = (
        run[start : start + LENGTH]
        for run in DIGITS.findall(plain(text))
        for start in range(len(run) - LENGTH + 1)
    )
    return list(dict.fromkeys(one for one in found if is_order_number(one) and _dated(one)))


def near_numbers(text: str) -> list[str]:
    """The order numbers that a mistyped one may have been: one digit wrong, so that it fails."""
    runs = [run for run in DIGITS.findall(plain(text)) if len(run) == LENGTH]
    wrong = [run for run in dict.fromkeys(runs) if not is_order_number(run)]
    return [meant for run in wrong[:MOST_NEAR] for meant in _mended(run)]


def _mended(run: str) -> list[str]:
    """For each place there is one digit that makes the check digit right."""
    changed = (
        run[:place] + digit + run[place + 1 :] for place in range(LENGTH) for digit in "0123456789"
    )
    return [one for one in changed if check_digit(one[:-1]) == one[-1] and _dated(one)]


def _dated(number: str) -> bool:
    try:
        datetime.strptime(number[:6], "%y%m%d")  # noqa: DTZ007 - a day in a number, no moment
    except ValueError:
        return False
    return True


def refund_numbers_in(text: str) -> list[str]:
    """The refund numbers (`<order>R<n>`) that a text names."""
    return [f"{order}R{int(place)}" for order, place in REFUND.findall(plain(text))]


def alike(payer: str, names: Sequence[str]) -> bool:
    """Whether a payer may be one of these: the same, one within the other, or nearly the same."""
    mine = _letters(payer)
    return any(_same(mine, _letters(name)) for name in names)


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) < SHORTEST_PART:
        return bool(one) and one == other
    return short in long or 100 * SequenceMatcher(None, one, other).ratio() >= ALIKE_PERCENT


def _letters(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(one for one in text if one.isalnum())


def names_payout(texts: Sequence[str], references: Sequence[str]) -> bool:
    """Whether one of these texts names a payout, however the bank spaced it."""
    seen = [_letters(text) for text in texts]
    return any(
        _letters(reference) in text for reference in references if reference for text in seen
    )
