"""The settings: what is missing, what is somebody's example, and what does not go together."""

from collections.abc import Iterator

from boot.checkups.findings import Finding, broken, warning, well
from boot.house import WrongLogo, seller
from boot.services import Services
from boot.settings import PLACEHOLDER_TAX_ID, Settings

NEAR = ("http://127.0.0.1", "http://localhost")


def configuration(services: Services) -> Iterator[Finding]:
    """All that can be said without asking anybody."""
    settings = services.settings
    yield from _going_live(settings)
    if not settings.auth_jwks_url and not settings.auth_jwt_secret.get_secret_value():
        yield well("tokens", f"Tokens are checked with the keys that {settings.auth_url} publishes.")
    if not (settings.auth_issuer and settings.auth_audience):
        yield warning(
            "tokens",
            "AUTH_ISSUER or AUTH_AUDIENCE is empty: tokens that Auth makes for other services open this one too.",
        )
    if not settings.service_token.get_secret_value():
        yield warning("neighbours", "SERVICE_TOKEN is empty: the neighbouring services may refuse us.")
    if settings.stripe_webhook_addresses and not settings.proxy_hops:
        yield warning(
            "webhooks",
            "STRIPE_WEBHOOK_ADDRESSES is set and PROXY_HOPS is 0: behind a proxy every delivery seems to come from it "
            "and is refused. Right only where Stripe reaches the shop directly.",
        )
    yield from _documents(settings)


def _going_live(settings: Settings) -> Iterator[Finding]:
    if not settings.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_")):
        yield well("stripe", "The Stripe key is one for tests: no real money moves.")
        return
    if settings.public_url.startswith("http://"):
        yield broken("stripe", "A live Stripe key with a PUBLIC_URL that is not https.")
    addresses = {
        "AUTH_URL": settings.auth_url,
        "PRODUCT_URL": settings.product_url,
        "CART_URL": settings.cart_url,
        "STRIPE_BASE_URL": settings.stripe_base_url,
        "CHECKOUT_RETURN_URL": settings.checkout_return_url,
    }
    near = [name for name, url in addresses.items() if url.startswith(NEAR)]
    if near:
        yield broken("stripe", f"A live Stripe key, and {', '.join(near)} still name this machine.")


def _documents(settings: Settings) -> Iterator[Finding]:
    try:
        shop = seller(settings)
    except WrongLogo as error:
        yield broken("documents", f"{error}: documents cannot be issued.")
        return
    if settings.shop_tax_id == PLACEHOLDER_TAX_ID:
        yield warning(
            "documents",
            f"SHOP_TAX_ID is still {PLACEHOLDER_TAX_ID}, nobody's number: invoices are not valid with it.",
        )
    elif not shop.registered:
        yield warning(
            "documents", f"SHOP_TAX_ID {settings.shop_tax_id} is no VAT ID: invoices get no twin for machines."
        )
    if not (settings.shop_street and settings.shop_postal_code and settings.shop_city):
        yield warning(
            "documents",
            "SHOP_STREET, SHOP_POSTAL_CODE and SHOP_CITY are not all set: invoices for machines name the shop's "
            "address in one line only.",
        )
