"""Which currencies there are, how many decimals they have, and the least that can be charged.

As documented by Stripe (docs.stripe.com/currencies, 2026-07); check there before relying on a particular minimum. A
currency without an entry may be charged from one minor unit on. Ugandan shillings stand twice on that page: in the list
of zero-decimal ones and, with an example, among the special cases. The example counts: 5 UGX are an amount of 500.
"""

from devstack.stand_ins.stripe.errors import ParameterError, StripeError

_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_TWO = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop "
    "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes "
    "kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd "
    "tzs uah ugx usd uyu uzs wst xcd yer zar zmw"
)
WHOLE_ONLY = frozenset({"isk", "ugx"})  # written with two decimals that must be 00
WHOLE_PAYOUTS = WHOLE_ONLY | {"huf", "twd"}  # these are charged with decimals, but leave for the bank without
ZERO_DECIMAL, TWO_DECIMAL = frozenset(_ZERO.split()), frozenset(_TWO.split())
KNOWN = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL
LEAST = {
    "usd": 50, "aed": 200, "ars": 50, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "cop": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "idr": 50, "ils": 50, "inr": 50, "jpy": 50, "krw": 50,
    "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200, "rub": 50, "sek": 300, "sgd": 50,
    "thb": 1000, "zar": 50,
}  # fmt: skip
MOST = 99_999_999  # eight digits, as the API reference says; the page of the currencies allows cards more
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def check_currency(currency: str) -> str:
    """Return the currency in lower case, or refuse it."""
    lowered = currency.lower()
    if lowered not in KNOWN:
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
    check_digits(amount, currency)


def check_digits(amount: int, currency: str, *, param: str = "amount") -> None:
    """Refuse an amount with digits that the currency's own banks do not know."""
    if currency in THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: the last digit of an amount in {currency} must be 0"
        raise StripeError(message, param=param)
    if currency in WHOLE_ONLY:
        _check_whole(amount, currency, param)


def check_payout(amount: int, currency: str) -> None:
    """Refuse a payout of fractions that no bank of this currency takes."""
    if currency in WHOLE_PAYOUTS:
        _check_whole(amount, currency, "amount")


def whole_part(amount: int, currency: str) -> int:
    """Return the part of a balance that can be paid out."""
    return amount // 100 * 100 if currency in WHOLE_PAYOUTS else amount


def decimals(currency: str) -> int:
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def written(amount: int, currency: str) -> str:
    """Return the amount for a message, for instance `€12.99` or `12.99 CHF`."""
    places = decimals(currency)
    number = f"{amount // 10**places:,}" + (f".{amount % 10**places:0{places}d}" if places else "")
    sign = SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency.upper()}"


def _check_whole(amount: int, currency: str, param: str) -> None:
    if amount % 100:
        message = f"Invalid amount: amounts in {currency} must be evenly divisible by 100"
        raise StripeError(message, param=param)
