"""Envelope encryption for key stores (NIST SP 800-57): data keys of 32 bytes, wrapped by master keys out of a file.

    masters = read_master_keys(path)
    record = wrap(data_key, subject_hash, masters, store="my-keys")
    data_key = unwrap(record, subject_hash, masters, store="my-keys")

Records wrapped by an older master key open as long as the file holds it; `read_record(record).master` says which it is.
"""

from statuette.envelope.master_keys import KEY_LENGTH_BYTES, MasterKeys, new_master_key_line, read_master_keys
from statuette.envelope.wrapping import UnreadableRecordError, WrappedKey, read_record, unwrap, wrap

__all__ = [
    "KEY_LENGTH_BYTES",
    "MasterKeys",
    "UnreadableRecordError",
    "WrappedKey",
    "new_master_key_line",
    "read_master_keys",
    "read_record",
    "unwrap",
    "wrap",
]
