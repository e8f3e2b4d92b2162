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
}
"""The names of Segment's e-commerce specification, so that a page which speaks it needs no change."""


def registered(name: str) -> str:
    """Our word for a name as it was sent; unknown names come back as they are."""
    return ALIASES.get(name.strip().lower(), name)
