"""What every page shares: the blueprint, rendering, where to go on to, and the error page."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models.money import yuan_text
from shop.context import ANONYMOUS, Ctx
from shop.identity.policy import allowed
from shop.pages import Pages
from shop.web import language, runtime
from storefront import kept, visit
from storefront.assets import asset, script
from storefront.errors import error_page, readable

blueprint = Blueprint("storefront", __name__, template_folder="templates")
pages = Pages(blueprint, "storefront.sign_in", "storefront.password", error_page)

MAX_NEXT = 300


def show(ctx: Ctx, template: str, status: int = 200, **values: Any) -> Response:
    """A page, with what its frame needs: the number of pieces in the basket."""
    g.cart_count = visit.basket_count(ctx)
    return _answer(render_template(f"storefront/{template}", **values), status)


def fragment(template: str, status: int = 200, **values: Any) -> Response:
    """A part of a page for htmx to put in place."""
    return _answer(render_template(f"storefront/{template}", **values), status)


def _answer(body: str, status: int) -> Response:
    response: Response = make_response(body, status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def by_htmx() -> bool:
    """Whether htmx asks for a part of a page instead of a browser for all of it."""
    return request.headers.get("HX-Request") == "true"


def go(endpoint: str, **values: Any) -> Response:
    """On to another page after a form: 303, so that it is asked for by GET."""
    return redirect(url_for(f"storefront.{endpoint}", **values), 303)


def go_to(address: str) -> Response:
    """On to an address that `own_path` let pass, or to the cashier."""
    return redirect(address, 303)


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """`wanted` if it is a path of this site and nothing else; a link never leads away from us."""
    if not wanted or len(wanted) > MAX_NEXT or not wanted.isprintable() or "\\" in wanted:
        return otherwise
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if ours and not parts.scheme and not parts.netloc else otherwise


def register_globals() -> None:
    """Make available to templates what all of them use."""
    blueprint.app_context_processor(frame)
    blueprint.add_app_template_global(asset)
    blueprint.add_app_template_global(yuan_text, "money")
    for function in (kept.form_token, kept.count_dot, kept.messages, kept.region_piece):
        blueprint.add_app_template_global(function)


def frame() -> dict[str, Any]:
    """What the frame of a page shows; empty for other surfaces' templates."""
    actor = g.get("actor") or ANONYMOUS
    settings = runtime().settings
    return {
        "lang": language(),
        "actor": actor,
        "desk": allowed(actor, "desk.open"),
        "demo": settings.sandbox,
        "support": settings.support,
        "absolute": partial(urljoin, f"{settings.public_url}/"),
        "in_wechat": in_wechat,
        "lang_url": other_language,
        "script": script,
    }


def in_wechat() -> bool:
    """Whether WeChat's own browser asks, which opens no cashier of Alipay; never for kept pages."""
    return "MicroMessenger" in request.headers.get("User-Agent", "")


def here(**changes: str | None) -> str:
    """This page's address with other arguments; None takes one out."""
    arguments = {**dict(visit.arguments()), **changes}
    wanted = {name: value for name, value in arguments.items() if value is not None}
    return f"{_readable_path()}?{urlencode(wanted, doseq=True)}"


def ask_again(most: int) -> str | None:
    """Where a page that waits for news asks next by itself; None once it has `most` times."""
    text = request.args.get("asked", "0")
    asked = int(text) if text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004
    return here(asked=str(asked + 1)) if asked < most else None


def other_language() -> str:
    """This page in the other language."""
    return here(lang="zh" if language() == "en" else "en")


def _readable_path() -> str:
    """The path shown, or the start page when this path only takes forms."""
    return request.path if request.method == "GET" or readable(request.path) else "/"
