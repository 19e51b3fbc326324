"""Prints the pages that the code itself knows best: `python docs/print.py`.

`docs/states.md` comes from the state tables, `docs/permissions.md` from the permission map and
the declared routes. A test fails when either is not what this would print now.
"""  # noqa: INP001 - a script beside the pages that it writes

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import admin.page
import storefront.page
from api import ENDPOINTS, PREFIX
from models.identity import Role
from models.orders import ConsignmentState, OrderState
from shop.catalog.states import LISTING, REVIEW
from shop.context import Actor
from shop.identity.policy import PERMISSIONS, Predicate
from shop.machine import Machine
from shop.orders.states import CONSIGNMENT, ORDER, reading
from shop.pages import Pages
from shop.payments.bank_states import MATCH, RECEIPT
from shop.payments.states import DISPUTE, LIVE, PAYMENT, REFUND

HERE = Path(__file__).parent

NOTE = "<!-- Printed by `python docs/print.py`; change the code, not this page. -->"


def _listed(joint: str, names: Iterable[str]) -> str:
    return joint.join(f"`{name}`" for name in names)


class About(NamedTuple):
    """A machine, its heading, the event that makes the row, and what to say around the table."""

    machine: Machine
    heading: str
    made_by: str
    text: str
    note: str = ""


MACHINES = (
    About(ORDER, "Order", "place", "One checkout of one payer: `shop/orders/states.py`."),
    About(
        CONSIGNMENT,
        "Consignment",
        "place",
        "The part of an order that one cooperative ships: `shop/orders/states.py`.",
    ),
    About(
        PAYMENT,
        "Payment",
        "start",
        "One attempt to pay; an order may have several, one after the other:\n"
        "`shop/payments/states.py`.",
        f"A payment that is {_listed(' or ', LIVE)} is *live*: the buyer can still finish it. An\n"
        "order has at most one live payment and at most one that succeeded; both are unique\n"
        "indexes in the database.",
    ),
    About(
        REFUND,
        "Refund",
        "request",
        "Money of one payment going back once: `shop/payments/states.py`.",
        "A refund that failed stays so; trying again is a new one. A bank may hand money back\n"
        "after it was said to have arrived: that is how a success can fail.",
    ),
    About(
        DISPUTE,
        "Dispute",
        "open",
        "The payer's bank wants the money back: `shop/payments/states.py`.",
    ),
    About(
        RECEIPT,
        "Bank receipt",
        "enter",
        "A line of the bank's statement: `shop/payments/bank_states.py`.",
    ),
    About(
        MATCH,
        "Bank match",
        "propose",
        "So much of a bank's line is for an order: `shop/payments/bank_states.py`.",
    ),
    About(
        LISTING,
        "Product",
        "create",
        "A product's way to the shelf: `shop/catalog/states.py`.",
        f"{_listed(' and ', sorted(REVIEW))} are the organizer's steps, the others are the\n"
        "cooperative's; the organizer takes anybody's goods off the shelf as well.",
    ),
)

