from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from models.cart import Cart
from models.identity import BuyerKind, Role, RoleGrant, User
from shop.cart import commands as cart
from shop.cart import queries
from shop.cart.owner import CartOwner, new_token
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.identity import address_commands, commands
from shop.identity.rules import AddressInput
from tests.conftest import actor_of

pytestmark = pytest.mark.race


def at_once(transactions: Transactions, *calls: Callable[[Ctx], object]) -> list[str]:
    """Run the calls in transactions that are all open before the first call is made."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[Ctx], object]) -> str:
        try:
            with transactions.begin() as ctx:
                ctx.session.execute(select(1))
                barrier.wait(timeout=10)
                call(ctx)
        except ShopError as error:
            return error.error_code
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


def test_two_first_writes_make_one_basket(transactions, visitor):
    outcome = at_once(
        transactions,
        *(lambda ctx, sku=sku: cart.set_line(ctx, visitor, sku, 1) for sku in ("P01-1", "P12-1")),
    )
    assert (outcome, counted(transactions, Cart.__table__)) == (["done", "done"], 1)
    with transactions.begin() as ctx:
        assert sorted(queries.items(ctx, visitor)) == [("P01-1", 1), ("P12-1", 1)]


def test_two_sign_ins_merge_one_basket_once(transactions, alice, visitor):
    with transactions.begin() as ctx:
        cart.set_line(ctx, visitor, "P01-1", 2)
    merge = lambda ctx: cart.merge(ctx, visitor.token, alice.user_id)  # noqa: E731
    assert at_once(transactions, merge, merge, merge) == ["done"] * 3
    with transactions.begin() as ctx:
        assert queries.items(ctx, CartOwner(user_id=alice.user_id)) == [("P01-1", 2)]


def test_one_email_address_one_account(transactions):
    before = counted(transactions, User.__table__)

    def register(ctx):
        commands.register(
            ctx,
            email="mei@example.org",
            password="bamboo-lantern-7",
            name="王梅",
            buyer_kind=BuyerKind.ALUMNI,
        )

    assert at_once(transactions, register, register) == ["done", "email_taken"]
    assert counted(transactions, User.__table__) == before + 1


def test_two_first_addresses_leave_one_default(transactions, alice):
    home = AddressInput("林晓", "13812341234", "310110", "邯郸路 220 号")
    add = lambda ctx: address_commands.add_address(ctx, home, default=True)  # noqa: E731
    assert at_once(transactions.acting(alice), add, add) == ["done", "done"]
    with transactions.acting(alice).begin() as ctx:
        book = commands.queries.me(ctx).addresses
    assert [one.is_default for one in book] == [True, False]


def test_two_administrators_do_not_remove_each_other(transactions):
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
    assert outcome == ["done", "last_admin"]
    with transactions.begin() as ctx:
        left = select(func.count()).where(RoleGrant.role == Role.PLATFORM_ADMIN)
        assert ctx.session.execute(left).scalar_one() == 1
