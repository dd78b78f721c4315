"""Answers without what opens something, as they are kept for who repeats a request."""

import functools
from typing import Any

from google.protobuf.message import Message

from rapport.options.v1.options_pb2 import DATA_CLASS_SECRET, data_class


def kept(answer: Message) -> bytes:
    """An answer, serialised, without any field that is `DATA_CLASS_SECRET`: these are said once."""
    if not _has_secrets(answer.DESCRIPTOR, frozenset()):
        return answer.SerializeToString()
    copy = type(answer)()
    copy.CopyFrom(answer)
    _clear(copy)
    return copy.SerializeToString()


def _clear(message: Message) -> None:
    for field, value in message.ListFields():
        if _is_secret(field):
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in value if field.is_repeated else [value]:
                _clear(each)


def _is_secret(field: Any) -> bool:
    return bool(field.GetOptions().Extensions[data_class] == DATA_CLASS_SECRET)


@functools.cache
def _has_secrets(message: Any, above: frozenset[Any]) -> bool:
    """Whether a message of that type may hold any, of itself or in another; types hold themselves, too."""
    return message not in above and any(
        _is_secret(field) or (field.message_type and _has_secrets(field.message_type, above | {message}))
        for field in message.fields
    )
