"""Learns what goes with what from what people did, and works out ahead what to recommend to those who are here."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from db.database import Database, Tx
from shop.ports.encoder import Encoder
from shop.progress import Progress, unheard
from shop.search.queries import interests, neighbours, objections, rebuys
from shop.search.queries.neighbours import Neighbours
from shop.search.queries.suggest import mark, set_mark
from shop.search.recommending import cooccurrence, recommended
from shop.search.recommending.cooccurrence import Near

DAYS = 180
"""Of interests. What somebody looked at a year ago says little about either product."""

BASKET_DAYS = 365

AGAIN_DAYS = 730
AGAIN_PEOPLE = 3
AGAIN_SHARE = 0.2
"""Of its buyers, before a product is one that is used up: somebody with two homes buys a sofa twice."""

HALF_LIFE_DAYS = 60.0

KIND_WEIGHT = (0.0, 1.0, 1.5, 2.0)
"""Of an interest: looked at, put into the cart, bought."""

REBUILD = timedelta(hours=1)
"""Neighbours of a product change slowly; what one person does counts at once, since people are scored on request."""

OVERLAP = timedelta(minutes=2)

BASKET = 30
"""Products of one order that are paired; a reseller's order of hundreds says nothing about taste."""

SAVED = 1000
READ = 50_000

PEOPLE = 300
"""Worked out ahead in one run, the latest first: some ten seconds. The others are worked out when they ask."""

ACTIVE_HOURS = 24
AHEAD = 50
FORGOTTEN = 10_000


def recommend(
    db: Database, encoder: Encoder, progress: Progress = unheard, *, again: bool = False
) -> dict[str, object]:
    """Take in what is new, build the neighbours once an hour (or `again`), and work out ahead for active people.

    Answers {interests, together, also, again, people}; may be stopped anywhere.
    """
    noted = _note(db)
    built = _build(db, progress) if again or _is_due(db, noted) else {"together": 0, "also": 0, "again": 0}
    return {"interests": noted, **built, "people": _work_ahead(db, encoder, progress)}


def _note(db: Database) -> int:
    now = datetime.now(UTC)
    with db.transaction() as tx:
        interests.lock(tx)
        since = mark(tx, "recommend.interests")
        since = since and since - OVERLAP
        noted = interests.note_events(tx, since=since, days=DAYS) + interests.note_orders(tx, since=since, days=DAYS)
        objections.forget_late(tx, since=since)
        interests.forget(tx, days=DAYS, limit=FORGOTTEN)
        set_mark(tx, "recommend.interests", now)
    return noted


def _is_due(db: Database, noted: int) -> bool:
    with db.transaction() as tx:
        built = mark(tx, "recommend.built")
        if noted:
            set_mark(tx, "recommend.news", datetime.now(UTC))
        news = mark(tx, "recommend.news")
    if built is None:
        return True
    return news is not None and news > built and datetime.now(UTC) - built >= REBUILD


def _build(db: Database, progress: Progress) -> dict[str, int]:
    built_at = datetime.now(UTC)
    counts: dict[str, int] = {}
    for relation, read in (("together", _together), ("also", _also)):
        with db.transaction() as tx:
            interests.lock(tx)
            counts[relation] = _save(tx, relation, read(tx), built_at)
        progress(sum(counts.values()), None)
    with db.transaction() as tx:
        counts["again"] = rebuys.replace_rebuys(tx, days=AGAIN_DAYS, people=AGAIN_PEOPLE, share=AGAIN_SHARE)
        set_mark(tx, "recommend.built", built_at)
    return counts


def _also(tx: Tx) -> Iterator[Neighbours]:
    people: list[int] = []
    items: list[int] = []
    weights: list[float] = []
    codes: dict[str, int] = {}
    chunks: list[tuple[cooccurrence.Ints, cooccurrence.Ints, cooccurrence.Floats]] = []
    number, last = -1, None
    for person, product_id, kind, age in interests.sequences(tx, itersize=READ):
        if person != last:
            number, last = number + 1, person
        people.append(number)
        items.append(codes.setdefault(product_id, len(codes)))
        weights.append(KIND_WEIGHT[kind] * 0.5 ** (max(age, 0.0) / HALF_LIFE_DAYS))
        if len(people) == READ:  # as numbers of four bytes they take a tenth
            chunks.append((np.array(people, np.int32), np.array(items, np.int32), np.array(weights, np.float32)))
            people, items, weights = [], [], []
    chunks.append((np.array(people, np.int32), np.array(items, np.int32), np.array(weights, np.float32)))
    who = np.concatenate([chunk[0] for chunk in chunks])
    what = np.concatenate([chunk[1] for chunk in chunks])
    much = np.concatenate([chunk[2] for chunk in chunks])
    support = np.bincount(what, minlength=len(codes))
    return _named(cooccurrence.one_after_the_other(who, what, much, count=len(codes)), list(codes), support)


def _together(tx: Tx) -> Iterator[Neighbours]:
    codes: dict[str, int] = {}
    rows = [
        (number, codes.setdefault(product_id, len(codes)))
        for number, (_, basket) in enumerate(
            groupby(interests.baskets(tx, days=BASKET_DAYS, itersize=READ), key=itemgetter(0))
        )
        for _, product_id in list(basket)[:BASKET]
    ]
    taken = np.array(rows, np.int32).reshape(-1, 2)
    support = np.bincount(taken[:, 1], minlength=len(codes))
    return _named(cooccurrence.in_one_basket(taken[:, 0], taken[:, 1], count=len(codes)), list(codes), support)


def _named(found: Iterable[Near], names: list[str], support: NDArray[np.int64]) -> Iterator[Neighbours]:
    for near in found:
        others = [names[other] for other in near.others]
        yield Neighbours(names[near.item], others, list(near.scores), int(support[near.item]))


def _save(tx: Tx, relation: str, rows: Iterator[Neighbours], built_at: datetime) -> int:
    count = 0
    while batch := [row for _, row in zip(range(SAVED), rows, strict=False)]:
        neighbours.save(tx, relation, batch, built_at=built_at)
        count += len(batch)
    neighbours.drop_older(tx, relation, built_at=built_at)
    return count


def _work_ahead(db: Database, encoder: Encoder, progress: Progress) -> int:
    with db.transaction() as tx:
        neighbours.forget_ahead(tx, hours=ACTIVE_HOURS)
        people = interests.active(tx, hours=ACTIVE_HOURS, limit=PEOPLE)
    for done, person in enumerate(people, start=1):
        with db.transaction() as tx:
            found = recommended.score(tx, encoder, [person], visitor_id=None, limit=AHEAD)
            neighbours.save_ahead(
                tx,
                person,
                product_ids=[one.product_id for one in found],
                scores=[one.score for one in found],
                reasons=[one.reason for one in found],
            )
        progress(done, len(people))
    return len(people)
