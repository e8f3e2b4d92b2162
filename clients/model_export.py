"""Makes the small ONNX files from the original weights; run as a process of its own, since it needs torch."""

import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from transformers import AutoModel, AutoTokenizer

from clients.model_files import EXACT, MANIFEST, RECIPE, SMALL, TOKENIZER, WEIGHTS_SHA256, original_folder, sha256_of

PROBES = [
    "red velvet sofa",
    "wireless noise cancelling headphones without a cable",
    "stainless steel water bottle. Hydro. Sports & Outdoors. 750 ml, keeps drinks cold for 24 hours",
]
"""What each machine encodes once at its start, to see whether its arithmetic gives what the original gives."""

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
LONGEST = 512  # positions the model was trained for


class Pooled(torch.nn.Module):
    """Model, mean over the tokens and scaling to length one in one graph: token ids in, sentence vectors out."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.inner = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        hidden = self.inner(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, p=2, dim=1)


def export(folder: Path) -> None:
    """Write a finished folder or none: everything is made beside it and renamed at the end."""
    original = original_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
        work, finished = Path(scratch), Path(scratch) / "finished"
        finished.mkdir()
        shutil.copy(original / TOKENIZER, finished / TOKENIZER)
        expected = _write_exact(original, finished / EXACT)
        _write_small(finished / EXACT, work / "prepared.onnx", finished / SMALL)
        _write_manifest(finished, expected)
        if folder.exists():  # an unfinished or damaged one: a finished one is never exported over
            shutil.rmtree(folder)
        finished.rename(folder)


def _write_exact(original: Path, target: Path) -> list[list[float]]:
    model = Pooled(original).eval()
    texts = AutoTokenizer.from_pretrained(original)(PROBES, padding=True, return_tensors="pt")
    arguments = tuple(texts[name] for name in INPUTS)
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=LONGEST)
    with torch.no_grad():
        torch.onnx.export(
            model,
            arguments,
            str(target),
            input_names=list(INPUTS),
            output_names=["vector"],
            dynamic_shapes=tuple({0: batch, 1: length} for _ in INPUTS),
            dynamo=True,
            opset_version=18,
            external_data=False,
            verbose=False,
        )
        return model(*arguments).tolist()


def _write_small(exact: Path, prepared: Path, target: Path) -> None:
    # Everything in eight bits, the embedding table too: 23 MB instead of 91, and no loss that could be measured.
    quant_pre_process(str(exact), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(str(prepared), str(target), weight_type=QuantType.QInt8, per_channel=True)


def _write_manifest(finished: Path, expected: list[list[float]]) -> None:
    manifest = {
        "weights_sha256": WEIGHTS_SHA256,
        "recipe": RECIPE,
        "sha256": {name: sha256_of(finished / name) for name in (SMALL, EXACT, TOKENIZER)},
        "probes": PROBES,
        "expected": expected,
    }
    (finished / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.simplefilter("ignore")  # the exporter talks about itself; failures are exceptions
    export(Path(sys.argv[1]))
