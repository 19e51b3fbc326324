"""One good answer of every endpoint, asked for in an order that makes sense."""

from __future__ import annotations

import io
import re
from typing import Any

from shop.orders.access import order_id_of
from shop.payments.differences import open_difference
from shop.payments.refund_queries import refund_on_desk
from tests.api.mall import Mall
from tests.bank_factories import TOTAL, csv, unit_order
from tests.cast import ADDRESS, PASSWORD, email, order_body
from tests.fakes.gateway import SIGNATURE
from tests.refund_factories import disputed, end

YEAR = "?from=2026-01-01&to=2027-01-01"
LINES = {"lines": [{"sku": "P01-1", "quantity": 1}]}
PARCEL = {"carrier": "zhongtong", "tracking_no": "ZT0001"}
NEWCOMER = {
    "email": "new@example.org",
    "password": PASSWORD,
    "name": "新人",
    "buyer_kind": "public",
}


class Walk:
    """Keeps each answer under `METHOD /path/{variable}`."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        self.answers: dict[str, Any] = {}
        for part in (
            self.catalogue,
            self.buying,
            self.account,
            self.bank,
            self.cooperative,
            self.organizer,
            self.refunds,
            self.books,
        ):
            part()

    def go(self, label: str, *values: str, query: str = "", json: Any = None, **more: Any) -> Any:
        """Call an endpoint with `values` for the variables of its path; returns the JSON."""
        method, path = label.split()
        for value in values:
            path = re.sub(r"\{\w+\}", value, path, count=1)
        answer = self.mall.api.call(method, f"{path}{query}", json=json, **more)
        self.answers[label] = answer
        return answer.json if answer.mimetype == "application/json" and answer.data else None

    def catalogue(self) -> None:
        for name in ("categories", "storefronts", "units", "channels", "campaigns", "divisions"):
            self.go(f"GET /{name}")
        [first] = self.go("GET /products", query="?limit=1")["items"]
        self.go("GET /products/{slug}", first["slug"])
        self.go("GET /cooperatives/{code}", self.go("GET /cooperatives")["items"][0]["code"])

    def buying(self) -> None:
        self.go("POST /quotes", json={**LINES, "division_code": "650104"})
        self.go("PUT /cart/lines/{sku}", "P01-1", json={"quantity": 2}, as_="alice")
        self.go("GET /cart", as_="alice")
        self.go("DELETE /cart/lines/{sku}", "P01-1", as_="alice")
        order = self.go("POST /orders", json=order_body(("P01-1", 1)), as_="alice")
        for label in ("GET /orders/{number}", "POST /orders/{number}/cancel"):
            self.go(label, order["number"], as_="alice")
        order = self.go("POST /orders", json=order_body(("P01-1", 1)))
        token = f"?access_token={order['access_token']}"
        self.go("POST /orders/{number}/payments", order["number"], query=token, json={})
        self.go("GET /orders/{number}/payments", order["number"], query=token)
        body = self.mall.provider.event(list(self.mall.provider.checkouts)[-1])
        signed = {"Stripe-Signature": SIGNATURE}
        self.go("POST /webhooks/stripe", data=body, headers=signed)

    def account(self) -> None:
        self.go("POST /auth/register", json=NEWCOMER)
        for label in ("DELETE /auth/tokens/{token_id}", "DELETE /auth/tokens/current"):
            body = {"login": email("stan"), "password": PASSWORD}
            token = self.go("POST /auth/tokens", json=body)["token"]
            bearer = {"Authorization": f"Bearer {token}"}
            [kept] = [
                one
                for one in self.go("GET /auth/tokens", headers=bearer)["items"]
                if one["current"]
            ]
            self.go(label, *[kept["id"]] * ("{" in label), headers=bearer)
        address = self.go("POST /me/addresses", json={**ADDRESS, "is_default": True}, as_="alice")
        self.go("PUT /me/addresses/{address_id}", address["id"], json=ADDRESS, as_="alice")
        self.go("GET /me", as_="alice")
        self.go("DELETE /me/addresses/{address_id}", address["id"], as_="alice")
        new = {"current_password": PASSWORD, "new_password": "walnut-bridge-43"}
        self.go("PUT /me/password", json=new, as_="carl")

    def cooperative(self) -> None:
        number = self.mall.paid["number"]
        self.go(
            "POST /cooperative/consignments/{number}/parcels", f"{number}-1", json=PARCEL, as_="bob"
        )
        self.go("GET /cooperative/consignments/{number}", f"{number}-1", as_="bob")
        self.go("GET /cooperative/consignments", as_="bob")
        self.go("POST /orders/{number}/confirm-receipt", number, as_="alice")
        self.go("GET /orders/{number}", number, as_="alice")
        self.go("GET /orders", as_="alice")
        self.go("GET /cooperative/products", as_="bob")
        self.go("GET /cooperative/skus/{code}", "P01-1", as_="bob")
        tag = self.answers["GET /cooperative/skus/{code}"].headers["ETag"]
        self.go(
            "PATCH /cooperative/skus/{code}",
            "P01-1",
            json={"price_fen": 4900, "reason": "秋茶上市"},
            as_="bob",
            headers={"If-Match": tag},
        )
        self.go(
            "POST /cooperative/skus/{code}/stock-movements",
            "P01-1",
            as_="bob",
            json={"delta": 5, "cause": "harvest", "note": "新到一批"},
        )
        self.go("GET /cooperative/skus/{code}/stock-movements", "P01-1", as_="bob")

    def organizer(self) -> None:
        for label in ("GET /reports/sales", "GET /reports/sales.csv"):
            self.go(label, query=f"{YEAR}&group_by=unit,channel,month", as_="olga")
        self.go("GET /reports/entries", query=YEAR, as_="olga")

    def refunds(self) -> None:
        number = self.mall.paid["number"]
        asked = {"order": number, "amount_fen": 100, "reason": "包装破损"}
        refund = self.go("POST /refunds", json=asked, as_="fiona")
        with self.mall.transactions.begin() as ctx:
            end(ctx, refund_on_desk(ctx, refund["number"])["id"], "declined")
        self.go("POST /refunds/{number}/retry", refund["number"], as_="fiona")
        self.go("GET /refunds/{number}", refund["number"], as_="olga")
        self.go("GET /refunds", as_="olga")
        self.go("GET /orders/{number}/payments", number, as_="alice")
        with self.mall.transactions.begin() as ctx:
            dispute = str(disputed(ctx, order_id_of(ctx, number)))
        self.go("GET /disputes", as_="olga")
        self.go("GET /disputes/{dispute_id}", dispute, as_="fiona")

    def bank(self) -> None:
        lines, matches = "/payments/bank-receipts", "/payments/bank-matches"
        placed = [unit_order(self.mall.transactions) for _ in range(2)]
        self.go("POST /orders/{number}/extension", placed[0].number, as_="olga")
        file = {"file": (io.BytesIO(csv((TOTAL, "walk"), (TOTAL + 1, "walk"))), "walk.csv")}
        self.go(f"POST {lines}/import", data=file, as_="fiona")
        self.go(f"POST {lines}", json={"booked_on": "2026-11-23", "amount_fen": 7}, as_="fiona")
        [aside, second, first, *_] = self.go(f"GET {lines}", as_="fiona")["items"]
        ends = {}
        for order, line in zip(placed, (first, second), strict=True):
            label, body = f"POST {lines}/{{receipt_id}}/match", {"order": order.number}
            ends[order.number] = self.go(label, line["id"], json=body, as_="fiona")["id"]
        paid, refused = ends
        self.go(f"POST {matches}/{{match_id}}/approve", ends[paid], as_="ada")
        self.go(f"POST {matches}/{{match_id}}/reject", ends[refused], json={}, as_="ada")
        told = {"reason": "利息"}
        self.go(f"POST {lines}/{{receipt_id}}/set-aside", aside["id"], json=told, as_="fiona")
        self.go(f"POST {lines}/{{receipt_id}}/reopen", aside["id"], as_="fiona")
        self.go(f"GET {lines}/{{receipt_id}}", aside["id"], as_="fiona")
        asked = {"order": paid, "amount_fen": 100, "reason": "包装破损"}
        refund = self.mall.api.post("/refunds", asked, as_="fiona").json
        self.go("POST /refunds/{number}/sent", refund["number"], as_="fiona")

    def books(self) -> None:
        [first, *_] = self.go("GET /ledger/entries", as_="olga")["items"]
        self.go("GET /ledger/entries/{entry_id}", first["id"], as_="olga")
        for label in ("GET /ledger/accounts", "GET /ledger/proof"):
            self.go(label, as_="fiona")
        asked = {"side": "provider", "day": "2026-11-22"}
        run = self.go("POST /reconciliations", json=asked, as_="fiona")
        self.go("GET /reconciliations", as_="olga")
        self.go("GET /reconciliations/{run_id}", run["id"], as_="olga")
        with self.mall.transactions.begin() as ctx:
            open_difference(ctx, "unknown_line", "txn_walk", day_of=ctx.now, theirs_fen=1)
        [found, *_] = self.go("GET /differences", as_="olga")["items"]
        told = {"explanation": "渠道活动补贴"}
        self.go("POST /differences/{difference_id}/explain", found["id"], json=told, as_="fiona")
        [event, *_] = self.go("GET /provider-events", as_="fiona")["items"]
        self.go("GET /provider-events/{event_id}", event["id"], as_="fiona")
        self.go("POST /provider-events/{event_id}/replay", event["id"], as_="fiona")
