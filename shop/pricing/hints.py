"""What sending one product to a province costs, in a sentence, before there is a basket."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import bindparam, select

from models.catalog import FreightTemplateRow, Product
from shop.catalog.rules import Hint, freight_hint
from shop.context import Ctx
from shop.errors import NotFound
from shop.pricing.freight import FreightTemplate, parsed_template

PRODUCTS, TEMPLATES = Product.__table__, FreightTemplateRow.__table__

TEMPLATE_OF = (
    select(TEMPLATES.c.id, TEMPLATES.c.definition)
    .join(PRODUCTS, PRODUCTS.c.freight_template_id == TEMPLATES.c.id)
    .where(PRODUCTS.c.slug == bindparam("slug"))
)


def hint_to(template: FreightTemplate, province_code: str) -> Hint | None:
    """The part of a template that a province (two digits) goes by; None: no delivery there."""
    if province_code in template.not_deliverable:
        return None
    free_from = template.free_from_fen(province_code)
    return freight_hint(
        {
            "charge_by": template.charge_by,
            "default": asdict(template.step_for(province_code)),
            "free_conditions": [] if free_from is None else [{"min_goods_fen": free_from}],
        }
    )


def product_hint_to(ctx: Ctx, slug: str, province_code: str) -> Hint | None:
    """`hint_to` of the product under `slug`: one statement.

    Raises:
        NotFound: there is no such product.
    """
    row = ctx.session.execute(TEMPLATE_OF, {"slug": slug}).one_or_none()
    if row is None:
        raise NotFound
    return hint_to(parsed_template(row.id, row.definition), province_code)
