"""Which gateway this process talks to. No view ever asks which one it has."""

from __future__ import annotations

from shop.payments.gateway import PaymentGateway
from shop.payments.stripe_gateway import StripeGateway
from shop.settings import Settings

SANDBOX_KEY = "sk_test_sandbox"


_known: dict[Settings, PaymentGateway] = {}


def gateway(settings: Settings) -> PaymentGateway:
    """The gateway of an installation; made once, it keeps its connections."""
    if settings not in _known:
        _known[settings] = _made(settings)
    return _known[settings]


def install(settings: Settings, provider: PaymentGateway) -> None:
    """Let `settings` mean `provider`: another provider's adapter, or a stand-in."""
    _known[settings] = provider


def _made(settings: Settings) -> PaymentGateway:
    """Stripe with the configured key, or our sandbox through the same client without one."""
    if settings.stripe_secret_key is not None:
        return StripeGateway(
            api_key=settings.stripe_secret_key, webhook_secrets=settings.webhook_secrets
        )
    return StripeGateway(
        api_key=SANDBOX_KEY,
        webhook_secrets=settings.webhook_secrets,
        api_base=settings.sandbox_url,
    )
