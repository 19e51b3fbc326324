"""Everything the back office says is there in English too."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import admin
from admin import refund_words, words
from models.catalog import ListingState, ReturnRule
from models.inventory import MovementCause
from models.orders import ConsignmentState, OrderState
from models.payments import PaymentMethod, PaymentState
from models.refunds import DisputeState, RefundCause, RefundState
from shop.orders.states import CONSIGNMENT, ORDER
from shop.payments.states import DISPUTE, PAYMENT, REFUND
from shop.seed.data import demo
from shop.seed.orders import place_scenarios
from tests.cast import ADDRESS

PACKAGE = Path(admin.__file__).parent
CATALOGUE = PACKAGE / "translations" / "en" / "LC_MESSAGES" / "admin"
TEMPLATES = sorted(PACKAGE.glob("templates/admin/*.html"))
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff01-\uff5e]+")
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def said():
    """Every text that the templates and the code hand to the catalogue."""
    for path in TEMPLATES:
        with path.open("rb") as file:
            for _, _, message, _ in babel_extract(file, ["_"], [], {}):
                yield message if isinstance(message, str) else message[0]
    for path in sorted(PACKAGE.rglob("*.py")):
        with path.open("rb") as file:
            keywords = {"gettext": None, "lazy_gettext": None}
            for _, message, _, _ in extract("python", file, keywords=keywords):
                yield message


def english():
    with CATALOGUE.with_suffix(".po").open("rb") as file:
        return {one.id: one.string for one in read_po(file) if one.id}


def test_every_text_has_its_english_and_no_other_has():
    assert set(english()) == set(said())
    assert [text for text, translated in english().items() if not translated.strip()] == []


def test_no_english_is_chinese_and_all_placeholders_stand():
    for text, translated in english().items():
        assert CHINESE.search(translated) is None, text
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(translated))


def test_the_compiled_catalogue_is_fresh():
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = {one.id: one.string for one in read_mo(file) if one.id}
    assert compiled == english(), "run: pybabel compile -D admin -d admin/translations"


def test_templates_say_nothing_in_chinese_beside_the_catalogue():
    for path in TEMPLATES:
        left = re.sub(r"\{#.*?#\}|\b_\('[^']*'", "", path.read_text("utf-8"), flags=re.DOTALL)
        assert (path.name, CHINESE.findall(left.replace("'中文'", ""))) == (path.name, [])


def test_every_code_has_a_word():
    for table, kind in (
        (words.CONSIGNMENT_STATES, ConsignmentState),
        (words.ORDER_STATES, OrderState),
        (words.PAYMENT_STATES, PaymentState),
        (words.PAYMENT_METHODS, PaymentMethod),
        (words.LISTING_STATES, ListingState),
        (words.CAUSES, MovementCause),
        (refund_words.REFUND_STATES, RefundState),
        (refund_words.REFUND_CAUSES, RefundCause),
        (refund_words.DISPUTE_STATES, DisputeState),
        (refund_words.RETURN_RULES, ReturnRule),
    ):
        assert list(table) == list(kind)


def test_every_event_has_a_word():
    events = {
        f"{machine.subject}.{event}"
        for machine in (ORDER, CONSIGNMENT, PAYMENT, REFUND, DISPUTE)
        for _, event in machine.transitions
    }
    begins = {
        "order.place",
        "payment.start",
        "refund.request",
        "dispute.open",
        "bank_match.approve",
    }
    assert words.EVENTS.keys() == events | begins


def texts(value):
    """Every text of the demonstration data."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


def test_english_pages_hold_no_chinese_but_names(olga, bob, number, transactions):
    numbers = place_scenarios(transactions)
    data = " ".join(
        [
            *texts(demo()),
            *ADDRESS.values(),
            "林* 邯郸路 请放门卫 演* 示例路 中文",
            "上海市杨浦区 云南省大理白族自治州永平县 破损一瓶",
        ]
    )
    for desk, paths in {
        bob: (
            "/",
            "/consignments",
            f"/consignments/{number}-1",
            "/consignments/picking",
            f"/consignments/{number}-1/slip",
            "/goods",
            "/goods/P01-1",
            "/goods/x",
        ),
        olga: (
            "/",
            "/reports",
            "/reports?unit=none",
            "/reports/by/buyer_kind",
            "/entries",
            "/reports?from=2026-02-02&to=2026-01-01",
            "/orders",
            f"/orders/{numbers['S02']}",
            "/payments",
            "/audit?verify=1",
            "/consignments",
        ),
    }.items():
        for path in paths:
            desk.get(path, headers={"Accept-Language": "en"})
            left = {run for run in CHINESE.findall(desk.plain) if run not in data}
            assert (path, left) == (path, set())


def test_english_refusals(bob, number):
    bob.get(f"/consignments/{number}-1?lang=en")
    bob.post(
        f"/consignments/{number}-1/parcels",
        once=bob.once,
        carrier="",
        tracking_no="?",
        **bob.pieces,
    )
    assert bob.notes == ["The carrier or the tracking number is not valid"]
    assert "There is no such carrier" in bob.plain
    assert "4 to 40 letters, digits or hyphens" in bob.plain
