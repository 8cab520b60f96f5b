#include "delta/transaction/file_statistics.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "types/arrow_type.h"

namespace millrace::delta {
namespace {

// Expected texts: delta-spark 4.4 on Spark 4.2, session zone Europe/Paris, unless said otherwise.

std::shared_ptr<arrow::RecordBatch> Rows(const types::DataTypePtr& schema, const std::vector<std::string>& columns) {
  auto arrow_schema = types::ToArrowSchema(*schema);
  arrow::ArrayVector arrays;
  for (int i = 0; i < arrow_schema->num_fields(); ++i) {
    arrays.push_back(
        arrow::json::ArrayFromJSONString(arrow_schema->field(i)->type(), columns[static_cast<size_t>(i)]).ValueOrDie());
  }
  int64_t num_rows = arrays[0]->length();
  return arrow::RecordBatch::Make(arrow_schema, num_rows, arrays);
}

std::string Json(const std::string& table_ddl, const std::string& rows_ddl, const std::vector<std::string>& columns,
                 const StringMap& configuration = {}) {
  auto table = types::ParseSchemaDdl(table_ddl).ValueOrDie();
  auto rows = types::ParseSchemaDdl(rows_ddl).ValueOrDie();
  StatisticsPlan plan = StatisticsPlan::Make(*table, *rows, configuration).ValueOrDie();
  plan.time_zone = types::TimeZone::Load("Europe/Paris").ValueOrDie();
  FileStatistics statistics(&plan);
  EXPECT_TRUE(statistics.Add(*Rows(rows, columns)).ok());
  return statistics.ToJson();
}

TEST(FileStatistics, NumbersAndNulls) {
  EXPECT_EQ(
      Json("b TINYINT, l BIGINT, f FLOAT, d DOUBLE, n BOOLEAN", "b TINYINT, l BIGINT, f FLOAT, d DOUBLE, n BOOLEAN",
           {"[1, -1, null]", "[4, -4, null]", "[1.5, -1.5, null]", "[NaN, -0.0, 1e300]", "[true, false, null]"}),
      R"({"numRecords":3,"minValues":{"b":-1,"l":-4,"f":-1.5,"d":-0.0},)"
      R"("maxValues":{"b":1,"l":4,"f":1.5,"d":"NaN"},"nullCount":{"b":1,"l":1,"f":1,"d":0,"n":1}})");
}

TEST(FileStatistics, Decimals) {
  EXPECT_EQ(Json("a DECIMAL(3,2), b DECIMAL(10,9)", "a DECIMAL(3,2), b DECIMAL(10,9)",
                 {R"(["1.50", "-1.50"])", R"(["0.000000001", "1.000000000"])"}),
            R"({"numRecords":2,"minValues":{"a":-1.50,"b":1E-9},"maxValues":{"a":1.50,"b":1.000000000},)"
            R"("nullCount":{"a":0,"b":0}})");
}

TEST(FileStatistics, TimesAreCutToMilliseconds) {
  // 2024-01-02 02:04:05.123456Z and, before standard time, 1500-01-02 02:54:44.123456Z; 1960-01-02 03:04:05.999999.
  EXPECT_EQ(Json("d DATE, t TIMESTAMP, n TIMESTAMP_NTZ", "d DATE, t TIMESTAMP, n TIMESTAMP_NTZ",
                 {"[19724, -171663]", "[1704161045123456, -14831672715876544]", "[-315521754000001, null]"}),
            R"({"numRecords":2,"minValues":{"d":"1500-01-02","t":"1500-01-02T03:04:05.123+00:09:21",)"
            R"("n":"1960-01-02T03:04:05.999"},"maxValues":{"d":"2024-01-02","t":"2024-01-02T03:04:05.123+01:00",)"
            R"("n":"1960-01-02T03:04:05.999"},"nullCount":{"d":0,"t":0,"n":1}})");
}

TEST(FileStatistics, FieldsOfStructs) {
  EXPECT_EQ(Json("s STRUCT<x: INT, y: STRUCT<z: STRING>, e: ARRAY<INT>>",
                 "s STRUCT<x: INT, y: STRUCT<z: STRING>, e: ARRAY<INT>>",
                 {R"([{"x":1,"y":{"z":"q"},"e":[1]}, null, {"x":null,"y":null,"e":null}])"}),
            R"({"numRecords":3,"minValues":{"s":{"x":1,"y":{"z":"q"}}},"maxValues":{"s":{"x":1,"y":{"z":"q"}}},)"
            R"("nullCount":{"s":{"x":2,"y":{"z":2},"e":2}}})");
}

TEST(FileStatistics, ColumnsThatTheRowsDoNotHave) {
  EXPECT_EQ(
      Json("a INT, s STRUCT<x: INT, y: STRING>, c STRING", "a INT, s STRUCT<x: INT>", {"[1, 2]", R"([{"x":5}, null])"}),
      R"({"numRecords":2,"minValues":{"a":1,"s":{"x":5}},"maxValues":{"a":2,"s":{"x":5}},)"
      R"("nullCount":{"a":0,"s":{"x":1,"y":2},"c":2}})");
}

TEST(FileStatistics, AllNull) {
  EXPECT_EQ(Json("a INT, b STRING", "a INT, b STRING", {"[null]", "[null]"}),
            R"({"numRecords":1,"minValues":{},"maxValues":{},"nullCount":{"a":1,"b":1}})");
}

TEST(FileStatistics, OnlyIndexedColumns) {
  StringMap one = {{"delta.dataSkippingNumIndexedCols", "1"}};
  EXPECT_EQ(Json("a INT, b STRING", "a INT, b STRING", {"[1]", R"(["x"])"}, one),
            R"({"numRecords":1,"minValues":{"a":1},"maxValues":{"a":1},"nullCount":{"a":0}})");
  StringMap named = {{"delta.dataSkippingStatsColumns", "B, s.x"}};
  EXPECT_EQ(Json("a INT, b STRING, s STRUCT<x: INT, y: INT>", "a INT, b STRING, s STRUCT<x: INT, y: INT>",
                 {"[1]", R"(["x"])", R"([{"x":1,"y":2}])"}, named),
            R"({"numRecords":1,"minValues":{"b":"x","s":{"x":1}},"maxValues":{"b":"x","s":{"x":1}},)"
            R"("nullCount":{"b":0,"s":{"x":0}}})");
}

TEST(FileStatistics, TruncatedTexts) {
  EXPECT_EQ(TruncatedMinimum("aaaaaaaaaabbbbbbbbbbccccccccccdddddd", 32), "aaaaaaaaaabbbbbbbbbbccccccccccdd");
  EXPECT_EQ(TruncatedMaximum(std::string(32, 'z'), 32), std::string(32, 'z'));
  EXPECT_EQ(TruncatedMaximum(std::string(40, 'z'), 32), std::string(32, 'z') + "\x7F");
  std::string accents, faces;
  for (int i = 0; i < 36; ++i) accents += "é";
  for (int i = 0; i < 18; ++i) faces += "😀";
  EXPECT_EQ(TruncatedMaximum(accents, 32), accents.substr(0, 64) + "\xF4\x8F\xBF\xBF");
  // A character outside the basic plane counts twice, as in Java.
  EXPECT_EQ(TruncatedMaximum(faces, 32), faces.substr(0, 64) + "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(TruncatedMinimum(accents, 32), accents.substr(0, 64));
}

TEST(FileStatistics, ColumnLists) {
  auto names = ParseColumnNames("a, b.c,`x,y`.`z``q`").ValueOrDie();
  EXPECT_EQ(names, (std::vector<std::vector<std::string>>{{"a"}, {"b", "c"}, {"x,y", "z`q"}}));
  EXPECT_FALSE(ParseColumnNames("a,,b").ok());
  EXPECT_FALSE(ParseColumnNames("`a").ok());
}

}  // namespace
}  // namespace millrace::delta
