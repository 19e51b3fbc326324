"""Runs, differences and provider events as they answer. Fen, signed."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.common import PageQuery
from models.payments import EventOutcome
from models.reconciliation import DifferenceState, Side
from shop.payments.differences import MAX_EXPLANATION


class RunBody(Schema):
    """Which day (Asia/Shanghai) to compare, and with whose books."""

    side = fields.Enum(Side, by_value=True, required=True)
    day = fields.Date(required=True)


class RunsQuery(PageQuery):
    """A page of runs of one side or day, or of all."""

    side = fields.Enum(Side, by_value=True, load_default=None)
    day = fields.Date(load_default=None)


class RunAnswer(Schema):
    """One comparison of one day. `sums` holds both sides by kind and the balances."""

    id = fields.UUID(required=True)
    side = fields.String(required=True)
    day = fields.Date(required=True)
    lines = fields.Integer(required=True)
    theirs_fen = fields.Integer(required=True)
    ours_fen = fields.Integer(required=True)
    open_differences = fields.Integer(required=True)
    sums = fields.Dict(required=True)
    ran_by = fields.String(required=True, allow_none=True)
    ran_at = fields.DateTime(required=True)


class RunPage(Schema):
    """Runs, the newest day first."""

    items = fields.List(fields.Nested(RunAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DifferencesQuery(PageQuery):
    """A page of differences in one state, of one side or day, or of all."""

    state = fields.Enum(DifferenceState, by_value=True, load_default=None)
    side = fields.Enum(Side, by_value=True, load_default=None)
    day = fields.Date(load_default=None)


class DifferenceAnswer(Schema):
    """What one side has and the other has not, or has differently."""

    id = fields.UUID(required=True)
    side = fields.String(required=True)
    kind = fields.String(required=True)
    reference = fields.String(required=True)
    day = fields.Date(required=True)
    theirs_fen = fields.Integer(required=True, allow_none=True)
    ours_fen = fields.Integer(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)
    payment_id = fields.UUID(required=True, allow_none=True)
    state = fields.String(required=True)
    detail = fields.String(required=True)
    opened_at = fields.DateTime(required=True)
    closed_at = fields.DateTime(required=True, allow_none=True)
    closed_by = fields.String(required=True, allow_none=True)
    explanation = fields.String(required=True)


class DifferencePage(Schema):
    """Differences, newest first."""

    items = fields.List(fields.Nested(DifferenceAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class WholeRunAnswer(RunAnswer):
    """A run and every difference of its side and day, whatever became of it."""

    differences = fields.List(fields.Nested(DifferenceAnswer), required=True)


class ExplainBody(Schema):
    """Why the two sides differ."""

    explanation = fields.String(required=True, validate=validate.Length(1, MAX_EXPLANATION))


class EventsQuery(PageQuery):
    """A page of events of a type (`charge.` for a family), by what came of them last."""

    type = fields.String(load_default=None, validate=validate.Length(1, 100))
    outcome = fields.Enum(EventOutcome, by_value=True, load_default=None)


class ProviderEventAnswer(Schema):
    """An event of the provider's; `outcome` is null as long as nobody has handled it."""

    id = fields.UUID(required=True)
    provider = fields.String(required=True)
    event_id = fields.String(required=True)
    type = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    intent_reference = fields.String(required=True, allow_none=True)
    received_at = fields.DateTime(required=True)
    outcome = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    handled_at = fields.DateTime(required=True, allow_none=True)


class EventPage(Schema):
    """Events, newest first."""

    items = fields.List(fields.Nested(ProviderEventAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class OutcomeAnswer(Schema):
    """One handling of an event."""

    outcome = fields.String(required=True)
    detail = fields.String(required=True)
    at = fields.DateTime(required=True)


class WholeEventAnswer(ProviderEventAnswer):
    """An event with every handling, and its body with personal data masked."""

    body = fields.String(required=True)
    outcomes = fields.List(fields.Nested(OutcomeAnswer), required=True)


class ReplayAnswer(Schema):
    """What came of handling it again."""

    outcome = fields.String(required=True)
