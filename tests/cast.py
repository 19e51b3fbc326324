"""The cast: Alice buys, Bob and Charlie manage two cooperatives, Olga organizes, Fiona counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from models.catalog import Cooperative
from models.identity import AccessToken, BuyerKind, Role, TokenKind, User
from models.organization import Unit
from shop.context import Actor, Transactions
from shop.identity.commands import create_user, grant_role
from shop.identity.queries import actor_for_token, token_hash
from shop.ids import new_id
from shop.seed.catalogue import load_catalogue, load_reference
from shop.session import Session

PASSWORD = "walnut-bridge-42"

# name -> (buyer kind, unit code, role, cooperative code)
CAST: dict[str, tuple[BuyerKind, str | None, Role | None, str | None]] = {
    "alice": (BuyerKind.ALUMNI, "U13", None, None),
    "stan": (BuyerKind.STUDENT, "U06", None, None),
    "uma": (BuyerKind.UNIT_ACCOUNT, "U01", Role.UNION_BUYER, None),
    "carl": (BuyerKind.UNIT_ACCOUNT, "U02", Role.CANTEEN_BUYER, None),
    "bob": (BuyerKind.PUBLIC, None, Role.COOP_MANAGER, "C01"),
    "charlie": (BuyerKind.PUBLIC, None, Role.COOP_MANAGER, "C02"),
    "olga": (BuyerKind.STAFF, None, Role.ORGANIZER, None),
    "fiona": (BuyerKind.STAFF, None, Role.FINANCE, None),
    "ada": (BuyerKind.STAFF, None, Role.PLATFORM_ADMIN, None),
}

ADDRESS = {
    "recipient": "林晓",
    "phone": "15400000001",
    "division_code": "310110",
    "detail": "邯郸路 220 号",
}
CONFIRMED = {"adult": True, "no_return": True}


def email(name: str) -> str:
    return f"{name}@example.org"


def secret(name: str) -> str:
    """The bearer token of a member of the cast."""
    return f"token-of-{name}"


def fill(transactions: Transactions) -> None:
    """The demo catalogue and the cast with their tokens, and nothing sold yet."""
    with transactions.begin() as ctx:
        load_reference(ctx)
        load_catalogue(ctx)
    with transactions.begin() as ctx:
        for name, (kind, unit, role, coop) in CAST.items():
            user_id = create_user(
                ctx,
                email=email(name),
                password=PASSWORD,
                name=name.title(),
                buyer_kind=kind,
                unit_id=_id(ctx.session, Unit, unit),
            )
            if role is not None:
                grant_role(ctx, user_id, role, cooperative_id=_id(ctx.session, Cooperative, coop))
            for token_kind in TokenKind:
                ctx.session.execute(
                    insert(AccessToken).values(
                        id=new_id(),
                        user_id=user_id,
                        kind=token_kind,
                        token_hash=token_hash(
                            f"{token_kind}:{secret(name)}"
                            if token_kind is TokenKind.SESSION
                            else secret(name)
                        ),
                        scopes=["*"],
                        created_at=ctx.now,
                        expires_at=ctx.now + timedelta(days=3650),
                    )
                )


def _id(session: Session, kind: Any, code: str | None) -> UUID | None:
    if code is None:
        return None
    return session.execute(select(kind.id).where(kind.code == code)).scalar_one()


def actor(session: Session, name: str) -> Actor:
    found = actor_for_token(session, secret(name), TokenKind.API, _long_ago(session))
    assert found is not None, name
    return found


def _long_ago(session: Session) -> Any:
    return session.execute(select(User.created_at).limit(1)).scalar_one()


class Api:
    """The API over Flask's test client, as somebody."""

    def __init__(self, client: Any, transactions: Transactions) -> None:
        self.client = client
        self.transactions = transactions

    def call(
        self,
        method: str,
        path: str,
        *,
        as_: str | None = None,
        json: Any = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Any:
        sent = dict(headers or {})
        if as_ is not None:
            sent["Authorization"] = f"Bearer {secret(as_)}"
        if key is not None or method == "POST":
            sent.setdefault("Idempotency-Key", key or uuid4().hex)
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers=sent, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.call("POST", path, json=json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.call("PUT", path, json=json, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.call("PATCH", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.call("DELETE", path, **more)


def order_body(*lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    """A body for `POST /orders`."""
    return {
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        "address": ADDRESS,
        "buyer": {"name": "林晓", "email": "lin@example.org", "buyer_kind": "public"},
        "confirmations": CONFIRMED,
        **more,
    }
