"""What happens to a payment intent: confirmed, authenticated, authorised, captured, declined, canceled, expired."""

from copy import deepcopy
from dataclasses import dataclass

from devstack.stand_ins.stripe import disputing, ledger
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.cards import UNAUTHENTICATED, Card, Decline
from devstack.stand_ins.stripe.currencies import check_digits
from devstack.stand_ins.stripe.errors import CardError, StripeError
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.resources import charges, payment_methods, refunds
from devstack.stand_ins.stripe.routes import check_return_url
from devstack.stand_ins.stripe.wire import Json

DAY_S = 24 * 3600
AUTHORISED_S = 7 * DAY_S  # docs.stripe.com/payments/place-a-hold-on-a-payment-method
VISA_MERCHANT_INITIATED_S = 4 * DAY_S + 18 * 3600
BOOKED_AFTER_S = 0.2  # capture_method automatic_async: the books follow "shortly after" the answer
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
EXPIRED = ("charge.expired", "expired_uncaptured_charge")  # the event, and the reason of the refund
NO_METHOD = (
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
    "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment "
    "method or ConfirmationToken."
)
NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


@dataclass(frozen=True)
class Confirmation:
    """How a payment is to be confirmed."""

    return_url: str | None = None
    off_session: bool = False


def unexpected(intent: Json, message: str, *, param: str | None = None) -> StripeError:
    """Return the refusal of a move that the intent's state forbids, with the intent as Stripe encloses it."""
    enclosed = deepcopy(intent)
    return StripeError(message, code="payment_intent_unexpected_state", payment_intent=enclosed, param=param)


def check_confirmable(intent: Json) -> None:
    if intent["status"] == "succeeded":
        message = (
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
        raise unexpected(intent, message)
    if intent["status"] not in OPEN:
        message = (
            f"This PaymentIntent could not be confirmed because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be confirmed: {', '.join(OPEN)}."
        )
        raise unexpected(intent, message)


def confirm(account: Account, intent: Json, how: Confirmation) -> Json:
    """Try to take the money; raise CardError where the bank says no, with the intent ready for another card."""
    check_confirmable(intent)
    if intent["payment_method"] is None:
        raise unexpected(intent, NO_METHOD)
    method = account.store.get("payment_method", intent["payment_method"], param="payment_method", status=400)
    payment_methods.check_unused(account, method)
    payment_methods.check_owner(method, intent["customer"])
    if not account.cause.publishable:
        check_return_url(intent, how.return_url)
    hidden = account.store.hidden(intent)
    hidden.update(return_url=how.return_url, off_session=how.off_session)
    intent |= {"next_action": None, "last_payment_error": None}
    if _asks(account, intent, method):
        if how.off_session:
            raise _decline(account, intent, method, UNAUTHENTICATED)
        return _require_action(account, intent, how)
    refused = _pay(account, intent, method, authenticated=False)
    if refused is not None:
        raise refused
    return intent


def finish_authentication(account: Account, intent: Json, *, succeed: bool) -> Json:
    """End a 3-D Secure challenge as the customer's bank would report it."""
    if intent["status"] != "requires_action":
        raise unexpected(intent, f"This PaymentIntent waits for no action; its status is {intent['status']}.")
    method = account.store.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if succeed:
        _pay(account, intent, method, authenticated=True)
        return intent
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": NOT_AUTHENTICATED,
        "payment_method": deepcopy(method),
        "type": "invalid_request_error",
    }
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": error}
    emit(account, "payment_intent.payment_failed", intent)
    return intent


def finish_processing(account: Account, intent: Json, decline: Decline | None) -> Json:
    """End the processing that a door ordered, with the bank's yes or no."""
    if intent["status"] != "processing":
        raise unexpected(intent, f"This PaymentIntent is not processing; its status is {intent['status']}.")
    method = account.store.get("payment_method", intent["payment_method"])
    intent["processing"] = None
    if decline is None:
        _authorise(account, intent, method, authenticated=False)
    else:
        _decline(account, intent, method, decline)
    return intent


def capture(account: Account, intent: Json, amount: int | None) -> Json:
    """Take all or part of what is authorised; the rest is let go."""
    if intent["status"] == "succeeded":
        raise unexpected(intent, "This PaymentIntent could not be captured because it has already been captured.")
    if intent["status"] != "requires_capture":
        message = (
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture."
        )
        raise unexpected(intent, message)
    taken = intent["amount_capturable"] if amount is None else amount
    if taken > intent["amount_capturable"]:
        message = (
            f"The amount to capture ({taken}) is greater than the amount that can be captured on this PaymentIntent "
            f"({intent['amount_capturable']})."
        )
        raise StripeError(message, code="amount_too_large", param="amount_to_capture")
    check_digits(taken, intent["currency"], param="amount_to_capture")
    charge = account.store.get("charge", intent["latest_charge"])
    before = deepcopy(charge)
    _take(account, charge, taken)
    charge["balance_transaction"] = ledger.book_charge(account, charge, taken)["id"]
    if taken < charge["amount"]:
        refunds.release(account, charge, charge["amount"] - taken, "charge.captured", before=before)
    else:
        emit(account, "charge.captured", charge, before)
    return _succeed(account, intent, taken)


