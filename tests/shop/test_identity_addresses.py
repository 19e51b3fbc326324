import pytest
from sqlalchemy import select

from models.identity import Address
from shop import crypto
from shop.errors import Conflict, Invalid, NotFound, Unauthenticated
from shop.identity import queries
from shop.identity.address_commands import (
    MAX_ADDRESSES,
    add_address,
    change_address,
    remove_address,
)
from shop.identity.rules import AddressInput
from tests.conftest import acting

HOME = AddressInput("林晓", "138 1234 1234", "310110", "邯郸路 220 号")
OFFICE = AddressInput("林晓", "021-5566 4521", "310110", "国定路 400 号")
TABLE = Address.__table__


@pytest.fixture
def alice(ctx):
    return acting(ctx, "alice")


def book(ctx):
    return [(one.detail, one.is_default) for one in queries.me(ctx).addresses]


def test_the_owner_reads_an_address_as_it_is(alice):
    add_address(alice, HOME)
    (kept,) = queries.me(alice).addresses
    assert (kept.recipient, kept.phone, kept.detail) == ("林晓", "+8613812341234", "邯郸路 220 号")
    assert (kept.division_code, kept.division_name) == ("310110", "上海市杨浦区")


def test_the_phone_is_sealed_in_the_database(alice):
    add_address(alice, HOME)
    row = alice.session.execute(select(TABLE)).one()
    secret = alice.settings.secret_key
    assert "138" not in row.phone_encrypted
    assert crypto.decrypt(row.phone_encrypted, secret) == "+8613812341234"
    assert row.phone_hash == crypto.keyed_hash("+8613812341234", secret)


def test_staff_reads_it_masked(ctx, alice):
    add_address(alice, HOME)
    (masked,) = queries.addresses(acting(ctx, "olga"), alice.actor.user_id)
    assert (masked.recipient, masked.phone, masked.detail) == ("林*", "138****1234", "邯郸路****")


@pytest.mark.parametrize("name", ["bob", "stan", "uma"])
def test_nobody_else_learns_whether_there_is_one(ctx, alice, name):
    address_id = add_address(alice, HOME)
    other = acting(ctx, name)
    with pytest.raises(NotFound):
        queries.addresses(other, alice.actor.user_id)
    with pytest.raises(NotFound):
        queries.address(other, address_id)


def test_the_first_address_is_the_default_until_another_is_chosen(alice):
    add_address(alice, HOME)
    office = add_address(alice, OFFICE)
    assert book(alice) == [("邯郸路 220 号", True), ("国定路 400 号", False)]
    change_address(alice, office, OFFICE, default=True)
    assert book(alice) == [("国定路 400 号", True), ("邯郸路 220 号", False)]


def test_a_new_address_may_be_the_default_at_once(alice):
    add_address(alice, HOME)
    add_address(alice, OFFICE, default=True)
    assert book(alice) == [("国定路 400 号", True), ("邯郸路 220 号", False)]


def test_an_address_is_replaced_whole(alice):
    home = add_address(alice, HOME)
    change_address(alice, home, OFFICE)
    kept = queries.address(alice, home)
    assert (kept.phone, kept.detail, kept.is_default) == ("+862155664521", "国定路 400 号", True)


def test_after_the_default_the_oldest_is_the_default(alice):
    home = add_address(alice, HOME)
    add_address(alice, OFFICE)
    add_address(alice, AddressInput("父亲", "13812341235", "532928", "博南镇东街 12 号"))
    remove_address(alice, home)
    assert book(alice) == [("国定路 400 号", True), ("博南镇东街 12 号", False)]


def test_the_last_address_can_be_removed(alice):
    remove_address(alice, add_address(alice, HOME))
    assert book(alice) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda ctx, key: change_address(ctx, key, OFFICE, default=True),
        remove_address,
    ],
)
def test_nobody_changes_the_book_of_somebody_else(ctx, alice, call):
    home = add_address(alice, HOME)
    before = queries.me(alice).addresses
    bob = acting(ctx, "bob")
    add_address(bob, OFFICE)
    with pytest.raises(NotFound):
        call(bob, home)
    assert queries.me(alice).addresses == before


def test_a_faulty_address_changes_nothing(alice):
    home = add_address(alice, HOME)
    wrong = AddressInput("林晓", "13812341234", "310000", "邯郸路 220 号")
    for call in (lambda: add_address(alice, wrong), lambda: change_address(alice, home, wrong)):
        with pytest.raises(Invalid) as refused:
            call()
        assert list(refused.value.fields) == ["division_code"]
    assert book(alice) == [("邯郸路 220 号", True)]


def test_a_book_has_an_end(alice):
    for _ in range(MAX_ADDRESSES):
        add_address(alice, HOME)
    with pytest.raises(Conflict) as refused:
        add_address(alice, OFFICE, default=True)
    assert refused.value.error_code == "too_many_addresses"
    assert book(alice) == [("邯郸路 220 号", True)] + [("邯郸路 220 号", False)] * 19


def test_a_visitor_has_no_book(ctx):
    with pytest.raises(Unauthenticated):
        add_address(ctx, HOME)


def test_a_phone_sealed_under_another_secret_reads_as_empty(alice):
    home = add_address(alice, HOME)
    other = crypto.encrypt("+8613812341234", "another secret")
    alice.session.execute(TABLE.update().values(phone_encrypted=other))
    assert queries.address(alice, home).phone == ""
