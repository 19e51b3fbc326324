"""What the provider told us: the inbox, one event, and the button that handles it again."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import book_words
from admin.forms.fields import cut, id_of
from admin.page import again, back_to, pages, show
from models.payments import EventOutcome
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.identity.policy import allowed
from shop.payments import event_queries as queries
from shop.payments.event_replay import replay_event
from shop.web import key_of

PAGE = 24
FAMILIES = ("checkout.session.", "payment_intent.", "charge.", "refund.", "charge.dispute.")
"""What the types of events that concern us begin with."""


@pages.page("/provider-events", permission="events.read")
def provider_events(ctx: Ctx) -> str:
    """Events, newest first, by family and by what came of them last."""
    outcome = next((one for one in EventOutcome if one == request.args.get("outcome")), None)
    waiting = request.args.get("outcome") == "waiting"
    family = next((one for one in FAMILIES if one == request.args.get("type")), None)
    found = queries.events(
        ctx,
        type_=family,
        outcome=outcome,
        waiting=waiting,
        before=id_of(request.args.get("before")),
        limit=PAGE + 1,
    )
    rows, more = cut(found, PAGE)
    return show(
        "provider_events.html",
        family="payments",
        rows=rows,
        more=more,
        outcome="waiting" if waiting else outcome,
        type=family,
        families=FAMILIES,
        failed=queries.failed_count(ctx),
        outcomes=book_words.OUTCOMES,
        tones=book_words.TONES,
    )


@pages.page("/provider-events/<event_id>", permission="events.read")
def provider_event(ctx: Ctx, event_id: str) -> str:
    """One event with everything that was made of it, and its body."""
    return _detail(ctx, event_id=event_id)


def _detail(ctx: Ctx, *, event_id: str, form: Any = None, error: ShopError | None = None) -> str:
    return show(
        "provider_event.html",
        family="payments",
        event=queries.event(ctx, key_of(event_id)),
        may_replay=allowed(ctx.actor, "events.replay"),
        form=form or {},
        error=error,
        outcomes=book_words.OUTCOMES,
        tones=book_words.TONES,
    )


@pages.page(
    "/provider-events/<event_id>/replay",
    permission="events.replay",
    methods=("POST",),
    phases=True,
    retry=again(_detail),
)
def replay(opened: Transactions, event_id: str) -> Any:
    """Handle a stored event once more, now; safe however often."""
    outcome = replay_event(opened, key_of(event_id))
    flash(gettext("已重新处理：%(outcome)s", outcome=book_words.OUTCOMES[outcome]), "success")
    return back_to("admin.provider_event", event_id=event_id)
