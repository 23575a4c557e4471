"""What may be asked of a grant."""

from __future__ import annotations

import msgspec
import pytest

from statuette.kernel.domain.credits.schemas import GrantRequest


@pytest.mark.parametrize(
    "body",
    [
        '{"amount": 0}',
        '{"amount": -1}',
        '{"amount": 1000001}',
        '{"amount": 1.5}',
        '{"amount": "5"}',
        '{"amount": 5, "expires_at": "2026-02-01T00:00:00"}',
        '{"amount": 5, "kind": "purchased"}',
        "{}",
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(body: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=GrantRequest)


def test_a_grant_may_last_or_expire() -> None:
    lasting = msgspec.json.decode('{"amount": 1000000}', type=GrantRequest)
    ending = msgspec.json.decode('{"amount": 1, "expires_at": "2026-02-01T00:00:00+02:00"}', type=GrantRequest)

    assert lasting.expires_at is None
    assert ending.expires_at is not None
    assert ending.expires_at.tzinfo is not None
