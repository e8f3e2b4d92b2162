"""Proofs about money: each is small in the test suite and as large as wanted by `python -m bench.proofs NAME`."""
