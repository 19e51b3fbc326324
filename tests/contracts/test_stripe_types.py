"""Every request we send is one that the SDK's own types allow."""

from __future__ import annotations

import pytest
import stripe

from shop.payments.stripe_gateway import _session
from tests.contracts.stripe_types import Noting

SESSIONS = "/v1/checkout/sessions"


@pytest.fixture
def noted(checkout_request):
    """The parameters of a new session as they go over the wire, and the raw request."""
    client = Noting()
    params = _session(checkout_request(buyer_email="alice@example.com"))
    stripe.StripeClient("sk_test_x", http_client=client).raw_request("post", SESSIONS, **params)
    return client.noted[-1]


def test_new_session_is_allowed(judge, noted):
    assert judge.complaints(*noted) == []


def test_raw_request_sends_what_the_service_would(checkout_request):
    client, params = Noting(), _session(checkout_request())
    sdk = stripe.StripeClient("sk_test_x", http_client=client)
    sdk.raw_request("post", SESSIONS, **params)
    sdk.v1.checkout.sessions.create(params)
    assert client.noted[0] == client.noted[1]


def test_new_session_says_what_we_mean(noted):
    params = noted[2]
    assert params["allowed_payment_method_types"] == ["card", "alipay", "wechat_pay"]
    assert params["line_items"][0]["price_data"]["unit_amount"] == "16180"
    assert params["line_items"][0]["price_data"]["product_data"]["name"] == "订单 26030112345674"
    assert (params["locale"], params["client_reference_id"]) == ("zh", "26030112345674")
    assert params["metadata"] == params["payment_intent_data"]["metadata"]


@pytest.mark.parametrize(
    ("method", "path", "params", "complaint"),
    [
        ("post", SESSIONS, {"payment_method_types": ["card"]}, ".payment_method_types: unknown"),
        (
            "post",
            SESSIONS,
            {"line_items": [{"qty": "1"}]},
            ".line_items[0].qty: unknown",
        ),
        ("post", SESSIONS, {"mode": "barter"}, ".mode: 'barter' does not fit"),
        ("post", SESSIONS, {"expires_at": "1.5"}, ".expires_at: '1.5' does not fit"),
        ("post", SESSIONS, {"metadata": "x"}, ".metadata: 'x' does not fit"),
        (
            "post",
            SESSIONS,
            {"payment_method_options": {"wechat_pay": {"client": "pager"}}},
            ".payment_method_options.wechat_pay.client: 'pager' does not fit",
        ),
        ("post", "/v1/refunds", {"reason": "whim"}, ".reason: 'whim' does not fit"),
        ("get", f"{SESSIONS}/cs_1", {"expand": "all"}, ".expand: 'all' does not fit"),
        ("post", "/v1/bitcoins", {}, "post /v1/bitcoins: no such operation"),
    ],
)
def test_the_judge_complains(judge, method, path, params, complaint):
    assert judge.complaints(method, path, params) == [complaint]