WHEN = {
    "order.pay": "the money is there, the right sum in the right currency",
    "order.cancel": "the buyer changes their mind before paying",
    "order.expire": "the time to pay has passed",
    "consignment.pay": "its order is paid",
    "consignment.cancel": "its order is closed unpaid, or it was refunded before anything left",
    "consignment.ship_part": "a parcel leaves and something is left to ship",
    "consignment.ship_all": "the last parcel leaves",
    "consignment.complete": "the buyer has it, or the days to say otherwise have passed",
    "payment.open": "the provider has opened its page",
    "payment.succeed": "the money arrived and its order waits for it",
    "payment.arrive_unwanted": "money arrived that the order cannot keep: late, double or wrong",
    "payment.fail": "the provider refused for good",
    "payment.expire": "the page has run out, or the order was closed",
    "order.reopen": "money came after the timer, and the goods were still free",
    "consignment.reopen": "its order opens again",
    "consignment.ship_on_credit": "its unit pays after delivery: it may leave at once",
    "consignment.withdraw_rest": "what was not shipped has been refunded",
    "refund.send": "the provider is asked, or a person makes the transfer",
    "refund.succeed": "the money is back with the buyer",
    "refund.fail": "it did not get there: refused, handed back, or overtaken by another refund",
    "dispute.win": "the bank decides for us; withheld money comes back",
    "dispute.lose": "the bank decides for the payer; the money is gone",
    "bank_receipt.match": "all of it is for orders",
    "bank_receipt.release": "the order it was matched to was closed: it waits again",
    "bank_receipt.set_aside": "it is no order's, and somebody or the payout's line says why",
    "bank_receipt.reopen": "it was set aside by mistake",
    "bank_match.enter": "one person says that it is so",
    "bank_match.match": "number and sum fit: the rules approve it by themselves",
    "bank_match.approve": "another person agrees",
    "bank_match.reject": "it is not so",
    "bank_match.release": "its order was closed before the rest of the money came",
    "product.submit": "the cooperative asks for a review",
    "product.approve": "the organizer puts it on the shelf, or back on it",
    "product.reject": "the organizer sends it back",
    "product.withdraw": "the cooperative takes it back, or off the shelf",
}
"""Every event of every machine in a few words; one that is missing here is a KeyError."""

READS = {
    "pending_payment": "待付款",
    "pending_shipment": "待发货",
    "partially_shipped": "部分发货",
    "shipped": "待收货",
    "completed": "已完成",
    "cancelled": "已取消",
    "refunding": "退款中",
    "refunded": "已退款",
}

STATES_HEAD = """\
# States

Every noun that has a life has a table: (state, event) → state. `shop/machine.py` reads it. An event
that leads to where the row already is does nothing and says nothing; an event that leads nowhere
from here is a `Conflict` with the code `<noun>_<state>` (`order_paid`); an event that no table
knows is a bug and raises `ValueError`. Moving a row locks it first, and for orders, consignments
and payments appends one `OrderEvent`: who, when, why. A product's steps are audit entries instead.
`tests/shop/test_states.py` walks every pair of state and event.
"""

READING_HEAD = """\
## What the buyer reads

One word for an order of several consignments, from `reading` in `shop/orders/states.py`. The API
calls it `status`. An unpaid order reads {pending} and a cancelled one
{cancelled}, whatever its consignments say. For a paid order their states decide, here
the states of two:
"""

READING_FOOT = """\
Cancelled consignments do not count beside others. A paid order has no consignment in
`pending_payment`: one transaction moves them all. Where nothing is left to ship it reads
退款中 `refunding`, and 已退款 `refunded` once its money is back.
"""

PERMISSIONS_HEAD = """\
# Permissions

Every route of every surface names one permission; `shop/identity/policy.py` says who has it, and a
test walks the routes. A permission says what *kind* of thing somebody may do. Which rows they see
is decided where the rows are fetched: a cooperative manager gets the rows of their own
cooperatives, a buyer their own orders, a guest the order whose `access_token` they hold, and
everybody else `not_found`, the same answer as for what does not exist.

An API token can be narrower than its owner: its scopes name permissions (`orders.place`), families
(`catalog.*`) or `*`. They narrow and never widen, and `session.end` is always in scope.
"""

OPEN_HEAD = """\
## Without a permission

The probes `GET /healthz`, `GET /readyz` and `GET /metrics`, the API's own description
(`/api/v1/openapi.json`, `/api/v1/docs`) and static files. None of them shows anything of a person
or of a cooperative; keep `/metrics` inside your network all the same.
"""

EVERYBODY = "everybody"
SIGNED_IN = "everybody who is signed in"
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def states() -> str:
    """The page of all machines."""
    parts = [NOTE, STATES_HEAD]
    for about in MACHINES:
        parts += _machine(about)
    parts += _readings()
    return "\n".join(parts).rstrip("\n") + "\n"


