"""The catalogue as everybody reads it.

`name` is Chinese and `name_en` English in every answer, whatever language the caller prefers: the
bytes are the same for all readers, so they can be kept and shared.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.common import PageQuery
from shop.catalog.filters import Sort

CODE = validate.Length(1, 100)
PRICE = validate.Range(0, 100_000_000)
AVAILABILITY = validate.OneOf(["in_stock", "low", "sold_out"])


class ProductQuery(PageQuery):
    """Filters of a list of products; prices in fen, any SKU may fit."""

    q = fields.String(load_default="", validate=validate.Length(max=200))
    category = fields.String(load_default=None, validate=CODE)
    cooperative = fields.String(load_default=None, validate=CODE)
    campaign = fields.String(load_default=None, validate=CODE)
    storefront = fields.String(load_default=None, validate=CODE)
    in_stock = fields.Boolean(load_default=False)
    min_price_fen = fields.Integer(load_default=None, validate=PRICE)
    max_price_fen = fields.Integer(load_default=None, validate=PRICE)
    sort = fields.Enum(Sort, by_value=True, load_default=Sort.RELEVANCE)


class SellerName(Schema):
    """The cooperative that sells and ships."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(allow_none=True)


class ProductItemAnswer(Schema):
    """A product on a shelf. Outside its sale window it counts as sold out."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    category = fields.String(required=True)
    cooperative = fields.Nested(SellerName, required=True)
    image_url = fields.String(required=True, allow_none=True)
    price_fen = fields.Integer(required=True)
    price_max_fen = fields.Integer(required=True)
    availability = fields.String(required=True, validate=AVAILABILITY)
    on_sale = fields.Boolean(required=True)
    sale_from = fields.DateTime(required=True, allow_none=True)
    sale_until = fields.DateTime(required=True, allow_none=True)
    ship_by = fields.Date(required=True, allow_none=True)
    aid_certified = fields.Boolean(required=True)
    age_restricted = fields.Boolean(required=True)


class FacetAnswer(Schema):
    """How many products would be left by this further filter."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(allow_none=True)
    count = fields.Integer(required=True)


class FacetsAnswer(Schema):
    """Counts by category and by cooperative, each leaving its own filter aside."""

    category = fields.List(fields.Nested(FacetAnswer), required=True)
    cooperative = fields.List(fields.Nested(FacetAnswer), required=True)


class ProductPageAnswer(Schema):
    """A page of products."""

    items = fields.List(fields.Nested(ProductItemAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    facets = fields.Nested(FacetsAnswer, required=True)


class SkuAnswer(Schema):
    """A size to buy: price in fen, gross weight in grams, pieces available."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    net_content = fields.String(required=True)
    unit = fields.String(required=True)
    price_fen = fields.Integer(required=True)
    weight_g = fields.Integer(required=True)
    available = fields.Integer(required=True)
    availability = fields.String(required=True, validate=AVAILABILITY)
    barcode = fields.String(required=True, allow_none=True)


class OriginAnswer(Schema):
    """Where it comes from."""

    division_code = fields.String(required=True)
    name = fields.String(required=True)


class DocumentAnswer(Schema):
    """A licence or statement that is valid today."""

    kind = fields.String(required=True)
    number = fields.String(required=True)
    expires_on = fields.String(required=True)


class HouseholdsAnswer(Schema):
    """Member households of the cooperative, and those of them lifted out of poverty."""

    members = fields.Integer(required=True)
    lifted = fields.Integer(required=True)


class HintAnswer(Schema):
    """A sentence in both languages."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class ProductAnswer(ProductItemAnswer):
    """A product with all that its page says. No lots are kept yet, so `lots` is empty.

    `label` is what is printed on the pack. `label_en` says some of it in English, under the same
    keys; what is missing there is Chinese alone.
    """

    code = fields.String(required=True)
    description = fields.String(required=True)
    description_en = fields.String(required=True)
    kind = fields.String(required=True)
    sale_state = fields.String(required=True, validate=validate.OneOf(["open", "not_yet", "ended"]))
    no_reason_return = fields.String(required=True)
    origin = fields.Nested(OriginAnswer, required=True)
    storage = fields.String(required=True)
    storage_en = fields.String(required=True, allow_none=True)
    shelf_life_days = fields.Integer(required=True, allow_none=True)
    label = fields.Dict(required=True)
    label_en = fields.Dict(required=True)
    certificates = fields.List(fields.Nested(DocumentAnswer), required=True)
    households = fields.Nested(HouseholdsAnswer, required=True)
    freight = fields.Nested(HintAnswer, required=True)
    skus = fields.List(fields.Nested(SkuAnswer), required=True)
    lots = fields.List(fields.String(), required=True)


class CategoryAnswer(Schema):
    """A shelf of the mall, with how many products stand on it."""

    code = fields.String(required=True)
    slug = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    products = fields.Integer(required=True)


class CooperativeRow(SellerName):
    """A seller in a list."""

    township_code = fields.String(required=True)
    township = fields.String(required=True, allow_none=True)
    member_households = fields.Integer(required=True)
    lifted_households = fields.Integer(required=True)
    image_url = fields.String(required=True, allow_none=True)
    products = fields.Integer(required=True)
    demo = fields.Boolean(required=True)


class CooperativeAnswer(CooperativeRow):
    """A seller with its own words and the documents valid today."""

    intro = fields.String(required=True)
    intro_en = fields.String(required=True)
    licence_no = fields.String(required=True)
    documents = fields.List(fields.Nested(DocumentAnswer), required=True)


class NamedAnswer(Schema):
    """A code and what it is called."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True, allow_none=True)


class UnitAnswer(NamedAnswer):
    """A unit of the university; `parent` is a code."""

    kind = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)


class ChannelAnswer(NamedAnswer):
    """A way that buyers come."""

    kind = fields.String(required=True)
    medium = fields.String(required=True)


class CampaignAnswer(NamedAnswer):
    """A promotion, half-open; `running` says whether it is on now."""

    kind = fields.String(required=True)
    starts_at = fields.DateTime(required=True)
    ends_at = fields.DateTime(required=True)
    channels = fields.List(fields.String(), required=True)
    goal_fen = fields.Integer(required=True, allow_none=True)
    running = fields.Boolean(required=True)


class DivisionQuery(Schema):
    """The division whose parts are wanted; the provinces without one."""

    parent = fields.String(load_default=None, validate=validate.Length(max=12))


class DivisionAnswer(Schema):
    """A province, city or county; an address may end at a leaf."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(required=True)
    leaf = fields.Boolean(required=True)


class CategoryList(Schema):
    """All shelves."""

    items = fields.List(fields.Nested(CategoryAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CooperativeList(Schema):
    """All sellers."""

    items = fields.List(fields.Nested(CooperativeRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StorefrontList(Schema):
    """All our malls."""

    items = fields.List(fields.Nested(NamedAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class UnitList(Schema):
    """All units."""

    items = fields.List(fields.Nested(UnitAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ChannelList(Schema):
    """All channels."""

    items = fields.List(fields.Nested(ChannelAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CampaignList(Schema):
    """All campaigns."""

    items = fields.List(fields.Nested(CampaignAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DivisionList(Schema):
    """What lies directly below a division."""

    items = fields.List(fields.Nested(DivisionAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
