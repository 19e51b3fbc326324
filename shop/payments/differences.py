"""What does not agree with another's books: one row each, until it is gone or explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Text, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from models.reconciliation import Difference, DifferenceState, Side
from shop import audit
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Conflict, Invalid, NotFound, Words
from shop.ids import new_id
from shop.payments.reconcile_rules import Finding

DIFFERENCES = Difference.__table__
MAX_EXPLANATION = 500

FOUND = text(
    """
    INSERT INTO difference (id, side, kind, reference, day, theirs_fen, ours_fen, order_id,
        payment_id, state, detail, opened_at, explanation)
    VALUES (:id, :side, :kind, :reference, :day, :theirs_fen, :ours_fen, :order_id,
        :payment_id, 'open', :detail, :opened_at, '')
    ON CONFLICT (kind, reference) DO UPDATE SET
        theirs_fen = excluded.theirs_fen, ours_fen = excluded.ours_fen, state = 'open',
        order_id = excluded.order_id, payment_id = excluded.payment_id,
        detail = excluded.detail, closed_at = NULL, closed_by = NULL, explanation = '',
        opened_at = CASE difference.state WHEN 'open' THEN difference.opened_at
            ELSE excluded.opened_at END
    WHERE difference.state = 'vanished'
       OR (difference.theirs_fen, difference.ours_fen)
          IS DISTINCT FROM (excluded.theirs_fen, excluded.ours_fen)
    """
)
"""What is explained stays so as long as it is the same; something new about it opens it."""

VANISH = text(
    """
    UPDATE difference SET state = 'vanished', closed_at = :now
    WHERE state <> 'vanished' AND side = :side AND kind = ANY(:kinds) AND reference = ANY(:refs)
      AND NOT (kind || ' ' || reference = ANY(:still))
    """
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "refs", "still")))
"""Also what somebody has explained: their words stay, but the two sides agree now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding of a comparison, about the thing that its side calls `reference`."""

    reference: str
    finding: Finding
    day: date
    order_id: UUID | None = None
    payment_id: UUID | None = None


def open_difference(
    ctx: Ctx,
    kind: str,
    reference: str,
    *,
    day_of: datetime,
    side: Side = Side.PROVIDER,
    theirs_fen: int | None = None,
    ours_fen: int | None = None,
    order_id: UUID | None = None,
    payment_id: UUID | None = None,
    detail: str = "",
) -> bool:
    """Note that something does not agree; False when it is on the list already, or explained.

    `kind` and `reference` (the other side's name for it, or ours) say what it is. One that had
    vanished is open again.
    """
    news = {
        "theirs_fen": theirs_fen,
        "ours_fen": ours_fen,
        "state": DifferenceState.OPEN,
        "opened_at": ctx.now,
    }
    written = ctx.session.execute(
        insert(DIFFERENCES)
        .values(
            id=new_id(),
            side=side,
            kind=kind,
            reference=reference,
            day=business_day(day_of),
            order_id=order_id,
            payment_id=payment_id,
            detail=detail,
            explanation="",
            **news,
        )
        .on_conflict_do_update(
            index_elements=["kind", "reference"],
            set_={**news, "closed_at": None},
            where=DIFFERENCES.c.state == DifferenceState.VANISHED,
        )
        .returning(DIFFERENCES.c.id)
    ).first()
    return written is not None


def compared(
    ctx: Ctx, side: Side, kinds: Iterable[str], refs: Sequence[str], found: Sequence[Found]
) -> None:
    """Write what a comparison of the things `refs` found; of the same kinds, the rest is gone."""
    if found:
        ctx.session.execute(FOUND, [_row(ctx, side, one) for one in found])
    ctx.session.execute(
        VANISH,
        {
            "now": ctx.now,
            "side": side,
            "kinds": list(kinds),
            "refs": list(refs),
            "still": [f"{one.finding.kind} {one.reference}" for one in found],
        },
    )


def explain(ctx: Ctx, difference_id: UUID, explanation: str) -> None:
    """Say why the two sides differ, and close it.

    Raises:
        NotFound: there is no such difference.
        Invalid: no explanation, or one of more than 500 characters.
        Conflict: `difference_<state>`, it is not open.
    """
    explanation = _checked(explanation)
    row = ctx.session.execute(
        select(DIFFERENCES).where(DIFFERENCES.c.id == difference_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("没有找到这笔差异", "There is no such difference")
    if row.state is not DifferenceState.OPEN:
        raise Conflict(
            "这笔差异已经处理", "This difference is settled", code=f"difference_{row.state}"
        )
    ctx.session.execute(
        update(DIFFERENCES)
        .where(DIFFERENCES.c.id == difference_id)
        .values(
            state=DifferenceState.EXPLAINED,
            explanation=explanation,
            closed_at=ctx.now,
            closed_by=ctx.actor.user_id,
        )
    )
    audit.record(
        ctx,
        "difference.explain",
        "difference",
        row.reference,
        before={"state": row.state},
        after={"state": DifferenceState.EXPLAINED},
        reason=explanation,
    )


def _row(ctx: Ctx, side: Side, one: Found) -> dict[str, object]:
    return {
        "id": new_id(),
        "side": side,
        "kind": one.finding.kind,
        "reference": one.reference,
        "day": one.day,
        "theirs_fen": one.finding.theirs_fen,
        "ours_fen": one.finding.ours_fen,
        "order_id": one.order_id,
        "payment_id": one.payment_id,
        "detail": one.finding.detail,
        "opened_at": ctx.now,
    }


def _checked(explanation: str) -> str:
    explanation = explanation.strip()
    if explanation and len(explanation) <= MAX_EXPLANATION:
        return explanation
    words = Words(
        f"请填写说明，不超过 {MAX_EXPLANATION} 字",
        f"Please explain, in at most {MAX_EXPLANATION} characters",
    )
    raise Invalid(words, words.en, fields={"explanation": [words]})
