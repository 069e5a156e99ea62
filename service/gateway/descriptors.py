"""The API as Envoy reads it: the descriptors of all protos, and of what errors carry."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2

from service.rpc.methods import SERVICES
from slotcast.v1 import error_reason_pb2

DETAIL_FILES = (error_details_pb2.DESCRIPTOR, error_reason_pb2.DESCRIPTOR)
"""No service names them, but a status with a detail that Envoy does not know becomes no JSON."""


def service_names() -> list[str]:
    """Return the full names of all services."""
    return [service.full_name for service in SERVICES.values()]


def descriptor_set() -> bytes:
    """Return all files, each after those that it imports."""
    found: dict[str, FileDescriptor] = {}
    _collect((*(service.file for service in SERVICES.values()), *DETAIL_FILES), found)
    files = FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(files.file.add())
    return files.SerializeToString()


def _collect(files: Iterable[FileDescriptor], found: dict[str, FileDescriptor]) -> None:
    for file in files:
        if file.name not in found:
            _collect(file.dependencies, found)
            found[file.name] = file
