"""The bench of embedding on a few texts: each way works, and its vectors are those of the same model."""

from pathlib import Path

from bench.embed import measure

TEXTS = ["Red ceramic mug, 350 ml", "USB-C hub with seven ports", "Brown leather belt for men"] * 4


def test_each_way_makes_the_same_vectors_in_a_process_of_its_own() -> None:
    figures = measure(TEXTS, Path(".backroom/model"), names=("product", "plain"))
    assert set(figures["ways"]) == {"product", "plain"}
    assert all(way["per_processor_second"] > 0 and way["peak_mb"] > 50 for way in figures["ways"].values())
    assert figures["cosine"]["least"] > 0.98
    assert figures["texts"] == len(TEXTS)
