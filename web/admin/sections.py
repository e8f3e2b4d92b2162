"""Every section of the admin pages: one line a file, in the order of the navigation."""

from web.admin import (
    deliveries,
    disputes,
    home,
    jobs,
    ledger,
    mails,
    orders,
    payouts,
    queues,
    reconciliations,
    refunds,
    timetable,
)
from web.admin.section import Section

SECTIONS: tuple[Section, ...] = (
    home.SECTION,
    orders.SECTION,
    refunds.SECTION,
    disputes.SECTION,
    deliveries.SECTION,
    reconciliations.SECTION,
    payouts.SECTION,
    ledger.SECTION,
    jobs.SECTION,
    queues.SECTION,
    timetable.SECTION,
    mails.SECTION,
)
