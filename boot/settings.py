"""The settings: read once from the environment, typed, and wrong ones stop the start with one clear sentence."""

from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
    return name


PostgresUrl = Annotated[SecretStr, AfterValidator(lambda url: _with_scheme(url, ("postgres", "postgresql")))]
RedisUrl = Annotated[SecretStr, AfterValidator(lambda url: _with_scheme(url, ("redis", "rediss")))]
HttpUrl = Annotated[str, AfterValidator(lambda url: _http(url))]  # noqa: PLW0108 - defined below


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

    # money
    stripe_secret_key: SecretStr
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]
    stripe_base_url: HttpUrl = "https://api.stripe.com"

    @field_validator("stripe_webhook_secrets", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        # Several during a rotation, comma separated; each is tried.
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

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
    # What shipping costs, in minor units of each order's currency; a shop that charges for it says so.
    shipping_minor: int = Field(0, ge=0)
    free_shipping_from_minor: int = Field(5000, ge=0)
    tax_rate_percent: Decimal = Field(Decimal(19), ge=0, le=100)

    # the shop
    shop_name: str = "Backroom Shop"
    shop_address: str = "1 Market Street, 10115 Berlin, Germany"
    shop_tax_id: str = "DE000000000"
    shop_currency: Annotated[str, Field(pattern="^[a-z]{3}$")] = "eur"
    shop_language: str = "english"
    shop_time_zone: Annotated[str, AfterValidator(_known_zone)] = "Europe/Berlin"
    invoice_series: Annotated[str, Field(pattern="^[A-Z0-9-]{1,12}$")] = "INV"

    # mail
    smtp_url: str = Field("smtp://127.0.0.1:8025", pattern="^smtps?://")
    mail_from: str = "shop@example.com"
    report_to: str = "finance@example.com"

    # search
    model_dir: str = MODEL_DIR
    embedding_engine: Literal["auto", "onnx", "torch"] = "auto"

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


def _with_scheme(url: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    if url.get_secret_value().partition("://")[0] not in schemes:
        raise ValueError(f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return url


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    return url.rstrip("/")
