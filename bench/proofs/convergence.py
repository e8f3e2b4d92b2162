"""Facts of real runs, in whatever order and however often they come, lost and swept again: always the same end."""

import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bench.proofs.house import House
from bench.proofs.stories import History
from shop.payments.errors import IllegalMove, Implausible
from shop.payments.orders import facts as applying
from shop.payments.orders.fact import Fact
from shop.payments.orders.fold import State, fold
from shop.payments.orders.moves import CALLED_OFF
from shop.payments.queries import orders

FATES = ("came", "came", "came late", "lost and swept")
"""What may become of a piece of news. One that came late, or was swept, was looked up when all was over."""

ROUNDS = 30
"""News that cannot be placed yet waits and is tried again; after as many rounds as these it would wait for ever."""

PASSING = ("declined_tries",)
PASSING_OF_PAYMENT = ("capture_before",)
PASSING_OF_DISPUTE = ("ever",)
"""Known only to who looked in time: how often a card was refused before, until when a capture was possible, and what
a dispute was before it was what it is.
"""

PASSING_EFFECTS = ("capture", "stock_commit", "void")
"""What follows from a state that passes is not made up for where the state was never seen. So are letters about such
a moment (a card refused behind its owner's back, a dispute that was opened); only `order_canceled` is of an end.
"""

GIVEN_BACK = frozenset({"stock.released", "stock.returned"})

ID = re.compile(r"\b(ord|ref|pi|ch|re|py|du|dp|txn)_(\w+)")


@dataclass
class Counts:
    """`orders_of_facts` are the different ones that were tried, among `tried`."""

    tried: int = 0
    facts: int = 0
    fates: Counter[str] = field(default_factory=Counter[str])
    orders_of_facts: set[int] = field(default_factory=set[int])

    def __str__(self) -> str:
        fates = ", ".join(f"{count} pieces of news {fate}" for fate, count in sorted(self.fates.items()))
        return f"{self.tried} permutations ({len(self.orders_of_facts)} different), {self.facts} facts folded; {fates}"


def prove_fold(histories: Sequence[History], runs: int, *, derandomize: bool = False) -> Counts:
    """Try `runs` permutations of histories; raises AssertionError with the smallest that ends otherwise."""
    counts = Counts()
    wanted = {history.name: fold(history.facts) for history in histories}

    @settings(
        max_examples=runs,
        deadline=None,
        database=None,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
        phases=(Phase.generate, Phase.shrink),
        derandomize=derandomize,
    )
    @given(st.data())
    def try_one(data: st.DataObject) -> None:
        history = data.draw(st.sampled_from(histories))
        fates = {event: data.draw(st.sampled_from(FATES)) for event in history.told}
        facts = arranged(history, fates)
        repeats = data.draw(st.lists(st.sampled_from(facts), max_size=8))
        shuffled = data.draw(st.permutations([*facts, *repeats]))
        counts.tried += 1
        counts.facts += len(shuffled)
        counts.fates.update(fates.values())
        counts.orders_of_facts.add(hash((history.name, tuple(id(fact) for fact in shuffled))))
        found, end = fold(shuffled), wanted[history.name]
        if set(fates.values()) == {"came"}:
            assert differing(found, end) == {}, history.name
        assert differing(lasting(found), lasting(end)) == {}, history.name

    try_one()
    return counts


def arranged(history: History, fates: Mapping[str, str]) -> list[Fact]:
    """The facts as they would have been written. What was lost is swept: then the news brings what it sees by then."""
    facts = list(history.ours)
    for event, fate in fates.items():
        facts += history.told[event] if fate == "came" else history.swept[event]
    return facts


def lasting(state: State) -> State:
    """The state without what only those know who looked in time."""
    payments = [replace(payment, **dict.fromkeys(PASSING_OF_PAYMENT)) for payment in state.payments]
    payment = replace(state.payment, **dict.fromkeys(PASSING_OF_PAYMENT)) if state.payment else None
    disputes = [replace(dispute, **dict.fromkeys(PASSING_OF_DISPUTE)) for dispute in state.disputes]
    return replace(state, payments=payments, payment=payment, disputes=disputes, **dict.fromkeys(PASSING))


