"""PostgreSQL and Redis: whether they answer, what they are, and whether they keep what they are given."""

from collections.abc import Iterator
from datetime import UTC, datetime

from boot import broker as brokers
from boot.checkups.findings import Finding, broken, warning, well
from boot.commands.screen import knock
from boot.services import Services
from db import health, job_rows
from db.migrations import runner
from shop.jobs import QUEUES
from shop.payments.news import endpoint

CONNECTIONS_WANTED = 60
"""Pools of the Procfile's processes at their defaults, their siblings, and the command line."""

CLOCKS_APART_S = 5.0
"""Signed deliveries bear five minutes and tokens ten seconds; a machine with NTP is off by milliseconds."""

POSTGRES_WANTED = 16
PGVECTOR_WANTED = (0, 8)
REDIS_WANTED = (6, 2)
"""The oldest ones that have what the SQL and the scripts use (iterative scans; the stream commands with claims)."""


def postgres(services: Services) -> Iterator[Finding]:
    """The server, its extension, the schema, and what waits in it. Raises DatabaseUnavailable."""
    knock(services.db)
    with services.db.transaction() as tx:
        facts = health.facts(tx)
    yield from _versions(facts)
    at, newest = runner.current(services.settings.database_past_pooler), runner.newest()
    if at != newest:
        yield broken("schema", f"The schema is at {at or 'nothing'}, the code wants {newest}: run backroom migrate.")
        return
    yield well("schema", f"The schema is at {newest}.")
    yield from _dead_jobs(services)
    yield from _webhooks(services)


def redis(services: Services) -> Iterator[Finding]:
    """The server and whether it may throw away what it is given. Raises BrokerDown."""
    broker = brokers.connect(services.settings)
    policy, version = broker.memory_policy(), broker.version()
    if _numbers(version)[:2] >= REDIS_WANTED:
        yield well("redis", f"Redis {version} answers.")
    else:
        yield broken("redis", f"Redis {version} is too old: take 6.2 or newer.")
    if policy == "noeviction":
        yield well("redis", "Redis keeps what it is given (noeviction).")
    else:
        yield broken("redis", f"Redis may throw queues away (maxmemory-policy {policy}): set it to noeviction.")


def _versions(facts: health.Facts) -> Iterator[Finding]:
    if _numbers(facts.version)[0] >= POSTGRES_WANTED:
        yield well("postgresql", f"PostgreSQL {facts.version} answers.")
    else:
        yield broken("postgresql", f"PostgreSQL {facts.version} is too old: take {POSTGRES_WANTED} or newer.")
    if facts.pgvector is None:
        yield broken("pgvector", "The extension vector is missing: install pgvector, then backroom migrate.")
    elif _numbers(facts.pgvector)[:2] < PGVECTOR_WANTED:
        yield broken("pgvector", f"pgvector {facts.pgvector} is too old: take 0.8 or newer.")
    else:
        yield well("pgvector", f"pgvector {facts.pgvector}.")
    if facts.max_connections < CONNECTIONS_WANTED:
        yield warning(
            "postgresql",
            f"PostgreSQL allows {facts.max_connections} connections; the Procfile wants up to {CONNECTIONS_WANTED}: "
            "lower DATABASE_POOL or take a larger plan.",
        )
    apart = abs((datetime.now(UTC) - facts.clock).total_seconds())
    if apart > CLOCKS_APART_S:
        yield broken(
            "clock",
            f"This machine's clock and PostgreSQL's are {apart:.0f} s apart: signatures and tokens will be refused. "
            "Let NTP set both.",
        )
    else:
        yield well("clock", "This machine's clock and PostgreSQL's agree.")


def _dead_jobs(services: Services) -> Iterator[Finding]:
    with services.db.transaction() as tx:
        queues = job_rows.queues(tx, list(QUEUES))
    dead = sum(row.dead for row in queues)
    if dead:
        yield warning("jobs", f"{dead} jobs are dead: backroom jobs list --state dead.")
    paused = [row.name for row in queues if row.paused]
    if paused:
        yield warning("jobs", f"Queues are paused: {', '.join(paused)}. Resume one: backroom jobs resume NAME.")
    if not dead and not paused:
        yield well("jobs", "No job is dead, no queue is paused.")


def _webhooks(services: Services) -> Iterator[Finding]:
    found = endpoint.alerts(services.db, services.notices)
    for alert in found:
        yield warning("webhooks", alert.sentence)
    if not found:
        yield well("webhooks", "Webhooks: nothing waits for a person, no old secret is in use.")
    for use in endpoint.secrets(services.db, services.notices):
        if use.retire_ok:
            yield warning("webhooks", f"The webhook secret {use.label} can be taken out of STRIPE_WEBHOOK_SECRETS.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(" ", maxsplit=1)[0].split(".") if part.isdigit()) or (0,)
