"""The queue `embeddings`: whole catalogues, and the only process with a model for them."""

from typing import Any

from boot.services import Services
from shop import jobs
from shop.search.catalogue.catalog import catalog
from shop.search.catalogue.forget import forget
from shop.search.catalogue.reindex import reindex
from shop.search.catalogue.reweigh import reweigh
from shop.search.catalogue.sync import sync
from shop.search.days.recount import recount
from shop.search.days.sum_up import sum_up
from shop.search.learning.learn import learn
from shop.search.learning.replay import replay
from shop.search.recommending.recommend import recommend
from shop.search.suggesting.suggest import suggest
from shop.search.vectors.embed import embed
from tasks.broker import Run, performs


@performs(jobs.IMPORT_PRODUCTS)
def import_products(services: Services, run: Run, *, batch_id: str) -> dict[str, Any]:
    return catalog(services.db, batch_id, run.progress, currency=services.settings.shop_currency)


@performs(jobs.SYNC_PRODUCTS)
def sync_products(services: Services, run: Run, *, sync_id: str | None = None) -> dict[str, Any]:
    currency = services.settings.shop_currency
    return sync(services.db, services.products, run.progress, sync_id=sync_id, currency=currency)


@performs(jobs.EMBED_PRODUCTS)
def embed_products(services: Services, run: Run) -> dict[str, Any]:
    return embed(services.db, services.catalogue_encoder, run.progress)


@performs(jobs.REFRESH_SUGGESTIONS)
def refresh_suggestions(services: Services, run: Run) -> dict[str, Any]:
    return suggest(services.db, run.progress, never=services.settings.suggest_never)


@performs(jobs.RECOMMEND_PRODUCTS)
def recommend_products(services: Services, run: Run) -> dict[str, Any]:
    return recommend(services.db, services.catalogue_encoder, run.progress)


@performs(jobs.LEARN_FROM_SEARCHES)
def learn_from_searches(services: Services, run: Run) -> dict[str, Any]:
    return learn(services.db, run.progress)


@performs(jobs.REWEIGH_PRODUCTS)
def reweigh_products(services: Services, run: Run) -> dict[str, Any]:
    return reweigh(services.db, run.progress)


@performs(jobs.REINDEX_PRODUCTS)
def reindex_products(services: Services, run: Run) -> dict[str, Any]:
    return reindex(services.db, services.settings.shop_language, run.progress)


@performs(jobs.FORGET_VECTORS)
def forget_vectors(services: Services, run: Run) -> dict[str, Any]:
    settings = services.settings
    return forget(services.db, run.progress, searches_days=settings.search_log_days, zone=settings.zone)


@performs(jobs.SUM_UP_SEARCHES)
def sum_up_searches(services: Services, run: Run) -> dict[str, Any]:
    return sum_up(services.db, run.progress, zone=services.settings.zone)


@performs(jobs.REPLAY_SEARCHES)
def replay_searches(services: Services, run: Run, *, replay_id: str) -> dict[str, Any]:
    return replay(services.db, services.encoder, run.progress, replay_id=replay_id)


@performs(jobs.RECOUNT_SEARCHES)
def recount_searches(services: Services, run: Run) -> dict[str, Any]:
    return recount(services.db, run.progress, zone=services.settings.zone)
