"""Which model answers. Vectors of one are compared with its own alone, also while another one takes over."""

from datetime import UTC, datetime, timedelta

from db import outbox
from db.database import Tx
from shop import jobs
from shop.ports.encoder import Encoder
from shop.search.language.text import TEXT_VERSION
from shop.search.queries import models as queries
from shop.search.queries import versions
from shop.search.queries.models import Model

KEPT_MINUTES = 60
"""The vectors of a retired model stay this long: a deployment that is taken back finds them."""


def model_version(encoder: Encoder) -> str:
    """What vectors are kept under: the model, its weights, and the way products are put into words for it."""
    return f"{encoder.model}-{encoder.checksum[:12]}/{TEXT_VERSION}"


def register(tx: Tx, encoder: Encoder) -> str:
    """Note the model of this encoder, and answer its version. The first one of a shop answers at once."""
    version = model_version(encoder)
    queries.register_model(
        tx, version=version, model=encoder.model, checksum=encoder.checksum, text_version=TEXT_VERSION
    )
    return version


def take_over(tx: Tx, version: str) -> bool:
    """Every product has its vector of this version: from this commit on it answers. False when it did already."""
    retired = queries.retire_others(tx, version)
    changed = queries.activate_model(tx, version)
    if retired or changed:
        versions.bump(tx, "merchandising")
        outbox.stage(tx, jobs.FORGET_VECTORS, unique_key="search.forget", run_after=_later())
    return changed


def answering(tx: Tx, encoder: Encoder) -> str:
    """The version whose vectors are compared now; before the first one is made, that of this encoder."""
    active = queries.active_model(tx)
    return active.version if active else model_version(encoder)


def speaker(encoder: Encoder, active: Model | None) -> Encoder | None:
    """Who can put a query into a vector of the active model: this encoder, or one whose files are still here."""
    if active is None or active.version == model_version(encoder):
        return encoder
    if (active.model, active.checksum) == (encoder.model, encoder.checksum):
        return encoder  # only the products were put into words differently
    return encoder.sibling(active.model, active.checksum)


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=KEPT_MINUTES)
