"""Message classes from the compiled interfaces, in a descriptor pool of their own.

Modules that protoc generates register in the default pool of the process. There they would
clash with the modules of Katib's SDK, which defines the same names, and they refuse a
protobuf older than the protoc that made them. `services.binpb` has neither problem. These
commands, in this folder, make it and the types from the `.proto` files::

    python -m grpc_tools.protoc -I. --descriptor_set_out=services.binpb --pyi_out=. *.proto
    for each in katib health; do mv ${each}_pb2.pyi ${each}_pb.pyi; done
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message_factory import GetMessageClass

__all__ = ["file_contents", "method_classes"]

_pool = DescriptorPool()
for _file in FileDescriptorSet.FromString(
    Path(__file__).with_name("services.binpb").read_bytes()
).file:
    _pool.AddSerializedFile(_file.SerializeToString())


def file_contents(name: str) -> dict[str, Any]:
    """Messages, enums and enum values by name, of the `.proto` file called *name*."""
    file = _pool.FindFileByName(name)
    contents: dict[str, Any] = {}
    for enum in file.enum_types_by_name.values():
        contents[enum.name] = EnumTypeWrapper(enum)
        contents.update((value.name, value.number) for value in enum.values)
    for message in file.message_types_by_name.values():
        contents[message.name] = GetMessageClass(message)
    return contents


def method_classes(service: str) -> dict[str, tuple[Any, Any]]:
    """The classes of request and reply by method, of a *service* with its full name."""
    methods = _pool.FindServiceByName(service).methods
    return {
        method.name: (GetMessageClass(method.input_type), GetMessageClass(method.output_type))
        for method in methods
    }
