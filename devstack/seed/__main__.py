"""Make the generated shop: `python -m devstack.seed --products-url http://127.0.0.1:8002` or `--out shop.ndjson`."""

import argparse
from pathlib import Path

from devstack.seed.load import LoadError, as_ndjson, load_shop
from devstack.seed.shop import IMAGES_URL, PRODUCTS, SEED, USERS, generate_shop


def main() -> None:
    """Generate, write and load as the command line says; exits with 1 and a sentence when a stand-in refuses."""
    given = _command_line().parse_args()
    shop = generate_shop(given.seed, given.products, given.users, given.images_url)
    if given.out is not None:
        given.out.write_text(as_ndjson(shop.products), encoding="utf-8")
        print(f"wrote {len(shop.products)} products to {given.out}")
    try:
        loaded = load_shop(shop, products_url=given.products_url, auth_url=given.auth_url, carts_url=given.carts_url)
    except (LoadError, OSError) as failed:
        raise SystemExit(f"the shop was not loaded: {failed}") from failed
    for name, count in loaded.items():
        print(f"{name}: {count.new} loaded" + (f", {count.already_there} already there" if count.already_there else ""))
    if given.out is None and not loaded:
        raise SystemExit("nothing to do: give --out or an address; --help lists them")


def _command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Generate a believable shop; the same seed gives the same shop")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--products", type=int, default=PRODUCTS, help=f"how many (default {PRODUCTS})")
    parser.add_argument("--users", type=int, default=USERS, help=f"how many customers (default {USERS})")
    parser.add_argument("--images-url", default=IMAGES_URL, help=f"where pictures are (default {IMAGES_URL})")
    parser.add_argument("--out", type=Path, help="write the products as NDJSON")
    parser.add_argument("--products-url", help="load the products into this Product service")
    parser.add_argument("--auth-url", help="load the users into this Auth service")
    parser.add_argument("--carts-url", help="load the carts into this Cart service")
    return parser


main()
