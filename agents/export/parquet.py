"""Write Parquet by pyarrow (the extra `analysis`): a schema made from the record, JSON read in C++, a row group at a time."""

from __future__ import annotations

import types
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.compute
import pyarrow.json
import pyarrow.parquet

from schemas.deliveries import Cost, LogRecord

from ..kafka.junk import NotARecordError
from .output import ExportFile

AMOUNT = pa.decimal128(38, 18)
"""An amount of money, on the topic a number or a string."""

OF_EACH = ("message", "at", "decided", "due", "start", "notices", "cost", "outcomes")
"""Columns that say another thing in each record, or are nested."""

_PLAIN = {str: pa.string(), int: pa.int64(), datetime: pa.timestamp("us", tz="UTC")}


def schema_of(record: type[msgspec.Struct] = LogRecord) -> Any:
    """Return the Arrow schema of a record: instants are timestamps in UTC, amounts decimals, notices a list of structs."""
    return pa.schema(_fields(record))


def _fields(record: type[msgspec.Struct]) -> list[Any]:
    return [pa.field(name, _type(record, name, hint)) for name, hint in get_type_hints(record).items()]


def _type(record: type, name: str, hint: Any) -> Any:
    if record is Cost and name == "amount":
        return AMOUNT
    parts = [part for part in get_args(hint) if part is not types.NoneType]
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _type(record, name, parts[0])
    if origin is tuple:
        return pa.list_(_type(record, name, parts[0]))
    if origin is not None:  # Literal
        return pa.string()
    return pa.struct(_fields(hint)) if issubclass(hint, msgspec.Struct) else _PLAIN[hint]


class Parquet:
    """A row group for each handful of records. Raises NotARecordError for a value that the schema cannot hold."""

    def __init__(self, target: ExportFile, record: type[LogRecord] = LogRecord) -> None:
        pa.set_memory_pool(pa.system_memory_pool())  # the others keep what was given back, here a sixth of all memory
        self.schema = schema_of(record)
        self.options = pa.json.ParseOptions(explicit_schema=self.schema, unexpected_field_behavior="ignore")
        self.file = pa.PythonFile(target, mode="w")
        self.writer = pa.parquet.ParquetWriter(
            self.file, self.schema, compression="zstd", compression_level=1, use_dictionary=self._repeated()
        )

    def write(self, values: Sequence[bytes]) -> None:
        """Write one row for each."""
        try:
            table = self._read(values)
        except pa.ArrowInvalid:
            for value in values:
                self._try(value)
            raise
        place = table.schema.get_field_index("schema")
        table = table.set_column(place, self.schema.field(place), pa.compute.fill_null(table.column(place), 1))
        self.writer.write_table(table, row_group_size=len(values))

    def _repeated(self) -> list[str]:
        """Return the columns whose values come again and again: a dictionary of ids, each there once, is only work."""
        plain = [name for name in self.schema.names if name not in OF_EACH]
        return [*plain, "cost.currency", "notices.list.element.kind"]

    def _read(self, values: Sequence[bytes]) -> Any:
        lines = b"\n".join(values) + b"\n"
        # One block: the bytes are here already, and blocks of a file would each be copied once more.
        block = pa.json.ReadOptions(use_threads=False, block_size=len(lines) + 1)
        return pa.json.read_json(pa.BufferReader(lines), block, self.options)

    def _try(self, value: bytes) -> None:
        try:
            self._read([value])
        except pa.ArrowInvalid as error:
            message = msgspec.json.decode(value)["message"]
            raise NotARecordError(f"message {message}: {str(error).splitlines()[0]}") from None

    def close(self) -> None:
        """Write what Parquet has at the end: without it there is no file."""
        self.writer.close()
        self.file.close()
