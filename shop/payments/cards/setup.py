"""Saving a card without paying: the wish, and the job that opens it at the provider once."""

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.cards import customers
from shop.payments.cards.cards import Setup
from shop.payments.queries import methods
from shop.ports.gateway import Gateway, GatewayRefused, OutcomeUnknown


def ask_setup(db: Database, customer_id: str) -> Setup:
    """A setup in state `pending`; the job makes it `ready`, with the secret for the browser."""
    setup_id = new_id("pms")
    with db.transaction() as tx:
        methods.insert_setup(tx, setup_id, customer_id)
        outbox.stage(tx, jobs.OPEN_SETUP, unique_key=f"{jobs.OPEN_SETUP.name}:{setup_id}", setup_id=setup_id)
    return setup_of(db, setup_id)


def setup_of(db: Database, setup_id: str) -> Setup:
    """Raises NotFound."""
    with db.transaction() as tx:
        found = methods.setup(tx, setup_id)
    if found is None:
        raise NotFound(f"there is no setup {setup_id}")
    return found


def setup(db: Database, gateway: Gateway, setup_id: str) -> str:
    """Open it; answers its state. Safe to repeat: one setup is one key, and a setup moves no money."""
    wanted = setup_of(db, setup_id)
    if wanted.settled:
        return wanted.state
    try:
        customer = customers.ensure(db, gateway, wanted.customer_id)
        seen = gateway.create_setup(customer, setup_id=setup_id, key=f"setup-{setup_id}")
    except GatewayRefused as refused:
        return _fail(db, setup_id, refused.vendor_code)
    except OutcomeUnknown as unknown:
        if not unknown.replayed:
            raise
        return _fail(db, setup_id, "provider_error")
    with db.transaction() as tx:
        methods.open_setup(tx, setup_id, provider_setup_id=seen.id, client_secret=seen.client_secret)
    return setup_of(db, setup_id).state


def _fail(db: Database, setup_id: str, code: str) -> str:
    with db.transaction() as tx:
        methods.fail_setup(tx, setup_id, code)
    return "failed"
