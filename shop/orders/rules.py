"""Deciding about an order: pure functions over values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from models.catalog import ReturnRule
from models.identity import BuyerKind, Role
from models.organization import Purpose
from shop.aid.values import SaleLine
from shop.catalog.for_orders import SkuForPricing
from shop.errors import Conflict, Invalid, NotFound, ShopError, Words
from shop.identity.rules import clean_text, normal_email, normal_name
from shop.orders.faults import Faults, together
from shop.orders.inputs import BuyerInput
from shop.pricing.values import Problem, Quote

MAX_LINES = 100
"""More kinds of goods than any basket holds; an institutional list comes as a file."""

MAX_NOTE = 200
NOTE = Words(f"备注不超过 {MAX_NOTE} 字", f"A note has at most {MAX_NOTE} visible characters")

INSTITUTIONAL_DAYS = 30
"""A unit pays within 30 days, as on the 832 platform (domain 2.1)."""

EXTENSION_DAYS = 15
"""By how much a unit's time to pay is extended, once (domain 2.1)."""

NOTHING_TO_ORDER = Words("购物车里没有可以下单的商品", "There is nothing to order")
NO_RETURN = Words(
    "请确认：食品拆封后不支持七日无理由退货",
    "Please confirm that opened food cannot be returned without a reason",
)


@dataclass(frozen=True, slots=True)
class Goods:
    """What the confirmations depend on, of one SKU."""

    sku: str
    age_restricted: bool
    no_reason_return: ReturnRule


def goods_of(skus: Iterable[SkuForPricing]) -> list[Goods]:
    """What the confirmations depend on, of what the catalogue says."""
    return [Goods(sku.code, sku.age_restricted, sku.no_reason_return) for sku in skus]


