"""Writes Spark Connect's messages, taken from the installed pyspark-client, as a FileDescriptorSet for protoc.

Usage: generate_descriptor_set.py OUTPUT

The client package holds the serialised descriptors, so no .proto file has to be kept here. Code is generated for size:
the messages are many, few fields of each are touched, and full generation triples compile time.
"""

import importlib
import pathlib
import sys

from google.protobuf import descriptor_pb2

# Importing the package pyspark.sql would pull in pandas; only the pb2 modules are wanted, so they are imported as
# members of bare namespace packages.
import importlib.util
import types

ROOTS = ["pyspark.sql.connect.proto.base_pb2", "google.rpc.status_pb2", "google.rpc.error_details_pb2"]
# What a worker of transformWithState asks for its state, in a package of its own.
STATE = "pyspark.sql.streaming.proto.StateMessage_pb2"


def stub_packages(module_name):
    parts = module_name.split(".")[:-1]
    known = sys.modules.get(parts[0])
    path = pathlib.Path(known.__path__[0] if known else importlib.util.find_spec(parts[0]).submodule_search_locations[0])
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        if depth > 1:
            path = path / parts[depth - 1]
        if name not in sys.modules:
            package = types.ModuleType(name)
            package.__path__ = [str(path)]
            sys.modules[name] = package


def collect(file_descriptor, files):
    if file_descriptor.name in files:
        return
    for dependency in file_descriptor.dependencies:
        collect(dependency, files)
    proto = descriptor_pb2.FileDescriptorProto()
    file_descriptor.CopyToProto(proto)
    if proto.name.startswith("spark/connect/"):
        proto.options.optimize_for = descriptor_pb2.FileOptions.CODE_SIZE
    files[proto.name] = proto


def main():
    output = pathlib.Path(sys.argv[1])
    stub_packages(ROOTS[0])
    stub_packages(STATE)
    files = {}
    for root in [*ROOTS, STATE]:
        collect(importlib.import_module(root).DESCRIPTOR, files)
    output.write_bytes(descriptor_pb2.FileDescriptorSet(file=files.values()).SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
