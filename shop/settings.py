"""Settings from the environment, read once, checked once; `.env.example` explains each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from environs import Env, EnvError

DEV_SECRET = "development-only-secret-key-change-me"  # noqa: S105 - refused in production below

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
REDIS = ("redis://", "rediss://", "unix://")


class SettingsError(Exception):
    """One sentence that says which setting is wrong and what to do about it."""


@dataclass(frozen=True, slots=True)
class Support:
    """Whom buyers turn to, as the pages print it; what is empty is left out."""

    phone: str
    email: str
    hours: str
    operator: str
    demo: bool = False

    @property
    def reachable(self) -> bool:
        """Whether a buyer can reach anybody at all."""
        return bool(self.phone or self.email)


DEMO_SUPPORT = Support(
    "0872-000-0000", "help@mall.example", "9:00–18:00", "永平助农商城（演示）", demo=True
)
"""What is shown where nothing is set and nobody buys for real: a number and a domain of nobody."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment may say. Times in minutes, sizes in bytes, ports on loopback."""

    environment: str = "development"
    secret_key: str = DEV_SECRET
    database_url: str | None = None
    data_dir: Path = field(default_factory=lambda: Path("var"))
    host: str = "127.0.0.1"
    port: int = 8000
    sandbox_port: int = 8001
    public_url: str = "http://127.0.0.1:8000"
    web_workers: int = 2
    web_threads: int = 2
    worker_concurrency: int = 4
    db_pool_size: int = 4
    redis_url: str | None = None
    stripe_secret_key: str | None = None
    stripe_webhook_secrets: tuple[str, ...] = ()
    seed: str = "demo"
    demo_password: str | None = None
    log_level: str = "INFO"
    log_format: str = "console"
    reservation_minutes: int = 30
    late_payment_hours: int = 24
    rate_limits: bool = True
    max_body_bytes: int = 1_000_000
    auto_complete_days: int = 10
    trusted_proxies: int = 0
    bank_account_name: str = ""
    bank_account_number: str = ""
    bank_name: str = ""
    support_phone: str = ""
    support_email: str = ""
    support_hours: str = ""
    operator_name: str = ""

    @property
    def production(self) -> bool:
        """True where real buyers pay real money."""
        return self.environment == "production"

    @property
    def sandbox(self) -> bool:
        """True when no Stripe key is set: payments go to our own sandbox (design, section 9)."""
        return self.stripe_secret_key is None

    @property
    def support(self) -> Support:
        """Whom buyers turn to; nothing set shows the demonstration, but never in production."""
        found = Support(
            self.support_phone, self.support_email, self.support_hours, self.operator_name
        )
        return found if self.production or found.reachable else DEMO_SUPPORT

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox listens."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that a webhook may be signed with; the sandbox's own when no key is set."""
        if self.sandbox and not self.stripe_webhook_secrets:
            return (f"whsec_sandbox_{self.secret_key}",)
        return self.stripe_webhook_secrets


class Reader:
    """Settings as the environment has them; an empty one, as files have them, is one not set."""

    def __init__(self, env: Env) -> None:
        self._env = env

    def text(self, name: str, default: str = "") -> str:
        """A setting as it stands there."""
        return self._env.str(name, "") or default

    def several(self, name: str) -> tuple[str, ...]:
        """What stands between commas; spaces around them, and a comma too many, mean nothing."""
        return tuple(part for part in map(str.strip, self.text(name).split(",")) if part)

    def number(
        self, name: str, default: int, least: int | None = None, most: int | None = None
    ) -> int:
        """A whole number, from `least` to `most` where both are given.

        Raises:
            SettingsError: it is none, or out of these bounds.
        """
        found = self.text(name, str(default))
        try:
            number = int(found)
        except ValueError as error:
            raise SettingsError(f"{name} must be a whole number, not {found!r}.") from error
        if least is not None and most is not None and not least <= number <= most:
            raise SettingsError(f"{name} must be from {least} to {most}, not {number}.")
        return number

    def switch(self, name: str, *, default: bool) -> bool:
        """Yes or no, in any of the usual words.

        Raises:
            SettingsError: none of them.
        """
        try:
            return self._env.bool(name) if self.text(name) else default
        except EnvError as error:
            raise SettingsError(f"{name} must be true or false.") from error


