"""The endpoints, as a merchant's server meets them."""

from __future__ import annotations

import pytest

from tests.payments.conftest import MARCH, session_form

SESSIONS = "/checkout/sessions"
NOW = int(MARCH.timestamp())
NONSENSE = [
    "line_items=1",
    "line_items[0]=x",
    "line_items[0][price_data][product_data][name][x]=1",
    "metadata=x",
    "payment_intent_data=x",
    "success_url[]=x",
    "customer_email[x]=1",
    "a[b]=1&a=2",
    "&".join(f"metadata[{place}]=x" for place in range(1001)),
]


def test_new_session(desk):
    session = desk.post(SESSIONS, session_form()).json
    assert (session["object"], session["status"], session["payment_status"]) == (
        "checkout.session",
        "open",
        "unpaid",
    )
    assert (session["amount_total"], session["currency"]) == (16180, "cny")
    assert session["payment_intent"] is None
    assert session["url"] == f"http://127.0.0.1:8001/c/pay/{session['id']}"
    assert session["expires_at"] == NOW + 24 * 3600


def test_same_key_yields_the_first_answer_again(desk, clock):
    first = desk.post(SESSIONS, session_form(), key="k1")
    clock.move(hours=1)
    again = desk.post(SESSIONS, session_form(), key="k1")
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.headers
    assert len(desk.get(SESSIONS).json["data"]) == 1


@pytest.mark.parametrize(
    ("path", "form"),
    [(SESSIONS, session_form(locale="en")), ("/refunds", {"charge": "ch_1"})],
)
def test_same_key_with_another_request_is_refused(desk, path, form):
    desk.post(SESSIONS, session_form(), key="k1")
    answer = desk.post(path, form, key="k1")
    assert answer.status_code == 400
    assert answer.json["error"]["type"] == "idempotency_error"
    assert len(desk.get(SESSIONS).json["data"]) == 1


def test_a_bad_parameter_does_not_use_up_the_key(desk):
    assert desk.post(SESSIONS, session_form(mode=None), key="k1").status_code == 400
    assert desk.post(SESSIONS, session_form(), key="k1").status_code == 200


def test_a_refusal_does_use_up_the_key(desk):
    session = desk.paid()
    form = {"payment_intent": session["payment_intent"]["id"], "amount": 16181}
    first = desk.post("/refunds", form, key="r1")
    again = desk.post("/refunds", form, key="r1")
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_keys_are_forgotten_after_a_day(sandbox, desk, clock):
    desk.post(SESSIONS, session_form(), key="k1")
    with sandbox.books.writing():
        sandbox.books.forget_answers(NOW + 1)
    assert "Idempotent-Replayed" not in desk.post(SESSIONS, session_form(), key="k1").headers


