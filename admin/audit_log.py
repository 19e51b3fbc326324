"""What staff wrote and whose personal data it read, and whether the chain of it is whole."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request

from admin import book_words, words
from admin.forms.fields import cut, number_of
from admin.page import pages, show
from shop.audit import verify
from shop.context import Ctx
from shop.errors import Invalid, Words
from shop.formatting import yuan
from shop.fulfilment.carriers import carrier_name
from shop.reports.audit_names import colleagues
from shop.reports.trail import audit_log

PAGE = 50
LONGEST = 120
"""Characters of a filter."""

FIRST_YEAR, LAST_YEAR = 2000, 2100
FILTERS = ("action", "actor", "subject", "day")


@pages.page("/audit", permission="audit.read")
def audit(ctx: Ctx) -> str:
    """The log, newest first; with `verify` the whole chain is checked as well."""
    before = number_of(request.args, "before") if request.args.get("before") else None
    asked = {name: request.args.get(name, "").strip()[:LONGEST] for name in FILTERS}
    found = audit_log(
        ctx,
        before=before,
        action=asked["action"],
        actor=asked["actor"],
        subject=asked["subject"],
        day=_day(asked["day"]),
        limit=PAGE + 1,
    )
    rows, more = cut(found, PAGE, "sequence")
    return show(
        "audit.html",
        family="audit",
        rows=[{**row, "changes": _changes(row, ctx.language)} for row in rows],
        more=more,
        asked={name: text for name, text in asked.items() if text},
        people=colleagues(ctx),
        actions=words.ACTIONS,
        subjects=words.SUBJECTS,
        broken=verify(ctx.session) if "verify" in request.args else None,
    )


def _day(text: str) -> date | None:
    """The day that is asked for; None when none is.

    Raises:
        Invalid: it is none, or lies outside of what a calendar of ours can count.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not date(FIRST_YEAR, 1, 1) <= day < date(LAST_YEAR, 1, 1):
        wrong = Words("日期格式有误，请填写如 2026-11-23", "Give a day such as 2026-11-23")
        raise Invalid(wrong, wrong.en, fields={"day": [wrong]})
    return day


def _changes(row: dict[str, Any], language: str) -> list[tuple[str, str, str]]:
    """(field, before, after) of everything that one entry changed or names."""
    before, after = row["before"] or {}, row["after"] or {}

    def said(name: str, value: Any) -> str:
        return row["names"].get((name, str(value))) or _said(name, value, language)

    found = [
        (
            str(words.FIELDS.get(name, name)),
            said(name, before.get(name)),
            said(name, after.get(name)),
        )
        for name in dict.fromkeys([*before, *after])
    ]
    return [one for one in found if one[1] or one[2]]


def _said(name: str, value: Any, language: str) -> str:
    """A value of the log in words, where we have some."""
    if value is None:
        return ""
    if name.endswith("_fen"):
        return yuan(value)
    if name == "pieces":
        return str(sum(value.values()))
    if name == "carrier":
        return carrier_name(value, language)
    if isinstance(value, list):
        return ("、" if language == "zh" else ", ").join(_word(part) for part in value)
    return _word(value)


def _word(value: Any) -> str:
    """A code in words; anything else as it is."""
    code = str(value)
    return next((str(known[code]) for known in VOCABULARIES if code in known), code)


VOCABULARIES = (
    words.CONSIGNMENT_STATES,
    words.LISTING_STATES,
    words.CAUSES,
    words.ROLES,
    words.PERSONAL,
    book_words.DIFFERENCE_STATES,
)
