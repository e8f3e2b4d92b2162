"""The console command `backroom`: everything people and deploy scripts do by hand."""

import os
from importlib.metadata import entry_points

import typer

from boot.commands import (
    alerts,
    books,
    catalogue,
    database,
    deliveries,
    disputes,
    doctor,
    engines,
    events,
    invoices,
    jobs,
    learning,
    model,
    orders,
    recommending,
    reports,
    settings,
    states,
)
from boot.commands.screen import guarded

app = typer.Typer(
    name="backroom",
    help="The back office of an online shop: payments, AI search and analytics in one deployable.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
app.command("migrate")(database.migrate)
app.command("doctor")(doctor.doctor)
app.command("import-catalog")(catalogue.import_catalog)
app.command("embed")(catalogue.embed)
app.command("search")(catalogue.search)
app.command("search-analytics")(learning.search_analytics)
app.command("report")(reports.report)
app.command("order")(orders.order)
app.command("states")(states.states)
app.command("settings")(settings.settings)
app.command("verify")(books.verify)
app.command("reconcile")(books.reconcile)
app.command("model")(model.model)
app.add_typer(jobs.app, name="jobs")
app.add_typer(learning.app, name="learning")
app.add_typer(recommending.app, name="recommend")
app.add_typer(books.app, name="ledger")
app.add_typer(alerts.app, name="alerts")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(disputes.app, name="disputes")
app.add_typer(engines.app, name="engines")
app.add_typer(events.app, name="events")
app.add_typer(invoices.app, name="invoices")


def main() -> None:
    """Runs the command line. The local stack's commands join through an entry point, since the product never imports
    it. Exit codes: 0 done, 1 refused or found wrong (with a sentence), 2 the command itself was wrong."""
    for plugin in entry_points(group="backroom.commands"):
        for command in plugin.load().registered_commands:
            app.registered_commands.append(command)
    with guarded():
        _take_variables_of_the_local_stack()
        app()


def _take_variables_of_the_local_stack() -> None:
    """In a terminal that names no database, commands are meant for the shop that runs on this machine."""
    if "DATABASE_URL" in os.environ:
        return
    for plugin in entry_points(group="backroom.environment"):
        os.environ.update(plugin.load()())
