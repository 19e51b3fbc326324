"""Signing in and out; the session is the storefront's too."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, session, url_for

from admin.page import again, pages, show
from models.identity import TokenKind
from shop.context import Ctx
from shop.errors import Invalid, ShopError, Unauthenticated
from shop.identity.commands import revoke
from shop.identity.commands import sign_in as exchange

HOME = "/admin"


@pages.page("/sign-in", permission="session.create")
def sign_in(ctx: Ctx) -> Any:
    """The form; who is signed in already goes on."""
    if ctx.actor.signed_in:
        return redirect(_onward())
    return _form(ctx)


def _form(ctx: Ctx, *, form: Any = None, error: ShopError | None = None) -> str:
    del ctx
    return show("sign_in.html", form=form or {}, error=error, onward=_onward())


@pages.page("/sign-in", permission="session.create", methods=("POST",), retry=again(_form))
def enter(ctx: Ctx) -> Any:
    """Exchange e-mail and password for a session."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        signed_in = exchange(ctx, email, password, TokenKind.SESSION)
    except Unauthenticated as error:
        # A wrong password is a fault of the form, not a reason to send to the form.
        raise Invalid(error.zh, error.en, code=error.error_code) from error
    session["sid"] = signed_in.secret
    session.permanent = True
    return redirect(_onward(), 303)


@pages.page("/sign-out", permission="session.end", methods=("POST",))
def sign_out(ctx: Ctx) -> Any:
    """End this session, here and in the storefront."""
    assert ctx.actor.token_id is not None
    revoke(ctx, ctx.actor.token_id)
    session.pop("sid", None)
    return redirect(url_for("admin.sign_in"), 303)


def _onward() -> str:
    """Where to go then: a page of ours, never another site."""
    asked = request.values.get("next", "")
    inside = asked == HOME or asked.startswith((f"{HOME}/", f"{HOME}?"))
    return asked.rstrip("?") if inside else url_for("admin.landing")
