"""Registering, signing in and out."""

from __future__ import annotations

from typing import Any

from flask import request

from api.endpoint import Ctx, endpoint
from api.pagination import decode_id, page_of
from api.schemas.auth import RegisterBody, TokenAnswer, TokenBody, TokenList, UserAnswer
from api.schemas.common import PageQuery
from api.v1.cart import CART_TOKEN
from models.identity import TokenKind
from shop.cart.commands import merge
from shop.identity import commands, queries
from shop.identity.values import SignedIn, UserFacts
from shop.web import key_of

TAG = "Sign-in"


@endpoint(
    "POST",
    "/auth/register",
    permission="account.create",
    tag=TAG,
    body=RegisterBody,
    answer=UserAnswer,
    status=201,
    limit="10/minute",
)
def register(ctx: Ctx, body: dict[str, Any]) -> UserFacts:
    """Open a buyer's account."""
    return commands.register(ctx, **body)


@endpoint(
    "POST",
    "/auth/tokens",
    permission="session.create",
    tag=TAG,
    body=TokenBody,
    answer=TokenAnswer,
    limit="20/minute",
    headers=(CART_TOKEN,),
)
def sign_in(ctx: Ctx, body: dict[str, Any]) -> SignedIn:
    """Exchange e-mail and password for a token; a basket named by `X-Cart-Token` is merged."""
    signed_in = commands.sign_in(
        ctx, body["login"], body["password"], TokenKind.API, body["scopes"]
    )
    merge(ctx, request.headers.get(CART_TOKEN), signed_in.user.id)
    return signed_in


@endpoint(
    "GET", "/auth/tokens", permission="account.read", tag=TAG, query=PageQuery, answer=TokenList
)
def sign_ins(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """The live sign-ins of the caller, newest first."""
    limit = query["limit"]
    found = queries.tokens(ctx, decode_id(query["cursor"]), limit + 1)
    return page_of(found, limit, "id")


@endpoint("DELETE", "/auth/tokens/current", permission="session.end", tag=TAG, status=204)
def sign_out(ctx: Ctx) -> None:
    """Sign out: the token that asks is worth nothing from now on."""
    assert ctx.actor.token_id is not None
    commands.revoke(ctx, ctx.actor.token_id)


@endpoint("DELETE", "/auth/tokens/<token_id>", permission="account.change", tag=TAG, status=204)
def revoke(ctx: Ctx, token_id: str) -> None:
    """End one of the caller's sign-ins, on whichever device it is."""
    commands.revoke(ctx, key_of(token_id))
