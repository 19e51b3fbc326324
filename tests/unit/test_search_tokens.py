import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.catalog.search_tokens import index_tokens, query_tsquery
from shop.catalog.traditional import PAIRS, SIMPLIFIED

PRODUCTS = {
    "P01": ("高山绿茶 一级", "High-mountain green tea", "茶叶", "云雾岭茶叶专业合作社"),
    "P02": ("高山工夫红茶", "High-mountain black tea", "茶叶", "云雾岭茶叶专业合作社"),
    "P06": ("纸皮泡核桃 干果", "Thin-shell dried walnuts", "核桃坚果", "青岭核桃专业合作社"),
    "P09": ("冷榨核桃油", "Cold-pressed walnut oil", "核桃坚果", "青岭核桃专业合作社"),
    "P12": ("手工酱菜 萝卜干", "Handmade pickled radish", "酱菜调味", "古驿酱园专业合作社"),
    "P18": ("竹酒 42%vol", "Bamboo liquor 42% vol", "酒类", "竹溪酿造专业合作社"),
    "P25": ("鲜蓝莓", "Fresh blueberries", "当季鲜果", "百果源生态农业专业合作社"),
}
INDEX = {code: frozenset(index_tokens([code, *texts])) for code, texts in PRODUCTS.items()}
TERM = re.compile(r"'([^'\\]+)'(:\*)?")
TEAS, WALNUTS = {"P01", "P02"}, {"P06", "P09"}


def matches(query, tokens):
    """What PostgreSQL would answer: all terms of an AND, any of a bracketed OR."""

    def holds(term):
        word, prefix = TERM.fullmatch(term).groups()
        return any(one.startswith(word) for one in tokens) if prefix else word in tokens

    clauses = (clause.strip("()").split(" | ") for clause in query.split(" & "))
    return query != "" and all(any(map(holds, clause)) for clause in clauses)


def found(text):
    query = query_tsquery(text)
    return {code for code, tokens in INDEX.items() if matches(query, tokens)}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("茶叶", TEAS),
        ("茶", TEAS),
        ("chaye", TEAS),
        ("cy", TEAS),
        ("cha", TEAS),
        ("tea", TEAS),
        ("TEA", TEAS),
        ("ｔｅａ", TEAS),
        ("chá", TEAS),
        ("核桃", WALNUTS),
        ("hetao", WALNUTS),
        ("het", WALNUTS),
        ("ht", WALNUTS),
        ("HT", WALNUTS),
        ("he tao", WALNUTS),
        ("walnut", WALNUTS),
        ("walnuts", WALNUTS),
        ("核桃油", {"P09"}),
        ("hetaoyou", {"P09"}),
        ("hty", {"P09"}),
        ("you", {"P09"}),
        ("冷榨 oil", {"P09"}),
        ("泡核", {"P06"}),
        ("酱菜", {"P12"}),
        ("jiangcai", {"P12"}),
        ("jc", {"P12"}),
        ("红茶", {"P02"}),
        ("hongcha", {"P02"}),
        ("gongfu hongcha", {"P02"}),
        ("gaoshangongfuhongcha", {"P02"}),
        ("工夫的红茶", {"P02"}),
        ("绿茶", {"P01"}),
        ("lvcha", {"P01"}),
        ("lücha", {"P01"}),
        ("green tea", {"P01"}),
        ("高山绿茶", {"P01"}),
        ("P18", {"P18"}),
        ("42%", {"P18"}),
        ("蓝莓", {"P25"}),
        ("茶葉", TEAS),
        ("紅茶", {"P02"}),
        ("高山綠茶", {"P01"}),
        ("醬菜", {"P12"}),
        ("蘿蔔乾", {"P12"}),
        ("鮮藍莓", {"P25"}),
        ("blueberry", {"P25"}),
        ("blueberries", {"P25"}),
        ("核桃 tea", set()),
        ("火腿", set()),
        ("кофе", set()),
    ],
)
def test_what_people_type_finds_what_they_mean(text, codes):
    assert found(text) == codes


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("核桃", "'核桃':*"),
        ("核桃油", "'核桃' & '桃油':*"),
        ("green tea", "'green' & 'tea':*"),
        ("walnuts", "('walnuts':* | 'walnut':*)"),
        ("P01-1", "'p01' & '1':*"),
        ("的", "'的':*"),
        ("茶 & !油 | (x) <-> y:*", "'茶' & '油' & 'x' & 'y':*"),
        ("o'reilly\\", "'o' & 'reilly':*"),
        ("'; DROP TABLE product; --", "'drop' & 'table' & 'product':*"),
        ("\u202e茶\u202c\u200b叶", "'茶' & '叶':*"),
        ("🙂茶🍵", "'茶':*"),
    ],
)
def test_operators_and_signs_are_left_behind(text, query):
    assert query_tsquery(text) == query


