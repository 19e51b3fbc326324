"""A form that is sent twice (a double tap, a reload, the back button) has its effect once."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from shop.context import Ctx, Transactions
from shop.errors import Conflict, Invalid
from shop.idempotency import MAX_KEY, Answer, claim, fingerprint, finish, working

NOT_CONTENT = frozenset({"csrf_token", "once"})


def once(opened: Transactions, work: Callable[[Ctx], None]) -> bool:
    """Do `work` in one transaction; False when this very form has been done before.

    The form carries its own random key in the field `once`. A form that was refused may be
    mended and sent again under the same key; one that was done may not.

    Raises:
        Conflict: `form_used`, it was done already and says something else now.
        Invalid: the form has no key.
    """
    key = request.form.get("once", "")
    if not 0 < len(key) <= MAX_KEY:
        raise Invalid("表单不完整，请刷新页面后重试", "The form is incomplete, please reload it")
    scope = f"form:{opened.actor.user_id}"
    try:
        mine = claim(opened.database, scope, key, _content(), opened.clock())
    except Invalid as error:
        raise Conflict(
            "此表单已经提交过，请刷新页面后重新填写",
            "This form has been sent already; reload the page and fill it in anew",
            code="form_used",
        ) from error
    if isinstance(mine, Answer):
        return False
    with working(opened.database, mine), opened.begin() as ctx:
        work(ctx)
        finish(ctx, mine, Answer(303, b"", {}))
    return True


def _content() -> str:
    pairs = sorted(
        f"{name}={value}"
        for name, value in request.form.items(multi=True)
        if name not in NOT_CONTENT
    )
    return fingerprint(request.path.encode(), *(pair.encode() for pair in pairs))
