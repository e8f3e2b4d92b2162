"""The registry of events: which names a page may send, and which only the shop itself may write."""

KNOWN = frozenset(
    (
        "page_view",
        "product_view",
        "list_view",
        "list_click",
        "search",
        "search_click",
        "cart_add",
        "cart_remove",
        "checkout_start",
        "checkout_step",
        "payment_try",
        "wishlist_add",
        "review_add",
        "experiment_seen",
        "consent_set",
        "identify",
    )
)

RESERVED = frozenset(
    (
        "order_placed",
        "order_paid",
        "order_cancelled",
        "refund_done",
        "payment_failed",
        "shipped",
        "delivered",
    )
)
"""Facts of the order. A page that could write them could write itself a turnover."""

ALIASES = {
    "page viewed": "page_view",
    "product viewed": "product_view",
    "product list viewed": "list_view",
    "product clicked": "list_click",
    "products searched": "search",
    "product added": "cart_add",
    "product removed": "cart_remove",
    "checkout started": "checkout_start",
    "checkout step viewed": "checkout_step",
    "payment info entered": "payment_try",
    "product added to wishlist": "wishlist_add",
    "product reviewed": "review_add",
    "order completed": "order_paid",
    "order refunded": "refund_done",
    "order cancelled": "order_cancelled",
    "view item": "product_view",
    "view item list": "list_view",
    "select item": "list_click",
    "view search results": "search",
    "add to cart": "cart_add",
    "remove from cart": "cart_remove",
    "begin checkout": "checkout_start",
    "add shipping info": "checkout_step",
    "add payment info": "payment_try",
    "add to wishlist": "wishlist_add",
    "purchase": "order_paid",
    "refund": "refund_done",
}
"""The names of Segment's e-commerce specification and of Google Analytics, so that a page which speaks one of them
needs no change. Written with blanks or with underscores."""


def registered(name: str) -> str:
    """Our word for a name as it was sent; unknown names come back as they are."""
    return ALIASES.get(name.strip().lower().replace("_", " "), name)
