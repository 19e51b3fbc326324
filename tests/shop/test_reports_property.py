"""Whatever is sold and refunded, in whatever order: every report sums to captured less refunded."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.identity import BuyerKind
from shop.clock import SHANGHAI
from shop.context import Ctx
from shop.errors import Conflict
from shop.reports.definitions import DIMENSIONS, MEASURES
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery
from tests.aid_factories import FOREIGN, TEA, WALNUT, Sold, part, refund, sell

START = datetime(2026, 1, 1, tzinfo=SHANGHAI)

ADDITIVE = [name for name in MEASURES if name not in {"orders", "buyers"}]

moments = st.integers(0, 365 * 24 * 3600 - 1).map(
    lambda second: f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}"
)
parts = st.builds(
    part,
    st.sampled_from([TEA, WALNUT, FOREIGN]),
    st.integers(0, 100_000),
    st.integers(1, 9),
    st.integers(0, 5_000),
)
sale_moves = st.tuples(
    st.just("sell"),
    moments,
    st.lists(parts, min_size=1, max_size=3),
    st.sampled_from([None, "U01", "U03", "U13"]),
    st.sampled_from(["direct", "livestream"]),
    st.sampled_from(list(BuyerKind)),
)
refund_moves = st.tuples(
    st.just("refund"), moments, st.integers(0, 99), st.integers(1, 60_000), st.integers(0, 3)
)


def play(ctx: Ctx, moves: list[Any]) -> tuple[Counter[str], list[Sold]]:
    """Carry the moves out; what was captured and refunded by our own count."""
    sold: list[Sold] = []
    count: Counter[str] = Counter()
    for move in moves:
        if move[0] == "sell":
            _, when, lines, unit, channel, kind = move
            sold.append(sell(ctx, when, *lines, unit=unit, channel=channel, kind=kind))
            count["paid"] += sum(line.goods_fen for line in lines)
        elif sold:
            _, when, which, fen, pieces = move
            lines = sold[which % len(sold)].lines
            try:
                refund(ctx, lines[which % len(lines)], when, fen, quantity=pieces)
            except Conflict:
                continue
            count["refunded"] += fen
    return count, sold


def year(dimension: str, basis: str) -> SalesQuery:
    return SalesQuery(date(2026, 1, 1), date(2027, 1, 1), (dimension,), basis)


@settings(
    max_examples=20,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    moves=st.lists(st.one_of(sale_moves, refund_moves), max_size=12),
    basis=st.sampled_from(["event", "cohort"]),
)
def test_by_any_dimension_the_sum_is_captured_less_refunded(
    ctx: Ctx, moves: list[Any], basis: str
) -> None:
    with ctx.session.begin_nested() as example:
        count, sold = play(ctx, moves)
        for dimension in DIMENSIONS:
            report = sales(ctx, year(dimension, basis))
            sums = Counter[str]()
            for row in report.rows:
                sums.update({name: row[name] for name in ADDITIVE})
            assert (sums["paid_goods_fen"], sums["refunded_goods_fen"]) == (
                count["paid"],
                count["refunded"],
            )
            assert all(sums[name] == report.totals[name] for name in ADDITIVE)
            assert report.totals["orders"] == len(sold)
        example.rollback()
