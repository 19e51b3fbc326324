"""Lists of any length, both ways, also while they change."""

from __future__ import annotations

import pytest

from shop.payments import stripe_lists
from shop.payments.stripe_lists import newest_first, oldest_first


class Shelf:
    """A list as Stripe shows it, newest first; `calls` counts the pages it gave."""

    def __init__(self, count) -> None:
        self.things = [{"id": f"x{number}"} for number in range(count, 0, -1)]
        self.gone: set[str] = set()
        self.calls = 0

    def fetch(self, params):
        self.calls += 1
        after = params.get("starting_after")
        start = [one["id"] for one in self.things].index(after) + 1 if after else 0
        rest = [one for one in self.things[start:] if one["id"] not in self.gone]
        limit = params["limit"]
        return {"data": rest[:limit], "has_more": len(rest) > limit}


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(stripe_lists, "PAGE", 3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 10])
def test_everything_comes_once_both_ways(count):
    shelf = Shelf(count)
    assert [*newest_first(shelf.fetch, {})] == shelf.things
    assert [*oldest_first(shelf.fetch, {})] == shelf.things[::-1]


def test_only_the_pages_in_the_middle_are_fetched_again():
    shelf = Shelf(12)
    assert len([*oldest_first(shelf.fetch, {})]) == 12
    assert shelf.calls == 4 + 2


def test_what_leaves_the_list_meanwhile_hides_nothing_else():
    shelf = Shelf(10)
    found = []
    for thing in oldest_first(shelf.fetch, {}):
        found.append(thing["id"])
        shelf.gone |= {"x3", "x5", "x6"}
    assert set(found) >= {f"x{number}" for number in (1, 2, 4, 7, 8, 9, 10)}