def merged(lines: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """One line a SKU, in the order of first mention: two lines of one SKU are one wish.

    Raises:
        Invalid: no line at all, or too many.
    """
    total: dict[str, int] = {}
    for sku, quantity in lines:
        total[sku] = total.get(sku, 0) + quantity
    if not 0 < len(total) <= MAX_LINES:
        raise Invalid(NOTHING_TO_ORDER, NOTHING_TO_ORDER.en, fields={"lines": [NOTHING_TO_ORDER]})
    return list(total.items())


def refuse_problems(quote: Quote) -> None:
    """All or nothing: one line that cannot be had stops the order and names each at fault.

    Raises:
        Conflict: `out_of_stock` with `short`, or `not_listed` / `out_of_season`.
        NotFound: `unknown_sku`.
        Invalid: `quantity_invalid`, `not_deliverable`, `freight_unknown`.
    """
    if not quote.problems:
        return
    first = min(quote.problems, key=_rank)
    raise _refusal(first.code, [one for one in quote.problems if one.code == first.code])


RANK = (
    "unknown_sku",
    "quantity_invalid",
    "not_listed",
    "out_of_season",
    "not_deliverable",
    "freight_unknown",
    "out_of_stock",
)
"""What is told first when several things are wrong: what waiting will not mend."""

KINDS: dict[str, type[ShopError]] = {
    "unknown_sku": NotFound,
    "not_listed": Conflict,
    "out_of_season": Conflict,
    "out_of_stock": Conflict,
}


def _rank(problem: Problem) -> int:
    return RANK.index(problem.code) if problem.code in RANK else len(RANK)


def _refusal(code: str, problems: Sequence[Problem]) -> ShopError:
    kind = KINDS.get(code, Invalid)
    detail: Any = [
        {"sku": one.sku, "available": one.available} if code == "out_of_stock" else {"sku": one.sku}
        for one in problems
    ]
    named = "short" if code == "out_of_stock" else "problems"
    told: list[str] = [Words(one.zh, one.en) for one in problems]
    return kind(
        "；".join(told),
        "; ".join(one.en for one in problems),
        code=code,
        fields={"lines": told} if kind is Invalid else None,
        extra={named: detail},
    )


def check_confirmations(
    goods: Iterable[Goods], buyer_kind: BuyerKind, *, adult: bool, no_return: bool
) -> None:
    """Alcohol is for adults and not for students; goods without return need the buyer's word.

    Raises:
        Invalid: `adult_confirmation_required`, `no_return_confirmation_required`; where both are
            missing, the first with the fields of both.
        Conflict: `alcohol_not_for_students` (domain 6.4).
    """
    held = list(goods)
    alcohol = [one.sku for one in held if one.age_restricted]
    if alcohol and buyer_kind is BuyerKind.STUDENT:
        raise Conflict(
            "学生身份不能购买酒类商品",
            "Alcohol is not sold to students",
            code="alcohol_not_for_students",
            skus=alcohol,
        )
    missing = missing_confirmations(held, adult=adult, no_return=no_return)
    if missing:
        raise together(missing)


def missing_confirmations(goods: Iterable[Goods], *, adult: bool, no_return: bool) -> list[Invalid]:
    """The faults of a form in which the buyer has not said what these goods ask for."""
    held = list(goods)
    alcohol = [one.sku for one in held if one.age_restricted]
    opened = [one.sku for one in held if one.no_reason_return is ReturnRule.NEEDS_CONFIRM]
    missing = []
    if alcohol and not adult:
        missing.append(
            Invalid(
                "购买酒类商品，请确认您已年满 18 周岁",
                "Please confirm that you are 18 or older",
                code="adult_confirmation_required",
                fields={
                    "confirmations.adult": [
                        Words("请确认已年满 18 周岁", "Please confirm your age")
                    ]
                },
                skus=alcohol,
            )
        )
    if opened and not no_return:
        missing.append(
            Invalid(
                NO_RETURN,
                NO_RETURN.en,
                code="no_return_confirmation_required",
                fields={"confirmations.no_return": [NO_RETURN]},
                skus=opened,
            )
        )
    return missing


def effective_kind(
    declared: BuyerKind | None, known: BuyerKind | None, roles: Iterable[Role]
) -> BuyerKind:
    """A person's own kind counts; a guest's word counts, but nobody becomes a unit by saying so.

    Raises:
        Invalid: a guest declares a unit account.
    """
    if known is not None:
        return known
    if declared is BuyerKind.UNIT_ACCOUNT and not set(roles) & {
        Role.UNION_BUYER,
        Role.CANTEEN_BUYER,
    }:
        raise Invalid(
            "单位账户须登录后下单",
            "A unit's account must sign in to order",
            code="unit_account_required",
            fields={"buyer.buyer_kind": [Words("单位账户须登录", "A unit must sign in")]},
        )
    return declared or BuyerKind.PUBLIC


def check_purpose(purpose: Purpose, buyer_kind: BuyerKind) -> None:
    """Union gifts and canteen goods are bought by a unit's account.

    Raises:
        Invalid: a person orders for a union or canteen.
    """
    if purpose is not Purpose.PERSONAL and buyer_kind is not BuyerKind.UNIT_ACCOUNT:
        raise Invalid(
            "工会慰问和食堂采购须使用单位账户",
            "Union and canteen orders need a unit's account",
            fields={"purpose": [Words("须使用单位账户", "Only for a unit's account")]},
        )


def institutional(buyer_kind: BuyerKind, purpose: Purpose) -> bool:
    """Whether a unit pays: by transfer if it likes, and within 30 days."""
    return buyer_kind is BuyerKind.UNIT_ACCOUNT or purpose is not Purpose.PERSONAL


def terms_refused() -> Conflict:
    """Goods before money (先货后款) are agreed with some units, for what they buy themselves."""
    return Conflict(
        "该单位没有开通先货后款，请选择先付款",
        "Paying after delivery is not agreed with this unit",
        code="terms_not_allowed",
    )


def pay_before(now: datetime, buyer_kind: BuyerKind, minutes: int) -> datetime:
    """Until when the goods are held: `minutes` for a person, 30 days for a unit."""
    if buyer_kind is BuyerKind.UNIT_ACCOUNT:
        return now + timedelta(days=INSTITUTIONAL_DAYS)
    return now + timedelta(minutes=minutes)


def clean_note(note: str) -> str:
    """The note as it is printed: lines without blanks around them, in one Unicode form.

    Raises:
        Invalid: longer than 200 characters, or with characters that no printer should see.
    """
    lines = [clean_text(line, 1, MAX_NOTE) for line in note.splitlines() if line.strip()]
    text = "\n".join(line for line in lines if line is not None)
    if None in lines or len(text) > MAX_NOTE:
        raise Invalid(fields={"note": [NOTE]})
    return text


def said_by_guest(buyer: BuyerInput, language: str) -> BuyerInput:
    """What a guest says of themselves, as it is kept.

    Raises:
        Invalid: fields `buyer.name`, `buyer.email`, both at once.
    """
    faults = Faults()
    name = faults.noting(lambda: normal_name(buyer.name, language, field="buyer.name"))
    email = faults.noting(
        lambda: normal_email(buyer.email, language, field="buyer.email") if buyer.email else None
    )
    faults.tell()
    return replace(buyer, name=name or buyer.name, email=email)


def check_total(expected_fen: int | None, total_fen: int) -> None:
    """The page showed a total; if it changed meanwhile the buyer looks again before paying.

    Raises:
        Conflict: `total_changed`.
    """
    if expected_fen is not None and expected_fen != total_fen:
        raise Conflict(
            "价格或运费有变化，请确认后重新提交",
            "The price has changed, please check and confirm",
            code="total_changed",
            total_fen=total_fen,
        )


def shares(lines: Iterable[SaleLine]) -> dict[str, int]:
    """What each cooperative is owed for these lines: goods and freight in fen, by its code."""
    sums: dict[str, int] = {}
    for line in lines:
        code = line.snapshot["cooperative_code"]
        sums[code] = sums.get(code, 0) + line.goods_fen + line.freight_fen
    return sums
