from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from models.cart import Cart
from models.identity import BuyerKind, Role, RoleGrant, User
from shop.cart import commands as cart
from shop.cart import queries
from shop.cart.owner import CartOwner, new_token
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.identity import address_commands, commands
from shop.identity.rules import AddressInput
from tests.concurrency.conftest import ROW_LOCKS
from tests.conftest import actor_of

pytestmark = pytest.mark.race


def at_once(transactions: Transactions, *calls: Callable[[Ctx], object]) -> list[str]:
    """Run the calls in transactions that are all open before the first call is made.

    What became of each: "done", the code of a refusal, or the constraint that the database held.
    """
    barrier = Barrier(len(calls))

    def run(call: Callable[[Ctx], object]) -> str:
        try:
            with transactions.begin() as ctx:
                ctx.session.execute(select(1))
                barrier.wait(timeout=10)
                call(ctx)
        except ShopError as error:
            return error.error_code
        except IntegrityError as error:
            return error.orig.diag.constraint_name
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


def counted(transactions, table):
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def alice(transactions):
    return actor_of(transactions, "alice")


@pytest.fixture
def visitor(settings):
    return CartOwner(token=new_token(settings.secret_key))


def first_writes(transactions, visitor):
    """A visitor without a basket puts two things into it at once."""
    return at_once(
        transactions,
        *(lambda ctx, sku=sku: cart.set_line(ctx, visitor, sku, 1) for sku in ("P01-1", "P12-1")),
    )


def test_two_first_writes_make_one_basket(transactions, visitor):
    assert first_writes(transactions, visitor) == ["done", "done"]
    assert counted(transactions, Cart.__table__) == 1
    with transactions.begin() as ctx:
        assert sorted(queries.items(ctx, visitor)) == [("P01-1", 1), ("P12-1", 1)]


def test_control_without_the_one_upsert_a_visitor_has_two_baskets(transactions, visitor, loose):
    loose.drop("cart.uq_cart_token_hash")
    loose.without(r"ON CONFLICT \(token_hash\) DO UPDATE SET .*?(?= RETURNING)")
    assert first_writes(transactions, visitor) == ["done", "done"]
    assert counted(transactions, Cart.__table__) == 2


def sign_ins(transactions, alice, visitor, times):
    """Alice signs in on a device whose visitor has filled a basket, so many times at once."""
    with transactions.begin() as ctx:
        cart.set_line(ctx, visitor, "P01-1", 2)
    merge = lambda ctx: cart.merge(ctx, visitor.token, alice.user_id)  # noqa: E731
    return at_once(transactions, *[merge] * times)


def test_two_sign_ins_merge_one_basket_once(transactions, alice, visitor):
    assert sign_ins(transactions, alice, visitor, 3) == ["done"] * 3
    with transactions.begin() as ctx:
        assert queries.items(ctx, CartOwner(user_id=alice.user_id)) == [("P01-1", 2)]


def test_control_without_the_locks_both_sign_ins_merge_it(
    transactions, alice, visitor, loose, monkeypatch
):
    """Only the key of the lines is left to refuse the second."""
    with transactions.begin() as ctx:
        own = cart._lock_cart(ctx, CartOwner(user_id=alice.user_id))
    loose.without(ROW_LOCKS)
    loose.meet(after="DELETE FROM cart_line")
    lock = cart._lock_cart
    monkeypatch.setattr(
        cart, "_lock_cart", lambda ctx, owner: own if owner.user_id else lock(ctx, owner)
    )
    assert sign_ins(transactions, alice, visitor, 2) == ["done", "pk_cart_line"]


def added_twice(transactions, visitor, add):
    """Two tabs put two more of one thing into a basket that holds one."""
    with transactions.begin() as ctx:
        cart.set_line(ctx, visitor, "P01-1", 1)
    assert at_once(transactions, add, add) == ["done", "done"]
    with transactions.begin() as ctx:
        return queries.items(ctx, visitor)


def test_what_two_tabs_add_counts_twice(transactions, visitor):
    add = lambda ctx: cart.add_line(ctx, visitor, "P01-1", 2)  # noqa: E731
    assert added_twice(transactions, visitor, add) == [("P01-1", 5)]


def test_control_who_looks_before_adding_loses_one(transactions, visitor):
    looked = Barrier(2)

    def add(ctx):
        held = dict(queries.items(ctx, visitor))["P01-1"]
        looked.wait(timeout=10)
        cart.set_line(ctx, visitor, "P01-1", held + 2)

    assert added_twice(transactions, visitor, add) == [("P01-1", 3)]


def registrations(transactions):
    """Two people, or two clicks, register one address at once."""

    def register(ctx):
        commands.register(
            ctx,
            email="mei@example.org",
            password="bamboo-lantern-7",
            name="王梅",
            buyer_kind=BuyerKind.ALUMNI,
        )

    return at_once(transactions, register, register)


def test_one_email_address_one_account(transactions):
    before = counted(transactions, User.__table__)
    assert registrations(transactions) == ["done", "email_taken"]
    assert counted(transactions, User.__table__) == before + 1


def test_control_without_the_guard_one_address_has_two_accounts(transactions, loose):
    before = counted(transactions, User.__table__)
    loose.drop("user_account.uq_user_account_email")
    loose.without(r"ON CONFLICT \(email\) DO NOTHING")
    assert registrations(transactions) == ["done", "done"]
    assert counted(transactions, User.__table__) == before + 2


def defaults_after_two_first_addresses(transactions, alice):
    """Which addresses of the book are the default, when two are added to an empty one at once."""
    home = AddressInput("林晓", "13812341234", "310110", "邯郸路 220 号")
    add = lambda ctx: address_commands.add_address(ctx, home, default=True)  # noqa: E731
    assert at_once(transactions.acting(alice), add, add) == ["done", "done"]
    with transactions.acting(alice).begin() as ctx:
        return [one.is_default for one in commands.queries.me(ctx).addresses]


def test_two_first_addresses_leave_one_default(transactions, alice):
    assert defaults_after_two_first_addresses(transactions, alice) == [True, False]


def test_control_without_the_lock_both_addresses_are_the_default(transactions, alice, loose):
    loose.without(ROW_LOCKS)
    loose.meet(after="UPDATE address")
    assert defaults_after_two_first_addresses(transactions, alice) == [True, True]


def withdrawals(transactions):
    """The two administrators that there are withdraw each other's role at once; who is left."""
    ada, olga = actor_of(transactions, "ada"), actor_of(transactions, "olga")
    with transactions.begin() as ctx:
        commands.grant_role(ctx, olga.user_id, Role.PLATFORM_ADMIN)
    outcome = at_once(
        transactions,
        *(
            lambda ctx, who=who: commands.withdraw_role(ctx, who.user_id, Role.PLATFORM_ADMIN)
            for who in (ada, olga)
        ),
    )
    with transactions.begin() as ctx:
        left = select(func.count()).where(RoleGrant.role == Role.PLATFORM_ADMIN)
        return outcome, ctx.session.execute(left).scalar_one()


def test_two_administrators_do_not_remove_each_other(transactions):
    assert withdrawals(transactions) == (["done", "last_admin"], 1)


def test_control_without_the_lock_nobody_is_left_to_administer(transactions, loose):
    loose.without(ROW_LOCKS)
    loose.meet(before="DELETE FROM role_grant")
    assert withdrawals(transactions) == (["done", "done"], 0)
