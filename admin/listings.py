"""Putting products on sale and taking them off: the cooperative asks, who reviews decides."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import words
from admin.forms.fields import cut, id_of, text_of
from admin.page import again, back_to, pages, show
from models.catalog import ListingState
from shop.catalog.commands import set_listing
from shop.catalog.listing_desk import listing_counts, listings
from shop.catalog.states import Step
from shop.context import Ctx
from shop.errors import Invalid, ShopError
from shop.identity.policy import allowed

PAGE = 24
L = ListingState
TABS = (L.IN_REVIEW, L.LISTED, L.UNLISTED, L.DRAFT)

WITH_REASON = frozenset({(L.LISTED, Step.WITHDRAW), (L.IN_REVIEW, Step.REJECT)})
"""What the other side has to be told why."""

OWN_STEPS: dict[L, tuple[Step, ...]] = {
    L.DRAFT: (Step.SUBMIT,),
    L.UNLISTED: (Step.SUBMIT,),
    L.IN_REVIEW: (Step.WITHDRAW,),
    L.LISTED: (Step.WITHDRAW,),
}
"""What a manager may do with the own goods."""

REVIEW_STEPS: dict[L, tuple[Step, ...]] = {
    L.UNLISTED: (Step.APPROVE,),
    L.IN_REVIEW: (Step.APPROVE, Step.REJECT),
    L.LISTED: (Step.WITHDRAW,),
}
"""What who reviews may do with anybody's; an unfinished draft is the cooperative's alone."""


@pages.page("/listings", permission="listings.read")
def listings_page(ctx: Ctx) -> str:
    """The products with where they stand, each with what can be done about it."""
    return _list(ctx)


def _list(
    ctx: Ctx,
    *,
    slug: str = "",
    form: Any = None,
    error: ShopError | None = None,
) -> str:
    """The list; a refused form stands at its product again, with what was entered."""
    asked = request.values.get("state", "")
    state = next((one for one in TABS if one == asked), None)
    after = id_of(request.values.get("after"))
    rows, more = cut(listings(ctx, state, limit=PAGE + 1, after=after), PAGE)
    counts = listing_counts(ctx)
    return show(
        "listings.html",
        family="listings",
        rows=[{**row, "steps": _steps(ctx, row)} for row in rows],
        more=more,
        state=state,
        after=after,
        tabs=TABS,
        counts=counts,
        everything=sum(counts.values()),
        reviewing=allowed(ctx.actor, "listings.review"),
        with_reason=WITH_REASON,
        refused=slug,
        form=form or {},
        error=error,
        listing=words.LISTING_STATES,
        actions=words.ACTIONS,
        tones=words.TONES,
    )


def _steps(ctx: Ctx, row: dict[str, Any]) -> tuple[Step, ...]:
    """What the actor may do with a product where it stands."""
    own = row["cooperative_id"] in ctx.actor.cooperative_ids
    steps = OWN_STEPS[row["state"]] if own else ()
    if allowed(ctx.actor, "listings.review"):
        return REVIEW_STEPS.get(row["state"], steps)
    return steps


@pages.page("/listings/<slug>", permission="listings.change", methods=("POST",), retry=again(_list))
def list_or_withdraw(ctx: Ctx, slug: str) -> Any:
    """Ask for a place on the shelf, or leave it."""
    return _move(ctx, slug, (Step.SUBMIT, Step.WITHDRAW))


@pages.page(
    "/listings/<slug>/review", permission="listings.review", methods=("POST",), retry=again(_list)
)
def review(ctx: Ctx, slug: str) -> Any:
    """Put a product on sale, or send it back to its cooperative."""
    return _move(ctx, slug, (Step.APPROVE, Step.REJECT))


def _move(ctx: Ctx, slug: str, steps: tuple[Step, ...]) -> Any:
    step = next((one for one in steps if one == request.form.get("step")), None)
    seen = next((one for one in L if one == request.form.get("seen")), None)
    if step is None or seen is None:
        raise Invalid("表单不完整，请刷新页面后重试", "The form is incomplete, reload it")
    reason = ""
    if (seen, step) in WITH_REASON:
        reason = text_of(request.form, "reason", "请填写原因", "Please give a reason")
    stands = set_listing(ctx, slug, step, reason, seen=seen)
    flash(_done(stands, step), "success")
    return back_to(
        "admin.listings_page",
        state=request.form.get("state") or None,
        after=request.form.get("after") or None,
    )


def _done(stands: ListingState, step: Step) -> Any:
    if stands is L.LISTED:
        return gettext("已上架，商城里现在可以买到。")
    if stands is L.UNLISTED:
        return gettext("已下架，商城里不再出售。已下单的订单不受影响。")
    if stands is L.IN_REVIEW:
        return gettext("已申请上架，帮扶组织方审核后开始出售。")
    return (
        gettext("已驳回，合作社修改后可以再次申请。")
        if step is Step.REJECT
        else gettext("已撤回上架申请。")
    )
