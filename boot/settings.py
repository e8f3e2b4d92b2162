"""The settings: read once from the environment, typed, and wrong ones stop the start with one clear sentence."""

from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clients.webhook_secrets import read_secrets
from shop.locales import LANGUAGES, known_locale
from shop.search.languages import STEMMERS
from shop.tax import read_rates


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
    return name


def _known_language(name: str) -> str:
    if name not in STEMMERS:
        raise ValueError(f"{name!r} has no stemmer; it must be one of {', '.join(sorted(STEMMERS))}")
    return name


PostgresUrl = Annotated[SecretStr, AfterValidator(lambda url: _with_scheme(url, ("postgres", "postgresql")))]
RedisUrl = Annotated[SecretStr, AfterValidator(lambda url: _with_scheme(url, ("redis", "rediss")))]
Origin = Annotated[str, AfterValidator(lambda text: _origin(text))]  # noqa: PLW0108 - defined below
HttpUrl = Annotated[str, AfterValidator(lambda url: _http(url))]  # noqa: PLW0108 - defined below


PLACEHOLDER_TAX_ID = "DE000000000"
"""Nobody's number. With it, invoices are printed but get no twin for machines, which would be a false statement."""

MODEL_DIR = ".backroom/model"
"""Where the language model's small form is kept; a deployment makes it when it is built (`backroom model`)."""


