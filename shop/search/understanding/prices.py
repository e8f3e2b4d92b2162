"""Reads what a shopper is willing to pay out of the query: "under 50", "20 to 40 euros", "less than $30"."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from shop.money import decimals
from shop.search.language.languages import Language, language_of

LEAST_BARE = 10
"""Below ten, a number without a currency is as often an age, a count or a size."""

OLDEST = 100
"""Nobody's age is a hundred: then the query may be about people, and the number is a price still."""

AROUND_PERCENT = 20
"""How far "around 50 euros" reaches to either side."""

_AMOUNT = r"[$€£¥]?\s?(?:\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)"
_MONEY = r"(?:\s?(?:[$€£¥]|(?:euros?|eur|dollars?|usd|bucks|gbp|chf|yen|jpy)\b))?"
_NAMED = re.compile(r"[$€£¥]|[a-z]")
_END = r"(?![\w%\"'.,/-]*\d|\w|[%\"'/])"


@dataclass(frozen=True, slots=True)
class PriceWish:
    """Both ends included, in minor units; `words` as they were written, `rest` the query without them. `aim`: the price
    that was named with "around".
    """

    low: int | None
    high: int | None
    words: str
    rest: str
    aim: int | None = None


@dataclass(frozen=True, slots=True)
class _Forms:
    between: re.Pattern[str] | None
    span: re.Pattern[str]
    below: re.Pattern[str] | None
    limit: re.Pattern[str] | None
    above: re.Pattern[str] | None
    around: re.Pattern[str] | None


def price_wish(plain: str, language: str, currency: str) -> PriceWish | None:
    """Of a normalised query. None when no price is named, or it may as well be an age, a size or a model.

    Without a currency a number counts only after "under" or "between", at the end of its phrase, from ten on, and when
    the query is not about people of an age.
    """
    if not any(letter.isdigit() for letter in plain):
        return None
    spoken, forms = language_of(language), _forms(language)
    for form in (forms.between, forms.span):
        found = form.search(plain) if form else None
        if found and _is_price(found, spoken, bare=form is forms.between):
            low, high = sorted((_minor(found["low"], currency), _minor(found["high"], currency)))
            return _wish(found, low, high)
    for form, bare in ((forms.below, True), (forms.limit, False)):
        found = form.search(plain) if form else None
        if found and _is_price(found, spoken, bare=bare):
            return _wish(found, None, _minor(found["high"], currency))
    return _from_below(plain, forms, spoken, currency)


def _from_below(plain: str, forms: _Forms, spoken: Language, currency: str) -> PriceWish | None:
    found = forms.above.search(plain) if forms.above else None
    if found and _is_price(found, spoken, bare=False):
        return _wish(found, _minor(found["low"], currency), None)
    found = forms.around.search(plain) if forms.around else None
    if found and _is_price(found, spoken, bare=False):
        middle = _minor(found["low"], currency)
        low, high = middle * (100 - AROUND_PERCENT) // 100, middle * (100 + AROUND_PERCENT) // 100
        return replace(_wish(found, low, high), aim=middle)
    return None


def _is_price(found: re.Match[str], spoken: Language, *, bare: bool) -> bool:
    amounts = [value for name, value in found.groupdict().items() if value is not None and name in {"low", "high"}]
    if any(_NAMED.search(amount) for amount in amounts):
        return True
    after = found.string[found.end() :].split()
    return (
        bare
        and (not after or after[0] in spoken.ends)
        and all(_number(amount) >= LEAST_BARE for amount in amounts)
        and (spoken.ages.isdisjoint(found.string.split()) or all(_number(amount) >= OLDEST for amount in amounts))
    )


def _wish(found: re.Match[str], low: int | None, high: int | None) -> PriceWish:
    rest = " ".join(f"{found.string[: found.start()]} {found.string[found.end() :]}".split())
    return PriceWish(low, high, found[0].strip(), rest)


def _minor(amount: str, currency: str) -> int:
    return round(_number(amount) * 10 ** decimals(currency))


def _number(amount: str) -> float:
    """Of the last mark, one or two digits behind it are a fraction; three are thousands."""
    digits = re.sub(r"[^\d.,]", "", amount).strip(".,")
    whole, mark, rest = digits.rpartition("," if digits.rfind(",") > digits.rfind(".") else ".")
    if mark and len(rest) < 3:
        return float(f"{re.sub('[.,]', '', whole)}.{rest}")
    return float(re.sub("[.,]", "", digits))


@lru_cache(maxsize=32)
def _forms(language: str) -> _Forms:
    spoken = language_of(language)
    low, high = f"(?P<low>{_AMOUNT}{_MONEY}){_END}", f"(?P<high>{_AMOUNT}{_MONEY}){_END}"
    to = _either(("-", *spoken.to))
    joined = rf"(?P<low>{_AMOUNT}{_MONEY})\s?(?:{to})\s?{high}"
    return _Forms(
        between=_form(spoken.between, rf"{low}\s(?:{_either(spoken.and_)})\s{high}"),
        span=re.compile(rf"(?<!\S){joined}"),
        below=_form(spoken.below, high),
        limit=_form(spoken.limit, high),
        above=_form(spoken.above, low),
        around=_form(spoken.around, low),
    )


def _form(words: tuple[str, ...], then: str) -> re.Pattern[str] | None:
    return re.compile(rf"(?<!\S)(?:{_either(words)})\s{then}") if words else None


def _either(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in words) or r"(?!)"
