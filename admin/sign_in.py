"""Signing in and out; the session is the storefront's too."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from admin.page import again, pages, show, status_of
from models.identity import TokenKind
from shop.context import Ctx
from shop.errors import Invalid, ShopError, Unauthenticated
from shop.identity.commands import change_password as take
from shop.identity.commands import revoke
from shop.identity.commands import sign_in as exchange
from shop.web import enter as begin_session
from shop.web import leave

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
    if ctx.actor.token_id is not None:
        revoke(ctx, ctx.actor.token_id)
    begin_session(signed_in.secret, "cart")
    return redirect(_onward(), 303)


@pages.page("/sign-out", permission="session.end", methods=("POST",))
def sign_out(ctx: Ctx) -> Any:
    """End this session, here and in the storefront."""
    assert ctx.actor.token_id is not None
    revoke(ctx, ctx.actor.token_id)
    leave()
    return redirect(url_for("admin.sign_in"), 303)


@pages.page("/password", permission="account.change")
def password(ctx: Ctx) -> str:
    """The form for another password; who has a temporary one comes here before anything else."""
    return _password(ctx)


def _password(ctx: Ctx, *, error: ShopError | None = None) -> str:
    del ctx
    return show("password.html", error=error, onward=_onward())


def _password_again(ctx: Ctx, error: ShopError) -> tuple[str, int]:
    return _password(ctx, error=error), status_of(error)


@pages.page("/password", permission="account.change", methods=("POST",), retry=_password_again)
def change_password(ctx: Ctx) -> Any:
    """Take another password; sign-ins elsewhere end."""
    take(ctx, request.form.get("current_password", ""), request.form.get("new_password", ""))
    flash(gettext("密码已修改，其他设备上的登录已退出。"), "success")
    return redirect(_onward(), 303)


def _onward() -> str:
    """Where to go then: a page of ours, never another site."""
    asked = request.values.get("next", "")
    inside = asked == HOME or asked.startswith((f"{HOME}/", f"{HOME}?"))
    return asked.rstrip("?") if inside else url_for("admin.landing")
