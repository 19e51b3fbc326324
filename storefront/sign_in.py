"""Coming in, going out, opening an account."""

from __future__ import annotations

from flask import flash, request, session
from werkzeug.wrappers import Response

from models.identity import TokenKind
from shop.cart.commands import merge
from shop.context import Ctx
from shop.errors import Invalid, ShopError, Unauthenticated
from shop.identity import commands
from shop.identity.values import UserFacts
from shop.web import enter, leave
from storefront.draft import buyer_kinds, unit_choices
from storefront.errors import status_of
from storefront.forms import Form, RegisterForm, SignInForm, read_form
from storefront.page import go, go_to, own_path, pages, show
from storefront.texts import _


def _next() -> str:
    return own_path(request.values.get("next"))


@pages.page("/sign-in", permission="session.create")
def sign_in(ctx: Ctx) -> Response:
    """The form; who is signed in already goes on."""
    if ctx.actor.signed_in:
        return go_to(_next())
    return show(ctx, "sign_in.html", form=Form(), next=_next())


def _sign_in_again(ctx: Ctx, error: ShopError) -> Response:
    return show(ctx, "sign_in.html", status_of(error), form=Form.again(error), next=_next())


@pages.page("/sign-in", permission="session.create", methods=("POST",), retry=_sign_in_again)
def come_in(ctx: Ctx) -> Response:
    """Sign in; the basket filled before comes along."""
    asked = read_form(SignInForm)
    if _enter(ctx, asked["email"], asked["password"]).password_temporary:
        return go("password", next=_next())
    return go_to(_next())


def _enter(ctx: Ctx, email: str, password: str) -> UserFacts:
    try:
        signed_in = commands.sign_in(ctx, email, password, TokenKind.SESSION)
    except Unauthenticated as error:
        # A page that needs signing in sends there; this one is there and says what is wrong.
        raise Invalid(error.zh, error.en, code=error.error_code) from error
    if ctx.actor.token_id is not None:
        commands.revoke(ctx, ctx.actor.token_id)
    merge(ctx, session.get("cart"), signed_in.user.id)
    enter(signed_in.secret)
    return signed_in.user


@pages.page("/sign-out", permission="session.create", methods=("POST",))
def sign_out(ctx: Ctx) -> Response:
    """End this browser's session; quiet when it has ended already."""
    if ctx.actor.token_id is not None:
        commands.revoke(ctx, ctx.actor.token_id)
    leave()
    flash(_("您已退出登录。"), "success")
    return go("home")


@pages.page("/register", permission="account.create")
def register(ctx: Ctx) -> Response:
    """The form for a new account."""
    return _register(ctx, Form())


def _register_again(ctx: Ctx, error: ShopError) -> Response:
    return _register(ctx, Form.again(error), status_of(error))


def _register(ctx: Ctx, form: Form, status: int = 200) -> Response:
    return show(
        ctx,
        "register.html",
        status,
        form=form,
        buyer_kinds=buyer_kinds(),
        units=unit_choices(ctx),
        next=_next(),
    )


@pages.page("/register", permission="account.create", methods=("POST",), retry=_register_again)
def create_account(ctx: Ctx) -> Response:
    """Open an account and sign in."""
    asked = read_form(RegisterForm)
    commands.register(ctx, **asked)
    _enter(ctx, asked["email"], asked["password"])
    flash(_("欢迎您，%(name)s。", name=asked["name"]), "success")
    return go_to(_next())