@pytest.mark.parametrize(
    ("form", "param", "code"),
    [
        ({"mode": None}, "mode", "parameter_missing"),
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"success_url": "javascript:1"}, "success_url", "url_invalid"),
        ({"payment_method_types[0]": "card"}, "payment_method_types", "parameter_unknown"),
        (
            {"allowed_payment_method_types[0]": "cash"},
            "allowed_payment_method_types",
            "parameter_invalid",
        ),
        ({"line_items[0][quantity]": 0}, "line_items[0][quantity]", "parameter_invalid"),
        (
            {"line_items[0][quantity]": "1.5"},
            "line_items[0][quantity]",
            "parameter_invalid_integer",
        ),
        (
            {"line_items[0][price_data][unit_amount]": -1},
            "line_items[0][price_data][unit_amount]",
            "parameter_invalid",
        ),
        ({"line_items[0][price_data][unit_amount]": 49}, "line_items", "amount_too_small"),
        ({"line_items[0][price_data][unit_amount]": 10**8}, "line_items", "amount_too_large"),
        (
            {"line_items[0][price_data][currency]": "usd"},
            "line_items[0][price_data][currency]",
            "parameter_invalid",
        ),
        ({"metadata[note]": "x" * 501}, "metadata[note]", "parameter_invalid"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", "parameter_invalid"),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"expires_at": NOW + 1794}, "expires_at", "parameter_invalid"),
        ({"expires_at": NOW + 86406}, "expires_at", "parameter_invalid"),
    ],
)
def test_bad_session(desk, form, param, code):
    answer = desk.post(SESSIONS, session_form(**form))
    assert answer.status_code == 400
    error = answer.json["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert desk.get(SESSIONS).json["data"] == []


@pytest.mark.parametrize("seconds", [1795, 1800, 86400, 86405])
def test_expiry_window(desk, seconds):
    form = session_form(expires_at=NOW + seconds)
    assert desk.post(SESSIONS, form).json["expires_at"] == NOW + seconds


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_a_clear_refusal(desk, nonsense):
    headers = {"Authorization": "Bearer sk_test_x"}
    answer = desk.web.post(
        f"/v1{SESSIONS}",
        data=f"mode=payment&{nonsense}",
        headers=headers,
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(("token", "status"), [("sk_live_1", 401), ("x", 401), ("rk_test_1", 200)])
def test_only_test_keys(desk, token, status):
    assert desk.post(SESSIONS, session_form(), token=token).status_code == status


def test_no_key(desk):
    answer = desk.web.get("/v1/events")
    assert answer.status_code == 401
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_basic_authorization(desk):
    assert desk.web.get("/v1/events", auth=("sk_test_x", "")).status_code == 200


@pytest.mark.parametrize("path", ["/charges/ch_1", "/payment_intents/cs_1", "/checkout/sessions/x"])
def test_unknown_object(desk, path):
    answer = desk.get(path)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "resource_missing")


def test_object_of_another_kind(desk):
    assert desk.get(f"/payment_intents/{desk.opened()}").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/bitcoins"), ("DELETE", "/refunds/re_1")])
def test_unknown_address(desk, method, path):
    headers = {"Authorization": "Bearer sk_test_x"}
    answer = desk.web.open(f"/v1{path}", method=method, headers=headers)
    assert answer.status_code == 404
    assert answer.json["error"]["message"] == f"Unrecognized request URL ({method}: /v1{path})."


def test_expand(desk):
    session = desk.paid()["id"]
    query = {"expand[]": "payment_intent.latest_charge.balance_transaction"}
    charge = desk.get(f"{SESSIONS}/{session}", **query).json["payment_intent"]["latest_charge"]
    assert charge["balance_transaction"]["fee"] == 550 + 235
    assert charge["balance_transaction"]["net"] == 16180 - 785


def test_expand_of_what_is_no_reference(desk):
    session = desk.opened()
    assert desk.get(f"{SESSIONS}/{session}", **{"expand[]": "currency"}).status_code == 400


def test_list_goes_from_page_to_page(desk):
    made = [desk.opened() for _ in range(5)][::-1]
    first = desk.get(SESSIONS, limit=2).json
    rest = desk.get(SESSIONS, limit=10, starting_after=made[1]).json
    back = desk.get(SESSIONS, limit=2, ending_before=made[3]).json
    assert [[s["id"] for s in page["data"]] for page in (first, rest, back)] == [
        made[:2],
        made[2:],
        made[1:3],
    ]
    assert (first["has_more"], rest["has_more"], back["has_more"]) == (True, False, True)


def test_events_by_type_and_time(desk, clock):
    desk.paid()
    clock.move(minutes=1)
    desk.paid()
    kind = "checkout.session.completed"
    events = desk.get("/events", type=kind, **{"created[gt]": NOW}).json["data"]
    assert [(e["type"], e["created"]) for e in events] == [(kind, NOW + 60)]
    both = desk.get("/events", **{"types[0]": kind, "types[1]": "charge.succeeded"}).json["data"]
    assert [e["type"] for e in both] == [kind, "charge.succeeded"] * 2


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_bad_limit(desk, limit):
    assert desk.get("/events", limit=limit).status_code == 400


def test_balance_transactions(desk):
    intent = desk.paid()["payment_intent"]["id"]
    desk.post("/refunds", {"payment_intent": intent, "amount": 180})
    shown = desk.get("/balance_transactions").json["data"]
    assert [(t["type"], t["amount"], t["net"]) for t in shown] == [
        ("refund", -180, -180),
        ("charge", 16180, 15395),
    ]
    only = desk.get("/balance_transactions", type="refund").json["data"]
    assert [t["type"] for t in only] == ["refund"]


def test_expire(desk):
    session = desk.opened()
    assert desk.post(f"{SESSIONS}/{session}/expire").json["status"] == "expired"
    again = desk.post(f"{SESSIONS}/{session}/expire")
    assert (again.status_code, again.json["error"]["type"]) == (400, "invalid_request_error")
    assert desk.kinds() == ["checkout.session.expired"]


def test_expiry_by_time_is_seen_by_whoever_looks(desk, clock):
    session = desk.opened(expires_at=NOW + 1800)
    clock.move(minutes=30)
    shown = desk.get(f"{SESSIONS}/{session}").json
    assert (shown["status"], shown["url"]) == ("expired", None)
    assert desk.kinds() == ["checkout.session.expired"]


def test_expiry_by_time_without_anybody_looking(sandbox, desk, clock):
    desk.opened(expires_at=NOW + 1800)
    sandbox.machine.expire_overdue()
    assert desk.kinds() == []
    clock.move(minutes=30)
    sandbox.machine.expire_overdue()
    assert desk.kinds() == ["checkout.session.expired"]


def test_expiry_cancels_the_intent(desk):
    session = desk.opened()
    desk.press(session, "declined")
    intent = desk.post(f"{SESSIONS}/{session}/expire").json["payment_intent"]
    assert desk.get(f"/payment_intents/{intent}").json["status"] == "canceled"


def test_intent_of_an_open_session_cannot_be_cancelled(desk):
    session = desk.opened()
    desk.press(session, "declined")
    intent = desk.get(f"{SESSIONS}/{session}").json["payment_intent"]
    assert desk.post(f"/payment_intents/{intent}/cancel").status_code == 400
    assert desk.get(f"/payment_intents/{intent}").json["status"] == "requires_payment_method"


def test_intent_that_failed_late_can_be_cancelled(desk):
    session = desk.opened()
    desk.press(session, "pending")
    intent = desk.get(f"{SESSIONS}/{session}").json["payment_intent"]
    code = desk.post(f"/payment_intents/{intent}/cancel").json["error"]["code"]
    assert code == "payment_intent_unexpected_state"
    desk.press(session, "declined")
    assert desk.post(f"/payment_intents/{intent}/cancel").json["status"] == "canceled"


def test_refund_in_parts_until_nothing_is_left(desk):
    intent = desk.paid()["payment_intent"]
    pay = {"payment_intent": intent["id"]}
    assert desk.post("/refunds", {**pay, "amount": 6180}).json["amount"] == 6180
    over = desk.post("/refunds", {**pay, "amount": 10001}).json["error"]
    assert "greater than unrefunded amount on charge (10000)" in over["message"]
    assert desk.post("/refunds", pay).json["amount"] == 10000
    assert desk.post("/refunds", pay).json["error"]["code"] == "charge_already_refunded"
    charge = desk.get(f"/charges/{intent['latest_charge']}").json
    assert (charge["amount_refunded"], charge["refunded"]) == (16180, True)
    assert len(desk.get("/refunds", charge=charge["id"]).json["data"]) == 2


def test_refund_events(desk):
    session = desk.paid()
    desk.post("/refunds", {"payment_intent": session["payment_intent"]["id"], "amount": 1})
    assert desk.kinds()[-2:] == ["charge.refunded", "refund.created"]
    event = desk.get("/events", type="charge.refunded").json["data"][0]
    assert event["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({}, "charge"),
        ({"charge": "ch_1", "reason": "whim"}, "reason"),
        ({"charge": "c", "amount": 0}, "amount"),
    ],
)
def test_bad_refund(desk, form, param):
    answer = desk.post("/refunds", form)
    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


def test_refund_of_what_was_not_paid(desk):
    session = desk.opened()
    desk.press(session, "declined")
    intent = desk.get(f"{SESSIONS}/{session}").json["payment_intent"]
    assert desk.post("/refunds", {"payment_intent": intent}).status_code == 400
    charge = desk.get(f"/payment_intents/{intent}").json["latest_charge"]
    assert desk.post("/refunds", {"charge": charge}).status_code == 404
    assert desk.get("/refunds").json["data"] == []
