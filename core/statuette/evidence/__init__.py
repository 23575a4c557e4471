"""The evidence of what was deleted: receipts in a log that can grow and cannot be rewritten unnoticed. Pure, no I/O.

A deployment keeps one log. Its entries are receipts (`entry_of`), its state is a tree of hashes (RFC 6962) kept in tiles
(`grow`), and what it is at a moment is signed (`sign_head`). Whoever a receipt is for gets a file (`make_bundle`) that can
be verified without the deployment (`verify`); who has the whole log can verify that too (`verify_log`).

    growth = grow(size, tiles_of_the_edge, [leaf_hash(entry_of(receipt))])
    head = sign_head(key, log=log, size=growth.size, root=growth.root, at=clock.now())
    proof = await prove_inclusion(reader, index, head.size)
    data = make_bundle(entry, index=index, proof=proof, head=head, public_key=public_key, opening=opening)
    verify(data).verified
"""

from statuette.evidence.audit import Audit, Failure, Fault, leaf_hashes_of, verify_log
from statuette.evidence.bundle import Bundle, LaterHead, Opening, make_bundle, read_later_head, verify
from statuette.evidence.commitments import Committed, commit, new_salt
from statuette.evidence.encoding import canonical
from statuette.evidence.heads import (
    PublicKey,
    PublicKeys,
    SignedHead,
    key_id,
    read_head,
    read_public_keys,
    sign_head,
    verify_head,
)
from statuette.evidence.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, recompute
from statuette.evidence.proofs import verify_consistency, verify_inclusion
from statuette.evidence.receipt import (
    RECEIPT_ID_PREFIX,
    Check,
    Receipt,
    ReceiptKind,
    Residual,
    StoreKind,
    StoreOutcome,
    StoreResult,
    entry_of,
    read_entry,
)
from statuette.evidence.tiles import (
    Growth,
    HashReader,
    MemoryTiles,
    TileId,
    TilesIncomplete,
    edge,
    frontier_at,
    grow,
    prove_consistency,
    prove_inclusion,
    root_at,
)
from statuette.evidence.verification import Code, Outcome, Statement, Step, StepResult, Verification

__all__ = [
    "EMPTY_ROOT",
    "RECEIPT_ID_PREFIX",
    "Audit",
    "Bundle",
    "Check",
    "Code",
    "Committed",
    "Failure",
    "Fault",
    "Frontier",
    "Growth",
    "HashReader",
    "LaterHead",
    "MemoryTiles",
    "Opening",
    "Outcome",
    "PublicKey",
    "PublicKeys",
    "Receipt",
    "ReceiptKind",
    "Residual",
    "SignedHead",
    "Statement",
    "Step",
    "StepResult",
    "StoreKind",
    "StoreOutcome",
    "StoreResult",
    "TileId",
    "TilesIncomplete",
    "Verification",
    "canonical",
    "commit",
    "edge",
    "entry_of",
    "frontier_at",
    "grow",
    "key_id",
    "leaf_hash",
    "leaf_hashes_of",
    "make_bundle",
    "new_salt",
    "node_hash",
    "prove_consistency",
    "prove_inclusion",
    "read_entry",
    "read_head",
    "read_later_head",
    "read_public_keys",
    "recompute",
    "root_at",
    "sign_head",
    "verify",
    "verify_consistency",
    "verify_head",
    "verify_inclusion",
    "verify_log",
]
