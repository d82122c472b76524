"""The bytes of the published episodes: records of a TFRecord file with GZIP compression, and their protocol buffers.

A record is its length (8 bytes, little-endian), the length's checksum (4), the data and the data's checksum (4). A
checksum is a CRC-32C, turned right by 15 bits, plus a constant (tensorflow/core/lib/io/record_writer and crc32c.h).

The two protocol buffers are described only as far as they are read. Sources of the field numbers:
tensorflow/core/example/{example,feature}.proto and android_env/proto/a11y/*.proto of google-deepmind/android_env (both
Apache-2.0). They live in a pool of their own, so that TensorFlow and android_env may be imported beside them.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from eval.benchmarks.errors import DataError

MAX_RECORD = 1 << 30
"""Bytes; an episode of the dataset has three million on average."""
_LENGTH = struct.Struct("<QI")
_CHECK = struct.Struct("<I")
_DELTA = 0xA282EAD8


def masked(data: bytes) -> int:
    """The checksum as it is written."""
    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + _DELTA) & 0xFFFFFFFF


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number (from 0) and data of every record. Raises DataError for a file that is cut, damaged or none of these."""
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            while (data := _record(file, f"{path} record {number}")) is not None:
                yield number, data
                number += 1
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except EOFError as error:
        raise DataError(f"{path} record {number}: the file is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} record {number}: the GZIP data are damaged: {error}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _record(file: gzip.GzipFile, where: str) -> bytes | None:
    """The next record, None at the end of the file."""
    head = file.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise DataError(f"{where}: the file is cut off")
    length, check = _LENGTH.unpack(head)
    if masked(head[:8]) != check:
        raise DataError(f"{where}: the length's checksum is wrong: no TFRecord file, or a damaged one")
    if length > MAX_RECORD:
        raise DataError(f"{where} has {length} bytes, more than an episode can have")
    data, tail = file.read(length), file.read(_CHECK.size)
    if len(data) < length or len(tail) < _CHECK.size:
        raise DataError(f"{where}: the file is cut off")
    if masked(data) != _CHECK.unpack(tail)[0]:
        raise DataError(f"{where}: the checksum is wrong: the file is damaged")
    return data


_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _Field.TYPE_BYTES,
    "string": _Field.TYPE_STRING,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "bool": _Field.TYPE_BOOL,
}
ProtoError = message.DecodeError
"""Raised by `FromString` for bytes that are no such message."""

Fields = dict[str, tuple[int, str]]
"""Name → number and type; "*" before the type: repeated."""

_EXAMPLE: dict[str, Fields] = {
    "BytesList": {"value": (1, "*bytes")},
    "Int64List": {"value": (1, "*int64")},
    "Feature": {"bytes_list": (1, "BytesList"), "int64_list": (3, "Int64List")},
    # A map is a list of such entries.
    "Entry": {"key": (1, "string"), "value": (2, "Feature")},
    "Features": {"feature": (1, "*Entry")},
    "Example": {"features": (1, "Features")},
}
_FOREST: dict[str, Fields] = {
    "ProtoRect": {"left": (1, "int32"), "top": (2, "int32"), "right": (3, "int32"), "bottom": (4, "int32")},
    "Node": {
        "bounds_in_screen": (2, "ProtoRect"),
        "class_name": (3, "string"),
        "content_description": (4, "string"),
        "text": (7, "string"),
        "is_clickable": (14, "bool"),
        "is_scrollable": (21, "bool"),
        "is_visible_to_user": (23, "bool"),
        "child_ids": (25, "*int32"),
    },
    "Tree": {"nodes": (1, "*Node")},
    "Window": {"tree": (11, "Tree")},
    "Forest": {"windows": (1, "*Window")},
}


def _messages(package: str, described: dict[str, Fields]) -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in described.items():
        made = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = _Field.LABEL_REPEATED if kind.startswith("*") else _Field.LABEL_OPTIONAL
            plain = kind.removeprefix("*")
            if plain in _SCALARS:
                made.field.add(name=field, number=number, label=label, type=_SCALARS[plain])
            else:
                type_name = f".{package}.{plain}"
                made.field.add(name=field, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in described
    }


Example: Any = _messages("guikv_example", _EXAMPLE)["Example"]
"""tf.train.Example."""
Forest: Any = _messages("guikv_forest", _FOREST)["Forest"]
"""android_env.AndroidAccessibilityForest."""
