"""Product's routes: pages of the catalogue, single products, reservations and returns."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from devstack.stand_ins.bulk import load_counts, ndjson_rows, only_missing
from devstack.stand_ins.doors import install_doors
from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.problems import ProblemError, install_problems, json_object, problem_body
from devstack.stand_ins.products.catalogue import Catalogue, Product
from devstack.stand_ins.products.pictures import draw
from devstack.stand_ins.products.reading import (
    cursor_at,
    read_id,
    read_lines,
    read_moment,
    read_page,
    read_product,
)
from devstack.stand_ins.products.warehouse import Warehouse, lines_as_json
from devstack.stand_ins.service_token import protected_by

PICTURE_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def create_app(
    *, catalog_file: Path | None = None, service_token: str | None = None, keeping: Keeping | None = None
) -> Flask:
    """Return the stand-in for Product; `catalog_file` is NDJSON, one product a line, for what is not there yet."""
    app, catalogue = Flask(__name__), Catalogue(keeping or Keeping())
    warehouse = Warehouse(catalogue)
    if catalog_file is not None:
        with catalog_file.open(encoding="utf-8") as lines:
            rows = (json.loads(line) for line in lines if line.strip())
            catalogue.load([read_product(row["id"], row, None) for row in rows], only_missing=True)
    _add_catalogue_routes(app, catalogue, warehouse, service_token)
    _add_catalogue_doors(app, catalogue, warehouse)
    _add_reservation_routes(app, warehouse, service_token)
    install_problems(app)
    install_doors(app, lambda: _reset(catalogue, warehouse), problem_body)
    return app


def _reset(catalogue: Catalogue, warehouse: Warehouse) -> None:
    with catalogue.lock:
        warehouse.reset()
        catalogue.reset()


def _add_catalogue_routes(app: Flask, catalogue: Catalogue, warehouse: Warehouse, service_token: str | None) -> None:
    protected = protected_by(service_token)

    @app.get("/products")
    @protected
    def list_products() -> Response:
        page, rest = catalogue.page(**read_page(request.args.to_dict()))
        return jsonify({"data": [product.as_json() for product in page], "next_cursor": cursor_at(rest)})

    @app.get("/products/<product_id>")
    @protected
    def show_product(product_id: str) -> Response:
        with catalogue.lock:
            reserved = warehouse.reserved(product_id)
            return jsonify({**_known(catalogue, product_id).as_json(), "reserved": reserved})

    @app.get("/images/<product_id>.svg")
    def show_picture(product_id: str) -> Response:
        return Response(draw(_known(catalogue, product_id)), mimetype="image/svg+xml", headers=PICTURE_HEADERS)


def _add_catalogue_doors(app: Flask, catalogue: Catalogue, warehouse: Warehouse) -> None:
    @app.put("/products/<product_id>")
    def put_product(product_id: str) -> Response:
        with catalogue.lock:
            kept = catalogue.put(read_product(product_id, json_object(), catalogue.find(product_id)))
            return jsonify({**kept.as_json(), "reserved": warehouse.reserved(product_id)})

    @app.put("/products")
    def load_products() -> Response:
        rows = _checked_rows(ndjson_rows())
        count = catalogue.load(rows, only_missing=only_missing())
        return jsonify(load_counts(count, len(rows)))

    @app.get("/reservations")
    def list_reservations() -> Response:
        wanted = request.args.get("state")
        found = [known.as_json() for known in warehouse.newest_first() if wanted in (None, known.state)]
        return jsonify({"data": found})


def _add_reservation_routes(app: Flask, warehouse: Warehouse, service_token: str | None) -> None:
    protected = protected_by(service_token)

    @app.post("/reservations")
    @protected
    def reserve() -> tuple[Response, int]:
        body = json_object()
        expires_at = read_moment(body.get("expires_at"), "expires_at")
        made = warehouse.reserve(read_id(body), expires_at, read_lines(body.get("lines")))
        return jsonify(made.as_json()), 201

    @app.get("/reservations/<reservation_id>")
    @protected
    def show_reservation(reservation_id: str) -> Response:
        if known := warehouse.find(reservation_id):
            return jsonify(known.as_json())
        raise ProblemError(404, "reservation_not_found", f"no reservation {reservation_id}")

    @app.post("/reservations/<reservation_id>/commit")
    @protected
    def commit(reservation_id: str) -> Response:
        return jsonify(warehouse.commit(reservation_id).as_json())

    @app.delete("/reservations/<reservation_id>")
    @protected
    def release(reservation_id: str) -> tuple[str, int]:
        warehouse.release(reservation_id)
        return "", 204

    @app.post("/stock-returns")
    @protected
    def take_back() -> tuple[Response, int]:
        body = json_object()
        return_id, lines = read_id(body), read_lines(body.get("lines"))
        warehouse.take_back(return_id, lines)
        return jsonify({"id": return_id, "lines": lines_as_json(lines)}), 201


def _known(catalogue: Catalogue, product_id: str) -> Product:
    if product := catalogue.find(product_id):
        return product
    raise ProblemError(404, "product_not_found", f"no product {product_id}")


def _checked_rows(rows: Iterable[tuple[int, dict[str, Any]]]) -> list[Product]:
    """Check all before any is kept, so that a bad line leaves the catalogue as it was."""
    products: list[Product] = []
    for number, row in rows:
        try:
            products.append(read_product(row["id"], row, None))
        except ProblemError as problem:
            raise ProblemError(422, problem.code, f"line {number}: {problem.detail}") from problem
    return products
