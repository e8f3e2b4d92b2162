"""`backroom doctor`: look for what does not work and what will hurt later, and say what to do about it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from boot.checkups.configuration import configuration
from boot.checkups.findings import Finding, broken
from boot.checkups.outside import mail, model, neighbours, stripe
from boot.checkups.servers import postgres, redis
from boot.commands.screen import err, out, reason
from boot.services import Services, connect
from boot.settings import read_settings
from boot.waking import BrokerDown
from db.database import DatabaseUnavailable

Checkup = Callable[[Services], Iterator[Finding]]

HERE: tuple[Checkup, ...] = (postgres, redis, configuration, model)
OUTSIDE: tuple[Checkup, ...] = (neighbours, stripe, mail)

SIGNS = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "bad": "[red]✗[/red]"}


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="ask nobody outside: no Stripe, neighbours, mail")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print data instead of sentences")] = False,
) -> None:
    """Check servers, schema, settings, clock, model, webhooks, the neighbouring services, Stripe and mail.

    Nothing is changed and nothing is sent. Exit code 1 when something is broken; warnings leave it at 0.
    Example: backroom doctor --offline --json
    """
    services = connect(read_settings(), name="doctor")
    with err.status("Looking…"):
        checkups = HERE if offline else HERE + OUTSIDE
        findings = [finding for checkup in checkups for finding in _safely(checkup, services)]
    services.db.close()
    if as_json:
        out.print_json(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            out.print(f"{SIGNS[finding.grade]} {escape(finding.sentence)}", soft_wrap=True)
    if any(finding.grade == "bad" for finding in findings):
        raise typer.Exit(1)


def _safely(checkup: Checkup, services: Services) -> Iterator[Finding]:
    try:
        yield from checkup(services)
    except DatabaseUnavailable as error:
        yield broken("postgresql", f"PostgreSQL cannot be reached with DATABASE_URL: {reason(error)}")
    except BrokerDown as error:
        yield broken("redis", f"Redis cannot be reached with REDIS_URL: {error}")
