#include "delta/transaction/alter_table.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json_value.h"

/// Expected: delta-spark 4.4 (tests/e2e/delta_programs has the same statements, recorded there).

namespace millrace::delta {

namespace {

SnapshotPtr MakeTable(const std::string& ddl, const StringMap& properties = {},
                      std::vector<std::string> partition_columns = {}) {
  TableDefinition definition =
      DefineTable(types::ParseSchemaDdl(ddl).ValueOrDie(), std::move(partition_columns), properties, 0).ValueOrDie();
  Snapshot::State state;
  state.table_path = "/t";
  state.metadata = definition.metadata;
  state.protocol = definition.protocol;
  state.txns = std::make_shared<const TxnMap>();
  state.domain_metadata = std::make_shared<const DomainMetadataMap>();
  return Snapshot::Make(std::move(state)).ValueOrDie();
}

SnapshotPtr With(const SnapshotPtr& table, const Alteration& alteration) {
  Snapshot::State state = table->state();
  state.metadata = alteration.definition.metadata;
  if (alteration.definition.protocol) state.protocol = *alteration.definition.protocol;
  return Snapshot::Make(std::move(state)).ValueOrDie();
}

std::string Parameter(const Alteration& alteration, std::string_view name) {
  for (const auto& [key, value] : alteration.operation.parameters) {
    if (key == name) return value.AsString();
  }
  return "";
}

bool UsesNothing(const std::string& sql, const ColumnPath& column) {
  (void)sql, (void)column;
  return false;
}

const StringMap kByName = {{"delta.columnMapping.mode", "name"}};

}  // namespace

TEST(AlterTable, AColumnIsPutWhereItIsAsked) {
  SnapshotPtr table = MakeTable("id BIGINT, s STRUCT<x: INT, y: STRING>");
  auto added = AddColumns(*table, {{{}, {"first", types::Integer(), true, ""}, ColumnPlace{true, ""}},
                                   {{"s"}, {"w", types::Long(), true, ""}, ColumnPlace{false, "x"}}})
                   .ValueOrDie();
  EXPECT_EQ(With(table, added)->schema()->ToDdl(), "first INT,id BIGINT,s STRUCT<x: INT, w: BIGINT, y: STRING>");
  EXPECT_EQ(added.operation.name, "ADD COLUMNS");
  EXPECT_EQ(Parameter(added, "columns"),
            R"([{"column":{"name":"first","type":"integer","nullable":true,"metadata":{}},"position":"FIRST"},)"
            R"({"column":{"name":"s.w","type":"long","nullable":true,"metadata":{}},"position":"AFTER x"}])");
  auto refused = AddColumns(*table, {{{}, {"n", types::Integer(), false, ""}, std::nullopt}});
  EXPECT_TRUE(IsErrorCondition(refused.status(), "DELTA_OPERATION_NOT_ALLOWED"));
}

TEST(AlterTable, ColumnsAreRenamedAndDroppedWhereTheTableMapsThem) {
  ColumnChange rename{{"id"}, "no", nullptr, {}, {}, {}, {}};
  SnapshotPtr plain = MakeTable("id BIGINT, p STRING");
  EXPECT_TRUE(
      IsErrorCondition(ChangeColumns(*plain, {rename}, "t", UsesNothing).status(), "DELTA_UNSUPPORTED_RENAME_COLUMN"));
  EXPECT_TRUE(IsErrorCondition(DropColumns(*plain, {{"id"}}, UsesNothing).status(), "DELTA_UNSUPPORTED_DROP_COLUMN"));

  SnapshotPtr table = MakeTable("id BIGINT, p STRING, v INT", kByName, {"p"});
  auto renamed = ChangeColumns(*table, {rename}, "t", UsesNothing).ValueOrDie();
  SnapshotPtr after = With(table, renamed);
  EXPECT_EQ(after->schema()->fields()[0].name, "no");
  EXPECT_EQ(PhysicalName(after->schema()->fields()[0]), PhysicalName(table->schema()->fields()[0]));
  EXPECT_EQ(renamed.operation.name, "RENAME COLUMN");
  auto partition = ChangeColumns(*table, {{{"p"}, "part", nullptr, {}, {}, {}, {}}}, "t", UsesNothing).ValueOrDie();
  EXPECT_EQ(partition.definition.metadata.partition_columns, std::vector<std::string>{"part"});
  EXPECT_TRUE(
      IsErrorCondition(DropColumns(*table, {{"p"}}, UsesNothing).status(), "DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN"));
  // A column that comes back is another one.
  SnapshotPtr dropped = With(table, DropColumns(*table, {{"v"}}, UsesNothing).ValueOrDie());
  SnapshotPtr again =
      With(dropped, AddColumns(*dropped, {{{}, {"v", types::Integer(), true, ""}, std::nullopt}}).ValueOrDie());
  EXPECT_NE(PhysicalName(again->schema()->fields()[2]), PhysicalName(table->schema()->fields()[2]));
}

TEST(AlterTable, MappingBeginsUnderTheColumnsOwnNames) {
  SnapshotPtr table = MakeTable("id BIGINT, s STRUCT<x: INT>");
  auto mapped = SetProperties(*table, kByName, std::nullopt).ValueOrDie();
  EXPECT_EQ(mapped.definition.protocol->min_reader_version, 2);
  EXPECT_EQ(mapped.definition.metadata.Property("delta.columnMapping.maxColumnId"), "3");
  EXPECT_EQ(PhysicalName(With(table, mapped)->schema()->fields()[0]), "id");
  auto refused = SetProperties(*table, {{"delta.columnMapping.mode", "id"}}, std::nullopt);
  EXPECT_TRUE(IsErrorCondition(refused.status(), "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE"));
}

TEST(AlterTable, FeaturesComeWithPropertiesAndStay) {
  SnapshotPtr table = MakeTable("id BIGINT");
  auto feed = SetProperties(*table, {{"delta.enableChangeDataFeed", "true"}}, std::nullopt).ValueOrDie();
  EXPECT_EQ(feed.definition.protocol->writer_features,
            (std::vector<std::string>{"appendOnly", "changeDataFeed", "invariants"}));
  SnapshotPtr after = With(table, feed);
  EXPECT_FALSE(UnsetProperties(*after, {"delta.enableChangeDataFeed"}).ValueOrDie().definition.protocol);
  auto versions = SetProperties(*after, {{"delta.minWriterVersion", "5"}}, std::nullopt).ValueOrDie();
  EXPECT_EQ(versions.definition.protocol->min_writer_version, 4);
  EXPECT_FALSE(versions.definition.protocol->writer_features);
  auto constrained = AddConstraint(*table, "Positive", "id > 0").ValueOrDie();
  EXPECT_EQ(constrained.definition.metadata.Property("delta.constraints.positive"), "id > 0");
  EXPECT_EQ(constrained.definition.protocol->min_writer_version, 3);
}

TEST(AlterTable, WiderTypesAreWrittenDown) {
  SnapshotPtr table = MakeTable("a SMALLINT, l ARRAY<INT>", {{"delta.enableTypeWidening", "true"}});
  auto wider = ChangeColumns(*table, {{{"a"}, {}, types::Integer(), {}, {}, {}, {}}}, "t", UsesNothing).ValueOrDie();
  EXPECT_EQ(With(table, wider)->schema()->fields()[0].metadata_json,
            R"({"delta.typeChanges":[{"toType":"integer","fromType":"short"}]})");
  auto narrower = ChangeColumns(*table, {{{"a"}, {}, types::String(), {}, {}, {}, {}}}, "t", UsesNothing);
  EXPECT_TRUE(IsErrorCondition(narrower.status(), "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"));
}

}  // namespace millrace::delta
