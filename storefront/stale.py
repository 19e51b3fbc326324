"""A form whose page was overtaken: signed in or out in another tab, or left open for too long.

What was entered is shown once more with a token that fits, to be sent by whoever reads it. Only for
a form of ours: what another site sends is refused, and fills in nothing.
"""

from __future__ import annotations

from typing import Any

from flask import request
from flask_wtf.csrf import CSRFError

from shop.errors import Invalid
from storefront.errors import http_page
from storefront.forms import told
from storefront.page import blueprint, pages


def answer_for_them() -> None:
    """Answer forms whose token does not fit."""
    blueprint.register_error_handler(CSRFError, overtaken)


def overtaken(error: CSRFError) -> Any:
    """The form again with what was entered; the page that says so where a view has no form."""
    name = (request.endpoint or "").rpartition(".")[2]
    if request.headers.get("Sec-Fetch-Site") != "same-origin" or not pages.shows_again(name):
        return http_page(error)
    return pages.refused(name, request.view_args or {}, Invalid(fields={"": [told(["stale"])]}))
