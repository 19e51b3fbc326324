"""The chart of accounts, and what each cause posts: pure.

Debit is positive, credit negative. An asset (`provider_clearing`, `bank`) grows by debit, what we
owe (`cooperative_payable`, `refunds_in_flight`) by credit. `docs/money.md` walks through each case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Account(StrEnum):
    """Every account there is."""

    PROVIDER_CLEARING = "provider_clearing"
    BANK = "bank"
    COOPERATIVE_PAYABLE = "cooperative_payable"
    PLATFORM_FEE = "platform_fee"
    PROVIDER_FEES = "provider_fees"
    REFUNDS_IN_FLIGHT = "refunds_in_flight"
    DISPUTES_HELD = "disputes_held"
    SUSPENSE = "suspense"


NAMES: Mapping[Account, tuple[str, str, str]] = {
    Account.PROVIDER_CLEARING: ("asset", "支付渠道待结算", "Provider clearing"),
    Account.BANK: ("asset", "银行存款", "Bank"),
    Account.COOPERATIVE_PAYABLE: ("liability", "应付合作社货款", "Payable to cooperatives"),
    Account.PLATFORM_FEE: ("income", "平台服务费", "Platform fee"),
    Account.PROVIDER_FEES: ("expense", "支付渠道手续费", "Provider fees"),
    Account.REFUNDS_IN_FLIGHT: ("liability", "退款在途", "Refunds in flight"),
    Account.DISPUTES_HELD: ("asset", "争议冻结款", "Held by disputes"),
    Account.SUSPENSE: ("liability", "待认领款项", "Suspense"),
}
"""Account -> (kind, Chinese name, English name)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """So many fen on an account; `party` is a cooperative's code where one is kept for each."""

    account: Account
    amount_fen: int
    party: str = ""


def legs(*pairs: tuple[Account, int], payable: Mapping[str, int] | None = None) -> list[Leg]:
    """Legs from (account, signed fen) and what each cooperative's payable changes by.

    Amounts on the same account are added up and zeros left out.

    Raises:
        ValueError: they do not sum to zero, a bug.
    """
    sums: dict[tuple[Account, str], int] = {}
    parties = ((Account.COOPERATIVE_PAYABLE, code, fen) for code, fen in (payable or {}).items())
    plain = ((account, "", fen) for account, fen in pairs)
    for account, party, fen in [*plain, *parties]:
        sums[account, party] = sums.get((account, party), 0) + fen
    if sum(sums.values()) != 0:
        raise ValueError(f"these postings do not sum to zero: {sums}")
    return [Leg(account, fen, party) for (account, party), fen in sums.items() if fen]


def negated(amounts: Mapping[str, int]) -> dict[str, int]:
    """The same amounts with the other sign."""
    return {code: -fen for code, fen in amounts.items()}


def added(parts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Amounts by cooperative, added up."""
    sums: dict[str, int] = {}
    for code, fen in parts:
        sums[code] = sums.get(code, 0) + fen
    return sums


def cash_account(method: str) -> Account:
    """Where the money of a payment method lies before it is anybody's.

    The bank account holds exactly the bank's lines: a transfer lies in suspense until it is
    matched, and so the payment takes it from there.
    """
    return Account.PROVIDER_CLEARING if method == "stripe" else Account.SUSPENSE
