"""The demonstration's past stands in the sandbox's books as in ours, and can be carried on."""

from __future__ import annotations

from sqlalchemy import select, text

import migrations
from models.payments import Payment, PaymentMethod
from shop.context import Transactions
from shop.db import Database
from shop.payments.sandbox import audit
from shop.payments.sandbox.past import Past
from shop.payments.sandbox.server import Sandbox
from shop.seed import seed
from shop.seed.data import demo


def test_what_was_paid_and_refunded_is_known_over_there(postgres, sandbox_settings, settings):
    postgres.create_database("past")
    url = postgres.dsn("past")
    migrations.upgrade(url)
    database = Database(url)
    opened = Transactions(database=database, settings=settings)
    with Past(sandbox_settings) as past:
        seed(opened, "a password for demos", past)
    sandbox = Sandbox(sandbox_settings)
    try:
        books = audit.books(sandbox.books, each=True)
        undelivered = sandbox.outbox.enabled_events
    finally:
        sandbox.books.close()
    with opened.begin() as ctx:
        rows = ctx.session.execute(
            select(
                Payment.intent_reference,
                Payment.captured_fen,
                Payment.refunded_fen,
                Payment.settled_at,
            ).where(Payment.method == PaymentMethod.STRIPE, Payment.captured_fen > 0)
        ).all()
        ours = {row.intent_reference: (row.captured_fen, row.refunded_fen) for row in rows}
        refund = ctx.session.execute(text("SELECT reference FROM refund")).scalars().all()
    database.dispose()
    theirs = {name: (one.captured, one.refunded) for name, one in books["payments"].items()}
    assert theirs == ours
    paid = [one for one in demo()["order_scenarios"] if one.get("payment_method") == "stripe"]
    assert len(ours) == len([one for one in paid if one["paid_at"]])
    assert (books["disagree"], all(name.startswith("re_") for name in refund)) == ([], True)
    assert undelivered != ()
