#include "delta/checkpoint/checkpoint_schema.h"

#include "types/arrow_type.h"

namespace millrace::delta {

namespace {

using types::DataTypePtr;
using types::StructField;

StructField Field(std::string name, DataTypePtr type) { return {std::move(name), std::move(type), true, ""}; }
DataTypePtr TextMap() { return types::Map(types::String(), types::String()); }

DataTypePtr VectorColumns() {
  return types::Struct({Field("storageType", types::String()), Field("pathOrInlineDv", types::String()),
                        Field("offset", types::Integer()), Field("sizeInBytes", types::Integer()),
                        Field("cardinality", types::Long())});
}

std::vector<StructField> AddColumns() {
  return {Field("path", types::String()),
          Field("partitionValues", TextMap()),
          Field("size", types::Long()),
          Field("modificationTime", types::Long()),
          Field("dataChange", types::Boolean()),
          Field("tags", TextMap()),
          Field("deletionVector", VectorColumns()),
          Field("baseRowId", types::Long()),
          Field("defaultRowCommitVersion", types::Long()),
          Field("clusteringProvider", types::String()),
          Field("stats", types::String())};
}

DataTypePtr RemoveColumns() {
  return types::Struct({Field("path", types::String()), Field("deletionTimestamp", types::Long()),
                        Field("dataChange", types::Boolean()), Field("extendedFileMetadata", types::Boolean()),
                        Field("partitionValues", TextMap()), Field("size", types::Long()), Field("tags", TextMap()),
                        Field("deletionVector", VectorColumns()), Field("baseRowId", types::Long()),
                        Field("defaultRowCommitVersion", types::Long())});
}

DataTypePtr MetadataColumns() {
  return types::Struct(
      {Field("id", types::String()), Field("name", types::String()), Field("description", types::String()),
       Field("format", types::Struct({Field("provider", types::String()), Field("options", TextMap())})),
       Field("schemaString", types::String()), Field("partitionColumns", types::Array(types::String())),
       Field("configuration", TextMap()), Field("createdTime", types::Long())});
}

DataTypePtr ProtocolColumns() {
  return types::Struct({Field("minReaderVersion", types::Integer()), Field("minWriterVersion", types::Integer()),
                        Field("readerFeatures", types::Array(types::String())),
                        Field("writerFeatures", types::Array(types::String()))});
}

}  // namespace

arrow::Result<DataTypePtr> CheckpointColumns(const arrow::Schema& file_schema, CheckpointPart part) {
  std::vector<StructField> columns;
  auto has = [&](const char* name) { return file_schema.GetFieldIndex(name) >= 0; };
  const bool state = part == CheckpointPart::kState;
  if (state && has("add")) {
    std::vector<StructField> add = AddColumns();
    const auto& type = *file_schema.GetFieldByName("add")->type();
    if (type.id() == arrow::Type::STRUCT) {
      const auto& members = static_cast<const arrow::StructType&>(type);
      int parsed = members.GetFieldIndex("stats_parsed");
      if (members.GetFieldIndex("stats") < 0 && parsed >= 0) {
        auto parsed_type = types::FromArrow(*members.field(parsed)->type());
        if (parsed_type.ok()) add.push_back(Field("stats_parsed", *parsed_type));
      }
    }
    columns.push_back(Field("add", types::Struct(std::move(add))));
  }
  if (!state && has("remove")) columns.push_back(Field("remove", RemoveColumns()));
  if (state && has("metaData")) columns.push_back(Field("metaData", MetadataColumns()));
  if (state && has("protocol")) columns.push_back(Field("protocol", ProtocolColumns()));
  if (state && has("txn")) {
    columns.push_back(Field("txn", types::Struct({Field("appId", types::String()), Field("version", types::Long()),
                                                  Field("lastUpdated", types::Long())})));
  }
  if (state && has("domainMetadata")) {
    columns.push_back(Field("domainMetadata",
                            types::Struct({Field("domain", types::String()), Field("configuration", types::String()),
                                           Field("removed", types::Boolean())})));
  }
  if (has("sidecar")) {
    columns.push_back(
        Field("sidecar", types::Struct({Field("path", types::String()), Field("sizeInBytes", types::Long()),
                                        Field("modificationTime", types::Long()), Field("tags", TextMap())})));
  }
  return types::Struct(std::move(columns));
}

}  // namespace millrace::delta
