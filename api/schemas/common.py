"""Shapes that several resources share."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class PageQuery(Schema):
    """Where to go on in a list, and how much of it."""

    limit = fields.Integer(load_default=24, validate=validate.Range(min=1, max=100))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