def cancel(account: Account, intent: Json, reason: str | None) -> Json:
    """End the payment; what was authorised is let go."""
    if intent["status"] not in CANCELABLE:
        message = (
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}."
        )
        raise unexpected(intent, message)
    if intent["status"] == "requires_capture":
        charge = account.store.get("charge", intent["latest_charge"])
        event, why = EXPIRED if reason == "automatic" else ("charge.refunded", None)
        refunds.release(account, charge, charge["amount"], event, reason=why)
    intent |= {
        "amount_capturable": 0,
        "canceled_at": account.clock.now(),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    emit(account, "payment_intent.canceled", intent)
    return intent


def _asks(account: Account, intent: Json, method: Json) -> bool:
    card = payment_methods.card_of(account, method)
    wish = intent["payment_method_options"]["card"]["request_three_d_secure"]
    if card.asks == "unsaved":
        return not account.store.hidden(method)["saved"]
    return card.asks == "always" or wish in {"any", "challenge"}


def _require_action(account: Account, intent: Json, how: Confirmation) -> Json:
    intent |= {"status": "requires_action", "next_action": challenge(account, intent, how.return_url)}
    emit(account, "payment_intent.requires_action", intent)
    return intent


def challenge(account: Account, intent: Json, return_url: str | None) -> Json:
    """Return the next action: where the customer proves to be the card's owner."""
    page = f"{account.cause.base_url}/standin/3ds/{intent['id']}"
    if return_url is not None:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page}}


def _pay(account: Account, intent: Json, method: Json, *, authenticated: bool) -> CardError | None:
    """Ask the bank; return its refusal, already recorded on the intent."""
    card = payment_methods.card_of(account, method)
    if account.ordered.payments:
        account.ordered.payments.pop(0)
        intent |= {"status": "processing", "processing": {"type": "card"}}
        emit(account, "payment_intent.processing", intent)
        return None
    if card.decline is not None:
        return _decline(account, intent, method, card.decline)
    _authorise(account, intent, method, authenticated=authenticated)
    return None


def _decline(account: Account, intent: Json, method: Json, decline: Decline) -> CardError:
    charge = charges.make(account, intent, method, authenticated=False)
    charges.fail(charge, decline)
    emit(account, "charge.failed", charge)
    error = CardError(
        decline.message,
        code=decline.code,
        decline_code=decline.decline_code,
        advice_code=decline.advice,
        charge=charge["id"],
        payment_method=deepcopy(method),
    )
    intent |= {
        "last_payment_error": dict(error.error),
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    emit(account, "payment_intent.payment_failed", intent)
    error.error["payment_intent"] = deepcopy(intent)
    return error


def _authorise(account: Account, intent: Json, method: Json, *, authenticated: bool) -> None:
    charge = charges.make(account, intent, method, authenticated=authenticated)
    _save_or_use_up(account, intent, method)
    if intent["capture_method"] == "manual":
        _hold(account, intent, charge, payment_methods.card_of(account, method))
        return
    _take(account, charge, charge["amount"])
    if intent["capture_method"] == "automatic":
        charge["balance_transaction"] = ledger.book_charge(account, charge, charge["amount"])["id"]
    else:
        account.clock.at(account.clock.exact() + BOOKED_AFTER_S, "charge_booked", charge["id"])
    emit(account, "charge.succeeded", charge)
    _succeed(account, intent, charge["amount"])


def _save_or_use_up(account: Account, intent: Json, method: Json) -> None:
    hidden = account.store.hidden(method)
    if intent["customer"] and intent["setup_future_usage"]:
        customer = account.store.get("customer", intent["customer"])
        payment_methods.attach_to(account, method, customer)
        hidden["saved"] = True
    elif method["customer"] is None:
        hidden["used_up"] = True


def _hold(account: Account, intent: Json, charge: Json, card: Card) -> None:
    merchant_initiated = account.store.hidden(intent).get("off_session") and card.brand == "visa"
    until = account.clock.now() + (VISA_MERCHANT_INITIATED_S if merchant_initiated else AUTHORISED_S)
    charge["payment_method_details"]["card"]["capture_before"] = until
    intent |= {"status": "requires_capture", "amount_capturable": charge["amount"]}
    account.clock.at(until, "authorisation_expires", intent["id"])
    emit(account, "charge.succeeded", charge)
    emit(account, "payment_intent.amount_capturable_updated", intent)


def _expire(account: Account, intent_id: str) -> None:
    intent = account.store.get("payment_intent", intent_id)
    if intent["status"] == "requires_capture":
        cancel(account, intent, "automatic")


def _take(account: Account, charge: Json, amount: int) -> None:
    charge |= {"captured": True, "amount_captured": amount}
    charge["payment_method_details"]["card"].pop("capture_before", None)
    method = account.store.get("payment_method", charge["payment_method"])
    disputing.plan(account, charge, payment_methods.card_of(account, method).dispute_reason)


def _succeed(account: Account, intent: Json, amount: int) -> Json:
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    emit(account, "payment_intent.succeeded", intent)
    return intent


def _book_later(account: Account, charge_id: str) -> None:
    charge = account.store.get("charge", charge_id)
    before = deepcopy(charge)
    charge["balance_transaction"] = ledger.book_charge(account, charge, charge["amount_captured"])["id"]
    emit(account, "charge.updated", charge, before)


WHEN_DUE = {"charge_booked": _book_later, "authorisation_expires": _expire}
