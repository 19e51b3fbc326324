"""What the browser's session remembers of a visit: language, basket, region, how one came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import request, session

from shop.aid.visit_queries import Touch, existing_codes
from shop.cart import queries as cart_queries
from shop.cart.owner import CartOwner, owner_of
from shop.context import Ctx
from shop.divisions import lookup
from shop.web import LANGUAGES, transactions
from storefront.assets import FILES

REMEMBERED = timedelta(days=30)
"""Last touch counts for a month: what the report calls the channel of a purchase."""

TOUCHES = {"channel": "ch", "campaign": "cp", "storefront": "sf"}
"""What a link may carry: `?ch=new_media&cp=K3&sf=alumni`."""

MAX_CODE = 40


@dataclass(frozen=True, slots=True)
class Region:
    """Where parcels would go: a division's code, its name in an address, and its province's."""

    code: str
    name: str
    province: str

    @property
    def province_code(self) -> str:
        """Two digits, as freight templates name provinces."""
        return self.code[:2]


def begin() -> None:
    """Before each page: keep the language that was chosen and the way the visitor came.

    Not for a file: what a proxy may keep for everybody must carry nobody's session.
    """
    if request.endpoint in FILES:
        return
    chosen = request.args.get("lang")
    if chosen in LANGUAGES and session.get("lang") != chosen:
        session.permanent = True
        session["lang"] = chosen
    asked = {name: request.args.get(key, "") for name, key in TOUCHES.items()}
    if any(asked.values()):
        _remember(asked)


def _remember(asked: dict[str, str]) -> None:
    """Each code that exists replaces what was remembered of its kind; the rest is passed over."""
    usable = {name: code for name, code in asked.items() if _plausible(code)}
    if not usable:
        return
    with transactions().begin() as ctx:
        found = existing_codes(ctx, Touch(**usable))
        now = ctx.now.timestamp()
    came = dict(session.get("came") or {})
    for name in TOUCHES:
        code = getattr(found, name)
        if code is not None:
            came[name] = [code, int(now)]
    if came:
        session.permanent = True
        session["came"] = came


def _plausible(code: str) -> bool:
    return 0 < len(code) <= MAX_CODE and code.isprintable()


def arguments() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the address says beside how the visitor came, which is remembered by now."""
    told = request.args.lists()
    return tuple((name, tuple(values)) for name, values in told if name not in TOUCHES.values())


def touch(ctx: Ctx) -> Touch:
    """How the visitor came, as far as it still counts and still exists: one statement."""
    came = session.get("came")
    if not isinstance(came, dict):
        return Touch()
    oldest = (ctx.now - REMEMBERED).timestamp()
    fresh = {name: code for name, (code, at) in came.items() if name in TOUCHES and at > oldest}
    return existing_codes(ctx, Touch(**fresh)) if fresh else Touch()


def basket_owner(ctx: Ctx, *, keep: bool = False) -> CartOwner:
    """Whose basket this is. With `keep` a visitor's token goes into the session: about to fill."""
    owner = owner_of(ctx.actor, session.get("cart"), ctx.settings.secret_key)
    if keep and owner.token is not None and session.get("cart") != owner.token:
        session.permanent = True
        session["cart"] = owner.token
    return owner


def has_basket() -> bool:
    """Whether there may be something in the basket: a visitor who never filled one has none."""
    return bool(session.get("sid") or session.get("cart"))


def basket_count(ctx: Ctx) -> int:
    """Pieces in the basket; without one it costs no statement."""
    return cart_queries.pieces(ctx, basket_owner(ctx)) if has_basket() else 0


def region() -> Region | None:
    """The division that freight was last worked out for."""
    code = session.get("region")
    path = lookup(code) if isinstance(code, str) else None
    return Region(path.code, path.full_name, path.province) if path else None


def remember_region(code: str) -> None:
    """Work out freight for this division from now on; quiet about one that does not exist."""
    if lookup(code) is not None and session.get("region") != code:
        session.permanent = True
        session["region"] = code
