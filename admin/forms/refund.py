"""The form that sends money of an order back."""

from __future__ import annotations

from collections.abc import Mapping

from admin.forms.fields import fen_of, key_in, pieces_of
from shop.errors import Invalid, Words
from shop.payments.refund_rules import LineWish, RefundWish

PIECES, YUAN = "pieces-", "yuan-"
KINDS = ("whole", "lines", "amount")
FIELDS = ("kind", "amount", "freight", "goods_returned", "reason")
"""What a preview hands on, with the fields of the lines."""


def wish_of(form: Mapping[str, str]) -> RefundWish:
    """What the form asks for; fields of another kind than the one chosen are passed over.

    Raises:
        Invalid: no kind, no line, or a field that holds no number.
    """
    kind = form.get("kind", "")
    freight, returned = "freight" in form, "goods_returned" in form
    if kind == "whole":
        return RefundWish(freight=freight, goods_returned=returned)
    if kind == "amount":
        return RefundWish(amount_fen=fen_of(form, "amount"), freight=freight)
    if kind == "lines":
        return RefundWish(lines=_lines(form), freight=freight, goods_returned=returned)
    raise _refusal("kind", "请选择退款方式", "Choose what to refund")


def kept(form: Mapping[str, str]) -> dict[str, str]:
    """The fields that say what is asked for, for a preview to send once more."""
    return {
        name: value
        for name, value in form.items()
        if name in FIELDS or name.startswith((PIECES, YUAN))
    }


def _lines(form: Mapping[str, str]) -> tuple[LineWish, ...]:
    ids = dict.fromkeys(name.partition("-")[2] for name in form if name.startswith((PIECES, YUAN)))
    wishes = []
    for line_id in ids:
        pieces = pieces_of(form, PIECES + line_id)
        written = form.get(YUAN + line_id, "").strip()
        fen = fen_of(form, YUAN + line_id) if written else None
        if pieces or fen is not None:
            wishes.append(LineWish(key_in(line_id), pieces or None, fen))
    if not wishes:
        raise _refusal(
            "lines", "请填写至少一种商品的件数或金额", "Fill in pieces or money of a line"
        )
    return tuple(wishes)


def _refusal(name: str, zh: str, en: str) -> Invalid:
    return Invalid(zh, en, fields={name: [Words(zh, en)]})
