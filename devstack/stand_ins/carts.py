"""The stand-in for Cart: reads and clears carts; a door fills them.

Run it: `python -m devstack.stand_ins.carts --port 8003`.
"""

from typing import Any

from flask import Flask, Response, jsonify

from devstack.stand_ins.bulk import load_counts, ndjson_rows, only_missing
from devstack.stand_ins.doors import install_doors, serve
from devstack.stand_ins.keeping import Keeping, open_or_exit
from devstack.stand_ins.problems import ProblemError, install_problems, json_object, problem_body
from devstack.stand_ins.service_token import command_line, protected_by

FIELDS = frozenset({"id", "user_id", "currency", "lines"})
LINE_FIELDS = {"product_id", "quantity"}


def create_app(*, service_token: str | None = None, keeping: Keeping | None = None) -> Flask:
    """Return the stand-in for Cart; a bulk load is what a reset goes back to."""
    app, carts = Flask(__name__), Carts(keeping or Keeping())
    _add_routes(app, carts, service_token)
    _add_doors(app, carts)
    install_problems(app)
    install_doors(app, carts.reset, problem_body)
    return app


class Carts:
    """All carts, by id."""

    def __init__(self, keeping: Keeping) -> None:
        self._lock = keeping
        self._carts: dict[str, dict[str, Any]] = dict(keeping.rows("cart"))
        self._loaded: dict[str, dict[str, Any]] = dict(keeping.rows("loaded"))

    def find(self, cart_id: str) -> dict[str, Any] | None:
        with self._lock:
            return self._carts.get(cart_id)

    def put(self, cart: dict[str, Any]) -> None:
        with self._lock:
            self._put(cart)

    def clear(self, cart_id: str) -> None:
        with self._lock:
            self._carts.pop(cart_id, None)
            self._lock.drop("cart", cart_id)

    def load(self, carts: list[dict[str, Any]], *, only_missing: bool = False) -> int:
        """Put many at once, what a reset goes back to; return how many were put."""
        with self._lock:
            wanted = [cart for cart in carts if not (only_missing and cart["id"] in self._carts)]
            for cart in wanted:
                self._loaded[cart["id"]] = cart
                self._lock.put("loaded", cart["id"], cart)
                self._put(cart)
            return len(wanted)

    def reset(self) -> None:
        with self._lock:
            self._carts = {}
            self._lock.clear("cart")
            for cart in self._loaded.values():
                self._put(cart)

    def _put(self, cart: dict[str, Any]) -> None:
        self._carts[cart["id"]] = cart
        self._lock.put("cart", cart["id"], cart)


def _add_routes(app: Flask, carts: Carts, service_token: str | None) -> None:
    protected = protected_by(service_token)

    @app.get("/carts/<cart_id>")
    @protected
    def show_cart(cart_id: str) -> Response:
        if cart := carts.find(cart_id):
            return jsonify(cart)
        raise ProblemError(404, "cart_not_found", f"no cart {cart_id}")

    @app.delete("/carts/<cart_id>")
    @protected
    def clear_cart(cart_id: str) -> tuple[str, int]:
        carts.clear(cart_id)
        return "", 204


def _add_doors(app: Flask, carts: Carts) -> None:
    @app.put("/carts/<cart_id>")
    def put_cart(cart_id: str) -> Response:
        cart = _read_cart(cart_id, json_object())
        carts.put(cart)
        return jsonify(cart)

    @app.put("/carts")
    def load_carts() -> Response:
        loaded = [_read_cart(row["id"], row) for _number, row in ndjson_rows()]
        count = carts.load(loaded, only_missing=only_missing())
        return jsonify(load_counts(count, len(loaded)))


def _read_cart(cart_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the cart that a body describes; raises ProblemError 422 naming what is wrong."""
    if unknown := sorted(given.keys() - FIELDS):
        raise ProblemError(422, "invalid_request", f"unknown field: {unknown[0]}")
    if given.get("id", cart_id) != cart_id:
        raise ProblemError(422, "invalid_request", "the id in the body is not the one in the path")
    if not isinstance(given.get("user_id"), str):
        raise ProblemError(422, "invalid_request", "user_id must be text")
    currency, lines = given.get("currency", "eur"), given.get("lines", [])
    if not isinstance(currency, str) or not isinstance(lines, list):
        raise ProblemError(422, "invalid_request", "currency must be text and lines a list")
    return {
        "id": cart_id,
        "user_id": given["user_id"],
        "currency": currency,
        "lines": [_read_line(line) for line in lines],
    }


def _read_line(line: Any) -> dict[str, Any]:
    if not isinstance(line, dict) or line.keys() != LINE_FIELDS or not isinstance(line["product_id"], str):
        raise ProblemError(422, "invalid_request", "a line is {product_id, quantity}")
    quantity = line["quantity"]
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
        raise ProblemError(422, "invalid_request", "quantity must be a whole number from 1")
    return {"product_id": line["product_id"], "quantity": quantity}


def main() -> None:
    """Read the command line and serve until told to stop."""
    given = command_line("The stand-in for Cart", 8003).parse_args()
    keeping = open_or_exit(given.state)
    serve(create_app(service_token=given.service_token, keeping=keeping), given.port, on_stop=keeping.close)


if __name__ == "__main__":
    main()
