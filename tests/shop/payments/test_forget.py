"""What deliveries held is forgotten in time; that they came, and what became of them, is not."""

from db.database import Database
from shop.payments.news.forget import forget


def keep(db: Database, name: str, state: str, days_ago: int) -> None:
    settled = state in {"applied", "ignored", "refused", "dismissed", "returned"}
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO webhook_deliveries (id, event_id, source, type, body, headers, remote_address, state, reason,
                                            received_at, settled_at)
            VALUES (%(id)s, %(event)s, 'webhook', 'charge.captured', '{"email": "ada@example.com"}', '{"a": "b"}',
                    '192.0.2.1', %(state)s, 'because', now() - make_interval(days => %(days)s),
                    CASE WHEN %(settled)s THEN now() - make_interval(days => %(days)s) END)
            """,
            {
                "id": name,
                "event": None if state == "refused" else f"evt_{name}",
                "state": state,
                "days": days_ago,
                "settled": settled,
            },
        )


def bodies(db: Database) -> dict[str, bool]:
    with db.transaction() as tx:
        rows = tx.execute(
            "SELECT id, body <> '', blanked_at IS NOT NULL, headers = '{}' FROM webhook_deliveries"
        ).fetchall()
    assert all(has_body is not blanked for _, has_body, blanked, _ in rows)
    assert all(has_body is not empty for _, has_body, _, empty in rows)
    return {name: has_body for name, has_body, _, _ in rows}


def test_bodies_of_settled_deliveries_are_blanked_after_ninety_days(db: Database) -> None:
    for state in ("applied", "ignored", "dismissed", "returned", "parked", "orphan", "received", "returning"):
        keep(db, f"{state}_new", state, 89)
        keep(db, f"{state}_old", state, 91)
    assert forget(db) == {"blanked": 4, "deleted": 0}
    found = bodies(db)
    assert {name for name, has_body in found.items() if not has_body} == {
        "applied_old",
        "ignored_old",
        "dismissed_old",
        "returned_old",
    }
    assert forget(db) == {"blanked": 0, "deleted": 0}
    with db.transaction() as tx:
        row = tx.execute("SELECT event_id, type, reason FROM webhook_deliveries WHERE id = 'applied_old'").fetchone()
    assert row == ("evt_applied_old", "charge.captured", "because")


def test_what_was_never_genuine_is_blanked_after_a_week_and_gone_after_ninety_days(db: Database) -> None:
    for days in (6, 8, 91):
        keep(db, f"refused_{days}", "refused", days)
    assert forget(db) == {"blanked": 2, "deleted": 1}
    assert bodies(db) == {"refused_6": True, "refused_8": False}


def test_more_than_a_batch_is_forgotten_to_the_end(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO webhook_deliveries (id, event_id, source, body, state, settled_at)
            SELECT 'whd_' || n, 'evt_' || n, 'webhook', 'x', 'applied', now() - interval '91 days'
              FROM generate_series(1, 2500) AS n
            """
        )
    told: list[int] = []
    assert forget(db, lambda done, _total: told.append(done)) == {"blanked": 2500, "deleted": 0}
    assert told[:3] == [1000, 2000, 2500]
