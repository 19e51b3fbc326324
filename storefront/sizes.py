"""What a size is called in the language of the page."""

from __future__ import annotations

from shop.catalog import sizes
from shop.web import language


def size_name(text: str) -> str:
    """A size in the reader's language."""
    return sizes.size_name(text, language())
