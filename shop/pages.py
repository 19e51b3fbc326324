"""The HTML page as a declaration, for the storefront and the back office alike.

One transaction stands around the call and the rendering. When a form is refused, everything it
did is rolled back first; then `retry`, given the error, renders the form again in a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, g, redirect, request, url_for

from shop.context import Ctx
from shop.errors import ShopError, Unauthenticated
from shop.identity.policy import CHANGE_FIRST, authorize
from shop.web import refuse_nul, sent, session_actor, transactions

View = Callable[..., Any]
ErrorPage = Callable[[ShopError], Any]
Retry = Callable[..., Any]
Opens = Literal["begin", "snapshot"]


@dataclass(frozen=True, slots=True)
class Page:
    """One declared page; the route walk reads these."""

    rule: str
    methods: tuple[str, ...]
    permission: str
    view: View
    phases: bool
    retry: Retry | None
    opens: Opens


class Pages:
    """The pages of one surface: a blueprint and its error page.

    `sign_in` and `password` are where a visitor, and who has a temporary password, go first.
    """

    def __init__(
        self, blueprint: Blueprint, sign_in: str, password: str, error_page: ErrorPage
    ) -> None:
        self.blueprint = blueprint
        self.sign_in = sign_in
        self.password = password
        self.error_page = error_page
        self.declared: list[Page] = []

    def page(
        self,
        rule: str,
        *,
        permission: str,
        methods: tuple[str, ...] = ("GET",),
        phases: bool = False,
        retry: Retry | None = None,
        opens: Opens = "begin",
    ) -> Callable[[View], View]:
        """Declare a page. The view gets `ctx` (or `Transactions` with `phases`) and the path.

        Who `opens` a `snapshot` writes nothing, and all it reads is of one moment.
        """

        def declare(view: View) -> View:
            spec = Page(rule, methods, permission, view, phases, retry, opens)
            self.declared.append(spec)
            self.blueprint.add_url_rule(
                rule, view.__name__, self._responder(spec), methods=list(methods)
            )
            return view

        return declare

    def _responder(self, spec: Page) -> Callable[..., Any]:
        def respond(**path: Any) -> Any:
            try:
                _refuse_nul(path)
                return self._run(spec, path)
            except Unauthenticated:
                return self._first(self.sign_in)
            except ShopError as error:
                if error.error_code == CHANGE_FIRST:
                    return self._first(self.password)
                return self._refused(spec, path, error)

        return respond

    @staticmethod
    def _first(endpoint: str) -> Any:
        back = request.full_path if request.method == "GET" else None
        return redirect(url_for(endpoint, next=back))

    def _run(self, spec: Page, path: dict[str, Any]) -> Any:
        opened = transactions()
        opening: Callable[[], AbstractContextManager[Ctx]] = getattr(opened, spec.opens)
        with opening() as ctx:
            ctx.actor = g.actor = session_actor(ctx)
            authorize(ctx.actor, spec.permission)
            if not spec.phases:
                return spec.view(ctx, **path)
            opened = opened.acting(ctx.actor)
        return spec.view(opened, **path)

    def shows_again(self, name: str) -> bool:
        """Whether the view `name` shows its form again when it is refused."""
        return any(spec.retry for spec in self.declared if spec.view.__name__ == name)

    def refused(self, name: str, path: dict[str, Any], error: ShopError) -> Any:
        """Answer for the view `name`, which was not even called, as if it had raised `error`."""
        spec = next(spec for spec in self.declared if spec.view.__name__ == name)
        return self._refused(spec, path, error)

    def _refused(self, spec: Page, path: dict[str, Any], error: ShopError) -> Any:
        if spec.retry is None or request.method == "GET":
            return self.error_page(error)
        try:
            _refuse_nul(path)  # who refused it may not have looked, or refused it for just that
            with transactions().begin() as ctx:
                ctx.actor = g.actor = session_actor(ctx)
                return spec.retry(ctx, error=error, **path)
        except ShopError as second:
            return self.error_page(second)


def _refuse_nul(path: dict[str, Any]) -> None:
    refuse_nul([*sent(), *(str(value) for value in path.values())])
