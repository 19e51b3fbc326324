"""What of a link's codes means something, and whose licences are shown."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models.catalog import Cooperative
from models.organization import Channel
from shop.aid.visit_queries import Touch, existing_codes
from shop.catalog.licence_queries import licences

KNOWN = Touch("new_media", "K3", "alumni")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (KNOWN, KNOWN),
        (Touch("nobody", "K3", None), Touch(None, "K3", None)),
        (Touch(), Touch()),
        (Touch("new_media", "\N{GRINNING FACE}", "x" * 500), Touch("new_media")),
    ],
)
def test_what_exists_is_kept(ctx, asked, found):
    assert existing_codes(ctx, asked) == found


def test_a_channel_that_was_given_up_is_passed_over(ctx):
    ctx.session.execute(update(Channel).where(Channel.code == "new_media").values(active=False))
    assert existing_codes(ctx, KNOWN) == Touch(None, "K3", "alumni")


def test_licences_of_those_who_sell(ctx):
    ctx.session.execute(update(Cooperative).where(Cooperative.code == "C02").values(active=False))
    assert [row["code"] for row in licences(ctx)] == ["C01", "C03", "C04", "C05"]


def test_a_licence_that_has_expired_is_not_shown(ctx):
    old = [{"kind": "business_licence", "number": "1", "expires_on": "2026-11-22"}]
    ctx.session.execute(update(Cooperative).where(Cooperative.code == "C01").values(documents=old))
    assert licences(ctx)[0]["documents"] == []