def permissions() -> str:
    """The page of all permissions and of the routes that name them."""
    routes: dict[str, list[str]] = defaultdict(list)
    for permission, route in _routes():
        routes[permission].append(route)
    parts = [NOTE, PERMISSIONS_HEAD]
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, allows in PERMISSIONS.items():
        groups[_who(allows)].append((f"`{name}`", "<br>".join(routes[name]) or "(no route yet)"))
    for who, rows in groups.items():
        parts += [f"## {who[:1].upper()}{who[1:]}\n", _table(("permission", "routes"), rows)]
    parts.append(OPEN_HEAD)
    return "\n".join(parts).rstrip("\n") + "\n"


def _machine(about: About) -> Iterator[str]:
    machine = about.machine
    yield f"## {about.heading}\n\n{about.text}\n"
    rows = []
    for event in dict.fromkeys(event for _, event in machine.transitions):
        leads: dict[str, list[str]] = defaultdict(list)
        for (state, name), after in machine.transitions.items():
            if name == event:
                leads[after].append(f"`{state}`")
        when = WHEN[f"{machine.subject}.{event}"]
        rows += [(f"`{event}`", ", ".join(of), f"`{to}`", when) for to, of in leads.items()]
    yield _table(("event", "from", "to", "when"), rows)
    if about.note:
        yield f"{about.note}\n"
    yield "```mermaid\nstateDiagram-v2"
    yield f"    [*] --> {next(iter(machine.states))}: {about.made_by}"
    for (state, event), after in machine.transitions.items():
        yield f"    {state} --> {after}: {event}"
    leaving = {state for state, _ in machine.transitions}
    yield from (f"    {state} --> [*]" for state in machine.states if state not in leaving)
    yield "```\n"


def _readings() -> Iterator[str]:
    def word(order: OrderState, *parts: ConsignmentState) -> str:
        code = reading(order, parts)
        return f"{READS[code]} `{code}`"

    first = ConsignmentState.PENDING_PAYMENT
    yield READING_HEAD.format(
        pending=word(OrderState.PENDING_PAYMENT, first),
        cancelled=word(OrderState.CANCELLED, first),
    )
    shown = [state for state in ConsignmentState if state is not first]
    rows = [
        (f"`{one}`", *(READS[reading(OrderState.PAID, [one, other])] for other in shown))
        for one in shown
    ]
    yield _table(("one \\ the other", *(f"`{state}`" for state in shown)), rows)
    yield READING_FOOT


def _routes() -> Iterator[tuple[str, str]]:
    """(permission, route as a person writes it) of the API, the mall and the back office."""
    for spec in ENDPOINTS:
        yield spec.permission, _route((spec.method,), PREFIX + spec.rule)
    for pages in (storefront.page.pages, admin.page.pages):
        yield from _pages(pages)


def _pages(pages: Pages) -> Iterator[tuple[str, str]]:
    for page in pages.declared:
        yield page.permission, _route(page.methods, (pages.blueprint.url_prefix or "") + page.rule)


def _route(methods: Iterable[str], rule: str) -> str:
    path = VARIABLE.sub(r"{\1}", rule)
    return f"`{', '.join(methods)} {path}`"


def _who(allows: Predicate) -> str:
    """Who passes, found by asking: a visitor, somebody without a role, a holder of each role."""
    known = Actor(user_id=UUID(int=1))
    if allows(Actor()):
        return EVERYBODY
    if allows(known):
        return SIGNED_IN
    roles = [role for role in Role if allows(Actor(user_id=known.user_id, roles=frozenset({role})))]
    return ", ".join(role.replace("_", " ") for role in roles) or "nobody"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


PAGES = {"states.md": states, "permissions.md": permissions}


def main() -> None:
    """Write both pages."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