@pytest.mark.parametrize(
    "text", ["", "   ", "🙂🍵", "!!! & | ()", "\x00", "\ud800", "___", "\u202e"]
)
def test_nothing_to_look_for_is_an_empty_query(text):
    assert query_tsquery(text) == ""


def test_a_thousand_characters_become_a_few_terms():
    assert query_tsquery("abc " * 250).count("'abc'") == 8
    assert len(query_tsquery("x" * 1000)) < 60
    assert query_tsquery("核桃" * 500).count(" & ") < 60


def test_readings_follow_the_word():
    tokens = index_tokens(["重庆重货银行行走"])
    assert {"chongqing", "yinhang", "xingzou"} <= set(tokens)


def test_readings_follow_the_words_within_a_longer_word():
    tokens = set(index_tokens(["黄焖鸡调味料"]))
    assert {"tiaoweiliao", "twl", "hmjtwl"} <= tokens
    assert not {"diaoweiliao", "dwl"} & tokens


def test_what_everything_shares_may_do_without_initials():
    tokens = set(index_tokens(["大理白族自治州"], initials=False))
    assert {"大理", "dali", "dalibaizuzizhizhou", "zhou"} <= tokens
    assert not {"zz", "zzz", "zzzz", "bz", "dl", "z"} & tokens


def test_characters_without_a_reading_spoil_nothing():
    assert "hetao" in index_tokens(["𠮷祥核桃"])


def test_tokens_are_sorted_and_unique():
    tokens = index_tokens(["茶叶 tea", "茶叶 Tea", None, ""])
    assert tokens == sorted(set(tokens))
    assert {"茶", "叶", "茶叶", "chaye", "cy", "cha", "ye", "y", "tea"} <= set(tokens)


def test_descriptions_may_do_without_pinyin():
    assert index_tokens(["茶叶"], pinyin=False) == ["叶", "茶", "茶叶"]


def test_searching_does_not_load_the_pinyin_tables():
    code = (
        "import sys; from shop.catalog.search_tokens import query_tsquery as q;"
        "q('核桃 hetao'); sys.exit('pypinyin' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_simplified_character_stays_as_it_is():
    assert not set(SIMPLIFIED) & set(map(ord, SIMPLIFIED.values()))
    assert all(len(pair) == 2 for pair in PAIRS.split())
    assert len(SIMPLIFIED) == len(PAIRS.split())


@given(st.text() | st.text("核桃茶叶'\\&|!()<>:* ab\x00"))
def test_any_text_makes_a_well_formed_query(text):
    query = query_tsquery(text)
    word = r"'[^'\\\s]+'(?::\*)?"
    clause = rf"(?:{word}|\({word} \| {word}\))"
    assert query == "" or re.fullmatch(rf"{clause}(?: & {clause})*", query)


@given(st.text("核桃茶叶酱菜红绿高山 ab1", min_size=1, max_size=12))
def test_every_text_finds_itself(text):
    query = query_tsquery(text)
    assert query == "" or matches(query, index_tokens([text]))


@given(st.text(max_size=30))
def test_any_text_can_be_indexed(text):
    assert all(0 < len(token) <= 40 for token in index_tokens([text]))
