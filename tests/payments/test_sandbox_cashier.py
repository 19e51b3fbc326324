"""The hosted page, as the payer meets it."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from shop.payments.sandbox import cashier
from shop.payments.sandbox.machine import MOVES

BACK = "https://mall.example/back?session="
SESSIONS = "/checkout/sessions"


STYLE = Path(cashier.__file__).with_name("static") / "cashier.css"
COLOURS = dict(re.findall("--(\\w+): (#[0-9a-f]{3,6});", STYLE.read_text(encoding="utf-8")))


def luminance(colour):
    """Of a colour by WCAG 2: 0 is black, 1 is white."""
    digits = colour[1:] if len(colour) == len("#rrggbb") else "".join(x * 2 for x in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(x * share for x, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("ground", ["paper", "ground", "sun"])
@pytest.mark.parametrize("text", ["ink", "soft"])
def test_a_text_stands_out_from_its_ground(text, ground):
    dark, light = luminance(COLOURS[text]), luminance(COLOURS[ground])
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def state(desk, session):
    """Status, payment status and the intent's status."""
    shown = desk.get(f"{SESSIONS}/{session}").json
    intent = shown["payment_intent"]
    intent = intent and desk.get(f"/payment_intents/{intent}").json["status"]
    return shown["status"], shown["payment_status"], intent


def test_paid(desk):
    session = desk.opened()
    answer = desk.press(session, "paid")
    assert (answer.status_code, answer.location) == (303, BACK + session)
    assert state(desk, session) == ("complete", "paid", "succeeded")
    assert desk.kinds() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_declined_can_be_tried_again(desk):
    session = desk.opened()
    answer = desk.press(session, "declined")
    assert (answer.status_code, answer.location) == (303, f"/c/pay/{session}")
    assert state(desk, session) == ("open", "unpaid", "requires_payment_method")
    assert "支付未成功" in desk.page(session).text
    assert "payment_intent.payment_failed" in desk.kinds()
    desk.press(session, "paid")
    assert state(desk, session) == ("complete", "paid", "succeeded")


@pytest.mark.parametrize(
    ("outcome", "payment", "intent", "kind"),
    [
        ("paid", "paid", "succeeded", "async_payment_succeeded"),
        ("declined", "unpaid", "requires_payment_method", "async_payment_failed"),
    ],
)
def test_pending_settles_later(desk, outcome, payment, intent, kind):
    session = desk.opened()
    answer = desk.press(session, "pending")
    assert (answer.status_code, answer.location) == (303, BACK + session)
    assert state(desk, session) == ("complete", "unpaid", "processing")
    assert desk.kinds()[-1] == "checkout.session.completed"
    assert desk.press(session, outcome).status_code == 303
    assert state(desk, session) == ("complete", payment, intent)
    assert desk.kinds()[-1] == f"checkout.session.{kind}"


def test_cancelled_changes_nothing(desk):
    session = desk.opened()
    answer = desk.press(session, "cancelled")
    assert (answer.status_code, answer.location) == (303, "https://mall.example/order")
    assert state(desk, session) == ("open", "unpaid", None)
    assert desk.kinds() == []


@pytest.mark.parametrize("outcome", ["paid", "declined", "pending", "cancelled"])
@pytest.mark.parametrize("end", ["paid", "expired", "failed"])
def test_a_finished_session_does_not_move(desk, end, outcome):
    session = desk.opened()
    if end == "expired":
        desk.post(f"{SESSIONS}/{session}/expire")
    else:
        desk.press(session, "pending")
        desk.press(session, "paid" if end == "paid" else "declined")
    before = state(desk, session), desk.kinds()
    answer = desk.press(session, outcome)
    assert (answer.status_code, "返回商家" in answer.text) == (409, True)
    assert (state(desk, session), desk.kinds()) == before
    assert (end, outcome) not in MOVES


def test_two_clicks_at_once_charge_once(sandbox, desk):
    session = desk.opened()
    # Made before anybody waits: if one could not be, the others would wait for it for ever.
    browsers = [sandbox.app().test_client() for _ in range(4)]
    start, answers = threading.Barrier(4, timeout=30), []

    def click(web) -> None:
        start.wait()
        answers.append(web.post(f"/c/pay/{session}", data={"outcome": "paid"}).status_code)

    clicks = [threading.Thread(target=click, args=[web]) for web in browsers]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(answers) == [303, 409, 409, 409]
    assert desk.kinds().count("charge.succeeded") == 1


@pytest.mark.parametrize(
    ("outcome", "method", "used"),
    [
        ("paid", "wechat_pay", "wechat_pay"),
        ("paid", "", "card"),
        ("paid", "cash", "card"),
        ("pending", "", "alipay"),
        ("pending", "wechat_pay", "wechat_pay"),
    ],
)
def test_method_of_payment(desk, outcome, method, used):
    session = desk.opened()
    desk.press(session, outcome, method=method)
    if outcome == "pending":
        desk.press(session, "paid")
    query = {"expand[]": "payment_intent.latest_charge"}
    charge = desk.get(f"{SESSIONS}/{session}", **query).json["payment_intent"]["latest_charge"]
    assert charge["payment_method_details"]["type"] == used


@pytest.mark.parametrize("outcome", ["", "free", "PAID"])
def test_unknown_button(desk, outcome):
    session = desk.opened()
    answer = desk.press(session, outcome)
    assert (answer.status_code, "没有识别出所选的操作" in answer.text) == (400, True)
    assert state(desk, session) == ("open", "unpaid", None)


@pytest.mark.parametrize("outcome", ["paid", "nonsense"])
def test_unknown_session(desk, outcome):
    for answer in (desk.page("cs_test_1"), desk.press("cs_test_1", outcome)):
        assert (answer.status_code, "没有找到这笔支付" in answer.text) == (404, True)


def test_page_in_chinese(desk):
    page = desk.page(desk.opened())
    assert page.status_code == 200
    for words in ("演示收银台 · 不会真实扣款", "161.80", "订单 26030112345674", "微信支付"):
        assert words in page.text
    assert 'lang="zh-CN"' in page.text
    assert "03-02 20:00" in page.text


@pytest.mark.parametrize(("locale", "query"), [("en", ""), ("zh", "?lang=en")])
def test_page_in_english(desk, locale, query):
    page = desk.page(desk.opened(locale=locale), query).text
    assert "Demo cashier · no real money" in page
    assert 'lang="en"' in page


def test_language_survives_a_decline(desk):
    session = desk.opened()
    answer = desk.web.post(f"/c/pay/{session}?lang=en", data={"outcome": "declined"})
    assert answer.location == f"/c/pay/{session}?lang=en"


def test_page_holds_nothing_inline_and_lets_the_form_return(desk):
    page = desk.page(desk.opened())
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://mall.example" in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"<style|style=|onclick|<script>", page.text)


def test_names_are_escaped(desk):
    form = {"line_items[0][price_data][product_data][name]": "<script>alert(1)</script>"}
    assert "<script>alert" not in desk.page(desk.opened(**form)).text


@pytest.mark.parametrize("name", ["cashier.css", "cashier.js", "cashier.svg"])
def test_static_files(desk, name):
    assert desk.web.get(f"/c/static/{name}").status_code == 200


def test_time_over_while_the_page_is_open(desk, clock):
    session = desk.opened()
    clock.move(hours=24)
    answer = desk.press(session, "paid")
    assert (answer.status_code, "收银台已关闭" in answer.text) == (409, True)
    assert state(desk, session) == ("expired", "unpaid", None)
