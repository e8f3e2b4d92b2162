"""What an order costs: pure arithmetic on prices the Product service gave, with or without their tax."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shop.money import Money
from shop.payments.errors import Unplaceable
from shop.payments.terms import Terms
from shop.ports.neighbours import Cart, Product, StockLine
from shop.tax import TaxLine, spread, tax_lines

MAX_LINES = 100
"""More different products than this are a wholesaler's order; each costs a question to the Product service."""

MAX_PIECES = 100_000
"""Of one product. Nobody buys as many, and sums of it stay far from where whole numbers end in the database."""

MAX_MINOR = 99_999_999
"""Eight digits: the most Stripe takes in one payment."""

MINIMUM_MINOR: Mapping[str, int] = {
    "usd": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "eur": 50, "inr": 50, "nzd": 50, "sgd": 50,
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
"""Stripe's smallest charges (docs.stripe.com/currencies, November 2026); it refuses others of its own by itself."""


@dataclass(frozen=True, slots=True)
class PricedLine:
    product_id: str
    name: str
    quantity: int
    unit_price_minor: int
    category: str
    tax_rate_percent: Decimal

    @property
    def total_minor(self) -> int:
        return self.unit_price_minor * self.quantity


@dataclass(frozen=True, slots=True)
class Quote:
    """`tax_included`: prices hold their tax, and the total is goods and shipping; otherwise tax is added to them."""

    currency: str
    lines: tuple[PricedLine, ...]
    subtotal_minor: int
    shipping_minor: int
    tax_included: bool
    taxes: tuple[TaxLine, ...]

    @property
    def tax_minor(self) -> int:
        return sum(tax.tax_minor for tax in self.taxes)

    @property
    def tax_rate_percent(self) -> Decimal:
        """The highest of its rates: what a reader sees who knows of one only."""
        return max(tax.rate_percent for tax in self.taxes)

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.shipping_minor + (0 if self.tax_included else self.tax_minor)

    def line_taxes(self) -> list[int]:
        """The tax of each line: within one rate the lines and the shipping share the rate's tax to the last cent."""
        found = dict.fromkeys(range(len(self.lines)), 0)
        for tax in self.taxes:
            places = [place for place, line in enumerate(self.lines) if line.tax_rate_percent == tax.rate_percent]
            amounts = [self.lines[place].total_minor for place in places]
            found |= zip(places, spread(tax.tax_minor - tax.shipping_tax_minor, amounts), strict=True)
        return list(found.values())


def wanted_lines(cart: Cart) -> list[StockLine]:
    """One line per product, in the cart's order. Raises Unplaceable for an empty cart or one beyond measure."""
    wanted: dict[str, int] = {}
    for line in cart.lines:
        if line.quantity > 0:
            wanted[line.product_id] = wanted.get(line.product_id, 0) + line.quantity
    if not wanted:
        raise Unplaceable("cart_empty", "the cart has nothing in it")
    if len(wanted) > MAX_LINES:
        raise Unplaceable("cart_too_large", f"the cart has more than {MAX_LINES} different products")
    if max(wanted.values()) > MAX_PIECES:
        raise Unplaceable("cart_too_large", f"the cart has more than {MAX_PIECES} pieces of one product")
    return [StockLine(product_id, quantity) for product_id, quantity in wanted.items()]


def quote(
    cart: Cart,
    wanted: Sequence[StockLine],
    products: Mapping[str, Product | None],
    terms: Terms,
    *,
    sent_to: str | None = None,
) -> Quote:
    """Prices for the wanted lines, with the tax of the country they are sent to (ISO 3166, two letters).

    Raises Unplaceable with the contract's code for what cannot be sold.
    """
    country = terms.tax_rates.country(sent_to)
    lines = tuple(_line(line, products.get(line.product_id), terms, country) for line in wanted)
    currencies = {product.currency for product in products.values() if product is not None}
    if currencies != {cart.currency}:
        raise Unplaceable("currency_mixed", "the cart's currency and its products' prices differ")
    subtotal = sum(line.total_minor for line in lines)
    shipping = 0 if subtotal >= terms.free_shipping_from_minor else terms.shipping_minor
    goods = [(line.tax_rate_percent, line.total_minor) for line in lines]
    taxes = tax_lines(goods, shipping, country=country, included=terms.tax_included)
    priced = Quote(cart.currency, lines, subtotal, shipping, terms.tax_included, taxes)
    _check_total(priced)
    return priced


def _line(wanted: StockLine, product: Product | None, terms: Terms, country: str) -> PricedLine:
    if product is None or not product.active or product.price < 0:
        raise Unplaceable("product_gone", f"{wanted.product_id} is no longer sold")
    if product.stock < wanted.quantity:
        raise Unplaceable(
            "out_of_stock", f"{wanted.product_id}: {max(product.stock, 0)} left, {wanted.quantity} wanted"
        )
    # By the cart's name for it: a service that answers `A1` when asked for `a1` must not make two lines of one name.
    rate = terms.tax_rates.rate(country, product.category)
    return PricedLine(
        wanted.product_id, product.name[:500], wanted.quantity, product.price, product.category[:300], rate
    )


def _check_total(priced: Quote) -> None:
    total = Money(priced.total_minor, priced.currency)
    if priced.total_minor < MINIMUM_MINOR.get(priced.currency, 1):
        raise Unplaceable("amount_too_small", f"{total} is less than a card can be charged")
    if not total.payable:
        raise Unplaceable("amount_not_payable", f"{total} has a fraction that no card can be charged in this currency")
    if priced.total_minor > MAX_MINOR:
        raise Unplaceable("amount_too_large", f"{total} is more than a card can be charged")
