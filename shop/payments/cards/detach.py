"""Letting a card go at the provider: removed by its customer, or saved once more and so no longer needed."""

from db.database import Database
from shop.payments.queries import methods
from shop.ports.gateway import Gateway, GatewayRefused


def detach(db: Database, gateway: Gateway, provider_method_id: str) -> str:
    """Answers `detached`, `gone` where there was nothing to let go, or `kept` for a card that is in use again."""
    with db.transaction() as tx:
        if methods.is_saved(tx, provider_method_id):
            return "kept"
    try:
        gateway.detach_method(provider_method_id, key=f"detach-{provider_method_id}")
    except GatewayRefused:
        return "gone"
    return "detached"
