"""A person's own page: orders at a glance, the address book."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from werkzeug.wrappers import Response

from shop.context import Ctx
from shop.errors import ShopError
from shop.identity import address_commands, commands, queries
from shop.identity.values import AddressFacts, UserFacts
from shop.orders.own_queries import own_counts
from shop.web import key_of
from storefront.draft import buyer_kinds, typed_address
from storefront.errors import status_of
from storefront.forms import AddressForm, Form, PasswordForm, read_form
from storefront.names import Names, unit_names
from storefront.page import fragment, go, go_to, own_path, pages, show
from storefront.regions import levels_of, regions
from storefront.shown import phone_text
from storefront.texts import _


@pages.page("/account", permission="orders.read_own")
def account(ctx: Ctx) -> Response:
    """A person's own page; a guest finds the way to sign in and to the rules."""
    if not ctx.actor.signed_in:
        return show(ctx, "account.html", account={"counts": {}})
    me = queries.me(ctx)
    return show(
        ctx,
        "account.html",
        account={
            **_person(me.user, unit_names(ctx)),
            "counts": own_counts(ctx),
            "addresses": len(me.addresses),
        },
    )


def _person(user: UserFacts, units: Names) -> dict[str, Any]:
    kinds = {**dict(buyer_kinds()), "unit_account": _("单位账户")}
    return {
        "email": user.email,
        "kind_name": kinds[user.buyer_kind],
        "unit_name": units.get(user.unit.code, user.unit.name) if user.unit else "",
    }


@pages.page("/account/addresses", permission="account.read")
def addresses(ctx: Ctx) -> Response:
    """The address book."""
    assert ctx.actor.user_id is not None
    book = queries.addresses(ctx, ctx.actor.user_id)
    return show(ctx, "addresses.html", addresses=book, phone_text=phone_text)


@pages.page("/account/addresses/new", permission="account.read")
def new_address(ctx: Ctx) -> Response:
    """The form for a further address."""
    return _form(ctx, Form())


@pages.page("/account/addresses/<address_id>", permission="account.read")
def address(ctx: Ctx, address_id: str) -> Response:
    """The form for changing an address."""
    return _form(ctx, Form(_values(queries.address(ctx, key_of(address_id)))), address_id)


def _values(kept: AddressFacts) -> dict[str, Any]:
    return {
        "recipient": kept.recipient,
        "phone": phone_text(kept.phone),
        "detail": kept.detail,
        "default": kept.is_default,
        **levels_of(kept.division_code),
    }


def _form(ctx: Ctx, form: Form, address_id: str | None = None, status: int = 200) -> Response:
    chosen = regions(form.data)
    return show(
        ctx,
        "address.html",
        status,
        form=Form({**form.data, **chosen.chosen}, form.errors),
        regions=chosen,
        address_id=address_id,
        next=own_path(request.values.get("next"), "/account/addresses"),
    )


@pages.page("/account/region", permission="account.read")
def account_region(_ctx: Ctx) -> Response:
    """The selects of the region after one was changed; for htmx."""
    chosen = regions(request.args)
    form = Form({**request.args.to_dict(), **chosen.chosen})
    return fragment("_region.html", form=form, regions=chosen)


def _new_again(ctx: Ctx, error: ShopError) -> Response:
    return _form(ctx, Form.again(error), status=status_of(error))


@pages.page(
    "/account/addresses/new", permission="account.change", methods=("POST",), retry=_new_again
)
def add_address(ctx: Ctx) -> Response:
    """Keep a further address; the button between the selects only shows the form again."""
    if request.form.get("step") == "region":
        return _form(ctx, Form(request.form.to_dict()))
    asked = read_form(AddressForm)
    address_commands.add_address(ctx, typed_address(asked), default=asked["default"])
    return _kept()


def _change_again(ctx: Ctx, error: ShopError, address_id: str) -> Response:
    return _form(ctx, Form.again(error), address_id, status_of(error))


@pages.page(
    "/account/addresses/<address_id>",
    permission="account.change",
    methods=("POST",),
    retry=_change_again,
)
def change_address(ctx: Ctx, address_id: str) -> Response:
    """Replace an address."""
    if request.form.get("step") == "region":
        return _form(ctx, Form(request.form.to_dict()), address_id)
    asked = read_form(AddressForm)
    found = key_of(address_id)
    address_commands.change_address(ctx, found, typed_address(asked), default=asked["default"])
    return _kept()


def _kept() -> Response:
    flash(_("地址已保存。"), "success")
    return go_to(own_path(request.form.get("next"), "/account/addresses"))


@pages.page(
    "/account/addresses/<address_id>/remove", permission="account.change", methods=("POST",)
)
def remove_address(ctx: Ctx, address_id: str) -> Response:
    """Take an address out of the book."""
    address_commands.remove_address(ctx, key_of(address_id))
    flash(_("地址已删除。"), "success")
    return go("addresses")


@pages.page("/account/password", permission="account.change")
def password(ctx: Ctx) -> Response:
    """The form for another password; who has a temporary one comes here before anything else."""
    return _password(ctx, Form())


def _password(ctx: Ctx, form: Form, status: int = 200) -> Response:
    return show(ctx, "password.html", status, form=form, next=_after_password())


def _after_password() -> str:
    return own_path(request.values.get("next"), "/account")


def _password_again(ctx: Ctx, error: ShopError) -> Response:
    return _password(ctx, Form.again(error), status_of(error))


@pages.page(
    "/account/password", permission="account.change", methods=("POST",), retry=_password_again
)
def change_password(ctx: Ctx) -> Response:
    """Take another password; sign-ins elsewhere end."""
    asked = read_form(PasswordForm)
    commands.change_password(ctx, asked["password"], asked["new_password"])
    flash(_("密码已修改。"), "success")
    return go_to(_after_password())
