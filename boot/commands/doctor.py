"""`backroom doctor`: look for what will hurt later, and say what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import typer

from boot import broker as brokers
from boot.commands.screen import knock, out, reason
from boot.house import WrongLogo, seller
from boot.services import Services, connect
from boot.settings import PLACEHOLDER_TAX_ID, Settings, read_settings
from boot.waking import BrokerDown
from db import health, job_rows
from db.database import DatabaseUnavailable
from db.migrations import runner
from shop.jobs import QUEUES
from shop.payments.news import endpoint

CONNECTIONS_WANTED = 60
"""Pools of the Procfile's processes at their defaults, their siblings, and the command line."""

SIGNS = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "bad": "[red]✗[/red]"}


@dataclass(frozen=True, slots=True)
class Finding:
    grade: Literal["ok", "warn", "bad"]
    sentence: str


def doctor() -> None:
    """Check the database, its schema, Redis and the settings. Exit code 1 when something is broken."""
    services = connect(read_settings(), name="doctor")
    findings = [finding for check in (_postgres, _redis, _settings) for finding in _safely(check, services)]
    for finding in findings:
        out.print(f"{SIGNS[finding.grade]} {finding.sentence}", soft_wrap=True)
    services.db.close()
    if any(finding.grade == "bad" for finding in findings):
        raise typer.Exit(1)


def _safely(check: Callable[[Services], Iterator[Finding]], services: Services) -> Iterator[Finding]:
    try:
        yield from check(services)
    except DatabaseUnavailable as error:
        yield Finding("bad", f"PostgreSQL cannot be reached with DATABASE_URL: {reason(error)}")
    except BrokerDown as error:
        yield Finding("bad", f"Redis cannot be reached with REDIS_URL: {error}")


def _postgres(services: Services) -> Iterator[Finding]:
    knock(services.db)
    with services.db.transaction() as tx:
        facts = health.facts(tx)
    yield Finding("ok", f"PostgreSQL {facts.version} answers.")
    grade = "ok" if facts.pgvector else "bad"
    yield Finding(grade, f"pgvector {facts.pgvector}." if facts.pgvector else "The extension vector is missing.")
    at, newest = runner.current(services.settings.database_url.get_secret_value()), runner.newest()
    if at == newest:
        yield Finding("ok", f"The schema is at {newest}.")
        yield from _dead_jobs(services)
        yield from _webhooks(services)
    else:
        yield Finding("bad", f"The schema is at {at or 'nothing'}, the code wants {newest}: run backroom migrate.")
    if facts.max_connections < CONNECTIONS_WANTED:
        yield Finding(
            "warn",
            f"PostgreSQL allows {facts.max_connections} connections; the Procfile wants up to {CONNECTIONS_WANTED}: "
            "lower DATABASE_POOL or take a larger plan.",
        )


def _dead_jobs(services: Services) -> Iterator[Finding]:
    with services.db.transaction() as tx:
        dead = sum(row.dead for row in job_rows.queues(tx, list(QUEUES)))
    if dead:
        yield Finding("warn", f"{dead} jobs are dead: backroom jobs list --state dead.")


def _webhooks(services: Services) -> Iterator[Finding]:
    found = endpoint.alerts(services.db, services.notices)
    for alert in found:
        yield Finding("warn", alert.sentence)
    if not found:
        yield Finding("ok", "Webhooks: nothing waits for a person, no old secret is in use.")
    for use in endpoint.secrets(services.db, services.notices):
        if use.retire_ok:
            yield Finding("warn", f"The webhook secret {use.label} can be taken out of STRIPE_WEBHOOK_SECRETS.")
    if services.settings.stripe_webhook_addresses and not services.settings.proxy_hops:
        yield Finding(
            "warn",
            "STRIPE_WEBHOOK_ADDRESSES is set and PROXY_HOPS is 0: behind a proxy every delivery seems to come from it "
            "and is refused. Right only where Stripe reaches the shop directly.",
        )


def _redis(services: Services) -> Iterator[Finding]:
    policy = brokers.connect(services.settings).memory_policy()
    yield Finding("ok", "Redis answers.")
    if policy == "noeviction":
        yield Finding("ok", "Redis keeps what it is given (noeviction).")
    else:
        yield Finding("bad", f"Redis may throw queues away (maxmemory-policy {policy}): set it to noeviction.")


def _settings(services: Services) -> Iterator[Finding]:
    settings = services.settings
    if settings.stripe_secret_key.get_secret_value().startswith("sk_live_") and settings.public_url.startswith(
        "http://"
    ):
        yield Finding("bad", "A live Stripe key with a PUBLIC_URL that is not https.")
    if not settings.auth_jwks_url and not settings.auth_jwt_secret.get_secret_value():
        yield Finding("ok", f"Tokens are checked with the keys that {settings.auth_url} publishes.")
    if not settings.service_token.get_secret_value():
        yield Finding("warn", "SERVICE_TOKEN is empty: the neighbouring services may refuse us.")
    yield from _documents(settings)


def _documents(settings: Settings) -> Iterator[Finding]:
    try:
        shop = seller(settings)
    except WrongLogo as error:
        yield Finding("bad", f"{error}: documents cannot be issued.")
        return
    if settings.shop_tax_id == PLACEHOLDER_TAX_ID:
        yield Finding(
            "warn", f"SHOP_TAX_ID is still {PLACEHOLDER_TAX_ID}, nobody's number: invoices are not valid with it."
        )
    elif not shop.registered:
        yield Finding("warn", f"SHOP_TAX_ID {settings.shop_tax_id} is no VAT ID: invoices get no twin for machines.")
    if not (settings.shop_street and settings.shop_postal_code and settings.shop_city):
        yield Finding(
            "warn",
            "SHOP_STREET, SHOP_POSTAL_CODE and SHOP_CITY are not all set: invoices for machines name the shop's "
            "address in one line only.",
        )
