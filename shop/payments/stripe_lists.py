"""Going through Stripe's lists, which come page by page and the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Thing = dict[str, Any]
Fetch = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Gets one page of a list by the parameters of its request."""

PAGE: Final = 100
"""Things in one answer, the most that Stripe gives."""


def newest_first(fetch: Fetch, params: Mapping[str, Any]) -> Iterator[Thing]:
    """Everything in a list; one page is in memory at a time."""
    page = fetch({**params, "limit": PAGE})
    yield from page["data"]
    while page["has_more"] and page["data"]:
        page = fetch({**params, "limit": PAGE, "starting_after": page["data"][-1]["id"]})
        yield from page["data"]


def oldest_first(fetch: Fetch, params: Mapping[str, Any]) -> Iterator[Thing]:
    """Everything in a list the other way round; two pages are in memory at a time.

    Stripe cannot list the oldest first, so all pages are turned over once to note where they
    begin; those in the middle are fetched again. A thing that has left the list meanwhile may
    still come, and one behind it twice; none that is in it is left out.
    """
    page = newest = fetch({**params, "limit": PAGE})
    marks: list[str] = []
    while page["has_more"] and page["data"]:
        marks.append(page["data"][-1]["id"])
        page = fetch({**params, "limit": PAGE, "starting_after": marks[-1]})
    yield from reversed(page["data"])
    for mark in marks[-2::-1]:
        page = fetch({**params, "limit": PAGE, "starting_after": mark})
        yield from reversed(page["data"])
    if marks:
        yield from reversed(newest["data"])
