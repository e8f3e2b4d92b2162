"""Everybody outside whom the shop depends on, asked for something that is not there: who answers so knows us."""

from collections.abc import Callable, Iterator

from boot.checkups.findings import Finding, broken, warning, well
from boot.services import Services
from shop.errors import NotYet, ShopError
from shop.ports.encoder import EncoderUnavailable

NOBODY = "backroom-doctor"
"""An id that no service has."""


def neighbours(services: Services) -> Iterator[Finding]:
    """Auth, Product and Cart: reached, and our token taken."""
    asked: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("Auth", services.settings.auth_url, lambda: services.users.user(NOBODY)),
        ("Product", services.settings.product_url, lambda: services.products.product(NOBODY)),
        ("Cart", services.settings.cart_url, lambda: services.carts.cart(NOBODY)),
    )
    for name, url, ask in asked:
        try:
            ask()
        except NotYet as error:
            yield broken("neighbours", f"{name} does not answer at {url}: {error}.")
        except ShopError as error:
            yield broken("neighbours", f"{name} refuses us at {url}: {error}. Is SERVICE_TOKEN the one it knows?")
        else:
            yield well("neighbours", f"{name} answers at {url}.")


def stripe(services: Services) -> Iterator[Finding]:
    """The key, tried by reading a payment that is none."""
    try:
        services.gateway.payment(f"pi_{NOBODY.replace('-', '')}")
    except NotYet as error:
        yield broken("stripe", f"Stripe cannot be used: {error}.")
    except ShopError as error:
        yield broken("stripe", f"Stripe refuses STRIPE_SECRET_KEY: {error}.")
    else:
        yield well("stripe", "Stripe answers and takes our key.")


def mail(services: Services) -> Iterator[Finding]:
    """The SMTP server: reached, encrypted where it must be, and our password taken. Nothing is sent."""
    try:
        services.mailer.knock()
    except NotYet as error:
        yield broken("mail", f"Mail cannot be sent: {error}.")
    else:
        yield well("mail", "The mail server takes us in.")


def model(services: Services) -> Iterator[Finding]:
    """The language model's files: there, and those that answer."""
    try:
        services.encoder.warm()
    except EncoderUnavailable:
        yield warning(
            "model",
            f"The model's files are not below {services.settings.model_dir}: searches use words alone until "
            "backroom model has made them.",
        )
        return
    yield well("model", f"{services.encoder.model} is ready, checksum {services.encoder.checksum[:12]}.")
