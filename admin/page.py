"""The back office's blueprint: how its pages are declared, shown and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, render_template, request, session, url_for
from flask_babel import Domain, gettext, lazy_gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from admin.assets import OWN, Assets, asset, bootstrap
from admin.money_tabs import tabs_for
from admin.navigation import entries_for
from shop import formatting
from shop.catalog.sizes import size_name
from shop.context import ANONYMOUS, Actor
from shop.errors import Conflict, Forbidden, Invalid, NotFound, ShopError, TryAgain
from shop.ids import new_id
from shop.pages import Pages
from shop.web import LANGUAGES, language

blueprint = Assets(
    "admin", __name__, url_prefix="/admin", template_folder="templates", static_folder=str(OWN)
)

DOMAIN = Domain([str(OWN.parent / "translations")], "admin")
"""`translations/<language>/LC_MESSAGES/admin.po`."""

HOME_PREFIX = "+86"
"""Nobody in the country writes it on a label."""

STATUS: list[tuple[type[ShopError], int]] = [
    (Forbidden, 403),
    (NotFound, 404),
    (Invalid, 422),
    (Conflict, 409),
    (TryAgain, 503),
]

TITLES = {
    403: lazy_gettext("没有权限"),
    404: lazy_gettext("没有找到"),
    409: lazy_gettext("操作未完成"),
    422: lazy_gettext("内容有误"),
    429: lazy_gettext("操作过于频繁"),
    503: lazy_gettext("系统繁忙"),
}


def status_of(error: ShopError) -> int:
    """The HTTP status of an error; a stale version is a conflict like any other."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def error_page(error: ShopError) -> tuple[str, int]:
    """What a refused request is answered with."""
    status = status_of(error)
    return show_problem(status, error.message(language()))


def show_problem(status: int, text: str) -> tuple[str, int]:
    """A page that says in one sentence what went wrong."""
    title = TITLES.get(status) or gettext("没有成功")
    return render_template("admin/error.html", **_tools(), title=title, text=text), status


pages = Pages(blueprint, "admin.sign_in", "admin.password", error_page)


def show(template: str, **values: Any) -> str:
    """Render one of our templates. `form` is what stands in the fields: nothing, unless told."""
    return render_template(f"admin/{template}", **{"form": {}, "error": None, **values})


def again(view: Callable[..., str]) -> Callable[..., tuple[str, int]]:
    """A `retry`: the form once more with what was entered and what is wrong with it.

    Who may not be here, or asks for what is not there, gets no form.
    """

    def retry(ctx: Any, *, error: ShopError, **path: Any) -> tuple[str, int]:
        if isinstance(error, (Forbidden, NotFound)):
            raise error
        return view(ctx, error=error, form=request.form, **path), status_of(error)

    return retry


def back_to(endpoint: str, **values: Any) -> Any:
    """Lead on after a form, so that reloading sends nothing twice."""
    return redirect(url_for(endpoint, **values), 303)


def actor() -> Actor:
    """Who is looking."""
    found: Actor = g.get("actor", ANONYMOUS)
    return found


@blueprint.before_request
def _speak() -> None:
    """Our own catalogue: the same Chinese word may be another English one in the mall.

    A file, which proxies may keep for everybody, remembers nobody's language.
    """
    DOMAIN.as_default()
    chosen = request.args.get("lang")
    if chosen in LANGUAGES and request.endpoint != "admin.static":
        session["lang"] = chosen


@blueprint.after_request
def _keep_nothing(response: Response) -> Response:
    """A page is not shown again by the Back button once its reader has signed out."""
    if request.endpoint != "admin.static":
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@blueprint.context_processor
def _tools() -> dict[str, Any]:
    """What every template may use."""
    speaks = language()
    return {
        "actor": actor(),
        "asset": asset,
        "bootstrap": bootstrap,
        "colon": "：" if speaks == "zh" else ": ",
        "comma": "，" if speaks == "zh" else ", ",
        "day": lambda moment: formatting.day(moment, speaks),
        "lang": speaks,
        "minute": lambda moment: formatting.minute(moment, speaks),
        "money_tabs": lambda: tabs_for(actor()),
        "navigation": entries_for(actor()),
        "nonce": lambda: new_id().hex,
        "other_language": _other_language(speaks),
        "percent": formatting.percent,
        "size": lambda text: size_name(text, speaks),
        "phone": lambda number: number.removeprefix(HOME_PREFIX),
        "wan_yuan": formatting.wan_yuan,
        "weight": formatting.weight,
        "yuan": formatting.yuan,
    }


def _other_language(speaks: str) -> str:
    """The same page in the other language; the first page when this one cannot be asked again."""
    other = "zh" if speaks == "en" else "en"
    if request.method != "GET" or request.endpoint is None:
        return url_for("admin.landing", lang=other)
    # What is asked for is nothing to make an address with: of some names `url_for` makes a host.
    asked = urlencode({**request.args.to_dict(flat=False), "lang": other}, doseq=True)
    return f"{url_for(request.endpoint, **(request.view_args or {}))}?{asked}"


@blueprint.errorhandler(CSRFError)
def _stale_form(error: CSRFError) -> tuple[str, int]:
    del error
    return show_problem(400, gettext("页面已过期，请返回上一页刷新后重新提交。"))


@blueprint.errorhandler(HTTPException)
def _refused(error: HTTPException) -> Any:
    """What the framework refuses (too large, too often) as a page of ours."""
    texts = {
        404: gettext("没有找到您要的内容"),
        405: gettext("此地址不接受这种访问方式"),
        413: gettext("提交的内容过大"),
        429: gettext("操作过于频繁，请稍后再试。"),
    }
    status = error.code or 400
    if status not in texts:
        return error
    return show_problem(status, texts[status])


def answer_below(app: Flask) -> None:
    """Answer as our pages do for addresses below our prefix that no page of ours takes."""
    before = app.error_handler_spec[None][None].get(HTTPException)

    def below(error: HTTPException) -> Any:
        if not f"{request.path}/".startswith(f"{blueprint.url_prefix}/"):
            return before(error) if before else error
        _speak()
        return _refused(error)

    app.register_error_handler(HTTPException, below)
