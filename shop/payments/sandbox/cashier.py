"""The hosted page where a buyer "pays": a plain form, no money."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request

from shop.clock import SHANGHAI
from shop.payments.sandbox.books import Json
from shop.payments.sandbox.faults import Fault
from shop.payments.sandbox.ledger import Ledger
from shop.payments.sandbox.machine import Machine
from shop.payments.sandbox.words import WORDS

OUTCOMES: Final = ("paid", "declined", "pending", "cancelled")


class Cashier:
    """Shows a session as a page and turns its buttons into moves of the machine."""

    def __init__(self, ledger: Ledger, machine: Machine) -> None:
        self._ledger, self._machine = ledger, machine

    def blueprint(self) -> Blueprint:
        """The routes."""
        pages = Blueprint(
            "cashier",
            __name__,
            template_folder="templates",
            static_folder="static",
            static_url_path="/c/static",
        )
        pages.add_url_rule("/c/pay/<number>", "page", self._show, methods=["GET"])
        pages.add_url_rule("/c/pay/<number>", "act", self._act, methods=["POST"])
        return pages

    def _show(self, number: str) -> Response:
        try:
            return self._page(self._machine.look(number))
        except Fault:
            return self._page(None, 404)

    def _act(self, number: str) -> Response:
        outcome = request.form.get("outcome", "")
        try:
            if outcome not in OUTCOMES:
                return self._page(self._machine.look(number), 400)
            with self._ledger.books.writing():
                session, moved = self._machine.act(number, outcome, request.form.get("method", ""))
        except Fault:
            return self._page(None, 404)
        if not moved:
            return self._page(session, 409)
        return Response(status=303, headers={"Location": _next_address(session, outcome)})

    def _page(self, session: Json | None, status: int = 200) -> Response:
        language = _language(session)
        context: dict[str, Any] = {
            "session": session,
            "t": WORDS[language],
            "language": language,
        }
        if session is not None:
            context |= {
                "memo": self._ledger.books.memo(session["id"]),
                "stands": self._machine.stands(session),
                "refused": self._machine.refused(session),
                "yuan": f"{session['amount_total'] // 100:,}.{session['amount_total'] % 100:02}",
                "until": _clock(session["expires_at"]),
                "back": _merchant(session),
                "puzzled": status == HTTPStatus.BAD_REQUEST,
            }
        page = make_response(render_template("cashier.html", **context), status)
        page.headers["Content-Security-Policy"] = _policy(session)
        page.headers["Cache-Control"] = "no-store"
        page.headers["Referrer-Policy"] = "no-referrer"
        return page


def _next_address(session: Json, outcome: str) -> str:
    """Where the browser goes after a move."""
    if outcome == "declined":
        return request.full_path.rstrip("?")
    return _merchant(session, left=outcome == "cancelled")


def _merchant(session: Json, *, left: bool = False) -> str:
    """The merchant's page for the session as it stands."""
    if session["cancel_url"] and (left or session["status"] != "complete"):
        return str(session["cancel_url"])
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _language(session: Json | None) -> str:
    """`?lang=` first, then the merchant's wish, then the browser's."""
    wish = request.args.get("lang") or (session or {}).get("locale") or "auto"
    if wish == "auto":
        wish = request.accept_languages.best_match(["zh", "zh-CN", "en"], "zh")
    return "zh" if wish.startswith("zh") else "en"


def _clock(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone(SHANGHAI):%m-%d %H:%M}"


def _policy(session: Json | None) -> str:
    """Browsers judge a form's redirect by form-action too, so the merchant must stand in it."""
    origins = {"'self'"}
    for name in ("success_url", "cancel_url"):
        if session and session[name]:
            parts = urlsplit(session[name])
            origins.add(f"{parts.scheme}://{parts.netloc}")
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        f"base-uri 'none'; frame-ancestors 'none'; form-action {' '.join(sorted(origins))}"
    )
