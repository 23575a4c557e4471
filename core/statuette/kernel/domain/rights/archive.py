"""A person's data as one ZIP file, written while it is sent: nothing of it is stored, and little of it is in memory at once.

In it are a page to read (`index.html`, which needs no network), a JSON file for every kind of data, a dictionary that says
what each field is, and photos and figurines as they are stored. Memory does not grow with the number of pictures.
"""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from statuette.dataset import Dataset, Transaction
from statuette.kernel.db.database import Database
from statuette.policy import EffectivePolicy, Sensitivity
from statuette.ports.storage import ObjectNotFound, Storage

FILES_AT_ONCE = 100
_JSON = msgspec.json.Encoder(enc_hook=str)


class Field(msgspec.Struct, frozen=True):
    """One column of a table.

    Attributes:
        held_back: why it is not in the copy, where it is not.
    """

    table: str
    column: str
    category: str
    meaning: str
    held_back: str | None = None


class _Pipe(io.RawIOBase):
    """What the ZIP is written to: it cannot be read or moved in, so lengths follow the data."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


async def archive(
    database: Database,
    storage: Storage,
    datasets: Mapping[str, Dataset],
    policy: EffectivePolicy,
    *,
    account_id: str,
    brand_title: str,
    made_at: datetime,
) -> AsyncIterator[bytes]:
    """The file, in pieces. What is deleted while it is written is left out of it."""
    pipe = _Pipe()
    stamp = made_at.timetuple()[:6]
    with zipfile.ZipFile(cast(Any, pipe), "w") as written:
        pages: list[tuple[Dataset, int]] = []
        for dataset in datasets.values():
            async with database.read() as reader:
                records = await dataset.handler.export(cast(Transaction, reader), account_id)
            if records:
                pages.append((dataset, len(records)))
                _put(written, f"data/{dataset.name}.json", msgspec.json.format(_JSON.encode(records)), stamp)
                yield pipe.taken()
        for dataset in datasets.values():
            async for name, key in _files(database, dataset, account_id):
                async for piece in _stored(written, pipe, storage, name, key, stamp):
                    yield piece
        fields = dictionary(datasets, policy)
        _put(written, "dictionary.json", msgspec.json.format(_JSON.encode(fields)), stamp)
        _put(written, "index.html", _page(pages, fields, brand_title, made_at).encode(), stamp)
    yield pipe.taken()


def dictionary(datasets: Mapping[str, Dataset], policy: EffectivePolicy) -> list[Field]:
    """Every column of every kind of data, and why some are not in the copy."""
    return [
        Field(table.table, column, category, policy.categories[category].title, _held_back(policy, column, category))
        for dataset in datasets.values()
        for table in dataset.tables
        for column, category in table.columns.items()
    ]


def _held_back(policy: EffectivePolicy, column: str, category: str) -> str | None:
    sensitivity = policy.categories[category].sensitivity
    if sensitivity is Sensitivity.none:
        return "It concerns no person."
    if sensitivity is Sensitivity.secret:
        return "A secret: whoever has it could act for you."
    if column == "account_id":
        return "The same everywhere: the id of your account."
    return None


async def _files(database: Database, dataset: Dataset, account_id: str) -> AsyncIterator[tuple[str, str]]:
    if dataset.files is None:
        return
    after = ""
    while True:
        async with database.read() as reader:
            found = await dataset.files(cast(Transaction, reader), account_id, after, FILES_AT_ONCE)
        for file in found:
            yield file.name, file.key
        if len(found) < FILES_AT_ONCE:
            return
        after = found[-1].record_id


async def _stored(
    written: zipfile.ZipFile, pipe: _Pipe, storage: Storage, name: str, key: str, stamp: Sequence[int]
) -> AsyncIterator[bytes]:
    """One object. Pictures are compressed already, so they are stored as they are."""
    pieces = storage.stream(key)
    try:
        first = await anext(pieces, b"")
    except ObjectNotFound:
        return  # it went while we were reading
    with written.open(_info(name, stamp, zipfile.ZIP_STORED), "w") as entry:
        entry.write(first)
        yield pipe.taken()
        async for piece in pieces:
            entry.write(piece)
            yield pipe.taken()
    yield pipe.taken()


def _put(written: zipfile.ZipFile, name: str, data: bytes, stamp: Sequence[int]) -> None:
    written.writestr(_info(name, stamp, zipfile.ZIP_DEFLATED), data)


def _info(name: str, stamp: Sequence[int], how: int) -> zipfile.ZipInfo:
    year, month, day, hour, minute, second = stamp
    info = zipfile.ZipInfo(name, (year, month, day, hour, minute, second))
    info.compress_type = how
    info.external_attr = 0o600 << 16
    return info


def _page(pages: list[tuple[Dataset, int]], fields: list[Field], brand_title: str, made_at: datetime) -> str:
    """The page to read. Everything that is not ours is escaped; it loads nothing and runs nothing."""
    rows = "".join(
        f'<tr><td>{html.escape(dataset.title)}</td><td>{count}</td><td><a href="data/{dataset.name}.json">'
        f"data/{dataset.name}.json</a></td></tr>"
        for dataset, count in pages
    )
    told = "".join(
        f"<tr><td>{html.escape(f'{field.table}.{field.column}')}</td><td>{html.escape(field.meaning)}</td>"
        f"<td>{html.escape(field.held_back or 'in the copy')}</td></tr>"
        for field in fields
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'\">"
        f"<title>Your data at {html.escape(brand_title)}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;"
        "margin:2rem auto;padding:0 1rem;color:#1c1c1e}table{border-collapse:collapse;width:100%;margin:1rem 0 2rem}"
        "td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}"
        "</style></head><body>"
        f"<h1>Your data at {html.escape(brand_title)}</h1><p>As it was on {made_at:%Y-%m-%d %H:%M} UTC. Your photos are in the"
        " folder <code>photos</code>, your figurines, as they were made, in <code>figurines</code>.</p>"
        f"<h2>What is in here</h2><table><tr><th>What</th><th>Records</th><th>File</th></tr>{rows}</table>"
        '<h2>What each field is</h2><p>For programs: <a href="dictionary.json">dictionary.json</a>.</p>'
        f"<table><tr><th>Field</th><th>What it is about</th><th>In the copy?</th></tr>{told}</table></body></html>"
    )
