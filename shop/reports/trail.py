"""From an order back to the figures: its entries, and the log of what staff did."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from models.aid import AidEntry
from models.identity import User
from models.system import AuditEntry
from shop.clock import day_start
from shop.context import Ctx
from shop.reports.audit_names import mentioned, names_of
from shop.reports.definitions import DIMENSIONS, ENTRY_KINDS, REASONS, Text
from shop.reports.rules import name_of

ENTRIES, USERS = AidEntry.__table__, User.__table__
AUDIT = AuditEntry.__table__

Row = dict[str, Any]

SHOWN = (
    "kind",
    "day",
    "product_name",
    "sku_name",
    "cooperative_name",
    "unit_name",
    "channel_name",
    "quantity",
    "goods_fen",
    "freight_fen",
    "aid_class",
    "rule_set_code",
    "rule_reason",
    "reason",
)


def entries_of_order(ctx: Ctx, order_number: str) -> list[Row]:
    """Everything that an order brought into the aid record or took out of it, oldest first.

    The caller has looked who asks (`order_for`).
    """
    rows = ctx.session.execute(
        select(*(ENTRIES.c[name] for name in SHOWN))
        # Another platform may have given the same number; its entries have no line of ours.
        .where(ENTRIES.c.order_number == order_number, ENTRIES.c.order_line_id.is_not(None))
        .order_by(ENTRIES.c.id)
    ).mappings()
    return [_entry(row, ctx.language) for row in rows]


def audit_log(
    ctx: Ctx,
    *,
    before: int | None = None,
    action: str = "",
    actor: str = "",
    subject: str = "",
    day: date | None = None,
    limit: int = 24,
) -> list[Row]:
    """What staff wrote and whose personal data it read, newest first.

    Of one `action`, by the people of one name (`actor`), about a `subject` (see
    `audit_names.mentioned`), on one Asia/Shanghai `day`. `before` is the `sequence` of the last
    row already read. `subject_name` tells what a key stands for; None where it speaks for itself.
    `names` do so for what changed, by field and key.
    """
    wanted: list[ColumnElement[bool]] = []
    if before is not None:
        wanted.append(AUDIT.c.sequence < before)
    if action:
        wanted.append(AUDIT.c.action == action)
    if actor:
        wanted.append(AUDIT.c.actor_id.in_(select(USERS.c.id).where(USERS.c.name == actor)))
    if subject:
        wanted.append(AUDIT.c.subject_id.in_(mentioned(ctx, subject)))
    if day is not None:
        wanted += [AUDIT.c.at >= day_start(day), AUDIT.c.at < day_start(day + timedelta(days=1))]
    rows = ctx.session.execute(
        select(
            AUDIT.c.sequence,
            AUDIT.c.at,
            AUDIT.c.action,
            AUDIT.c.subject,
            AUDIT.c.subject_id,
            AUDIT.c.before,
            AUDIT.c.after,
            AUDIT.c.reason,
            AUDIT.c.request_id,
            AUDIT.c.hash,
            USERS.c.name.label("actor"),
        )
        .outerjoin(USERS, USERS.c.id == AUDIT.c.actor_id)
        .where(*wanted)
        .order_by(AUDIT.c.sequence.desc())
        .limit(limit)
    )
    found = [dict(row) for row in rows.mappings()]
    names = names_of(ctx, found)
    return [
        {**row, "subject_name": names.get((row["subject"], row["subject_id"])), "names": names}
        for row in found
    ]


def _entry(row: Any, language: str) -> Row:
    reason = REASONS.get(row["rule_reason"], Text(row["rule_reason"], row["rule_reason"]))
    return {
        **row,
        "kind_name": ENTRY_KINDS[row["kind"]].in_(language),
        "aid_class_name": name_of(DIMENSIONS["aid_class"], row["aid_class"], None, language),
        "rule_reason_text": reason.in_(language),
    }
