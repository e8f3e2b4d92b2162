"""The check of all books and logs as a job: seals what is over, proves everything, keeps what it found."""

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.books.proof import prove
from shop.payments.books.sealing import seal_days
from shop.payments.queries import proofs
from shop.payments.queries.proofs import KeptProof
from shop.progress import Progress, unheard

FAULTS_KEPT = 1000
"""Enough to see what happened; the count of the rest says nothing more."""


def ask_proof(db: Database, *, actor: str) -> KeptProof:
    """Write the wish and stage the job."""
    proof_id = new_id("prf")
    with db.transaction() as tx:
        proofs.insert(tx, proof_id, actor=actor)
        outbox.stage(tx, jobs.VERIFY_LEDGER, proof_id=proof_id)
    return read_proof(db, proof_id)


def read_proof(db: Database, proof_id: str) -> KeptProof:
    """Raises NotFound."""
    with db.transaction() as tx:
        found = proofs.proof(tx, proof_id)
    if found is None:
        raise NotFound(f"there is no proof {proof_id}")
    return found


def newest_proofs(db: Database, *, limit: int) -> list[KeptProof]:
    with db.transaction() as tx:
        return proofs.proofs(tx, limit=limit)


def verify(db: Database, proof_id: str | None = None, progress: Progress = unheard) -> KeptProof:
    """Without an id it makes its own, as the nightly one does. Safe to repeat: it changes nothing that it checks."""
    if proof_id is None:
        proof_id = new_id("prf")
        with db.transaction() as tx:
            proofs.insert(tx, proof_id, actor=None)
    if read_proof(db, proof_id).state == "running":
        seal_days(db)
        found = prove(db, progress)
        with db.transaction() as tx:
            proofs.finish(
                tx,
                proof_id,
                entries=found.entries,
                lines=found.lines,
                facts=found.facts,
                digests=found.digests,
                faults=found.faults[:FAULTS_KEPT],
                head=found.head,
            )
    return read_proof(db, proof_id)
