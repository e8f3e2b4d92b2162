"""What a customer, an accountant, a warehouse and Stripe see of somebody's purchases, without ids and times."""

from collections import Counter
from typing import Any

from bench.proofs.house import Customer, House

Outcome = dict[str, Any]

SEEN: dict[str, str] = {
    "orders": "SELECT status, status_reason, rejection_code, stock, amount_captured, amount_refunded,"
    " amount_reserved_for_refund, disputed FROM orders WHERE customer_id = %(who)s ORDER BY id",
    "payments": "SELECT p.status, captured_minor FROM payments p JOIN orders o ON o.id = order_id"
    " WHERE o.customer_id = %(who)s ORDER BY 1, 2",
    "refunds": "SELECT r.status, r.origin, r.amount_minor, r.restock FROM refunds r JOIN orders o ON o.id = r.order_id"
    " WHERE o.customer_id = %(who)s ORDER BY 1, 2, 3",
    "disputes": "SELECT d.status, d.amount_minor FROM disputes d JOIN orders o ON o.id = d.order_id"
    " WHERE o.customer_id = %(who)s ORDER BY 1, 2",
    "undecided": "SELECT operation FROM provider_attempts a JOIN orders o ON o.id = a.order_id"
    " WHERE o.customer_id = %(who)s AND outcome IS NULL ORDER BY 1",
    "books": "SELECT e.kind, account, count(*), sum(amount_minor)::int FROM ledger_entries e"
    " JOIN ledger_lines ON entry_id = e.id JOIN orders o ON o.id = e.order_id"
    " WHERE o.customer_id = %(who)s GROUP BY 1, 2 ORDER BY 1, 2",
    "effects": "SELECT kind, count(*), count(done_at) FROM effects e JOIN orders o ON o.id = e.order_id"
    " WHERE o.customer_id = %(who)s GROUP BY kind ORDER BY kind",
    "invoices": "SELECT i.total_minor, i.tax_minor, count(f.*) FROM invoices i LEFT JOIN document_files f"
    " ON f.document_id = i.id WHERE i.customer_id = %(who)s GROUP BY i.id ORDER BY 1, 2",
    "credit_notes": "SELECT i.total_minor, i.tax_minor, count(f.*) FROM credit_notes i LEFT JOIN document_files f"
    " ON f.document_id = i.id WHERE i.customer_id = %(who)s GROUP BY i.id ORDER BY 1, 2",
    "papers": "SELECT name, args ->> 'kind', count(*) FROM jobs WHERE queue = 'documents' AND (args ->> 'order_id' IN"
    " (SELECT id FROM orders WHERE customer_id = %(who)s) OR coalesce(args ->> 'refund_id', args ->> 'subject_id') IN"
    " (SELECT r.id FROM refunds r JOIN orders o ON o.id = r.order_id WHERE o.customer_id = %(who)s UNION ALL"
    " SELECT id FROM orders WHERE customer_id = %(who)s)) GROUP BY 1, 2 ORDER BY 1, 2",
    "cards": "SELECT brand, last4, is_default, detached_at IS NULL FROM saved_payment_methods"
    " WHERE customer_id = %(who)s ORDER BY 1, 2, 3, 4",
    "setups": "SELECT state FROM payment_method_setups WHERE customer_id = %(who)s ORDER BY 1",
}
"""What our tables say. Each statement takes the customer's id as `who`."""


def outcome(house: House, who: Customer) -> Outcome:
    """All that counts of this customer, comparable between customers who did the same."""
    seen: Outcome = {name: house.ask(statement, who=who.id) for name, statement in SEEN.items()}
    mails = Counter(house.letters(who.email))
    seen["mails"] = house.sql("SELECT kind, state FROM mails WHERE recipient = %s ORDER BY 1, 2", who.email)
    # A letter whose sender died between the server's yes and our record goes out again under the same Message-ID.
    seen["letters"] = len(mails)
    product = house.product(who.product)
    seen["shelf"] = (product["stock"], product["reserved"])
    seen["cart"] = house.cart_is_there(who.cart)
    return seen | _at_stripe(house, who)


def _at_stripe(house: House, who: Customer) -> Outcome:
    ours = {order_id for (order_id,) in house.sql("SELECT id FROM orders WHERE customer_id = %s", who.id)}
    store = house.stripe.account.store
    with house.stripe.account.lock:
        intents = [found for found in store.all("payment_intent") if found["metadata"].get("order_id") in ours]
        ids = {found["id"] for found in intents}
        charges = [found for found in store.all("charge") if found["payment_intent"] in ids]
        refunds = [found for found in store.all("refund") if found["payment_intent"] in ids]
        people = [found for found in store.all("customer") if found["metadata"].get("customer_id") == who.id]
        known = {found["id"] for found in people}
        return {
            "their payments": sorted((found["status"], found["amount_received"]) for found in intents),
            "their charges": sorted(
                (found["status"], found["amount_captured"], found["amount_refunded"]) for found in charges
            ),
            "their refunds": sorted((found["status"], found["amount"]) for found in refunds),
            "their customers": len(people),
            "their setups": sorted(
                found["status"] for found in store.all("setup_intent") if found["customer"] in known
            ),
            "their cards": len([found for found in store.all("payment_method") if found["customer"] in known]),
        }
