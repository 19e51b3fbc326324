"""The form that adds pieces to the stock or takes some away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from admin.forms.fields import pieces_of, text_of
from models.inventory import MovementCause
from shop.errors import Invalid, Words
from shop.inventory.commands import BY_HAND

CAUSES = tuple(cause for cause in MovementCause if cause in BY_HAND)
"""What a manager may give as the cause, in the order of the model."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of what is on hand, with its cause and the manager's own words."""

    delta: int
    cause: MovementCause
    note: str


def adjustment_of(form: Mapping[str, str]) -> Adjustment:
    """The change that the form describes.

    Raises:
        Invalid: no pieces, neither in nor out, a cause that is none, no note.
    """
    sign = {"in": 1, "out": -1}.get(form.get("direction", ""))
    pieces = pieces_of(form, "pieces")
    if sign is None or not pieces:
        raise Invalid(
            "请选择入库或出库，并填写大于零的件数",
            "Choose in or out and give a number of pieces above zero",
            fields={"pieces": [Words("须大于零", "Must be above zero")]},
        )
    return Adjustment(
        delta=sign * pieces,
        cause=_cause(form.get("cause", "")),
        note=text_of(form, "note", "请填写说明", "Please write a note"),
    )


def _cause(text: str) -> MovementCause:
    found = next((cause for cause in CAUSES if cause.value == text), None)
    if found is None:
        words = Words("请选择原因", "Please choose a cause")
        raise Invalid(words, words.en, fields={"cause": [words]})
    return found
