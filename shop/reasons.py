"""Why somebody did what the log will hold: always said, never a novel."""

from __future__ import annotations

from shop.errors import Invalid, Words

MAX_REASON = 500
"""Characters."""


def checked_reason(reason: str, zh: str = "请填写原因", en: str = "A reason is needed") -> str:
    """The reason, trimmed; `zh` and `en` ask for it where it lacks.

    Raises:
        Invalid: there is none, or more than `MAX_REASON` characters; field `reason`.
    """
    text = reason.strip()
    if not text or len(text) > MAX_REASON:
        words = Words(f"1 至 {MAX_REASON} 字", f"1 to {MAX_REASON} characters")
        raise Invalid(zh, en, fields={"reason": [words]})
    return text
