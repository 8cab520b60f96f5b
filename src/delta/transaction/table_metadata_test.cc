#include "delta/transaction/table_metadata.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json_value.h"
#include "delta/action/action.h"
#include "delta/transaction/schema_merge.h"

namespace millrace::delta {
namespace {

types::DataTypePtr Schema(const std::string& ddl) { return types::ParseSchemaDdl(ddl).ValueOrDie(); }

// The protocol action of a new table with these properties. Expected: delta-spark 4.4.
std::string ProtocolFor(const StringMap& properties, const std::string& ddl = "id BIGINT") {
  auto table = DefineTable(Schema(ddl), {}, properties, 0).ValueOrDie();
  std::string line = ToJsonLine(table.protocol);
  return line.substr(12, line.size() - 13);
}

TEST(DefineTable, ProtocolIsTheWeakestThatFits) {
  EXPECT_EQ(ProtocolFor({}), R"({"minReaderVersion":1,"minWriterVersion":2})");
  EXPECT_EQ(ProtocolFor({{"delta.appendOnly", "true"}}), R"({"minReaderVersion":1,"minWriterVersion":2})");
  EXPECT_EQ(
      ProtocolFor({{"delta.enableChangeDataFeed", "true"}}),
      R"({"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","changeDataFeed","invariants"]})");
  EXPECT_EQ(
      ProtocolFor({{"delta.columnMapping.mode", "name"}}),
      R"({"minReaderVersion":2,"minWriterVersion":7,"writerFeatures":["appendOnly","columnMapping","invariants"]})");
  EXPECT_EQ(ProtocolFor({{"delta.enableDeletionVectors", "true"}}),
            R"({"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],)"
            R"("writerFeatures":["appendOnly","deletionVectors","invariants"]})");
  EXPECT_EQ(ProtocolFor({{"delta.minReaderVersion", "2"}, {"delta.minWriterVersion", "5"}}),
            R"({"minReaderVersion":2,"minWriterVersion":5})");
  EXPECT_EQ(ProtocolFor({{"delta.minReaderVersion", "3"}, {"delta.minWriterVersion", "7"}}),
            R"({"minReaderVersion":1,"minWriterVersion":1})");
  EXPECT_EQ(ProtocolFor({{"delta.feature.deletionVectors", "supported"}}),
            ProtocolFor({{"delta.enableDeletionVectors", "true"}}));
  EXPECT_EQ(ProtocolFor({}, "t TIMESTAMP_NTZ"),
            R"({"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz"],)"
            R"("writerFeatures":["appendOnly","invariants","timestampNtz"]})");
}

TEST(DefineTable, ProtocolPropertiesDoNotStay) {
  auto table =
      DefineTable(Schema("id BIGINT"), {},
                  {{"delta.minWriterVersion", "5"}, {"delta.minReaderVersion", "2"}, {"delta.appendOnly", "true"}}, 7)
          .ValueOrDie();
  EXPECT_EQ(table.metadata.configuration, (StringMap{{"delta.appendOnly", "true"}}));
  EXPECT_EQ(table.metadata.created_time_ms, 7);
}

TEST(DefineTable, MappedColumnsGetIdsFromTheTopDown) {
  auto table = DefineTable(Schema("id BIGINT, s STRUCT<x: INT, y: STRING>, p INT"), {"p"},
                           {{"delta.columnMapping.mode", "id"}}, 0)
                   .ValueOrDie();
  EXPECT_EQ(table.metadata.Property("delta.columnMapping.maxColumnId"), "5");
  auto schema = table.metadata.ParseSchema().ValueOrDie();
  auto id_of = [](const types::StructField& field) {
    return ParseJson(field.metadata_json).ValueOrDie().Find("delta.columnMapping.id")->AsInt64();
  };
  EXPECT_EQ(id_of(schema->fields()[0]), 1);
  EXPECT_EQ(id_of(schema->fields()[1]), 2);
  EXPECT_EQ(id_of(schema->fields()[1].type->fields()[0]), 3);
  EXPECT_EQ(id_of(schema->fields()[2]), 5);
  EXPECT_TRUE(PhysicalName(schema->fields()[0]).starts_with("col-"));
  auto physical = PhysicalSchema(schema, ColumnMappingMode::kId);
  EXPECT_EQ(physical->fields()[2].metadata_json, R"({"parquet.field.id":5})");

  auto wider = UpdateDefinition(table.metadata, table.protocol, table.metadata,
                                MergeSchemas(schema, Schema("q INT"), false).ValueOrDie(), SchemaReplacement::kNone)
                   .ValueOrDie()
                   .metadata;
  EXPECT_EQ(wider.Property("delta.columnMapping.maxColumnId"), "6");
  EXPECT_EQ(id_of(wider.ParseSchema().ValueOrDie()->fields()[3]), 6);
}