class Settings(BaseSettings):
    """Names are those that platforms and vendors use; only addresses and keys differ from place to place."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    # where things are
    database_url: PostgresUrl
    redis_url: RedisUrl
    port: int = Field(8000, ge=1, le=65535)
    public_url: HttpUrl = "http://127.0.0.1:8000"
    auth_url: HttpUrl = "http://127.0.0.1:8001"
    product_url: HttpUrl = "http://127.0.0.1:8002"
    cart_url: HttpUrl = "http://127.0.0.1:8003"
    service_token: SecretStr = SecretStr("")

    # who may call
    auth_jwks_url: str = ""
    auth_jwt_secret: SecretStr = SecretStr("")
    auth_issuer: str = ""
    auth_audience: str = ""
    metrics_token: SecretStr = SecretStr("")
    # Sites whose pages may call the API from a browser, comma separated: https://shop.example.com
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return _parts(value)

    # money
    stripe_secret_key: SecretStr
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]
    stripe_base_url: HttpUrl = "https://api.stripe.com"

    @field_validator("stripe_webhook_secrets", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        # Several during a rotation, comma separated, the newest first; each is tried. `may:whsec_…` gives one a name.
        return _parts(value)

    @field_validator("stripe_webhook_secrets")
    @classmethod
    def _well_named(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        read_secrets([secret.get_secret_value() for secret in value])
        return value

    # Where deliveries may come from: addresses or networks, comma separated; empty lets the signature alone decide.
    stripe_webhook_addresses: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()

    @field_validator("stripe_webhook_addresses", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return [_network(part) for part in _parts(value)] if isinstance(value, str) else value

    @field_validator("auth_jwt_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        # RFC 7518, 3.2: a key for HS256 has at least the 256 bits of its hash, or tokens can be forged by guessing.
        if 0 < len(value.get_secret_value().encode()) < 32:
            raise ValueError("it must have at least 32 characters, because a shorter one can be guessed")
        return value

    capture: Literal["automatic", "manual"] = "automatic"
    # Where a bank sends the customer back to after 3-D Secure; the frontend reads the order's state there.
    checkout_return_url: HttpUrl = "http://127.0.0.1:8020/checkout/return"
    order_expires_minutes: int = Field(60, ge=5, le=60 * 24 * 7)
    # How long a customer may take on the page of the bank (3-D Secure); then another card can be tried.
    authentication_minutes: int = Field(15, ge=2, le=60 * 24)
    # What shipping costs, in minor units of each order's currency; a shop that charges for it says so.
    shipping_minor: int = Field(0, ge=0)
    free_shipping_from_minor: int = Field(5000, ge=0)
    # Where the table of rates says nothing, tax is this much.
    tax_rate_percent: Decimal = Field(Decimal(19), ge=0, le=100)
    # Rates by country and category: DE:standard=19, DE:books=7, FR:standard=20, FR:books=5.5
    tax_rates: Annotated[str, AfterValidator(lambda text: _readable_rates(text))] = ""  # noqa: PLW0108 - defined below
    # Whether the Product service's prices and the shipping hold their tax; if not, it is added to them.
    tax_included: bool = True

    # From this sum on (minor units of the order's currency) a refund that support asks for needs an admin's yes.
    refund_approval_from_minor: int | None = Field(None, ge=1)

    # the shop
    shop_name: str = "Backroom Shop"
    shop_address: str = "1 Market Street, 10115 Berlin, Germany"
    # The same in parts, for invoices that machines read; without a street, SHOP_ADDRESS stands in its place.
    shop_street: str = ""
    shop_postal_code: str = ""
    shop_city: str = ""
    shop_country: Annotated[str, AfterValidator(lambda code: _country(code))] = "DE"  # noqa: PLW0108 - defined below
    shop_tax_id: str = PLACEHOLDER_TAX_ID
    # Printed at the foot of documents: where to write to, and what the law wants (register, directors).
    shop_email: str = ""
    shop_imprint: str = ""
    # A file (SVG, PNG or JPEG) or a data: address of one.
    shop_logo: str = ""
    shop_currency: Annotated[str, AfterValidator(lambda code: _currency(code))] = "eur"  # noqa: PLW0108 - defined below
    # Documents and mails to customers who asked for no language the shop writes: en, en_US, de, de_AT, fr, es, …
    shop_locale: Annotated[str, AfterValidator(lambda name: _written(name))] = "en_GB"  # noqa: PLW0108 - defined below
    # Of the stemmer of search; another one is taken up in the background.
    shop_language: Annotated[str, AfterValidator(_known_language)] = "english"
    shop_time_zone: Annotated[str, AfterValidator(_known_zone)] = "Europe/Berlin"
    invoice_series: Annotated[str, Field(pattern="^[A-Z0-9-]{1,12}$")] = "INV"

    # mail
    smtp_url: str = Field("smtp://127.0.0.1:8025", pattern="^smtps?://")
    mail_from: str = "shop@example.com"
    report_to: str = "finance@example.com"
    # Who answers banks and hears of refunds that came back; whoever reads the reports where it is empty.
    support_email: str = ""
    # How many days before the last day a dispute that nobody has answered is mentioned once more.
    dispute_remind_days: int = Field(3, ge=1, le=30)
    # The terms of sale as a bank may read them, in evidence against a dispute.
    shop_terms: str = ""

    # search
    model_dir: str = MODEL_DIR
    embedding_engine: Literal["auto", "onnx", "torch"] = "auto"
    # How long searches are kept, with who made them and what became of them.
    search_log_days: int = Field(365, ge=1, le=3650)

    # running
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    database_pool: int = Field(8, ge=1, le=100)
    # Threads of one web process (granian's --blocking-threads); two thirds of them may wait for a job's outcome.
    web_threads: int = Field(24, ge=2, le=500)
    # Reverse proxies in front of us whose X-Forwarded-For, -Proto and -Host may be believed.
    proxy_hops: int = Field(0, ge=0, le=10)
    # Multiplies every rate limit; 0 counts nothing (for measurements).
    rate_limit_scale: float = Field(1.0, ge=0, le=1000)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.shop_time_zone)

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


def _readable_rates(text: str) -> str:
    read_rates(text)
    return text


def _country(code: str) -> str:
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise ValueError(f"{code!r} is not a country; it is written in two letters, like DE")
    return code.upper()


def _currency(code: str) -> str:
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise ValueError(f"{code!r} is not a currency; it is written in three letters, like eur")
    return code.lower()


def _written(name: str) -> str:
    found = known_locale(name)
    if found is None:
        raise ValueError(f"{name!r} is no language the shop can write; it writes {', '.join(LANGUAGES)} (as in de_AT)")
    return found


def _with_scheme(url: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    if url.get_secret_value().partition("://")[0] not in schemes:
        raise ValueError(f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return url


def _parts(value: object) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        wrong = f"{text!r} is neither an address nor a network; write them like 192.0.2.7 or 192.0.2.0/24"
        raise ValueError(wrong) from error


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
        raise ValueError(f"{text!r} is not an origin; write them like https://shop.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    return url.rstrip("/")
