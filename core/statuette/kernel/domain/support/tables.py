"""Questions that people ask us, with everything said in answer and what was attached."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import (
    ciphertext,
    ident,
    key,
    moment,
    optional_ident,
    optional_moment,
    small,
)


class SupportQuestion(Table, tablename="support_question"):
    """One question. `contact`, `subject` and every text of it are sealed: with its account's key, or with one of its own.

    `state`: `receiving` (what is attached is not stored yet), `open` (we are to answer), `answered`, `closed`. `closes_at` is
    when it is closed unless somebody writes; null once it is. One that is `receiving` is given up then. `contact` and
    `token_hash` are there without an account alone. `attachments` is how many it has.
    """

    id = key()
    brand_id = ident()
    account_id = optional_ident()
    state = ident()
    category = ident()
    contact = ciphertext()
    subject = ciphertext()
    locale = ident()
    token_hash = optional_ident()
    attachments = small()
    closes_at = optional_moment()
    closed_at = optional_moment()
    created_at = moment()


class SupportEntry(Table, tablename="support_entry"):
    """One step of a question: something said, or that it was closed or opened again. They are numbered from 0.

    `action`: `asked`, `added`, `answered`, `closed`, `reopened`. `actor` is `asker`, `platform`, or the key that an operator
    used. `text` is null where nothing was said.
    """

    id = key()
    brand_id = ident()
    question_id = ident()
    number = small()
    action = ident()
    actor = ident()
    text = ciphertext()
    created_at = moment()


class SupportAttachment(Table, tablename="support_attachment"):
    """A picture or a text that came with a question, and is stored. `sha256` is of what is stored. Names are not kept."""

    id = key()
    brand_id = ident()
    question_id = ident()
    media_type = ident()
    size_bytes = small()
    sha256 = ident()
    created_at = moment()
