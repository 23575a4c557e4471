"""How `statuette evidence receipt` gets a receipt's file."""

from __future__ import annotations

from statuette.errors import NotFound
from statuette.kernel.cli.opening import opened_database
from statuette.kernel.evidence import holders, receipts
from statuette.kernel.evidence.log import EvidenceLog
from statuette.kernel.evidence.routes import ReceiptNotSealed
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.settings_loading import load_settings


async def receipt_file(subject: str | None, address: str | None) -> bytes:
    """The file of a receipt.

    Args:
        subject: id of the receipt, or of the record whose newest receipt it is.
        address: where the holder of an erased account's receipt was told that it is.

    Raises:
        NotFound: there is none, or its account is erased and only its holder can open it.
        ReceiptNotSealed: it is not in the log yet. Retryable.
    """
    settings = load_settings()
    async with opened_database(settings) as database:
        log = EvidenceLog(database, derived(master_key(settings), "evidence-heads"))
        async with database.read() as reader:
            found = (
                await receipts.of_subject(reader, subject or "")
                if address is None
                else await holders.held(reader, address.rpartition("/")[2])
            )
            if found is None:
                raise NotFound(
                    "There is no such receipt, or its account is erased.",
                    cure="`statuette policy explain ID` tells how far a deletion is. An erased account's receipt is opened with"
                    " the address that its holder was given: `--address FILE`.",
                )
            file = await log.receipt_file(reader, found)
    if file is None:
        raise ReceiptNotSealed(cure="Ask again in half a minute.")
    return file
