"""What of each line a refund returns: pure. Money in fen, goods in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from models.money import split
from shop.errors import Conflict, Invalid, Words

BY_BANK = "bank "
"""Begins the reference of a refund that a line of the bank's has paid out, by whatever its payment
came."""

WHY = ("请填写退款原因", "Say why the money goes back")
"""What a person is asked who refunds without a reason."""


@dataclass(frozen=True, slots=True)
class Line:
    """An order line as it stands: what was paid for it and what refunds claim of that already."""

    id: UUID
    sku_id: UUID
    consignment_id: UUID
    cooperative: str
    quantity: int
    shipped: int
    withdrawn: int
    returned: int
    paid_goods_fen: int
    paid_freight_fen: int
    back_goods_fen: int
    back_freight_fen: int

    @property
    def goods_left_fen(self) -> int:
        """What can still be returned of its goods."""
        return self.paid_goods_fen - self.back_goods_fen

    @property
    def freight_left_fen(self) -> int:
        """What can still be returned of its freight."""
        return self.paid_freight_fen - self.back_freight_fen

    @property
    def unshipped(self) -> int:
        """Pieces that are still to be shipped."""
        return self.quantity - self.shipped - self.withdrawn

    @property
    def pieces_left(self) -> int:
        """Pieces that no refund has taken back yet."""
        return self.quantity - self.withdrawn - self.returned


@dataclass(frozen=True, slots=True)
class LineWish:
    """Refund `pieces` of a line, or `goods_fen` of it, or both: so much for so many pieces."""

    line_id: UUID
    pieces: int | None = None
    goods_fen: int | None = None


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What a person asks for.

    Without `lines` and `amount_fen` it is everything that is left. `amount_fen` is money alone and
    gives up no pieces, unless it is the last there is: an order whose money has all gone back is
    not shipped. `freight` says whether freight of the same lines goes back with the goods.
    `goods_returned`: pieces beyond what is still to be shipped have come back and go on the shelf.
    """

    lines: tuple[LineWish, ...] = ()
    amount_fen: int | None = None
    freight: bool = True
    goods_returned: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What a refund returns of one line."""

    line: Line
    goods_fen: int
    freight_fen: int
    withdrawn: int = 0
    returned: int = 0

    @property
    def amount_fen(self) -> int:
        """Goods and freight."""
        return self.goods_fen + self.freight_fen


Kind = Literal["whole", "lines", "amount"]


def plan(lines: Sequence[Line], wish: RefundWish) -> list[Part]:
    """The parts of a refund, by line in their order; lines that get nothing are left out.

    Raises:
        Invalid: the wish makes no sense: both lines and an amount, a line twice, nothing at all.
        Conflict: `refund_exceeds_paid`, more money or pieces than are left.
    """
    if wish.lines and wish.amount_fen is not None:
        words = Words(
            "请选择按商品或按金额退款，不能同时使用", "Refund lines or an amount, not both"
        )
        raise Invalid(words, words.en, code="refund_unclear", fields={"lines": [words]})
    if wish.amount_fen is not None:
        parts = spread(lines, wish.amount_fen, freight=wish.freight)
    elif wish.lines:
        parts = _of_lines(lines, wish)
    else:
        parts = [_whole(line, wish) for line in lines]
    parts = with_the_last(lines, parts)
    if not any(part.amount_fen for part in parts):
        raise nothing_left()
    return parts


def spread(lines: Sequence[Line], amount_fen: int, *, freight: bool) -> list[Part]:
    """Share an amount out over the goods that are left, then, if `freight`, over the freight.

    Raises:
        Invalid: no amount.
        Conflict: `refund_exceeds_paid`.
    """
    if amount_fen <= 0:
        raise Invalid(
            "退款金额须大于零",
            "A refund returns some money",
            fields={"amount_fen": [Words("须大于零", "More than zero")]},
        )
    goods_left = [line.goods_left_fen for line in lines]
    freight_left = [line.freight_left_fen if freight else 0 for line in lines]
    left = sum(goods_left) + sum(freight_left)
    if amount_fen > left:
        raise exceeds(left)
    goods = min(amount_fen, sum(goods_left))
    return [
        Part(line, goods_fen, freight_fen)
        for line, goods_fen, freight_fen in zip(
            lines, split(goods, goods_left), split(amount_fen - goods, freight_left), strict=True
        )
    ]


def money_left(lines: Sequence[Line]) -> int:
    """Goods and freight that can still go back, in fen."""
    return sum(line.goods_left_fen + line.freight_left_fen for line in lines)


def _emptied(lines: Sequence[Line], parts: Sequence[Part]) -> list[Part]:
    """The same money, and every piece that has not been shipped: nobody could free it later."""
    known = {part.line.id: part for part in parts}
    found = [known.get(line.id) or Part(line, 0, 0) for line in lines]
    return [replace(part, withdrawn=part.line.unshipped) for part in found]


def with_the_last(lines: Sequence[Line], parts: Sequence[Part]) -> list[Part]:
    """The parts; with every piece that is not shipped, if they take the last money there is."""
    if sum(part.amount_fen for part in parts) == money_left(lines):
        parts = _emptied(lines, parts)
    return [part for part in parts if part.amount_fen or part.withdrawn or part.returned]


def still_there(lines: Sequence[Line], rows: Sequence[Any], *, pieces: bool) -> list[Part]:
    """Of a failed refund's rows what has not gone back another way; the lines are as they stand.

    Money for `pieces` comes from their own lines. Money alone that does not fit any more is shared
    out anew over whatever the order has left.
    """
    known = {line.id: line for line in lines}
    found = [
        Part(
            line,
            min(row.goods_fen, line.goods_left_fen),
            min(row.freight_fen, line.freight_left_fen),
        )
        for row in rows
        for line in [known[row.order_line_id]]
    ]
    wanted = sum(row.goods_fen + row.freight_fen for row in rows)
    if not pieces and sum(part.amount_fen for part in found) < wanted:
        amount = min(wanted, money_left(lines))
        found = spread(lines, amount, freight=True) if amount else []
    return with_the_last(lines, found) if any(part.amount_fen for part in found) else []


def exceeds(left_fen: int) -> Conflict:
    """More than what is left to refund."""
    return Conflict(
        "退款超过可退的金额或数量",
        "The refund is more than what is left to refund",
        code="refund_exceeds_paid",
        left_fen=left_fen,
    )


def left_of(payment: Any) -> int:
    """What can still be sent back of a payment's row, in fen.

    What its bank holds or has taken in a dispute went to the payer another way: sent back too, they
    would have it twice.
    """
    left: int = payment.captured_fen - payment.refunded_fen - payment.refunding_fen
    return max(0, left - int(payment.disputed_fen))


def nothing_left() -> Conflict:
    """Everything has gone back already."""
    return Conflict("没有可退的金额", "There is nothing left to refund", code="nothing_to_refund")


def pieces_fen(line: Line, pieces: int) -> int:
    """What the next `pieces` of a line cost, in whole fen.

    All pieces of a line sum to what was paid for it: the first ones carry the odd fen, and pieces
    that went back before have taken theirs along. Never more than what is left.
    """
    each, odd = divmod(line.paid_goods_fen, line.quantity)
    gone = line.withdrawn + line.returned
    dearer = max(0, min(odd, gone + pieces) - gone)
    return min(line.goods_left_fen, pieces * each + dearer)


def _whole(line: Line, wish: RefundWish) -> Part:
    withdrawn = line.unshipped
    returned = line.pieces_left - withdrawn if wish.goods_returned else 0
    freight = line.freight_left_fen if wish.freight else 0
    return Part(line, line.goods_left_fen, freight, withdrawn, returned)


def _of_lines(lines: Sequence[Line], wish: RefundWish) -> list[Part]:
    known = {line.id: line for line in lines}
    wishes = {one.line_id: one for one in wish.lines}
    if len(wishes) != len(wish.lines) or not wishes.keys() <= known.keys():
        raise Invalid(
            "商品行无效或重复",
            "A line is unknown or named twice",
            fields={"lines": [Words("须为本订单的商品行", "Lines of this order, each once")]},
        )
    return [_of_line(line, wishes[line.id], wish) for line in lines if line.id in wishes]


def _of_line(line: Line, wanted: LineWish, wish: RefundWish) -> Part:
    if wanted.pieces is None and wanted.goods_fen is None:
        return _whole(line, wish)
    pieces = wanted.pieces or 0
    if pieces < 0 or (wanted.goods_fen or 0) < 0 or not (pieces or wanted.goods_fen):
        raise Invalid(
            "请填写退款数量或金额",
            "Say how many pieces or how much money",
            fields={"lines": [Words("须大于零", "More than zero")]},
        )
    if pieces > line.pieces_left:
        raise exceeds(line.goods_left_fen + line.freight_left_fen)
    goods = wanted.goods_fen if wanted.goods_fen is not None else pieces_fen(line, pieces)
    if goods > line.goods_left_fen:
        raise exceeds(line.goods_left_fen + line.freight_left_fen)
    withdrawn = min(pieces, line.unshipped)
    returned = pieces - withdrawn if wish.goods_returned else 0
    return Part(line, goods, _freight_of(line, pieces) if wish.freight else 0, withdrawn, returned)


def _freight_of(line: Line, pieces: int) -> int:
    """Freight goes back with the last piece of its line: a smaller parcel costs no less."""
    return line.freight_left_fen if pieces and pieces == line.pieces_left else 0
