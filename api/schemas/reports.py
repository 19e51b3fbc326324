"""What is asked of the reports, and what they answer."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from api.schemas.common import PageQuery

BASES = validate.OneOf(["event", "cohort"])


def _filter() -> fields.String:
    """One value or several with commas between; `none` asks for what is empty."""
    return fields.String(load_default=None, validate=validate.Length(min=1, max=500))


class EntryFilters(Schema):
    """A half-open period of Asia/Shanghai days, and filters by any dimension.

    `unit` is a unit's own, `within_unit` a unit with all below it. `side` is `sold` or `refunded`;
    `recorded=late` what was recorded more than a day after the period's end.
    """

    from_ = fields.Date(required=True, data_key="from")
    to = fields.Date(required=True)
    basis = fields.String(load_default="event", validate=BASES)
    lang = fields.String(load_default=None)
    day = _filter()
    week = _filter()
    month = _filter()
    quarter = _filter()
    year = _filter()
    platform = _filter()
    storefront = _filter()
    channel = _filter()
    campaign = _filter()
    unit = _filter()
    buyer_kind = _filter()
    purpose = _filter()
    aid_class = _filter()
    cooperative = _filter()
    category = _filter()
    product = _filter()
    sku = _filter()
    within_unit = _filter()
    side = _filter()
    recorded = _filter()

    @pre_load
    def refuse_unknown(self, data: Any, **_: Any) -> Any:
        """A misspelt filter would silently answer another question."""
        known = {field.data_key or name for name, field in self.fields.items()}
        if unknown := sorted(data.keys() - known):
            raise ValidationError({name: ["Unknown field."] for name in unknown})
        return data


class SalesParams(EntryFilters):
    """And up to three dimensions to group by, with commas between."""

    group_by = fields.String(load_default="", validate=validate.Length(max=100))


class EntriesParams(EntryFilters, PageQuery):
    """A page of the entries behind a figure."""


MEASURES: dict[str, fields.Field[Any]] = {
    name: fields.Integer(required=True)
    for name in (
        "orders",
        "buyers",
        "units_sold",
        "paid_goods_fen",
        "refunded_goods_fen",
        "aid_amount_fen",
        "direct_purchase_fen",
        "help_sell_fen",
        "freight_fen",
    )
}
Measures = Schema.from_dict(dict(MEASURES), name="SalesMeasures")

Definition = Schema.from_dict(
    {
        "basis": fields.String(required=True),
        "basis_text": fields.String(required=True),
        "zone": fields.String(required=True),
        "from": fields.Date(required=True),
        "to": fields.Date(required=True),
        "half_open": fields.Boolean(required=True),
        "period_text": fields.String(required=True),
        "currency": fields.String(required=True),
        "group_by": fields.List(fields.String(), required=True),
        "filters": fields.Dict(keys=fields.String(), required=True),
        "filter_texts": fields.Dict(keys=fields.String(), values=fields.String(), required=True),
        "rule_sets": fields.List(fields.Dict(keys=fields.String()), required=True),
        "measures": fields.Dict(keys=fields.String(), values=fields.String(), required=True),
    },
    name="ReportDefinition",
)


class SalesAnswer(Schema):
    """Figures with their definition.

    A row holds each dimension's code under its name, `<dimension>_name` (periods have none),
    and the measures of `totals`. Totals are counted anew: buyers do not add up.
    """

    definition = fields.Nested(Definition, required=True)
    as_of = fields.DateTime(required=True)
    rows = fields.List(fields.Dict(keys=fields.String()), required=True)
    totals = fields.Nested(Measures, required=True)


class EntryAnswer(Schema):
    """One movement of the aid record; negative where money went back.

    `actor` is the member of staff who caused it, never the one who bought.
    """

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    at = fields.DateTime(required=True)
    day = fields.Date(required=True)
    sale_day = fields.Date(required=True)
    order_number = fields.String(allow_none=True)
    order_line_id = fields.UUID(allow_none=True)
    external_reference = fields.String(allow_none=True)
    platform_code = fields.String(required=True)
    platform_name = fields.String(required=True)
    storefront_code = fields.String(allow_none=True)
    storefront_name = fields.String(allow_none=True)
    channel_code = fields.String(required=True)
    channel_name = fields.String(required=True)
    campaign_code = fields.String(allow_none=True)
    campaign_name = fields.String(allow_none=True)
    unit_code = fields.String(allow_none=True)
    unit_name = fields.String(allow_none=True)
    buyer_kind = fields.String(required=True)
    buyer_kind_name = fields.String(required=True)
    purpose = fields.String(required=True)
    purpose_name = fields.String(required=True)
    cooperative_code = fields.String(required=True)
    cooperative_name = fields.String(required=True)
    category_code = fields.String(required=True)
    category_name = fields.String(required=True)
    product_code = fields.String(required=True)
    product_name = fields.String(required=True)
    sku_code = fields.String(required=True)
    sku_name = fields.String(required=True)
    aid_certified = fields.Boolean(required=True)
    quantity = fields.Integer(required=True)
    weight_g = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    aid_class = fields.String(allow_none=True)
    aid_class_name = fields.String(required=True)
    rule_set_code = fields.String(required=True)
    rule_reason = fields.String(required=True)
    rule_reason_text = fields.String(required=True)
    reason = fields.String(required=True)
    actor = fields.String(allow_none=True)
    recorded_at = fields.DateTime(required=True)


class EntryPage(Schema):
    """Entries by day; all pages summed are the figure they stand behind."""

    items = fields.List(fields.Nested(EntryAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
