"""Before the shop opens: what was sold is delivered again, the catalogue comes in and is embedded."""

from collections.abc import Callable, Iterator
from urllib.parse import quote

from devstack.day.api import Api, Json, Unexpected
from devstack.day.town import Town
from devstack.seed.shop import generate_shop

BATCH = 500
EMBED_WITHIN_S = 600.0
"""Two thousand products take about half a minute on two cores; ten minutes is for a machine with other work."""

Listener = Callable[[int, int | None], None]
CATALOGUE_FIELDS = (
    "id name description category brand price currency stock attributes image_url rating rating_count active".split()  # noqa: SIM905
)


def refill_shelves(town: Town) -> int:
    """Bring the stock of every generated product back to what it was, or the tenth day would have nothing to sell.

    Answers how many products had sold.
    """
    full = {product["id"]: product["stock"] for product in generate_shop().products}
    service = town.products()
    sold = [product for product in _all_products(service) if product["stock"] < full.get(product["id"], 0)]
    for product in sold:
        service.put(f"/products/{product['id']}", {"stock": full[product["id"]]})
    return len(sold)


def take_in_catalogue(town: Town, service: Api, progress: Listener) -> int:
    """Hand every product of the Product service to the search, in batches; answers how many."""
    products = list(_all_products(town.products()))
    jobs: list[str] = []
    for start in range(0, len(products), BATCH):
        batch = [_as_catalogue(product) for product in products[start : start + BATCH]]
        jobs.append(service.post("/v1/catalog/products", {"products": batch}, expect=(202,))["id"])
    for number, job_id in enumerate(jobs, start=1):
        done = service.until(f"/v1/jobs/{job_id}", lambda job: job["state"] in {"done", "failed", "dead"}, seconds=120)
        if done["state"] != "done":
            raise Unexpected(f"the catalogue was not taken in: {done}")
        progress(min(number * BATCH, len(products)), len(products))
    return len(products)


def wait_until_embedded(support: Api, products: int, progress: Listener) -> None:
    """Until the queue of embeddings is empty; its running job tells how far it is."""

    def idle(queues: Json) -> bool:
        for job in support.get("/v1/jobs", state="running")["data"]:
            if job["name"] == "search.embed" and job["progress"]["total"]:
                progress(job["progress"]["done"], job["progress"]["total"])
        queue = next(row for row in queues["data"] if row["name"] == "embeddings")
        return queue["depth"] == 0 and queue["running"] == 0

    support.until("/v1/queues", idle, seconds=EMBED_WITHIN_S, every=0.5)
    progress(products, products)


def _all_products(products: Api) -> Iterator[Json]:
    cursor: str | None = ""
    while cursor is not None:
        page = products.get(f"/products?limit=500&cursor={quote(cursor)}" if cursor else "/products?limit=500")
        yield from page["data"]
        cursor = page["next_cursor"]


def _as_catalogue(product: Json) -> Json:
    return {name: product[name] for name in CATALOGUE_FIELDS if product.get(name) is not None}