def differing(found: State, wanted: State) -> dict[str, tuple[Any, Any]]:
    """What is not the same, by name."""
    pairs = {part.name: (getattr(found, part.name), getattr(wanted, part.name)) for part in fields(State)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def prove_database(house: House, histories: Sequence[History], runs: int, *, seed: int) -> Counts:
    """The same through `facts.apply` into rows: an order is copied without its history and told it anew.

    Here what was asked for stays before what came of it: it is written down before the provider hears of it.
    """
    dice, counts = random.Random(seed), Counts()
    wanted: dict[str, Any] = {}
    for number in range(runs):
        history = histories[number % len(histories)]
        if history.name not in wanted:
            straight = sorted(history.facts, key=lambda fact: fact.seen_at)
            wanted[history.name] = _retell(house, history, f"t{number}", straight)
        fates = {event: dice.choice(FATES) for event in history.told}
        facts = _possible(history, fates, dice)
        found = _retell(house, history, f"n{number}", facts)
        assert found == wanted[history.name], (seed, number, history.name, fates, found, wanted[history.name])
        counts.tried += 1
        counts.facts += len(facts)
        counts.fates.update(fates.values())
        counts.orders_of_facts.add(hash((history.name, tuple(fact.source_key for fact in facts))))
    return counts


def _possible(history: History, fates: Mapping[str, str], dice: random.Random) -> list[Fact]:
    """An order in which these facts could have been written, a third of the news more than once."""
    ours = sorted(history.ours, key=lambda fact: fact.seen_at)
    places = list(zip(sorted(dice.random() for _ in ours), ours, strict=True))
    asked = [(place, fact.seen_at) for place, fact in places if fact.kind.endswith(".asked")]
    for event, fate in fates.items():
        for fact in history.told[event] if fate == "came" else history.swept[event]:
            begin = max((place for place, at in asked if at <= fact.seen_at), default=0.0)
            begin = max(begin, 0.9) if fate == "lost and swept" else begin
            places += [(dice.uniform(begin, 1.0), fact) for _ in range(dice.choice((1, 1, 2)))]
    return [fact for _, fact in sorted(places, key=lambda place: place[0])]


def _retell(house: House, history: History, mark: str, facts: Sequence[Fact]) -> Any:
    copy = _renamed_id(history.order_id, mark)
    _copy(house, history.order_id, copy, mark)
    waiting = [_renamed(fact, mark) for fact in facts]
    for _ in range(ROUNDS):
        waiting = [fact for fact in waiting if not _taken(house, copy, fact)]
        if not waiting:
            return _end(house, copy, mark)
    raise AssertionError((history.name, mark, [(fact.kind, fact.source_key) for fact in waiting]))


def _taken(house: House, order_id: str, fact: Fact) -> bool:
    """False for what cannot be yet: the inbox parks it, and no job gives goods back before the order is called off."""
    try:
        with house.services.db.transaction() as tx:
            order = orders.lock_order(tx, order_id)
            if fact.kind in GIVEN_BACK and order is not None and order.status not in CALLED_OFF:
                return False
            applying.apply(tx, order_id, [fact])
    except (IllegalMove, Implausible):
        return False
    return True


def _renamed(fact: Fact, mark: str) -> Fact:
    """The same fact about the copy. Ids are unique at the provider, so the copy has others."""
    text = json.dumps({"data": dict(fact.data), "subject": fact.subject, "key": fact.source_key}, default=str)
    told = json.loads(ID.sub(lambda found: _renamed_id(found.group(0), mark), text))
    return replace(fact, data=told["data"], subject=told["subject"], source_key=told["key"])


def _renamed_id(known: str, mark: str) -> str:
    prefix, _, rest = known.partition("_")
    return f"{prefix}_{mark}x{rest}"[:40]


def _copy(house: House, order_id: str, copy: str, mark: str) -> None:
    """The order as it was priced, and the rows that staff made before their facts, without any history."""
    house.sql(
        "INSERT INTO orders (id, customer_id, email, cart_id, currency, subtotal_minor, shipping_minor, tax_minor,"
        " tax_rate_percent, total_minor, capture_method, expires_at) SELECT %s, customer_id, email, cart_id, currency,"
        " subtotal_minor, shipping_minor, tax_minor, tax_rate_percent, total_minor, capture_method, expires_at"
        " FROM orders WHERE id = %s",
        copy,
        order_id,
    )
    house.ask(
        "INSERT INTO payments (id, order_id, intent_id, status, currency, amount_minor)"
        " SELECT 'pay_' || %(mark)s || right(id, 20), %(copy)s, left('pi_' || %(mark)s || 'x' || substr(intent_id, 4),"
        " 40), 'requires_payment_method', currency, amount_minor FROM payments WHERE order_id = %(order_id)s",
        copy=copy,
        order_id=order_id,
        mark=mark,
    )
    house.ask(
        "INSERT INTO refunds (id, order_id, payment_id, amount_minor, currency, reason, restock, requested_by)"
        " SELECT left('ref_' || %(mark)s || 'x' || substr(r.id, 5), 40), %(copy)s, p.id, r.amount_minor, r.currency,"
        " r.reason, r.restock, r.requested_by FROM refunds r, payments p WHERE r.order_id = %(order_id)s"
        " AND r.origin = 'shop' AND p.order_id = %(copy)s",
        copy=copy,
        order_id=order_id,
        mark=mark,
    )


def _end(house: House, order_id: str, mark: str) -> Any:
    """Everything a customer, an accountant and a warehouse see of the copy."""
    order = house.sql(
        "SELECT status, status_reason, stock, amount_captured, amount_refunded, amount_reserved_for_refund, disputed"
        " FROM orders WHERE id = %s",
        order_id,
    )
    books = house.sql(
        "SELECT CASE WHEN e.kind IN ('credit', 'refund', 'reversal') THEN 'refund' ELSE e.kind END AS family, account,"
        " sum(amount_minor)::int FROM ledger_entries e JOIN ledger_lines ON entry_id = e.id WHERE order_id = %s"
        " GROUP BY 1, 2 HAVING sum(amount_minor) <> 0 ORDER BY 1, 2",
        order_id,
    )
    effects = house.sql(
        "SELECT e.kind, count(*) FROM effects e LEFT JOIN refunds r ON r.id = e.generation WHERE e.order_id = %s"
        " AND e.kind <> ALL(%s) AND (e.kind NOT LIKE 'mail%%' OR e.kind = 'mail_order_canceled')"
        " AND coalesce(r.status, '') <> 'failed' GROUP BY 1 ORDER BY 1",
        order_id,
        list(PASSING_EFFECTS),
    )
    refunds = house.sql(
        "SELECT status, origin, amount_minor FROM refunds WHERE order_id = %s ORDER BY 1, 2, 3", order_id
    )
    chain = house.sql("SELECT count(*), count(DISTINCT hash) FROM transactions WHERE order_id = %s", order_id)
    assert chain[0][0] == chain[0][1], mark
    return order, books, effects, refunds
