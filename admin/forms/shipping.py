"""The form that hands a parcel to a carrier."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from admin.forms.fields import pieces_of
from shop.errors import Invalid
from shop.fulfilment.commands import ShipParcel

PREFIX = "pieces-"


def parcel_of(form: Mapping[str, str]) -> ShipParcel:
    """The parcel that the form describes; lines with nothing in them are left out.

    Raises:
        Invalid: a number of pieces is none, or a field names no line.
    """
    lines = [
        (_line_id(name.removeprefix(PREFIX)), pieces)
        for name in form
        if name.startswith(PREFIX) and (pieces := pieces_of(form, name))
    ]
    return ShipParcel(*label_of(form), lines=tuple(lines))


def label_of(form: Mapping[str, str]) -> tuple[str, str]:
    """Carrier and tracking number as they were typed, without the blanks of a label."""
    return form.get("carrier", ""), form.get("tracking_no", "").replace(" ", "")


def _line_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(
            "表单不完整，请刷新页面后重试", "The form is incomplete, reload it"
        ) from error
