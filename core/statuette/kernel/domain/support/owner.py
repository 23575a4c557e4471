"""Who may see a question, and whose key seals what is said in it."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from statuette.kernel.domain.support.repository import QuestionRow


class Owner(msgspec.Struct, frozen=True):
    """Whoever asked: an account, or who knows the token that asking told."""

    account_id: str | None = None
    token: str | None = None

    def owns(self, row: QuestionRow) -> bool:
        if row.account_id is not None or row.token_hash is None:
            return row.account_id is not None and row.account_id == self.account_id
        return self.token is not None and hmac.compare_digest(token_hash(self.token), row.token_hash)

    def __repr__(self) -> str:
        return f"Owner({self.account_id})"


def token_hash(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def sealing_key(question_id: str, account_id: str | None) -> str:
    """The subject whose data key seals what is said: the account, or without one the question itself."""
    return account_id or question_id
