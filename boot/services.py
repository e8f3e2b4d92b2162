"""One frozen object with everything a request or a job may need; the only place that chooses a client."""

from dataclasses import dataclass
from pathlib import Path

from boot.settings import Settings
from clients import answers, auth, carts, encoder, event_stream, limits, live_counters, products, smtp, stripe
from db.database import Database
from shop.analytics.events.strangers import Strangers
from shop.ports.answers import Answers
from shop.ports.encoder import Encoder
from shop.ports.events import EventStream
from shop.ports.evidence import EvidenceDesk
from shop.ports.gateway import Gateway
from shop.ports.limits import Limits
from shop.ports.live import LiveCounters
from shop.ports.mail import Mailer
from shop.ports.neighbours import Carts, Products, Users
from shop.ports.notices import Notices
from shop.ports.settlements import Settlements
from shop.search.answering.answer import Recent
from shop.search.answering.known import Knowledge


@dataclass(frozen=True, slots=True)
class Services:
    """Built once per process. Building it opens no connection and loads no model: each part does so at first use.

    `encoder` is for queries: small, one thread, degraded until the model's files are there. `catalogue_encoder` is for
    whole catalogues: half the cores or a GPU, and it makes the files when they are missing. `knowledge` is what
    searches know beforehand, read anew when it changes; `recent` what they share of what was just found.
    `strangers` tells visitors without consent apart for a day.
    """

    settings: Settings
    db: Database
    limits: Limits
    answers: Answers
    gateway: Gateway
    evidence: EvidenceDesk
    notices: Notices
    settlements: Settlements
    products: Products
    carts: Carts
    users: Users
    events: EventStream
    live: LiveCounters
    mailer: Mailer
    encoder: Encoder
    catalogue_encoder: Encoder
    knowledge: Knowledge
    recent: Recent
    strangers: Strangers


def connect(settings: Settings, *, name: str = "backroom") -> Services:
    """`name` is shown by PostgreSQL as the application of each connection."""
    token = settings.service_token.get_secret_value()
    remembered = answers.connect(settings.redis_address, settings.stripe_secret_key.get_secret_value())
    return Services(
        settings=settings,
        db=_database(settings, name),
        limits=limits.connect(settings.redis_address),
        answers=remembered,
        gateway=stripe.connect(
            settings.stripe_secret_key.get_secret_value(),
            settings.stripe_base_url,
        ),
        settlements=stripe.connect_books(
            settings.stripe_secret_key.get_secret_value(),
            settings.stripe_base_url,
        ),
        notices=stripe.listen(
            [secret.get_secret_value() for secret in settings.stripe_webhook_secrets],
            settings.stripe_secret_key.get_secret_value(),
        ),
        evidence=stripe.connect_evidence(settings.stripe_secret_key.get_secret_value(), settings.stripe_base_url),
        products=products.connect(settings.product_url, token),
        carts=carts.connect(settings.cart_url, token),
        users=auth.connect(settings.auth_url, token, keys_url=settings.auth_jwks_url),
        events=event_stream.connect(settings.redis_address),
        live=live_counters.connect(settings.redis_address),
        mailer=smtp.connect(settings.smtp_url, sender=settings.mail_from, sender_name=settings.shop_name),
        encoder=encoder.connect(Path(settings.model_dir)),
        catalogue_encoder=encoder.connect(
            Path(settings.model_dir),
            kind=settings.embedding_engine,
            threads=encoder.catalogue_threads(),
            may_export=True,
        ),
        knowledge=Knowledge(),
        recent=Recent(remembered),
        strangers=Strangers(),
    )


def _database(settings: Settings, name: str) -> Database:
    return Database(
        settings.database_url.get_secret_value(),
        direct_url=settings.database_past_pooler if settings.database_direct_url else "",
        size=settings.database_pool,
        name=name,
    )
