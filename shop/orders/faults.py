"""Several faults of one form, told at once instead of one by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from shop.errors import Invalid, ShopError

T = TypeVar("T")


class Faults:
    """What is wrong with a form, collected while it is checked.

    A fault of the form goes before a refusal that has other reasons (sold out, not for students):
    what the sender can mend at once is told first, whatever was checked first.
    """

    def __init__(self) -> None:
        self._held: list[Invalid] = []
        self._refused: ShopError | None = None

    def noting(self, check: Callable[[], T]) -> T | None:
        """What the check returns; None when it refuses, which is kept for `tell`."""
        try:
            return check()
        except Invalid as fault:
            self._held.append(fault)
        except ShopError as refused:
            self._refused = self._refused or refused
        return None

    def tell(self) -> None:
        """Raise what was noted; quiet when there is nothing.

        Raises:
            Invalid: see `together`.
            ShopError: the form is right, and the first check that refused had other reasons.
        """
        if self._held:
            raise together(self._held)
        if self._refused is not None:
            raise self._refused


def together(faults: Sequence[Invalid]) -> Invalid:
    """One fault that names the fields of all; its code and details are those of the first."""
    first = faults[0]
    fields: dict[str, list[str]] = {}
    for fault in faults:
        for name, texts in fault.fields.items():
            fields.setdefault(name, []).extend(texts)
    return Invalid(
        "；".join(dict.fromkeys(fault.zh for fault in faults)),
        "; ".join(dict.fromkeys(fault.en for fault in faults)),
        code=first.error_code,
        fields=fields,
        extra=first.extra,
    )