def load(env: Env | None = None) -> Settings:
    """Read the environment.

    Raises:
        SettingsError: one sentence naming the setting at fault.
    """
    settings = _read(Reader(env or Env()))
    _refuse_what_nobody_understands(settings)
    _refuse_defaults_in_production(settings)
    return settings


def _read(env: Reader) -> Settings:
    port = env.number("PORT", 8000)
    return Settings(
        environment=env.text("AIDMALL_ENV", "development"),
        secret_key=env.text("SECRET_KEY", DEV_SECRET),
        database_url=env.text("DATABASE_URL") or None,
        data_dir=Path(env.text("DATA_DIR", "var")).absolute(),
        host=env.text("HOST", "127.0.0.1"),
        port=port,
        sandbox_port=env.number("SANDBOX_PORT", port + 1),
        public_url=env.text("PUBLIC_URL").rstrip("/") or f"http://127.0.0.1:{port}",
        web_workers=env.number("WEB_WORKERS", 2, 1, 256),
        web_threads=env.number("WEB_THREADS", 2, 1, 256),
        worker_concurrency=env.number("WORKER_CONCURRENCY", 4, 1, 256),
        db_pool_size=env.number("DB_POOL_SIZE", 4, 1, 256),
        redis_url=env.text("REDIS_URL") or None,
        stripe_secret_key=env.text("STRIPE_SECRET_KEY") or None,
        stripe_webhook_secrets=env.several("STRIPE_WEBHOOK_SECRETS"),
        seed=env.text("SEED", "demo"),
        demo_password=env.text("DEMO_PASSWORD") or None,
        log_level=env.text("LOG_LEVEL", "INFO").upper(),
        log_format=env.text("LOG_FORMAT", "console"),
        reservation_minutes=env.number("RESERVATION_MINUTES", 30, 1, 1_440),
        late_payment_hours=env.number("LATE_PAYMENT_HOURS", 24, 0, 8_760),
        rate_limits=env.switch("RATE_LIMITS", default=True),
        max_body_bytes=env.number("MAX_BODY_BYTES", 1_000_000, 10_000, 100_000_000),
        auto_complete_days=env.number("AUTO_COMPLETE_DAYS", 10, 1, 365),
        trusted_proxies=env.number("TRUSTED_PROXIES", 0, 0, 16),
        bank_account_name=env.text("BANK_ACCOUNT_NAME"),
        bank_account_number=env.text("BANK_ACCOUNT_NUMBER"),
        bank_name=env.text("BANK_NAME"),
        support_phone=env.text("SUPPORT_PHONE").strip(),
        support_email=env.text("SUPPORT_EMAIL").strip(),
        support_hours=env.text("SUPPORT_HOURS").strip(),
        operator_name=env.text("OPERATOR_NAME").strip(),
    )


def _refuse_what_nobody_understands(settings: Settings) -> None:
    if settings.seed not in {"demo", "none"}:
        raise SettingsError(f"SEED must be demo or none, not {settings.seed!r}.")
    if settings.environment not in {"development", "test", "production"}:
        raise SettingsError("AIDMALL_ENV must be development, test or production.")
    if settings.log_level not in LEVELS:
        raise SettingsError(f"LOG_LEVEL must be one of {', '.join(LEVELS)}.")
    if settings.log_format not in {"console", "json"}:
        raise SettingsError("LOG_FORMAT must be console or json.")
    if settings.redis_url and not settings.redis_url.startswith(REDIS):
        raise SettingsError(f"REDIS_URL must begin with one of {', '.join(REDIS)}.")
    if not settings.production and not settings.public_url.startswith(("http://", "https://")):
        raise SettingsError("PUBLIC_URL must begin with http:// or https://.")


def _refuse_defaults_in_production(settings: Settings) -> None:
    if not settings.production:
        return
    if settings.secret_key == DEV_SECRET or len(settings.secret_key) < 32:  # noqa: PLR2004
        raise SettingsError("SECRET_KEY must be set to 32 or more random characters in production.")
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL must be set in production.")
    if settings.stripe_secret_key is None:
        raise SettingsError(
            "STRIPE_SECRET_KEY must be set in production: the sandbox moves no money."
        )
    if not settings.stripe_webhook_secrets:
        raise SettingsError("STRIPE_WEBHOOK_SECRETS must be set in production.")
    if not settings.public_url.startswith("https://"):
        raise SettingsError(
            "PUBLIC_URL must be the mall's https address in production: cookies and the way back "
            "from the payment depend on it."
        )
