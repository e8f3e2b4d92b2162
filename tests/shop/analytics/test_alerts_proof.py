"""The proof of alerts, small: `python -m bench.proofs alerts` runs it as large as wanted."""

from bench.proofs import alerts


def test_quiet_shops_have_few_false_alarms_and_planted_faults_are_found() -> None:
    counted = alerts.prove(3, faults=5)
    assert counted.sound, str(counted)
    assert counted.silences == 40
