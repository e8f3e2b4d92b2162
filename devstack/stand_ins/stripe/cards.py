"""The test cards by name and what each does, as docs.stripe.com/testing lists them; no card numbers anywhere."""

from dataclasses import dataclass

EXPIRY_YEARS = 3  # test cards are valid for a few years from whatever "now" is


@dataclass(frozen=True)
class Decline:
    """How a bank says no."""

    code: str
    message: str
    decline_code: str | None = None
    advice: str | None = None


@dataclass(frozen=True)
class Card:
    """A test card. `asks` is when it wants 3-D Secure: never, always, or only off_session and while unsaved."""

    brand: str = "visa"
    last4: str = "4242"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    declines_on_save: bool = True
    asks: str = "never"
    refund: str = "succeeded"
    dispute_reason: str | None = None


DECLINED = Decline("card_declined", "Your card was declined.", "generic_decline", "try_again_later")
NO_FUNDS = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds", "try_again_later")
LOST = Decline("card_declined", "Your card was declined.", "lost_card", "do_not_try_again")
STOLEN = Decline("card_declined", "Your card was declined.", "stolen_card", "do_not_try_again")
FRAUD = Decline("card_declined", "Your card was declined.", "fraudulent", "do_not_try_again")
TOO_OFTEN = Decline(
    "card_declined",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    "card_velocity_exceeded",
    "try_again_later",
)
EXPIRED = Decline("expired_card", "Your card has expired.", None, "do_not_try_again")
WRONG_CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.", None, "confirm_card_data")
PROCESSING = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    None,
    "try_again_later",
)
UNAUTHENTICATED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)

CARDS = {
    "visa": Card(),
    "visa_debit": Card(last4="5556", funding="debit"),
    "mastercard": Card(brand="mastercard", last4="4444"),
    "mastercard_debit": Card(brand="mastercard", last4="8210", funding="debit"),
    "mastercard_prepaid": Card(brand="mastercard", last4="5100", funding="prepaid"),
    "amex": Card(brand="amex", last4="8431"),
    "discover": Card(brand="discover", last4="9424"),
    "diners": Card(brand="diners", last4="3237"),
    "jcb": Card(brand="jcb", last4="0505", country="JP"),
    "unionpay": Card(brand="unionpay", last4="0005", country="CN"),
    "de": Card(last4="0016", country="DE"),
    "fr": Card(last4="0003", country="FR"),
    "gb": Card(last4="0000", country="GB"),
    "visa_chargeDeclined": Card(last4="0002", decline=DECLINED),
    "visa_chargeDeclinedInsufficientFunds": Card(last4="9995", decline=NO_FUNDS),
    "visa_chargeDeclinedLostCard": Card(last4="9987", decline=LOST),
    "visa_chargeDeclinedStolenCard": Card(last4="9979", decline=STOLEN),
    "visa_chargeDeclinedFraudulent": Card(last4="0019", decline=FRAUD),
    "visa_chargeDeclinedVelocityLimitExceeded": Card(last4="6975", decline=TOO_OFTEN),
    "chargeDeclinedExpiredCard": Card(last4="0069", decline=EXPIRED),
    "chargeDeclinedIncorrectCvc": Card(last4="0127", decline=WRONG_CVC),
    "chargeDeclinedProcessingError": Card(last4="0119", decline=PROCESSING),
    "chargeCustomerFail": Card(last4="0341", decline=DECLINED, declines_on_save=False),
    "authenticationRequired": Card(last4="3184", asks="always"),
    "authenticationRequiredOnSetup": Card(last4="3155", asks="unsaved"),
    "threeDSecure2Required": Card(last4="3220", asks="always"),
    "threeDSecureRequired": Card(last4="3063", asks="always"),
    "threeDSecureRequiredChargeDeclined": Card(last4="1629", asks="always", decline=DECLINED),
    "pendingRefund": Card(last4="7726", refund="pending"),
    "refundFail": Card(last4="5126", refund="fails_later"),
    "createDispute": Card(last4="0259", dispute_reason="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", dispute_reason="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", dispute_reason="inquiry"),
}


def card_named(name: str) -> Card | None:
    """Return the card of `pm_card_visa`, `tok_visa` or `tok_chargeDeclined`, None for any other name."""
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix):
            short = name.removeprefix(prefix)
            return CARDS.get(short) or CARDS.get(f"visa_{short}")  # Stripe has the declined ones under both names
    return None
