"""One model takes over from another: at once, never mixed, while shoppers search and workers die."""

import json
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from clients.encoder import connect
from clients.model_files import MANIFEST
from db.database import Database
from shop.ports.encoder import Encoder, Vectors
from shop.progress import Interrupted
from shop.search.answering.find import SearchRequest, find
from shop.search.catalogue.forget import forget
from shop.search.recommending.similar import similar
from shop.search.vectors.embed import SAVE, embed
from shop.search.vectors.models import model_version
from tests.shop.search.made import CountingEncoder, one_value, products, stock


class Tiny(CountingEncoder):
    """A model of its own: what one puts at the beginning of a vector the other puts at its end."""

    def __init__(self, name: str, known: "dict[str, Tiny] | None" = None) -> None:
        super().__init__()
        self.checksum = name * 64
        self._known = known if known is not None else {}
        self._known[self.checksum] = self

    def sibling(self, model: str, checksum: str) -> Encoder | None:
        return self._known.get(checksum)

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = super().encode([text.split(".")[0].lower() for text in texts])
        return vectors if self.checksum[0] == "a" else np.ascontiguousarray(vectors[:, ::-1])


def active(db: Database) -> str:
    return one_value(db, "SELECT version FROM search_models WHERE state = 'active'")


def vectors(db: Database, encoder: Encoder) -> int:
    return one_value(
        db, "SELECT count(*) FROM product_embeddings WHERE model_version = %(version)s", version=model_version(encoder)
    )


def asked(text: str) -> SearchRequest:
    return SearchRequest(text=text, mode="semantic")


def test_name_version_and_checksum_are_kept_with_each_vector(db: Database, encoder: Encoder) -> None:
    stock(db, products()[:2])
    embed(db, encoder)
    with db.transaction() as tx:
        rows = tx.execute(
            """
            SELECT m.model, m.checksum, m.text_version, m.state FROM product_embeddings e
              JOIN search_models m ON m.version = e.model_version
            """
        ).fetchall()
    assert rows == [(encoder.model, encoder.checksum, "2", "active")] * 2


def test_the_new_model_answers_from_the_last_vector_on_and_never_before(db: Database) -> None:
    known: dict[str, Tiny] = {}
    old, new = Tiny("a", known), Tiny("b", known)
    stock(db, products())
    embed(db, old)
    assert embed(db, new, bite=50)["remaining"] == 10
    assert active(db) == model_version(old)
    # Whichever encoder a process has, the query is put into the vectors of the model that answers.
    for encoder in (old, new):
        result = find(db, encoder, asked("red sofa small"))
        assert (result.hits[0].product.id, result.degraded) == ("p000", False)
    embed(db, new, bite=50)
    assert active(db) == model_version(new)
    for encoder in (old, new):
        result = find(db, encoder, asked("red sofa small"))
        assert (result.hits[0].product.id, result.degraded) == ("p000", False)


def test_without_the_files_of_the_model_that_answers_words_do(db: Database) -> None:
    stock(db, products())
    embed(db, Tiny("a"))
    result = find(db, Tiny("b"), SearchRequest(text="red sofa"))
    assert result.degraded
    assert {hit.matched for hit in result.hits} == {("lexical",)}


def test_a_killed_switch_goes_on_where_it_was(db: Database) -> None:
    known: dict[str, Tiny] = {}
    old, new = Tiny("a", known), Tiny("b", known)
    stock(db, ({"id": str(number), "name": f"Chair {number}"} for number in range(SAVE + 10)))
    embed(db, old)

    def killed(done: int, total: int | None) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        embed(db, new, killed)
    assert (vectors(db, new), active(db)) == (SAVE, model_version(old))
    assert find(db, new, asked("chair 7")).hits[0].product.id == "7"
    new.texts.clear()
    embed(db, new)
    assert len([text for text in new.texts if text.startswith("chair")]) == 10
    assert active(db) == model_version(new)


def test_what_is_new_during_a_switch_has_vectors_of_both(db: Database) -> None:
    known: dict[str, Tiny] = {}
    old, new = Tiny("a", known), Tiny("b", known)
    stock(db, products())
    embed(db, old)
    embed(db, new, bite=30)
    stock(db, [{"id": "late", "name": "Purple lamp"}])
    embed(db, new, bite=30)
    assert active(db) == model_version(old)
    assert find(db, new, asked("purple lamp")).hits[0].product.id == "late"


def test_the_old_vectors_stay_for_a_way_back_and_then_go(db: Database) -> None:
    known: dict[str, Tiny] = {}
    old, new = Tiny("a", known), Tiny("b", known)
    stock(db, products())
    embed(db, old)
    embed(db, new)
    assert forget(db)["vectors"] == 0
    old.texts.clear()
    embed(db, old)
    assert (active(db), old.texts) == (model_version(old), [])
    assert forget(db, after_minutes=-1)["vectors"] == 60
    assert (vectors(db, old), vectors(db, new)) == (60, 0)
    assert one_value(db, "SELECT count(*) FROM search_models") == 1


def test_search_goes_on_under_load_while_the_model_changes(db: Database) -> None:
    known: dict[str, Tiny] = {}
    old, new = Tiny("a", known), Tiny("b", known)
    stock(db, products())
    embed(db, old)
    wrong: list[object] = []
    over, begun = threading.Event(), threading.Barrier(3)

    def shop_on(encoder: Tiny) -> None:
        begun.wait()
        while not over.is_set():
            try:
                result = find(db, encoder, asked("red sofa small"))
            except Exception as error:  # noqa: BLE001 - whatever it is, the shopper would see it
                wrong.append(error)
            else:
                if result.degraded or result.hits[0].product.id != "p000":
                    wrong.append(result)

    shoppers = [threading.Thread(target=shop_on, args=(encoder,)) for encoder in (old, new)]
    for shopper in shoppers:
        shopper.start()
    begun.wait()
    while embed(db, new, bite=7)["remaining"]:
        pass
    embed(db, old)
    over.set()
    for shopper in shoppers:
        shopper.join()
    assert wrong == []


def test_products_are_compared_by_the_model_that_answers(db: Database) -> None:
    old, new = Tiny("a"), Tiny("b")
    stock(db, products())
    embed(db, old)
    assert len(similar(db, new, "p000", limit=5)) == 5


def test_another_export_in_the_folder_is_found_by_its_checksum(encoder: Encoder, tmp_path: Path) -> None:
    encoder.warm()
    [exported] = Path(".backroom/model").glob("*-r*")
    other = "b" * 64
    copied = tmp_path / f"{encoder.model}-{other[:12]}-r1"
    shutil.copytree(exported, copied)
    manifest = json.loads((copied / MANIFEST).read_text())
    (copied / MANIFEST).write_text(json.dumps(manifest | {"weights_sha256": other}))
    sibling = connect(tmp_path).sibling(encoder.model, other)
    assert sibling is not None
    assert np.allclose(sibling.encode(["red sofa"]), encoder.encode(["red sofa"]), atol=1e-5)
    assert model_version(sibling) != model_version(encoder)
    assert connect(tmp_path).sibling(encoder.model, "c" * 64) is None
    assert connect(tmp_path).sibling("../secrets", other) is None
