"""Words in the reader's language: the Chinese text is the key, English comes from the catalogue."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext


def _(text: str, **values: Any) -> str:
    """`text`, or its translation, with `%(name)s` filled in."""
    return str(gettext(text, **values))
