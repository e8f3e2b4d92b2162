"""Which currencies there are, how many decimals they have, and the least that can be charged.

As documented by Stripe (docs.stripe.com/currencies); check there before relying on a particular minimum. A currency
without an entry may be charged from one minor unit on.
"""

from devstack.stand_ins.stripe.errors import ParameterError, StripeError

_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_TWO = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop "
    "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes "
    "kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd "
    "tzs uah usd uyu uzs wst xcd yer zar zmw"
)
ZERO_DECIMAL, TWO_DECIMAL = frozenset(_ZERO.split()), frozenset(_TWO.split())
LEAST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
MOST = 99_999_999  # eight digits, whatever the currency
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def check_currency(currency: str) -> str:
    """Return the currency in lower case, or refuse it."""
    lowered = currency.lower()
    if lowered not in ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL:
        raise ParameterError(f"Invalid currency: {currency}", param="currency")
    return lowered


def check_amount(amount: int, currency: str) -> None:
    """Refuse an amount that cannot be charged in this currency."""
    if amount > MOST:
        message = f"Amount must be no more than {written(MOST, currency)}"
        raise StripeError(message, code="amount_too_large", param="amount")
    if amount < LEAST.get(currency, 1):
        message = f"Amount must be at least {written(LEAST.get(currency, 1), currency)} {currency}"
        raise StripeError(message, code="amount_too_small", param="amount")
    if currency in THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: the last digit of an amount in {currency} must be 0"
        raise StripeError(message, param="amount")


def written(amount: int, currency: str) -> str:
    """Return the amount for a message, for instance `€12.99` or `12.99 CHF`."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    number = f"{amount // 10**decimals:,}" + (f".{amount % 10**decimals:0{decimals}d}" if decimals else "")
    sign = SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency.upper()}"
