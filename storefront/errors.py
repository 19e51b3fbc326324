"""Every error as a page that says what to do next, by one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from shop import errors, logging
from shop.web import language, request_id
from storefront.texts import _

log = logging.get("storefront")

ELSEWHERE = ("/api/", "/admin")
"""Paths whose errors other surfaces answer."""


class TooMany(errors.ShopError):
    """More forms than an address may send; the next may come in `seconds`."""

    code = "too_many_requests"

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        super().__init__(
            f"操作太频繁，请在 {minutes} 分钟后再试",
            f"Too many attempts: please try again in {minutes} min",
        )
        self.seconds = seconds


STATUS: list[tuple[type[errors.ShopError], int]] = [
    (TooMany, 429),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Invalid, 422),
    (errors.Declined, 402),
    (errors.Conflict, 409),
    (errors.TryAgain, 503),
]
"""First match wins."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an error page says; `retry_url` is a page that may work the next time.

    `order` is the page of an order that this browser may not open: signing in may help.
    """

    title: str
    detail: str = ""
    retry_url: str = ""
    request_id: str = ""
    order: str = ""


def status_of(error: errors.ShopError) -> int:
    """The HTTP status of a refusal."""
    return next((code for kind, code in STATUS if isinstance(error, kind)), 400)


def error_page(error: errors.ShopError) -> Response:
    """The page of a refusal that no form could show."""
    status = status_of(error)
    detail = error.message(language())
    faults = [text for texts in error.field_messages(language()).values() for text in texts]
    order = _order_page() if status == 404 else ""  # noqa: PLR2004
    if order and error.zh != errors.NotFound.default_zh:
        how = _("请登录下单的账号，或用订单号和手机号查询。")
        return _page(Told(detail, how, order=order), status)
    told = Told(
        _title(status),
        " ".join([detail, *faults]) if status != 404 else _missing(error, detail),  # noqa: PLR2004
        retry_url=request.full_path if request.method == "GET" and status == 503 else "",  # noqa: PLR2004
        order=order,
    )
    return _page(told, status)


def http_page(error: HTTPException) -> Response:
    """The page of what the web framework refused: no such address, too many, too large."""
    if isinstance(error, CSRFError):
        retry_url = request.path if readable(request.path) else "/"
        return _page(Told(_("请再提交一次"), _stale(), retry_url=retry_url), 400)
    status = error.code or 400
    return _page(Told(_title(status), _DETAIL.get(status, lambda: "")()), status)


def unexpected(error: Exception) -> Response:
    """Our own fault: logged with its trace, told without it."""
    if isinstance(error, HTTPException):
        return http_page(error)
    if isinstance(error, errors.ShopError):
        return error_page(error)
    if current_app.testing:
        raise error
    log.error("unhandled", exc_info=error)
    return http_page(InternalServerError())


def answer_for(blueprint: Blueprint) -> None:
    """Answer whatever goes wrong on the pages of a blueprint."""
    blueprint.register_error_handler(HTTPException, http_page)
    blueprint.register_error_handler(Exception, unexpected)


def answer_nobodys(app: Flask) -> None:
    """Answer for addresses that are nobody's; other surfaces keep what lies below them."""
    before = app.error_handler_spec[None][None].get(HTTPException)

    def nobodys(error: HTTPException) -> Any:
        if request.path.startswith(ELSEWHERE):
            return before(error) if before else error
        return http_page(error)

    app.register_error_handler(HTTPException, nobodys)


def _page(told: Told, status: int) -> Response:
    shown = replace(told, request_id=request_id())
    response: Response = make_response(
        render_template("storefront/error.html", error=shown), status
    )
    response.headers["Cache-Control"] = "private, no-store"
    if status in {429, 503}:
        response.headers["Retry-After"] = "30"
    return response


def _order_page() -> str:
    """The path asked for, if it is an order's page or leads back to one; else nothing."""
    part, _, rest = request.path.lstrip("/").partition("/")
    return f"/orders/{rest.partition('/')[0]}" if part == "orders" and rest else ""


def _title(status: int) -> str:
    titles = {
        401: lambda: _("请先登录"),
        403: lambda: _("这一页不对您开放"),
        404: lambda: _("没有找到这个页面"),
        405: lambda: _("请从页面上的按钮进入"),
        409: lambda: _("现在还不能这样做"),
        413: lambda: _("提交的内容太大了"),
        422: lambda: _("提交的内容有误"),
        429: lambda: _("操作太快了"),
        500: lambda: _("系统出了点问题"),
        503: lambda: _("现在有点忙"),
    }
    return titles.get(status, lambda: _("这一步没有成功"))()


def _missing(error: errors.ShopError, detail: str) -> str:
    return detail if error.zh != errors.NotFound.default_zh else _DETAIL[404]()


_DETAIL = {
    404: lambda: _("链接可能写错了，或商品已经下架。"),
    413: lambda: _("请缩短内容后再提交。"),
    429: lambda: _("请过一分钟再试。"),
    500: lambda: _("我们已经记下了这个问题，请稍后再试。"),
}


def _stale() -> str:
    return _("页面放得太久，或在别处登录、退出过。刚才的内容没有提交，请返回再提交一次。")


def readable(path: str) -> bool:
    """Whether a path can be asked for, not only sent a form."""
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return False
    return True
