"""Every page of the mall and of the back office in English, as everybody who may open it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from models.identity import TokenKind
from shop.divisions import children
from shop.embedded_postgres import EmbeddedPostgres
from tests import cast
from tests.admin.test_statement_counts import SMALL, happen
from tests.api.mall import Mall, opened
from tests.english import CHINESE, Page

EACH = 2
"""Addresses of one page that are opened by each reader: two orders, not all of them."""

GOODS = 30
"""But of everything that is sold, each."""

MAY_STAY = {
    "中文": "leads to the same page in Chinese",
    "切换到中文": "leads to the same page in Chinese",
    "永平助农商城（演示）": "the operator's name as the licence has it",
    **dict.fromkeys(
        [cast.ADDRESS["recipient"], "林*", "校**", "演**", "演示收货人"], "a name of people"
    ),
    **dict.fromkeys(
        ["邯郸路 220 号", "邯郸路****", "示例路 1 号(演示)"],
        "an address, as the carrier reads it",
    ),
    **dict.fromkeys(
        ["包装破损", "破损一瓶", "买家取消(未发货)", "新采", "利息", "某单位", "某**", "请放门卫"],
        "typed by people, or by their bank",
    ),
}
"""What an English page may show in Chinese, and why. Besides it the names of provinces, cities and
counties: they are chosen for an address, and the carrier reads them."""

NOT_PAGES = {
    "admin.breakdown_csv",  # a file that is handed in keeps the names of the day
    "admin.entries_csv",
    "admin.static",
    "storefront.asset_script",
    "storefront.favicon",
    "storefront.robots",
    "storefront.static_file",
}
NOT_LED_TO = {
    "storefront.account_region": "what a form without script asks for its lists",
    "storefront.region": "what a form without script asks for its lists",
    "storefront.result": "where the cashier leads back to",
    "storefront.sent": "where a form leads to that was sent twice",
}
"""Pages that no link leads to: their parts stand on the pages that are walked."""

STARTS = (
    "/admin/sign-in",
    "/admin/password",
    *(
        f"/admin/reports/by/{name}?from=2026-01-01&to=2027-01-01"
        for name in (
            "platform",
            "storefront",
            "channel",
            "campaign",
            "unit",
            "buyer_kind",
            "purpose",
            "aid_class",
            "cooperative",
            "category",
            "product",
            "sku",
        )
    ),
    "/",
    "/cart",
    "/checkout",
    "/account",
    "/account/password",
    "/account/addresses",
    "/account/addresses/new",
    "/find-order",
    "/orders",
    "/register",
    "/sign-in",
    "/search?q=tea",
    "/nowhere",
)
BUYERS = ("", "alice", "uma")
STAFF = ("bob", "olga", "fiona", "ada")
"""Of the back office alone: the mall is the same to them as to any other buyer."""


@pytest.fixture(scope="module")
def mall(postgres: EmbeddedPostgres) -> Iterator[Mall]:
    with opened(postgres) as mall:
        happen(mall, 1, SMALL)
        mall.api.call("PUT", "/cart/lines/P18-1", json={"quantity": 1}, as_="alice")
        mall.api.call("POST", "/me/addresses", json=cast.ADDRESS, as_="alice")
        yield mall


def places() -> list[str]:
    """The names of all divisions, the longest first: a short one may begin a long one."""
    names, todo = set(), [*children()]
    while todo:
        one = todo.pop()
        names.add(one.name)
        todo += children(one.code)
    return sorted(names, key=len, reverse=True)


def walked(mall: Mall, reader: str) -> tuple[dict[str, str], set[str]]:
    """(text with Chinese in it -> a page that shows it, pages seen) by following every link."""
    client = mall.app.test_client()
    if reader:
        with client.session_transaction() as session:
            session["sid"] = f"{TokenKind.SESSION}:{cast.secret(reader)}"
    walks = ("admin.",) if reader in STAFF else ("admin.", "storefront.", "nothing")
    adapter = mall.app.url_map.bind("127.0.0.1")
    todo, texts, seen = [*STARTS, "/admin/"], {}, Counter()
    known = set(todo)
    while todo:
        path = todo.pop(0)
        place = path.partition("?")[0]
        endpoint = adapter.match(place, "GET")[0] if adapter.test(place, "GET") else "nothing"
        if endpoint in NOT_PAGES or not endpoint.startswith(walks):
            continue
        if seen[endpoint] >= (GOODS if endpoint.endswith((".product", "breakdown")) else EACH):
            continue
        answer = client.get(path, headers={"Accept-Language": "en"})
        assert answer.status_code < 500, path
        if answer.status_code in (302, 303):
            page = Page("")
            page.links = [answer.location]
        else:
            seen[endpoint] += answer.status_code == 200
            page = Page(answer.text if answer.mimetype == "text/html" else "")
        texts |= dict.fromkeys(page.chinese, path)
        for link in (re.sub("^http://[^/]+", "", link) for link in page.links):
            if link.startswith("/") and "lang=zh" not in link and link not in known:
                known.add(link)
                todo.append(link)
    return texts, {endpoint for endpoint, times in seen.items() if times}


@pytest.fixture(scope="module")
def walks(mall: Mall) -> dict[str, tuple[dict[str, str], set[str]]]:
    return {reader: walked(mall, reader) for reader in BUYERS + STAFF}


@pytest.mark.parametrize("reader", BUYERS + STAFF)
def test_an_english_page_is_english(walks, reader):
    texts, _ = walks[reader]
    stays = re.compile("|".join(map(re.escape, [*MAY_STAY, *places()])))
    left = {text: page for text, page in texts.items() if CHINESE.search(stays.sub("", text))}
    assert left == {}


def test_every_page_was_walked(mall, walks):
    pages = {
        rule.endpoint
        for rule in mall.app.url_map.iter_rules()
        if "GET" in rule.methods and rule.endpoint.startswith(("admin.", "storefront."))
    }
    seen = set().union(*(seen for _, seen in walks.values()))
    assert pages - NOT_PAGES - set(NOT_LED_TO) - seen == set()
    assert seen & set(NOT_LED_TO) == set()


def test_whatever_may_stay_is_there(walks):
    """What no page shows any more is no longer to be excepted."""
    shown = "".join(text for texts, _ in walks.values() for text in texts)
    assert [text for text in MAY_STAY if text not in shown] == []
