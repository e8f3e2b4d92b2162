"""What a funnel asks for: its steps, how long they may take, and who is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shop.analytics.events import names

Mode = Literal["ordered", "strict", "any"]
Unit = Literal["visitor", "customer", "session"]
Breakdown = Literal["channel", "campaign", "country", "device", "referrer_host"]

ORDER_FACTS = frozenset(("order_placed", "order_paid", "order_cancelled", "payment_failed", "refund_done"))
"""Steps that the shop itself vouches for, so that a page can neither add nor lose one. The first two are read from the
orders, the others from what `order_facts` wrote of them."""

STEPS = names.KNOWN | ORDER_FACTS

FIELDS = ("product_id", "path", "channel", "campaign", "country", "device", "referrer_host", "search_id", "currency")
"""What `where` may ask of an event, beside `props.…`."""

PROPS = "props."


@dataclass(frozen=True, slots=True)
class Match:
    """An event by its name; `where` gives for each field the values of which it must have one."""

    name: str
    where: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Funnel:
    """Entries are looked for from `start` (included) to `end` (excluded); what follows may be up to `window` later.

    Events of one moment stand in the order of the earliest step they match, then of their ids; excluded ones last.

    - `ordered`: each step is another event, after the one of the step before; whatever lies between does not matter.
    - `strict`: each step is the very next of the unit's events that this funnel knows; a repetition is one too.
    - `any`: an entry is any of the steps, and counted is how many different steps lie within the window behind it;
      here one event serves all the steps it matches.

    An event that matches `exclude` ends what was begun before it, and is no step itself.
    """

    steps: Sequence[Match]
    window: timedelta
    mode: Mode
    unit: Unit
    exclude: Sequence[Match]
    breakdown: Breakdown | None
    start: datetime
    end: datetime
