"""Every group of routes: one line a file, and the area it belongs to."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from boot.setting_kinds import Area
from web.analytics import (
    alerts,
    attribution,
    events,
    experiments,
    figures,
    funnel,
    identity,
    live,
    paths,
    privacy,
    quarantine,
    readout,
    reports,
    retention,
    saved_funnels,
    tracker,
    tracking,
    trending,
)
from web.operations import docs, health, jobs
from web.payments import (
    deliveries,
    disputes,
    documents,
    evidence,
    ledger,
    mails,
    orders,
    payment_methods,
    reconciliations,
    refunds,
    webhooks,
)
from web.routes import Group
from web.search import analytics as search_analytics
from web.search import catalog, merchandising, recommendations, searches, suggest
from web.search import learning as search_learning

PAYMENTS: tuple[Group, ...] = (
    orders.GROUP,
    refunds.GROUP,
    disputes.GROUP,
    evidence.GROUP,
    payment_methods.GROUP,
    webhooks.GROUP,
    deliveries.GROUP,
    ledger.GROUP,
    reconciliations.GROUP,
    documents.GROUP,
    mails.GROUP,
)

SEARCH: tuple[Group, ...] = (
    catalog.GROUP,
    searches.GROUP,
    suggest.GROUP,
    merchandising.GROUP,
    search_analytics.GROUP,
    search_learning.GROUP,
    recommendations.GROUP,
)

ANALYTICS: tuple[Group, ...] = (
    events.GROUP,
    tracker.GROUP,
    quarantine.GROUP,
    identity.GROUP,
    trending.GROUP,
    figures.GROUP,
    funnel.GROUP,
    saved_funnels.GROUP,
    paths.GROUP,
    attribution.GROUP,
    tracking.GROUP,
    retention.GROUP,
    experiments.GROUP,
    readout.GROUP,
    live.GROUP,
    alerts.GROUP,
    reports.GROUP,
    privacy.GROUP,
)

EVERYWHERE: tuple[Group, ...] = (
    jobs.GROUP,
    health.GROUP,
    docs.GROUP,
)
"""Whatever a process serves, it tells of its jobs, its health and its contract."""

AREAS: Mapping[Area, Sequence[Group]] = MappingProxyType(
    {"payments": PAYMENTS, "search": SEARCH, "analytics": ANALYTICS}
)

GROUPS: tuple[Group, ...] = (*PAYMENTS, *SEARCH, *ANALYTICS, *EVERYWHERE)
"""All routes there are; the order is that of the documentation."""


def groups_of(areas: Sequence[Area]) -> tuple[Group, ...]:
    """The routes that a process with these areas serves. The admin pages ask the API within their own process, so with
    them it serves all.
    """
    if "admin" in areas:
        return GROUPS
    return (*(group for area, groups in AREAS.items() if area in areas for group in groups), *EVERYWHERE)
