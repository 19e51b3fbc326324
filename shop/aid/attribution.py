"""What an order is attributed to, and what of it a sale freezes: names, campaign, rule set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Date,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
)

from models.organization import Campaign, Channel, RuleSetRow, SalesPlatform, Storefront, Unit
from shop.aid.rules import (
    AID_AMOUNT,
    DIRECT,
    CampaignWindow,
    RuleSet,
    campaign_at,
    parse_rule_set,
    rule_set_on,
)
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Invalid, Words

PLATFORMS = SalesPlatform.__table__
STOREFRONTS = Storefront.__table__
CHANNELS = Channel.__table__
CAMPAIGNS = Campaign.__table__
UNITS = Unit.__table__
RULE_SETS = RuleSetRow.__table__
RULE_SET_COLUMNS = ("code", "name", "measure", "effective_from", "effective_to", "definition")

NO_CODE = ""
"""Stands for a code that was not given, and is nobody's. With NULL in its place PostgreSQL would
plan the statement anew for each order, which costs more than to run it."""


def _key(table: Table, name: str) -> Any:
    """The key behind a code; a retired row is no longer found, and no code finds nothing."""
    live = table.c.active if "active" in table.c else true()
    wanted = bindparam(name, type_=Text)
    return select(table.c.id).where(table.c.code == wanted, live).scalar_subquery().label(name)


def _storefront_key() -> Any:
    """The key behind a storefront's code, or of the first storefront without one.

    Not one question with an OR in it: without a code that is cheaper than with one, and PostgreSQL
    would plan the whole statement anew for each order.
    """
    first = select(STOREFRONTS.c.id).where(STOREFRONTS.c.active).order_by(STOREFRONTS.c.id)
    unnamed = bindparam("storefront", type_=Text) == NO_CODE
    return func.coalesce(
        _key(STOREFRONTS, "storefront").element,
        case((unnamed, first.limit(1).scalar_subquery())),
    ).label("storefront")


def _frozen() -> Select[Any]:
    """Names by primary keys, the campaign named or those running, the rule sets in force."""
    named = {"platform": PLATFORMS, "storefront": STOREFRONTS, "channel": CHANNELS, "unit": UNITS}
    key = {name: bindparam(f"{name}_id", type_=Uuid) for name in (*named, "campaign")}
    at, day = bindparam("at", type_=CAMPAIGNS.c.starts_at.type), bindparam("day", type_=Date)
    running = and_(CAMPAIGNS.c.starts_at <= at, at < CAMPAIGNS.c.ends_at)
    in_force = and_(
        RULE_SETS.c.measure == AID_AMOUNT,
        RULE_SETS.c.effective_from <= day,
        or_(RULE_SETS.c.effective_to.is_(None), RULE_SETS.c.effective_to > day),
    )
    chosen = or_(CAMPAIGNS.c.id == key["campaign"], and_(key["campaign"].is_(None), running))
    return (
        select(
            *(
                table.c[column].label(f"{name}_{column}")
                for name, table in named.items()
                for column in ("code", "name")
            ),
            CAMPAIGNS.c.code.label("campaign_code"),
            CAMPAIGNS.c.name.label("campaign_name"),
            CAMPAIGNS.c.starts_at,
            CAMPAIGNS.c.ends_at,
            CAMPAIGNS.c.channels,
            *(RULE_SETS.c[name] for name in RULE_SET_COLUMNS),
        )
        .select_from(
            PLATFORMS.join(CHANNELS, CHANNELS.c.id == key["channel"])
            .outerjoin(STOREFRONTS, STOREFRONTS.c.id == key["storefront"])
            .outerjoin(UNITS, UNITS.c.id == key["unit"])
            .outerjoin(CAMPAIGNS, chosen)
            .outerjoin(RULE_SETS, in_force)
        )
        .where(PLATFORMS.c.id == key["platform"])
    )


# Built once: every order asks for its keys, every payment for its names.
KEYS = select(
    _key(PLATFORMS, "platform"),
    _key(CHANNELS, "channel"),
    _key(CAMPAIGNS, "campaign"),
    _key(UNITS, "unit"),
    _storefront_key(),
)
FROZEN = _frozen()

OWN_PLATFORM = "self_mall"
"""The sales platform that this mall itself is."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The keys that an order keeps: where it was placed, how the buyer came, whose purchase."""

    platform_id: UUID
    storefront_id: UUID
    channel_id: UUID
    campaign_id: UUID | None
    unit_id: UUID | None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The codes and names to freeze into an entry, and the rule set of the day (or none)."""

    names: Mapping[str, str | None]
    rule_set: RuleSet | None


def attribution_for(
    ctx: Ctx,
    *,
    unit: str | None = None,
    channel: str | None = None,
    campaign: str | None = None,
    storefront: str | None = None,
) -> Attribution:
    """The keys behind the codes of an order, by one statement.

    Without a channel the buyer came directly; without a storefront it is the first one.

    Raises:
        Invalid: `unknown_code`, with every field that names nothing we have.
    """
    wanted = {"unit": unit, "channel": channel, "campaign": campaign, "storefront": storefront}
    row = ctx.session.execute(
        KEYS,
        {
            "platform": OWN_PLATFORM,
            "storefront": storefront or NO_CODE,
            "channel": channel or DIRECT,
            "campaign": campaign or NO_CODE,
            "unit": unit or NO_CODE,
        },
    ).one()
    unknown = [name for name, code in wanted.items() if code and getattr(row, name) is None]
    if unknown:
        raise Invalid(
            "所选的单位、渠道、活动或商城不存在",
            "There is no such unit, channel, campaign or storefront",
            code="unknown_code",
            fields={
                name: [Words(f"没有代码“{wanted[name]}”", f"There is no code {wanted[name]}")]
                for name in unknown
            },
        )
    return Attribution(row.platform, row.storefront, row.channel, row.campaign, row.unit)


def circumstances(
    ctx: Ctx,
    *,
    at: datetime,
    platform_id: UUID,
    channel_id: UUID,
    storefront_id: UUID | None,
    campaign_id: UUID | None,
    unit_id: UUID | None,
) -> Circumstances:
    """What a sale at `at` freezes: one statement, by primary keys and two tiny tables.

    Raises:
        LookupError: a key names nothing, a bug (the order's foreign keys forbid it).
    """
    day = business_day(at)
    keys = {
        "platform_id": platform_id,
        "channel_id": channel_id,
        "storefront_id": storefront_id,
        "campaign_id": campaign_id,
        "unit_id": unit_id,
    }
    rows = ctx.session.execute(FROZEN, {**keys, "at": at, "day": day}).mappings().all()
    if not rows:
        raise LookupError(f"no platform {platform_id} or no channel {channel_id}")
    return Circumstances(
        {**_plain_names(rows[0]), **_campaign_names(rows, at, named=campaign_id is not None)},
        rule_set_on([_rule_set(row) for row in rows if row["code"] is not None], day),
    )


def rule_sets(ctx: Ctx) -> list[RuleSet]:
    """Every dated definition of what counts, the latest first."""
    rows = ctx.session.execute(
        select(RULE_SETS).order_by(RULE_SETS.c.effective_from.desc(), RULE_SETS.c.code)
    ).mappings()
    return [_rule_set(row) for row in rows]


def _plain_names(row: Mapping[Any, Any]) -> dict[str, str | None]:
    prefixes = ("platform_", "storefront_", "channel_", "unit_")
    return {name: value for name, value in row.items() if name.startswith(prefixes)}


def _campaign_names(
    rows: Sequence[Mapping[Any, Any]], at: datetime, *, named: bool
) -> dict[str, str | None]:
    candidates = {row["campaign_code"]: row for row in rows if row["campaign_code"] is not None}
    windows = [
        CampaignWindow(code, row["starts_at"], row["ends_at"], frozenset(row["channels"]))
        for code, row in candidates.items()
    ]
    explicit = next(iter(candidates), None) if named else None
    code = campaign_at(windows, at, explicit=explicit, channel=rows[0]["channel_code"])
    name = candidates[code]["campaign_name"] if code else None
    return {"campaign_code": code, "campaign_name": name}


def _rule_set(row: Mapping[Any, Any]) -> RuleSet:
    return parse_rule_set(
        {
            **row["definition"],
            **{name: row[name] for name in RULE_SET_COLUMNS if name != "definition"},
        }
    )
