"""The API as Envoy reads it: the descriptors of all protos, and of what errors carry."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2

from slotcast.v1 import (
    availability_service_pb2,
    booking_service_pb2,
    catalog_service_pb2,
    error_reason_pb2,
    event_service_pb2,
)

SERVICE_FILES = (
    availability_service_pb2.DESCRIPTOR,
    booking_service_pb2.DESCRIPTOR,
    catalog_service_pb2.DESCRIPTOR,
    event_service_pb2.DESCRIPTOR,
)
DETAIL_FILES = (error_details_pb2.DESCRIPTOR, error_reason_pb2.DESCRIPTOR)
"""No service names them, but a status with a detail that Envoy does not know becomes no JSON."""


def service_names() -> list[str]:
    """Return the full names of all services."""
    return [
        service.full_name for file in SERVICE_FILES for service in file.services_by_name.values()
    ]


def descriptor_set() -> bytes:
    """Return all files, each after those that it imports."""
    found: dict[str, FileDescriptor] = {}
    _collect((*SERVICE_FILES, *DETAIL_FILES), found)
    files = FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(files.file.add())
    return files.SerializeToString()


def _collect(files: Iterable[FileDescriptor], found: dict[str, FileDescriptor]) -> None:
    for file in files:
        if file.name not in found:
            _collect(file.dependencies, found)
            found[file.name] = file
