"""Orders that this browser opened by their secret: kept in its session, out of its address bar.

The secret comes once, from the cashier or a look-up by phone. An address with it would stay in the
browser's history, in the proxy's log and in every link that somebody passes on.
"""

from __future__ import annotations

from flask import request, session
from werkzeug.wrappers import Response

from models.orders import OrderState
from shop.context import Actor, Ctx
from shop.errors import NotFound
from shop.orders.access import order_id_for
from shop.orders.queries import state_of
from storefront.page import go, go_to, here

KEPT = "opened"
PLACED = "placed"
SENT = "sent"
MOST = 20
"""Orders that a session remembers, the latest: some 2 kB of the 4 that a cookie may have."""


def token(number: str) -> str | None:
    """The secret of an order: what the request brings, else what the session remembers."""
    return request.values.get("access_token") or dict(_kept()).get(number)


def _kept() -> list[tuple[str, str]]:
    held = session.get(KEPT)
    return [(number, secret) for number, secret in held] if isinstance(held, list) else []


def keep(number: str, secret: str) -> None:
    """Let this browser open the order until its session ends."""
    others = [one for one in _kept() if one[0] != number]
    session.permanent = True
    session[KEPT] = [*others, (number, secret)][-MOST:]


def placed(number: str, secret: str) -> None:
    """An order is made, whose browser may come back from the cashier by its own button."""
    session[PLACED] = (number, secret)


def sent(key: str) -> None:
    """A form is sent twice, and the second waits at an address with the form's key."""
    session[SENT] = key


def sent_here(key: str, number: str) -> bool:
    """Whether this browser sent the form that made the order; its address alone opens nothing."""
    held, _secret = session.get(PLACED) or ("", "")
    return session.get(SENT) == key or held == number


def left_unpaid(ctx: Ctx) -> str | None:
    """The order that this browser made last, while it waits to be paid; it may be opened here."""
    number, secret = session.get(PLACED) or ("", "")
    try:
        order_id = order_id_for(ctx, number, secret) if number else None
    except NotFound:
        order_id = None
    if order_id is None or state_of(ctx, order_id) is not OrderState.PENDING_PAYMENT:
        return None
    if not ctx.actor.signed_in:
        keep(number, secret)
    return str(number)


def brought() -> bool:
    """Whether the address of this page holds a secret."""
    return "access_token" in request.args


def tidied(ctx: Ctx, number: str) -> Response:
    """On to the same address without the secret, which its owner needs neither there nor here.

    Raises:
        NotFound: the secret opens nothing.
    """
    secret = token(number)
    order_id_for(ctx, number, secret)
    keep_for_guests(ctx, number, secret)
    return go_to(here(access_token=None).removesuffix("?"))


def keep_for_guests(ctx: Ctx, number: str, secret: str | None) -> None:
    """Let this browser open an order by its secret, which stands in no address of ours for it."""
    if secret is not None and not _owned(ctx, number):
        keep(number, secret)


def _owned(ctx: Ctx, number: str) -> bool:
    try:
        order_id_for(ctx, number)
    except NotFound:
        return False
    return True


def to_order(actor: Actor, number: str, secret: str | None) -> Response:
    """On to an order's page; a guest's browser takes its secret along."""
    if secret is not None and not actor.signed_in:
        keep(number, secret)
    return go("order", number=number)
