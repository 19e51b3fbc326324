"""The pages of the finance desk, as tabs above each of them."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_babel import lazy_gettext

from shop.context import Actor
from shop.identity.policy import allowed

TABS: tuple[tuple[str, Any, str], ...] = (
    ("admin.payments", lazy_gettext("待处理"), "payments.read_any"),
    ("admin.refunds", lazy_gettext("退款"), "refunds.read"),
    ("admin.bank", lazy_gettext("银行收款"), "bank.read"),
    ("admin.disputes", lazy_gettext("争议"), "disputes.read"),
    ("admin.differences", lazy_gettext("差异"), "reconciliations.read"),
    ("admin.reconciliations", lazy_gettext("对账"), "reconciliations.read"),
    ("admin.ledger", lazy_gettext("总账"), "ledger.read"),
    ("admin.provider_events", lazy_gettext("支付通知"), "events.read"),
)
"""(endpoint, label, permission)."""


def tabs_for(actor: Actor) -> list[tuple[str, Any]]:
    """The pages that the actor may open: endpoint and label, in this order."""
    return [
        (endpoint, label)
        for endpoint, label, permission in TABS
        if allowed(actor, permission) and endpoint in current_app.view_functions
    ]
