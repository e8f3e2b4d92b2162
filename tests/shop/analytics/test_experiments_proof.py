"""The proof of experiments, small: `python -m bench.proofs experiments` runs it as large as wanted."""

from bench.proofs import experiments


def test_experiments_without_an_effect_have_few_winners_and_a_tilted_split_is_found() -> None:
    counted = experiments.prove(60, visitors=2_000, tilted=10)
    assert counted.sound, str(counted)
    # Were the proof blind, looking every day at Welch's interval would look harmless too.
    assert counted.winners_peeking > 2 * counted.winners
