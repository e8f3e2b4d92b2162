"""A customer's saved cards: shown, made the default, let go, and learnt of from the provider's news."""

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.cards.cards import SavedCard
from shop.payments.queries import methods
from shop.payments.rows import Delivery
from shop.ports.gateway import Gateway, MethodSeen

NEWS = ("setup_intent.", "payment_method.")
"""Kinds of news that can change a customer's cards."""


def saved(db: Database, customer_id: str) -> list[SavedCard]:
    """The default first, then the newest."""
    with db.transaction() as tx:
        return methods.cards_of(tx, customer_id)


def card(db: Database, card_id: str) -> SavedCard:
    """Raises NotFound, also for one that was let go."""
    with db.transaction() as tx:
        return _card(tx, card_id)


def make_default(db: Database, card_id: str) -> SavedCard:
    """Raises NotFound."""
    with db.transaction() as tx:
        wanted = _locked(tx, card_id)
        methods.set_default(tx, wanted.customer_id, card_id)
        return _card(tx, card_id)


def remove(db: Database, card_id: str) -> None:
    """Forget the card at once, and at the provider by a job. Raises NotFound."""
    with db.transaction() as tx:
        wanted = _locked(tx, card_id)
        _forget(tx, wanted)
        _stage_detach(tx, wanted.provider_method_id)


def take(db: Database, gateway: Gateway, delivery: Delivery) -> tuple[str, str | None]:
    """Read one piece of news about cards; answers what became of it and why. The object is asked for again."""
    object_id = delivery.object_id
    if object_id is None:
        return "ignored", "it names no object"
    if (delivery.type or "").startswith("setup_intent."):
        setup = gateway.setup(object_id)
        if setup is None:
            return "parked", "the provider does not know the object"
        if setup.status != "succeeded" or setup.method_id is None:
            return "ignored", f"the setup is {setup.status[:40]}"
        with db.transaction() as tx:
            methods.end_setup(tx, setup.id)
        object_id = setup.method_id
    seen = gateway.method(object_id)
    if seen is None:
        return "parked", "the provider does not know the object"
    return _note(db, seen)


def _note(db: Database, seen: MethodSeen) -> tuple[str, str | None]:
    with db.transaction() as tx:
        if seen.customer is None:
            return _note_detached(tx, seen)
        customer_id = methods.lock_customer(tx, seen.customer)
        if customer_id is None:
            return "ignored", "foreign: the card belongs to no customer of ours"
        if seen.card is None:
            return "ignored", f"a {seen.kind[:40]} is no card"
        if methods.refresh(tx, seen):
            return "applied", None
        return _save(tx, customer_id, seen)


def _note_detached(tx: Tx, seen: MethodSeen) -> tuple[str, str | None]:
    known = methods.card_of_method(tx, seen.id)
    if known is None:
        return "ignored", "a card that is not saved"
    _forget(tx, _locked(tx, known.id))
    return "applied", None


def _save(tx: Tx, customer_id: str, seen: MethodSeen) -> tuple[str, str | None]:
    """A card with a fingerprint that is here already is the same card: the newer one stays, the other is let go."""
    twin = methods.card_with_fingerprint(tx, customer_id, seen.fingerprint) if seen.fingerprint else None
    if twin is None:
        first = not methods.cards_of(tx, customer_id)
        methods.insert_card(tx, new_id("spm"), customer_id, seen, is_default=first)
        return "applied", None
    if _is_newer(seen, twin):
        methods.replace_card(tx, twin.id, seen)
        _stage_detach(tx, twin.provider_method_id)
    else:
        _stage_detach(tx, seen.id)
    return "applied", "a duplicate: the same card was saved before"


def _is_newer(seen: MethodSeen, than: SavedCard) -> bool:
    if than.provider_created_at is None or seen.created_at is None:
        return than.provider_created_at is None
    return (seen.created_at, seen.id) > (than.provider_created_at, than.provider_method_id)


def _forget(tx: Tx, wanted: SavedCard) -> None:
    """With the default gone, the newest of the others is it."""
    methods.forget_card(tx, wanted.id)
    left = methods.cards_of(tx, wanted.customer_id)
    if left and not left[0].is_default:
        methods.set_default(tx, wanted.customer_id, left[0].id)


def _stage_detach(tx: Tx, method_id: str) -> None:
    key = f"{jobs.DETACH_METHOD.name}:{method_id}"
    outbox.stage(tx, jobs.DETACH_METHOD, unique_key=key, provider_method_id=method_id)


def _locked(tx: Tx, card_id: str) -> SavedCard:
    """The card, with its customer's cards held against everybody else."""
    wanted = _card(tx, card_id)
    methods.lock_customer(tx, wanted.provider_customer_id)
    return _card(tx, card_id)


def _card(tx: Tx, card_id: str) -> SavedCard:
    found = methods.card(tx, card_id)
    if found is None:
        raise NotFound(f"there is no saved payment method {card_id}")
    return found
