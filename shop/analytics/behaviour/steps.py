"""What a funnel asks for: its steps, how long they may take, and who is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from shop.analytics.events import names

Mode = Literal["ordered", "strict", "any"]
Unit = Literal["visitor", "customer", "session"]
Breakdown = Literal["channel", "campaign", "country", "device", "referrer_host"]
Attribution = Literal["first", "last"]

ORDER_FACTS = frozenset(("order_placed", "order_paid", "order_cancelled", "payment_failed", "refund_done"))
"""Steps that the shop itself vouches for, so that a page can neither add nor lose one. The first two are read from the
orders, the others from what `order_facts` wrote of them."""

STEPS = names.KNOWN | ORDER_FACTS

FIELDS = ("product_id", "path", "channel", "campaign", "country", "device", "referrer_host", "search_id", "currency")
"""What `where` may ask of an event, beside `props.…`."""

PROPS = "props."

SLIM = frozenset(("product_id", "channel", "campaign", "country", "device", "referrer_host"))
"""Fields that the table `steps` has too."""

NO_STEPS = frozenset(("page_view", "experiment_seen", "consent_set", "identify"))
"""Names that are not in `steps`; the database's function `is_step` says the same."""

LONGEST_VISIT = timedelta(days=1)
"""A visit that began longer before the range than this is not looked for; nobody shops for a day without a pause."""


@dataclass(frozen=True, slots=True)
class Match:
    """An event by its name; `where` gives for each field the values of which it must have one. `within`: how long after
    the step before, beside the whole window; not for the first step, and not where any order will do."""

    name: str
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Entries are looked for from `start` (included) to `end` (excluded); what follows may be up to `window` later.

    Events of one moment stand in the order of the earliest step they match, then of their ids; excluded ones last.

    - `ordered`: each step is another event, after the one of the step before; whatever lies between does not matter.
    - `strict`: each step is the very next of the unit's events that this funnel knows; a repetition is one too.
    - `any`: an entry is any of the steps, and counted is how many different steps lie within the window behind it;
      here one event serves all the steps it matches.

    An event that matches `exclude` ends what was begun before it, and is no step itself.

    - unit `customer`: whose the event is, by sign-in, or because nobody else was ever signed in on that browser.
    - unit `session`: the visit that began last, if it did not end more than half an hour before the event.
    - `attribution`: the breakdown takes the value of the unit's first or of its last entry.
    """

    steps: Sequence[Match]
    window: timedelta
    mode: Mode
    unit: Unit
    exclude: Sequence[Match]
    breakdown: Breakdown | None
    start: datetime
    end: datetime
    attribution: Attribution = "first"

    @property
    def matches(self) -> Sequence[Match]:
        return (*self.steps, *self.exclude)

    @property
    def names(self) -> Sequence[str]:
        return sorted({match.name for match in self.matches})

    @property
    def slim(self) -> bool:
        """Whether the table of steps has all that is asked."""
        return not NO_STEPS & set(self.names) and all(set(match.where) <= SLIM for match in self.matches)
