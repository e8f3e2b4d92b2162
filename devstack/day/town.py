"""Where everybody in the story lives: the API, the neighbours, and who may enter with which token."""

import os
from dataclasses import dataclass

from devstack.day.api import Api

SHOPS_TIME_ZONE = "Europe/Berlin"
"""What the shop takes where SHOP_TIME_ZONE is not set; the devstack does not read the product's settings."""


@dataclass(frozen=True)
class Town:
    """Addresses of a running stack. Each Api made here is one caller; they are not shared between threads."""

    api_url: str
    auth_url: str
    product_url: str
    cart_url: str
    stripe_url: str
    mailbox_url: str
    service_token: str
    folder: str
    time_zone: str

    def customer(self, user_id: str, email: str, visitor: str) -> Api:
        return Api(self.api_url, token=self._token(user_id, ["customer"], email), visitor=visitor)

    def stranger(self, visitor: str) -> Api:
        return Api(self.api_url, visitor=visitor)

    def staff(self, role: str) -> Api:
        return Api(self.api_url, token=self._token(f"usr_{role}", [role], f"{role}@example.com"))

    def products(self) -> Api:
        return Api(self.product_url, token=self.service_token)

    def carts(self) -> Api:
        return Api(self.cart_url, token=self.service_token)

    def browser_to_stripe(self) -> Api:
        """As Stripe.js in a customer's browser: a publishable key and nothing else."""
        return Api(self.stripe_url, token="pk_test_of_the_storefront")  # noqa: S106 - publishable by name

    def stripe_doors(self) -> Api:
        return Api(self.stripe_url)

    def mailbox(self) -> Api:
        return Api(self.mailbox_url)

    def _token(self, subject: str, roles: list[str], email: str) -> str:
        claims = {"sub": subject, "email": email, "roles": roles, "expires_in": 3600}
        return str(Api(self.auth_url).post("/dev/tokens", claims)["token"])


def town_of(environment: dict[str, str] | None = None) -> Town:
    """The stack that the environment names; raises KeyError with the variable's name."""
    given = os.environ if environment is None else environment
    return Town(
        api_url=given["PUBLIC_URL"],
        auth_url=given["AUTH_URL"],
        product_url=given["PRODUCT_URL"],
        cart_url=given["CART_URL"],
        stripe_url=given["STRIPE_BASE_URL"],
        mailbox_url=given["MAILBOX_URL"],
        service_token=given["SERVICE_TOKEN"],
        folder=given["BACKROOM_DIR"],
        time_zone=given.get("SHOP_TIME_ZONE") or SHOPS_TIME_ZONE,
    )
