"""The settings: read once from the environment, typed, and wrong ones stop the start with one clear sentence."""

from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from boot.setting_kinds import (
    Area,
    Country,
    Currency,
    HttpUrl,
    Locale,
    Origin,
    PostgresUrl,
    Rates,
    RedisUrl,
    Stemmer,
    Zone,
    network,
    parts,
)
from clients import redis_door
from clients.webhook_secrets import read_secrets

PLACEHOLDER_TAX_ID = "DE000000000"
"""Nobody's number. With it, invoices are printed but get no twin for machines, which would be a false statement."""

MODEL_DIR = ".backroom/model"
"""Where the language model's small form is kept; a deployment makes it when it is built (`backroom model`)."""


class Settings(BaseSettings):
    """Names are those that platforms and vendors use. The sentence below each is what docs/settings.md says of it
    (`backroom settings --write docs`).
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, use_attribute_docstrings=True)

    # where things are
    database_url: PostgresUrl
    """PostgreSQL 18 with pgvector 0.8."""
    database_direct_url: PostgresUrl | None = None
    """The same PostgreSQL past its pooler, where DATABASE_URL is one that hands out connections by transaction
    (PgBouncer): for LISTEN, migrations and locks of a session. Empty: DATABASE_URL is the server itself."""
    redis_url: RedisUrl
    """Redis 6.2 or newer with `noeviction`. It may forget everything at any time."""
    redis_tls_verify: bool = True
    """For `rediss://`: whether Redis' certificate is checked. Platforms that sign their own (Heroku) need `false`;
    where the signer's certificate can be had, `?ssl_ca_certs=FILE` in the address is better."""
    port: int = Field(8000, ge=1, le=65535)
    """Where the web process listens; the Procfile reads it, here it is only checked."""
    public_url: HttpUrl = "http://127.0.0.1:8000"
    """The API's own address as the world sees it, in the OpenAPI document."""
    auth_url: HttpUrl = "http://127.0.0.1:8001"
    """The Auth service: names and addresses of customers, and the keys of their tokens."""
    product_url: HttpUrl = "http://127.0.0.1:8002"
    """The Product service: prices, stock, reservations, the catalogue."""
    cart_url: HttpUrl = "http://127.0.0.1:8003"
    """The Cart service."""
    service_token: SecretStr = SecretStr("")
    """Our token at the doors of these three."""

    # what it serves
    areas: Annotated[tuple[Area, ...], NoDecode, Field(min_length=1)] = ("payments", "search", "analytics", "admin")
    """Which routes the web process serves, comma separated; the admin pages bring all routes with them. Jobs, health,
    metrics and documentation are always there."""

    @field_validator("areas", mode="before")
    @classmethod
    def _split_areas(cls, value: object) -> object:
        return parts(value)

    # who may call
    auth_jwks_url: str = ""
    """Where the keys of tokens are, if not at `/.well-known/jwks.json` of the Auth service."""
    auth_jwt_secret: SecretStr = SecretStr("")
    """The secret tokens are signed with (HS256, at least 32 characters), where they are not signed with a key."""
    auth_issuer: str = ""
    """Whose tokens are taken; empty: any."""
    auth_audience: str = ""
    """For whom tokens must be made; empty: anybody."""
    admin_sign_in_url: HttpUrl | None = None
    """The Auth service's sign-in page for people, which posts `token` and `state` to `/admin/sign-in`. Empty: none."""
    metrics_token: SecretStr = SecretStr("")
    """Whoever sends it may read `/metrics`; empty: callers on the same machine only."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    """Sites whose pages may call the API from a browser, comma separated: `https://shop.example.com`."""

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return parts(value)

    # money
    stripe_secret_key: SecretStr
    """The account."""
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]
    """One, or several during a rotation: comma separated, the newest first. `may:whsec_…` gives one a name."""
    stripe_base_url: HttpUrl = "https://api.stripe.com"
    """Stripe, or something that speaks like it."""

    @field_validator("stripe_webhook_secrets", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        # Several during a rotation, comma separated, the newest first; each is tried. `may:whsec_…` gives one a name.
        return parts(value)

    @field_validator("stripe_webhook_secrets")
    @classmethod
    def _well_named(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        read_secrets([secret.get_secret_value() for secret in value])
        return value

    stripe_webhook_addresses: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Addresses or networks that deliveries may come from, comma separated; empty: the signature alone decides."""

    @field_validator("stripe_webhook_addresses", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return [network(part) for part in parts(value)] if isinstance(value, str) else value

    @field_validator("auth_jwt_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        # RFC 7518, 3.2: a key for HS256 has at least the 256 bits of its hash, or tokens can be forged by guessing.
        if 0 < len(value.get_secret_value().encode()) < 32:
            raise ValueError("it must have at least 32 characters, because a shorter one can be guessed")
        return value

    capture: Literal["automatic", "manual"] = "automatic"
    """`automatic` takes money as soon as it is authorised, `manual` when staff say so."""
    checkout_return_url: HttpUrl = "http://127.0.0.1:8020/checkout/return"
    """Where a bank sends the customer back to after 3-D Secure; the frontend reads the order's state there."""
    order_expires_minutes: int = Field(60, ge=5, le=60 * 24 * 7)
    """How long an order waits to be paid."""
    authentication_minutes: int = Field(15, ge=2, le=60 * 24)
    """How long a customer may take on the page of the bank (3-D Secure); then another card can be tried."""
    shipping_minor: int = Field(0, ge=0)
    """What shipping costs, in minor units of each order's currency; a shop that charges for it says so."""
    free_shipping_from_minor: int = Field(5000, ge=0)
    """From this sum of goods on, shipping costs nothing."""
    tax_rate_percent: Decimal = Field(Decimal(19), ge=0, le=100)
    """Where the table of rates says nothing, tax is this much."""
    tax_rates: Rates = ""
    """Rates by country and category: `DE:standard=19, DE:books=7, FR:standard=20, FR:books=5.5`."""
    tax_included: bool = True
    """Whether the Product service's prices and the shipping hold their tax; if not, it is added to them."""

    refund_approval_from_minor: int | None = Field(None, ge=1)
    """From this sum on (minor units) a refund that support asks for needs an admin's yes; empty: none does."""

    # the shop
    shop_name: str = "Backroom Shop"
    """On documents and mails."""
    shop_address: str = "1 Market Street, 10115 Berlin, Germany"
    """In one line, as documents print it."""
    shop_street: str = ""
    """The address in parts, for invoices that machines read; without a street, `SHOP_ADDRESS` stands in its place."""
    shop_postal_code: str = ""
    """Goes with the street."""
    shop_city: str = ""
    """Goes with the street."""
    shop_country: Country = "DE"
    """Two letters; at home its tax rates hold."""
    shop_tax_id: str = PLACEHOLDER_TAX_ID
    """The VAT ID. With the placeholder, invoices are printed but get no twin for machines."""
    shop_email: str = ""
    """Printed at the foot of documents: where to write to."""
    shop_imprint: str = ""
    """Printed there too: what the law wants (register, directors)."""
    shop_logo: str = ""
    """A file (SVG, PNG or JPEG) or a `data:` address of one."""
    shop_currency: Currency = "eur"
    """Three letters. What reports, figures and prices in search are in; an order is in its cart's currency."""
    shop_locale: Locale = "en_GB"
    """Documents and mails to customers who asked for no language the shop writes: en, en_US, de, de_AT, fr, es, …"""
    shop_language: Stemmer = "english"
    """Of the stemmer of search; another one is taken up in the background."""
    shop_time_zone: Zone = "Europe/Berlin"
    """Whose days and nights reports, document numbers and the timetable mean."""
    invoice_series: Annotated[str, Field(pattern="^[A-Z0-9-]{1,12}$")] = "INV"
    """What numbers of invoices begin with."""

    # mail
    smtp_url: str = Field("smtp://127.0.0.1:8025", pattern="^smtps?://")
    """Any provider that speaks SMTP: `smtp://user:password@host:587`, or `smtps://`."""
    mail_from: str = "shop@example.com"
    """Who writes."""
    report_to: str = "finance@example.com"
    """Who reads the nightly report."""
    support_email: str = ""
    """Who answers banks and hears of refunds that came back; whoever reads the reports where it is empty."""
    dispute_remind_days: int = Field(3, ge=1, le=30)
    """How many days before the last day a dispute that nobody has answered is mentioned once more."""
    shop_terms: str = ""
    """The terms of sale as a bank may read them, in evidence against a dispute."""

    # search
    model_dir: str = MODEL_DIR
    """Where the language model's small form is kept; `backroom model` makes it there."""
    embedding_engine: Literal["auto", "onnx", "torch"] = "auto"
    """`auto` takes sentence-transformers where there is an NVIDIA GPU, else ONNX."""
    search_log_days: int = Field(365, ge=1, le=3650)
    """How long searches are kept, with who made them and what became of them."""
    suggest_never: Annotated[tuple[str, ...], NoDecode] = ()
    """Words never suggested because others typed them, comma separated; besides those rude in the shop's language."""

    @field_validator("suggest_never", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return parts(value)

    # events
    events_without_consent: Literal["cookieless", "refuse"] = "cookieless"
    """What becomes of events whose visitor said no, or whose browser sends GPC or DNT: kept under a hash of the day
    with nothing personal, or refused one by one as `no_consent`."""
    events_kept_days: int = Field(396, ge=35, le=3650)
    """How long single events and visits are kept: thirteen months show the same month of last year. Sums stay."""

    # running
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is logged."""
    otel_exporter_otlp_endpoint: HttpUrl | None = None
    """A collector of traces that speaks OTLP over HTTP; needs the extra `otel`. Empty: no traces."""
    sentry_dsn: SecretStr = SecretStr("")
    """Where bugs are told to Sentry, without anything personal; needs the extra `sentry`. Empty: nowhere."""
    database_pool: int = Field(8, ge=1, le=100)
    """Connections to PostgreSQL of one process, at most."""
    web_threads: int = Field(24, ge=2, le=500)
    """Threads of one web process (granian's `--blocking-threads`); two thirds of them may wait for a job's outcome."""
    proxy_hops: int = Field(0, ge=0, le=10)
    """Reverse proxies in front of us whose `X-Forwarded-For`, `-Proto` and `-Host` may be believed."""
    rate_limit_scale: float = Field(1.0, ge=0, le=1000)
    """Multiplies every rate limit; 0 counts nothing (for measurements)."""

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.shop_time_zone)

    @property
    def database_past_pooler(self) -> str:
        """Where a session is the caller's own: for migrations, LISTEN, and locks that outlive a transaction."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    @property
    def redis_address(self) -> str:
        """REDIS_URL as clients take it, with what REDIS_TLS_VERIFY says."""
        return redis_door.address(self.redis_url.get_secret_value(), verify=self.redis_tls_verify)

    @property
    def support_to(self) -> str:
        return self.support_email or self.report_to

    @property
    def order_expires(self) -> timedelta:
        return timedelta(minutes=self.order_expires_minutes)


class WrongSettings(SystemExit):
    """The environment does not describe a shop that could run. Printing it shows one sentence per variable."""


def read_settings() -> Settings:
    """Settings from the environment; raises WrongSettings with a sentence naming each wrong variable."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue] - the values come from the environment
    except ValidationError as error:
        sentences = [_sentence(str(fault["loc"][0]), fault["type"], fault["msg"]) for fault in error.errors()]
        raise WrongSettings("\n".join(sentences)) from None


def _sentence(field: str, kind: str, message: str) -> str:
    variable = field.upper()
    if kind == "missing":
        return f"{variable} is not set, and there is no default for it."
    told = message.removeprefix("Value error, ")
    return f"{variable} is wrong: {told[:1].lower()}{told[1:]}."
