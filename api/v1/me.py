"""The caller's own data: roles, password, address book."""

from __future__ import annotations

from typing import Any

from api.endpoint import Ctx, endpoint
from api.schemas.auth import AddressItem, BookAddressBody, MeAnswer, PasswordBody
from shop.identity import address_commands, commands, queries
from shop.identity.rules import AddressInput
from shop.identity.values import AddressFacts, Me
from shop.web import key_of

TAG = "Account"


@endpoint("GET", "/me", permission="account.read", tag=TAG, answer=MeAnswer)
def me(ctx: Ctx) -> Me:
    """The caller with memberships and addresses."""
    return queries.me(ctx)


@endpoint(
    "PUT",
    "/me/password",
    permission="account.change",
    tag=TAG,
    body=PasswordBody,
    status=204,
    limit="10/minute",
)
def change_password(ctx: Ctx, body: dict[str, Any]) -> None:
    """Change the password; every other sign-in ends."""
    commands.change_password(ctx, body["current_password"], body["new_password"])


@endpoint(
    "POST",
    "/me/addresses",
    permission="account.change",
    tag=TAG,
    body=BookAddressBody,
    answer=AddressItem,
    status=201,
)
def add_address(ctx: Ctx, body: dict[str, Any]) -> AddressFacts:
    """Add an address to the book."""
    address_id = address_commands.add_address(ctx, _address(body), default=body["is_default"])
    return queries.address(ctx, address_id)


@endpoint(
    "PUT",
    "/me/addresses/<address_id>",
    permission="account.change",
    tag=TAG,
    body=BookAddressBody,
    answer=AddressItem,
)
def change_address(ctx: Ctx, address_id: str, body: dict[str, Any]) -> AddressFacts:
    """Replace an address of the book."""
    found = key_of(address_id)
    address_commands.change_address(ctx, found, _address(body), default=body["is_default"])
    return queries.address(ctx, found)


@endpoint("DELETE", "/me/addresses/<address_id>", permission="account.change", tag=TAG, status=204)
def remove_address(ctx: Ctx, address_id: str) -> None:
    """Remove an address from the book."""
    address_commands.remove_address(ctx, key_of(address_id))


def _address(body: dict[str, Any]) -> AddressInput:
    return AddressInput(body["recipient"], body["phone"], body["division_code"], body["detail"])
