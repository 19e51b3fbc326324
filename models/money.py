"""Money is whole fen. No float comes in, no fen gets lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

FEN_PER_YUAN = 100
YUAN_TEXT = re.compile(r"(-?)(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?")
"""At most 13 digits of yuan: a thousand times the gross product of China, and far from bigint."""


class MixedCurrencies(ValueError):
    """Two amounts of different currencies met; nobody gave a rate, so there is no answer."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest unit of its currency (fen for CNY); may be negative.

    Raises:
        TypeError: the amount is not an `int` (a bool or float is refused).
        ValueError: the currency is not three capital letters.
    """

    fen: int
    currency: str = "CNY"

    def __post_init__(self) -> None:
        _whole(self.fen)
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"not an ISO 4217 currency: {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        return Money(self.fen + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.fen - self._same(other), self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.fen * _whole(count), self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.fen, self.currency)

    def __bool__(self) -> bool:
        return self.fen != 0

    def __lt__(self, other: Money) -> bool:
        return self.fen < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.fen <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.fen > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.fen >= self._same(other)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share the amount out by `weights`; see `split`."""
        return [Money(part, self.currency) for part in split(self.fen, weights)]

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money meets {type(other).__name__}")
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency}")
        return other.fen


def split(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Share `total_fen` out in proportion to `weights`, losing no fen.

    Largest remainder: everybody gets the whole part of the exact share, and the fen left over go
    one each to the largest remainders, the earlier one first where they are equal. A weight of 0
    gets nothing, unless all are 0: then the shares are equal. A negative total gives the mirror
    image of the positive one, so that a reversal undoes a split exactly.

    Raises:
        ValueError: a weight is negative, or there is something to share and nobody to get it.
        TypeError: an amount or a weight is not an `int`.
    """
    if any(_whole(weight) < 0 for weight in weights):
        raise ValueError("a weight is negative")
    if _whole(total_fen) < 0:
        return [-part for part in split(-total_fen, weights)]
    if not weights:
        if total_fen:
            raise ValueError("nobody to share with")
        return []
    whole = sum(weights)
    shares = weights if whole else [1] * len(weights)
    whole = whole or len(weights)
    parts = [total_fen * share // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: -(total_fen * shares[i] % whole))
    for index in by_remainder[: total_fen - sum(parts)]:
        parts[index] += 1
    return parts


def yuan_text(fen: int) -> str:
    """The amount in yuan with two decimals and no grouping: 1280 -> `12.80`, -5 -> `-0.05`."""
    yuan, rest = divmod(abs(_whole(fen)), FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}{yuan}.{rest:02d}"


def parse_yuan(text: str) -> int:
    """Fen from yuan as people write them: `12`, `12.8`, `12.80`, `-0.05`.

    Raises:
        ValueError: anything else (spaces, grouping, a third decimal, exponents, other digits).
        TypeError: not a `str`; a float has already lost what we would need.
    """
    if not isinstance(text, str):
        raise TypeError(f"yuan come as text, not as {type(text).__name__}")
    match = YUAN_TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount in yuan: {text[:40]!r}")
    sign, yuan, decimals = match.groups()
    fen = int(yuan) * FEN_PER_YUAN + int((decimals or "").ljust(2, "0"))
    return -fen if sign else fen


def _whole(number: int) -> int:
    if type(number) is not int:
        raise TypeError(f"whole numbers only, not {type(number).__name__}")
    return number
