"""The rules of the house, and who sells here."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from shop.catalog.licence_queries import licences
from shop.context import Ctx
from shop.errors import NotFound
from storefront import shown, words
from storefront.page import pages, show
from storefront.texts import _
from storefront.words import Section, Words

PAGES: dict[str, Callable[[], Words]] = {
    "about": words.about,
    "contact": words.contact,
    "after-sale": words.after_sale,
    "privacy": words.privacy,
    "terms": words.terms,
    "alcohol": words.alcohol,
}


@pages.page("/pages/<name>", permission="documents.read")
def info(ctx: Ctx, name: str) -> Response:
    """A page of words."""
    if name == "licences":
        return show(ctx, "page.html", page=_licences(ctx))
    if name not in PAGES:
        raise NotFound
    return show(ctx, "page.html", page=PAGES[name]())


def _licences(ctx: Ctx) -> Words:
    intro = Section(paragraphs=(_("在本商城出售商品的合作社及其有效证照如下，过期的不显示。"),))
    sellers = [
        Section(
            title=shown.cooperative_name(row)["name"],
            rows=tuple(shown.documents(row["documents"])),
        )
        for row in licences(ctx)
    ]
    return Words(_("营业执照与许可证"), (intro, *sellers))
