"""Turns text into vectors: a small ONNX model for every process, sentence-transformers where there is a GPU."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from clients.model_files import (
    EXACT,
    MODEL,
    SMALL,
    TOKENIZER,
    WEIGHTS_SHA256,
    ModelFiles,
    ensure_files,
    find_files,
    find_former,
    original_folder,
)
from shop.ports.encoder import DIMENSIONS, Encoder, EncoderUnavailable, Vectors

MAX_TOKENS = 64
"""Measured: 96 tokens find nothing that 64 do not, and cost half as much again."""

BATCH_TOKENS = 512
"""Padded tokens in one batch. On a CPU small batches are the fastest: 512 gives 67 texts/s, 16,384 gives 40."""

GPU_BATCH = 256
PROBE_COSINE = 0.98
"""Eight bits keep .994 of the direction. Below .98 this processor's integers saturate: then the exact file is used."""

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

NVIDIA = Path("/dev/nvidiactl")

Kind = Literal["auto", "onnx", "torch"]


def connect(model_dir: Path, *, kind: Kind = "onnx", threads: int = 1, may_export: bool = False) -> Encoder:
    """An encoder that loads nothing yet.

    kind: `onnx` the small one; `torch` sentence-transformers; `auto` torch where a GPU is, else onnx.
    may_export: whether this process may make the ONNX files when they are missing (15 s, 1.5 GB, another process).
    threads: of one call; a web process has one, a worker catalogue_threads().
    """
    if kind == "torch" or (kind == "auto" and NVIDIA.exists()):
        return ReferenceEncoder(model_dir)
    find = ensure_files if may_export else find_files
    return OnnxEncoder(lambda: find(model_dir), Siblings(model_dir, threads), threads=threads)


def cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def catalogue_threads() -> int:
    """Half the cores: PostgreSQL and the other workers need theirs, and threads that wait for each other are slower on
    a busy machine than one alone (two: 71 to 126 texts/s, one: 97 to 132).
    """
    return max(1, cores() // 2)


class Siblings:
    """Encoders of other models with files below `model_dir`: needed while one model takes over from another."""

    def __init__(self, model_dir: Path, threads: int) -> None:
        self._model_dir, self._threads = model_dir, threads
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], OnnxEncoder] = {}

    def of(self, model: str, checksum: str) -> "OnnxEncoder | None":
        with self._lock:
            if (model, checksum) not in self._known:
                files = find_former(self._model_dir, model, checksum)
                if files is None:
                    return None  # not kept: the files may come later
                self._known[model, checksum] = OnnxEncoder(
                    lambda: files, self, threads=self._threads, model=model, checksum=checksum
                )
            return self._known[model, checksum]


class OnnxEncoder:
    """onnxruntime and tokenizers only: ready in under a second, about 120 MB, a query in 2 ms on one core.

    While a batch is computed other Python threads run: onnxruntime and tokenizers release the interpreter.
    """

    def __init__(
        self,
        files: Callable[[], ModelFiles],
        siblings: Siblings,
        *,
        threads: int,
        model: str = MODEL,
        checksum: str = WEIGHTS_SHA256,
    ) -> None:
        self.model, self.checksum = model, checksum
        self._files, self._siblings, self._threads = files, siblings, threads
        self._loading = threading.Lock()
        self._loaded: tuple[InferenceSession, Tokenizer] | None = None

    def warm(self) -> None:
        self._ready()

    def encode(self, texts: Sequence[str]) -> Vectors:
        session, tokenizer = self._ready()
        return _encode(session, tokenizer, texts)

    def knows(self, word: str) -> bool:
        return self._ready()[1].token_to_id(word) is not None

    def sibling(self, model: str, checksum: str) -> Encoder | None:
        return self._siblings.of(model, checksum)

    def _ready(self) -> "tuple[InferenceSession, Tokenizer]":
        if self._loaded is None:
            with self._loading:
                if self._loaded is None:
                    self._loaded = _load(self._files(), self._threads)
        return self._loaded


class ReferenceEncoder:
    """The original through sentence-transformers: 550 MB, slow on a CPU, the measure the small one is held to."""

    model = MODEL
    checksum = WEIGHTS_SHA256

    def __init__(self, model_dir: Path) -> None:
        self._siblings = Siblings(model_dir, catalogue_threads())
        self._loading = threading.Lock()
        self._model: Any = None

    def warm(self) -> None:
        self._ready()

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return self._ready().encode(
            list(texts),
            batch_size=GPU_BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )

    def knows(self, word: str) -> bool:
        return word in self._ready().tokenizer.get_vocab()

    def sibling(self, model: str, checksum: str) -> Encoder | None:
        return self._siblings.of(model, checksum)

    def _ready(self) -> Any:
        if self._model is None:
            with self._loading:
                if self._model is None:
                    self._model = _load_reference(original_folder())
        return self._model


def _load(files: ModelFiles, threads: int) -> "tuple[InferenceSession, Tokenizer]":
    # Most processes of the shop never encode anything: only those that do pay for loading these two.
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(files.checked(TOKENIZER)))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()  # the batches pad themselves, to their own longest text
    session = _session(files.checked(SMALL), threads)
    if not _agrees(session, tokenizer, files):
        session = _session(files.checked(EXACT), threads)
        if not _agrees(session, tokenizer, files):
            raise EncoderUnavailable("the model gives other vectors on this machine than where it was exported")
    return session, tokenizer


def _session(path: Path, threads: int) -> "InferenceSession":
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the cores from PostgreSQL and from each other.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _agrees(session: "InferenceSession", tokenizer: "Tokenizer", files: ModelFiles) -> bool:
    got = _encode(session, tokenizer, files.probes)
    cosines = (got * np.asarray(files.expected, dtype=np.float32)).sum(axis=1)
    return bool(cosines.min() >= PROBE_COSINE)


def _encode(session: "InferenceSession", tokenizer: "Tokenizer", texts: Sequence[str]) -> Vectors:
    found = tokenizer.encode_batch_fast(list(texts))
    vectors = np.empty((len(found), DIMENSIONS), dtype=np.float32)
    lengths = [len(text.ids) for text in found]
    for rows in _batches(lengths):
        longest = max(lengths[row] for row in rows)
        ids = np.zeros((len(rows), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : lengths[row]] = found[row].ids
            mask[place, : lengths[row]] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        vectors[rows] = np.asarray(session.run(["vector"], feed)[0])
    return vectors


def _batches(lengths: Sequence[int]) -> Generator[list[int]]:
    # By length, so that little is padding; the longest first, so that memory has its final size at once.
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _load_reference(folder: Path) -> Any:
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Importing it costs seconds and half a gigabyte: only the process that uses it pays.
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(str(folder))
    model.max_seq_length = MAX_TOKENS
    return model
