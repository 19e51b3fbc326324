"""The form that hands a parcel to a carrier."""

from __future__ import annotations

from collections.abc import Mapping

from admin.forms.fields import key_in, pieces_of
from shop.fulfilment.commands import ShipParcel

PREFIX = "pieces-"


def parcel_of(form: Mapping[str, str]) -> ShipParcel:
    """The parcel that the form describes; lines with nothing in them are left out.

    Raises:
        Invalid: a number of pieces is none, or a field names no line.
    """
    lines = [
        (key_in(name.removeprefix(PREFIX)), pieces)
        for name in form
        if name.startswith(PREFIX) and (pieces := pieces_of(form, name))
    ]
    return ShipParcel(*label_of(form), lines=tuple(lines))


def label_of(form: Mapping[str, str]) -> tuple[str, str]:
    """Carrier and tracking number as they were typed, without the blanks of a label."""
    return form.get("carrier", ""), form.get("tracking_no", "").replace(" ", "")


def seen_label(form: Mapping[str, str]) -> tuple[str, str] | None:
    """The label that stood on the page when its correction was typed."""
    carrier, _, tracking_no = form.get("seen", "").partition(" ")
    return (carrier, tracking_no) if carrier else None
