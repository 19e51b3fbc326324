from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalog import ListingState
from shop.cart.owner import CartOwner, is_genuine, new_token, owner_of
from shop.cart.rules import MAX_SKUS, Wish, check_quantity, check_sku, merged
from shop.context import ANONYMOUS, Actor
from shop.errors import Conflict, Invalid, NotFound
from tests.conftest import NOW

TEA, WALNUT, WINE = (UUID(int=number) for number in (1, 2, 3))
EARLIER = NOW - timedelta(days=1)

wishes = st.dictionaries(
    st.integers(1, 150).map(lambda number: UUID(int=number)),
    st.builds(
        Wish, st.integers(1, 9_999), st.integers(0, 50).map(lambda n: NOW + timedelta(minutes=n))
    ),
    max_size=MAX_SKUS,
)


@pytest.mark.parametrize("quantity", [1, 2, 9_999])
def test_quantities_that_pass(quantity):
    assert check_quantity(quantity) is None


@pytest.mark.parametrize("quantity", [0, -1, 10_000, 2**63, True, 1.0, "1", None])
def test_quantities_that_do_not(quantity):
    with pytest.raises(Invalid) as refused:
        check_quantity(quantity, "en")
    assert refused.value.error_code == "invalid"
    assert refused.value.fields == {
        "quantity": ["The quantity must be a whole number from 1 to 9999"]
    }


@pytest.mark.parametrize("state", [None, ListingState.DRAFT, ListingState.IN_REVIEW])
def test_what_no_buyer_has_seen_does_not_exist(state):
    with pytest.raises(NotFound) as refused:
        check_sku(state, on_sale=True, sku="P01-1")
    assert refused.value.extra == {"sku": "P01-1"}


@pytest.mark.parametrize(
    ("state", "on_sale"), [(ListingState.UNLISTED, True), (ListingState.LISTED, False)]
)
def test_what_has_left_the_shelf(state, on_sale):
    with pytest.raises(Conflict) as refused:
        check_sku(state, on_sale=on_sale, sku="P01-1")
    assert refused.value.error_code == "not_listed"


def test_of_two_baskets_the_larger_quantity_stays():
    own = {TEA: Wish(2, EARLIER), WALNUT: Wish(5, EARLIER)}
    visitor = {TEA: Wish(3, NOW), WALNUT: Wish(1, NOW), WINE: Wish(1, NOW)}
    assert merged(own, visitor) == {
        TEA: Wish(3, NOW),
        WALNUT: Wish(5, NOW),
        WINE: Wish(1, NOW),
    }


def test_the_oldest_wishes_give_way():
    own = {UUID(int=n): Wish(1, EARLIER + timedelta(minutes=n)) for n in range(MAX_SKUS)}
    both = merged(own, {UUID(int=500): Wish(7, NOW)})
    assert len(both) == MAX_SKUS
    assert own.keys() - both.keys() == {UUID(int=0)}


@given(wishes, wishes)
def test_merging_twice_is_merging_once(own, visitor):
    once = merged(own, visitor)
    assert merged(once, visitor) == once
    assert len(once) == min(MAX_SKUS, len(own.keys() | visitor.keys()))


def test_a_token_carries_our_seal():
    token = new_token("our secret")
    secret, _, seal = token.partition(".")
    assert is_genuine(token, "our secret")
    assert [
        is_genuine(forged, "our secret")
        for forged in (
            "",
            ".",
            secret,
            f"{secret}.",
            f".{seal}",
            f"x{token}",
            f"{token}x",
            "é.é",
            new_token("another secret"),
        )
    ] == [False] * 9


def test_tokens_are_never_the_same():
    assert len({new_token("our secret") for _ in range(100)}) == 100


def test_a_person_has_one_basket_whatever_token_comes_along():
    actor = Actor(user_id=TEA)
    assert owner_of(actor, new_token("s"), "s") == CartOwner(user_id=TEA)


def test_a_visitor_keeps_a_genuine_token_and_gets_one_for_any_other():
    token = new_token("s")
    assert owner_of(ANONYMOUS, token, "s") == CartOwner(token=token)
    for other in (None, "", "12345", f"{token}0"):
        given = owner_of(ANONYMOUS, other, "s").token
        assert given not in {other, token}
        assert is_genuine(given, "s")