TEST(DefineTable, NamesParquetCannotHold) {
  auto refused = DefineTable(Schema("`a b` INT"), {}, {}, 0);
  EXPECT_TRUE(IsErrorCondition(refused.status(), "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"));
  EXPECT_TRUE(DefineTable(Schema("`a b` INT"), {}, {{"delta.columnMapping.mode", "name"}}, 0).ok());
}

TEST(TableProperties, AreChecked) {
  auto parse = [](const std::string& key, const std::string& value) {
    Options options;
    options.Set(key, value);
    options.Set("mergeSchema", "true");
    return TableProperties(options);
  };
  EXPECT_EQ(parse("DELTA.APPENDONLY", "true").ValueOrDie(), (StringMap{{"delta.appendOnly", "true"}}));
  EXPECT_EQ(parse("delta.constraints.c", "a > 0").ValueOrDie(), (StringMap{{"delta.constraints.c", "a > 0"}}));
  EXPECT_TRUE(IsErrorCondition(parse("delta.unknownProp", "x").status(), "DELTA_UNKNOWN_CONFIGURATION"));
  EXPECT_EQ(parse("delta.appendOnly", "maybe").status().message(), "For input string: \"maybe\"");
  EXPECT_EQ(parse("delta.checkpointInterval", "0").status().message(),
            "requirement failed: delta.checkpointInterval needs to be a positive integer.");
  EXPECT_EQ(
      parse("delta.logRetentionDuration", "interval 1 days").status().message(),
      "requirement failed: The table property delta.logRetentionDuration(1 days) needs to be greater than or equal "
      "to delta.deletedFileRetentionDuration(7 days).");
}

TEST(MergeSchemas, AsDeltaDoes) {
  auto merge = [](const std::string& table, const std::string& rows, bool casts = false) -> std::string {
    auto merged = MergeSchemas(Schema(table), Schema(rows), casts);
    return merged.ok() ? (*merged)->ToDdl() : GetErrorDetail(merged.status())->condition();
  };
  EXPECT_EQ(merge("id BIGINT, n STRING", "N STRING, x INT"), "id BIGINT,n STRING,x INT");
  EXPECT_EQ(merge("s STRUCT<x: INT>", "s STRUCT<y: INT>"), "s STRUCT<x: INT, y: INT>");
  EXPECT_EQ(merge("id BIGINT", "id INT"), "DELTA_FAILED_TO_MERGE_FIELDS");
  EXPECT_EQ(merge("id INT", "id SMALLINT"), "id INT");
  EXPECT_EQ(merge("id SMALLINT", "id INT"), "id INT");
  EXPECT_EQ(merge("a ARRAY<INT>", "a ARRAY<BIGINT>"), "DELTA_FAILED_TO_MERGE_FIELDS");
  EXPECT_EQ(merge("id BIGINT", "id INT, Id INT"), "DELTA_DUPLICATE_COLUMNS_FOUND.DATA");
  // Streams.
  EXPECT_EQ(merge("id BIGINT", "id STRING", true), "id BIGINT");
  EXPECT_EQ(merge("s STRUCT<x: BIGINT>", "s STRUCT<x: INT, y: INT>", true), "s STRUCT<x: BIGINT, y: INT>");
  EXPECT_EQ(merge("id BOOLEAN", "id INT", true), "DELTA_FAILED_TO_MERGE_FIELDS");
}

}  // namespace
}  // namespace millrace::delta
