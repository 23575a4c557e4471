"""Published versions of a brand's policy, and who was told of them."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small, text


class PolicyVersion(Table, tablename="policy_version"):
    """A policy as it was published. `id` is the brand's and the number's, so that two cannot publish the same number.

    `body` is the canonical document, `notices` what people read, by locale, and `asks` the purposes that people are asked about
    again. `announced_upto` is the last account that a letter was prepared for, `announced_at` when all of them were.
    """

    id = key()
    brand_id = ident()
    number = small()
    digest = ident()
    body = text()
    notices = text()
    change = ident()
    changes = text()
    asks = text()
    receivers = text()
    approved_by = ident()
    published_at = moment()
    effective_at = moment()
    announced_upto = optional_ident()
    announced_at = optional_moment()


class PolicyNotice(Table, tablename="policy_notice"):
    """One account's letter about one version, and what became of it. `id` is the version's and the account's."""

    id = key()
    brand_id = ident()
    account_id = ident()
    version_id = ident()
    state = ident()
    created_at = moment()
    ended_at = optional_moment()
