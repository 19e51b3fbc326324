from datetime import timedelta

import pytest

from shop.catalog.rules import (
    Mark,
    availability,
    freight_hint,
    next_turn,
    sale_state,
    valid_documents,
)
from shop.catalog.search_tokens import index_tokens, query_tsquery
from shop.seed.data import demo
from tests.conftest import NOW

TEMPLATES = {one["code"]: one for one in demo()["freight_templates"]}


@pytest.mark.parametrize(
    ("pieces", "tag"),
    [
        (-1, "sold_out"),
        (0, "sold_out"),
        (1, "low"),
        (10, "low"),
        (11, "in_stock"),
    ],
)
def test_the_tag_by_what_is_left(pieces, tag):
    assert availability(pieces) == tag


def test_what_is_not_on_sale_is_sold_out():
    assert availability(500, on_sale=False) == "sold_out"


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [
        (None, None, "open"),
        (NOW, None, "open"),
        (None, NOW, "ended"),
        (NOW + timedelta(seconds=1), None, "not_yet"),
        (None, NOW + timedelta(seconds=1), "open"),
    ],
)
def test_the_sale_window_is_half_open(begins, ends, state):
    assert sale_state(NOW, begins, ends) == state


def test_the_next_turn_is_the_first_that_is_still_to_come():
    hour = timedelta(hours=1)
    assert next_turn(NOW, None, NOW - hour, NOW + 2 * hour, NOW + hour) == NOW + hour
    assert next_turn(NOW, None, NOW) is None


def test_a_document_is_valid_through_its_last_day():
    documents = [{"expires_on": "2026-11-22"}, {"expires_on": "2026-11-23"}]
    assert valid_documents(documents, NOW.date()) == [{"expires_on": "2026-11-23"}]


SENTENCES = {
    "FT_FREE": (
        "包邮；新疆、西藏、青海、内蒙古、甘肃、宁夏、海南运费另计；台湾、香港、澳门暂不配送",
        "Free; other rates for some provinces; not sent to some regions",
    ),
    "FT_WEIGHT": (
        (
            "首重1 kg ¥8.00，续重每1 kg ¥3.00；满¥99.00包邮；云南、新疆、西藏运费另计；"
            "台湾、香港、澳门暂不配送"
        ),
        (
            "¥8.00 for the first 1 kg, ¥3.00 for each further 1 kg; free from ¥99.00; "
            "other rates for some provinces; not sent to some regions"
        ),
    ),
    "FT_COLD": (
        "首重2 kg ¥25.00，续重每1 kg ¥6.00；新疆、西藏、台湾、香港、澳门暂不配送",
        "¥25.00 for the first 2 kg, ¥6.00 for each further 1 kg; not sent to some regions",
    ),
}


@pytest.mark.parametrize("code", SENTENCES)
def test_freight_in_a_sentence(code):
    hint = freight_hint(TEMPLATES[code])
    assert (hint.zh, hint.en) == SENTENCES[code]


def test_freight_by_the_piece():
    step = {"first": 2, "first_fee_fen": 600, "additional": 1, "additional_fee_fen": 100}
    hint = freight_hint({"charge_by": "piece", "default": step})
    assert hint.zh == "首2件 ¥6.00，续每1件 ¥1.00"
    assert hint.en == "¥6.00 for the first 2 pc, ¥1.00 for each further 1 pc"


def test_a_mark_stands_before_every_word_of_a_query():
    words = query_tsquery("核桃油 walnuts")
    assert Mark.NAME.query(words) == words.replace("'核", "'n=核").replace("'桃", "'n=桃").replace(
        "'walnut", "'n=walnut"
    )


def test_no_word_looks_like_one_with_a_mark():
    assert not any("=" in token for token in index_tokens(["n=茶 c=x s=1", "核桃=油"]))
