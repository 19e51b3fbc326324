"""A product's way to the shelf and off it, as a table."""

from __future__ import annotations

from enum import StrEnum

from models.catalog import ListingState, Product
from shop.machine import Machine


class Step(StrEnum):
    """What a manager (submit, withdraw) or an organizer (approve, reject) does with a product."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


REVIEW = frozenset({Step.APPROVE, Step.REJECT})
"""The organizer's steps; the others are the manager's."""

LISTING = Machine(
    subject="product",
    table=Product.__table__,
    states=ListingState,
    transitions={
        (ListingState.DRAFT, Step.SUBMIT): ListingState.IN_REVIEW,
        (ListingState.UNLISTED, Step.SUBMIT): ListingState.IN_REVIEW,
        (ListingState.IN_REVIEW, Step.APPROVE): ListingState.LISTED,
        (ListingState.UNLISTED, Step.APPROVE): ListingState.LISTED,
        (ListingState.IN_REVIEW, Step.REJECT): ListingState.DRAFT,
        (ListingState.IN_REVIEW, Step.WITHDRAW): ListingState.DRAFT,
        (ListingState.LISTED, Step.WITHDRAW): ListingState.UNLISTED,
    },
)
