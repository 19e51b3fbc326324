"""Who may do what: one map from permission to predicate. Objects are scoped by queries.

Every route of every surface names one of these permissions; a test walks the routes.
"""

from __future__ import annotations

from collections.abc import Callable

from models.identity import Role
from shop.context import Actor
from shop.errors import Forbidden, Unauthenticated

Predicate = Callable[[Actor], bool]

CHANGE_FIRST = "password_change_required"

STAFF = (Role.ORGANIZER, Role.FINANCE, Role.PLATFORM_ADMIN)
"""Who works for the organization; cooperatives do not."""

REVIEWERS = (Role.ORGANIZER, Role.PLATFORM_ADMIN)
"""Who decides what is on sale, whoever's goods it is."""


def anyone(_: Actor) -> bool:
    """Everybody, signed in or not."""
    return True


def signed_in(actor: Actor) -> bool:
    """Everybody we know."""
    return actor.signed_in


def holding(*roles: Role) -> Predicate:
    """Holders of one of the roles."""
    return lambda actor: actor.has(*roles)


PERMISSIONS: dict[str, Predicate] = {
    # Public
    "catalog.read": anyone,
    "reference.read": anyone,
    "session.create": anyone,
    "account.create": anyone,
    "cart.use": anyone,
    "orders.quote": anyone,
    "orders.place": anyone,
    "orders.read_own": anyone,
    "orders.change_own": anyone,
    "payments.start": anyone,
    "provider.notify": anyone,
    "documents.read": anyone,
    # A person's own
    "session.end": signed_in,
    "account.read": signed_in,
    "account.change": signed_in,
    "orders.list_own": signed_in,
    # Cooperative manager: rows of own cooperatives only, see the queries' `get_for`
    "consignments.read": holding(Role.COOP_MANAGER),
    "consignments.ship": holding(Role.COOP_MANAGER),
    "skus.change": holding(Role.COOP_MANAGER),
    "stock.read": holding(Role.COOP_MANAGER),
    "stock.change": holding(Role.COOP_MANAGER),
    "listings.read": holding(Role.COOP_MANAGER, *REVIEWERS),
    "listings.change": holding(Role.COOP_MANAGER, *REVIEWERS),
    # Organization
    "listings.review": holding(*REVIEWERS),
    "reports.read": holding(*STAFF),
    "entries.read": holding(*STAFF),
    "orders.read_any": holding(*STAFF),
    "payments.read_any": holding(Role.FINANCE, Role.PLATFORM_ADMIN, Role.ORGANIZER),
    "refunds.read": holding(*STAFF),
    "refunds.request": holding(Role.FINANCE),
    "disputes.read": holding(*STAFF),
    "bank.read": holding(Role.FINANCE, Role.PLATFORM_ADMIN),
    "bank.import": holding(Role.FINANCE),
    "bank.match": holding(Role.FINANCE, Role.PLATFORM_ADMIN),
    "orders.extend": holding(Role.FINANCE, Role.ORGANIZER),
    "orders.close": holding(Role.FINANCE),
    "ledger.read": holding(*STAFF),
    "reconciliations.read": holding(*STAFF),
    "reconciliations.run": holding(Role.FINANCE, Role.PLATFORM_ADMIN),
    "differences.explain": holding(Role.FINANCE),
    "events.read": holding(Role.FINANCE, Role.PLATFORM_ADMIN),
    "events.replay": holding(Role.FINANCE, Role.PLATFORM_ADMIN),
    "audit.read": holding(Role.PLATFORM_ADMIN, Role.ORGANIZER),
    "jobs.read": holding(Role.PLATFORM_ADMIN),
    "jobs.retry": holding(Role.PLATFORM_ADMIN),
    "desk.open": holding(*STAFF, Role.COOP_MANAGER),
}

ALWAYS_IN_SCOPE = frozenset({"session.end"})
"""A token, however narrow, may give itself back."""

BEFORE_A_NEW_PASSWORD = frozenset(
    {
        "catalog.read",
        "reference.read",
        "documents.read",
        "provider.notify",
        "session.create",
        "session.end",
        "account.create",
        "account.change",
    }
)
"""What is left to somebody whose password another person knows: what is public and tells nothing of
anybody, and to choose a password. Everything else waits until that is done."""


def allowed(actor: Actor, permission: str) -> bool:
    """Whether `actor` may do this kind of thing; token scopes narrow, never widen.

    Raises:
        KeyError: nobody defined the permission, a bug.
    """
    return (
        PERMISSIONS[permission](actor)
        and _in_scope(actor, permission)
        and not _password_first(actor, permission)
    )


def authorize(actor: Actor, permission: str) -> None:
    """Let pass or raise.

    Raises:
        Unauthenticated: not signed in, and that could help.
        Forbidden: signed in and still not allowed; `password_change_required` as long as the
            password is one that somebody else made.
    """
    if allowed(actor, permission):
        return
    if _password_first(actor, permission):
        raise Forbidden(
            "您的密码是临时密码，请先修改密码",
            "Your password is a temporary one; change it first",
            code=CHANGE_FIRST,
        )
    raise Forbidden if actor.signed_in else Unauthenticated


def _password_first(actor: Actor, permission: str) -> bool:
    return actor.password_temporary and permission not in BEFORE_A_NEW_PASSWORD


def _in_scope(actor: Actor, permission: str) -> bool:
    family = f"{permission.partition('.')[0]}.*"
    return permission in ALWAYS_IN_SCOPE or not actor.scopes.isdisjoint({"*", permission, family})
