"""A protoc plugin that writes the gRPC stubs.

grpcio-tools has the generator only inside its own protoc, so the request is handed on: descriptors
in, files out, and the files go back as the plugin's response.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def main() -> None:
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    with tempfile.TemporaryDirectory() as folder:
        response = generate(request, Path(folder))
    sys.stdout.buffer.write(response.SerializeToString())


def generate(request: CodeGeneratorRequest, folder: Path) -> CodeGeneratorResponse:
    """Run grpcio-tools' generator on the files of the request, inside an empty folder."""
    response = CodeGeneratorResponse(
        supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    descriptors = folder / "descriptors.binpb"
    descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
    out = folder / "out"
    out.mkdir()
    options = f"{request.parameter}:" if request.parameter else ""
    exit_code = protoc.main(
        [
            "protoc",
            f"--descriptor_set_in={descriptors}",
            f"--grpc_python_out={options}{out}",
            *request.file_to_generate,
        ]
    )
    if exit_code:
        response.error = f"grpc_python ended with exit code {exit_code}"
    for path in sorted(out.rglob("*.py")):
        response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    return response


if __name__ == "__main__":
    main()
