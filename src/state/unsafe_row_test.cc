#include "state/unsafe_row.h"

#include <arrow/array.h>
#include <arrow/array/validate.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "types/arrow_type.h"

namespace millrace::state {
namespace {

using types::DataTypePtr;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

std::shared_ptr<arrow::Array> FromJson(const DataTypePtr& type, std::string_view json) {
  return arrow::json::ArrayFromJSONString(types::ToArrow(*type), json).ValueOrDie();
}

UnsafeRows Encode(const std::vector<DataTypePtr>& types, const std::vector<std::string>& json,
                  UnsafeRowEncoder::Floats floats = UnsafeRowEncoder::Floats::kAsTheyAre) {
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (size_t c = 0; c < types.size(); ++c) columns.push_back(FromJson(types[c], json[c])->data());
  UnsafeRows rows;
  UnsafeRowEncoder(types, floats).Encode(columns, columns[0]->length, &rows);
  return rows;
}

// Bytes recorded from Spark 3.5.1 checkpoints (dedup and join goldens).
TEST(UnsafeRow, BytesOfSpark) {
  EXPECT_EQ(Hex(Encode({types::String()}, {R"(["a"])"})[0]), "000000000000000001000000100000006100000000000000");
  EXPECT_EQ(Hex(Encode({types::Integer()}, {"[4]"})[0]), "00000000000000000400000000000000");
  EXPECT_EQ(Hex(Encode({types::Null()}, {"[null]"})[0]), "01000000000000000000000000000000");
}

void ExpectRoundTrip(const DataTypePtr& type, std::string_view json) {
  SCOPED_TRACE(type->CatalogString());
  auto column = FromJson(type, json);
  // A second column shows that the first one's variable part has its right size; a slice, that offsets are honoured.
  for (int64_t skip : {0, 1}) {
    auto sliced = column->Slice(skip);
    UnsafeRows rows;
    std::vector<DataTypePtr> types{type, types::Long(), type};
    std::vector<std::shared_ptr<arrow::ArrayData>> columns{
        sliced->data(), FromJson(types::Long(), "[7, 7, 7, 7, 7, 7]")->Slice(0, sliced->length())->data(),
        sliced->data()};
    UnsafeRowEncoder(types).Encode(columns, sliced->length(), &rows);
    for (int64_t i = 0; i < rows.num_rows(); ++i) EXPECT_EQ(rows[i].size() % 8, 0);
    auto decoded = UnsafeRowDecoder(types).Decode(rows).ValueOrDie();
    for (size_t c : {size_t{0}, size_t{2}}) {
      auto array = arrow::MakeArray(decoded[c]);
      ASSERT_TRUE(array->ValidateFull().ok()) << array->ValidateFull();
      EXPECT_TRUE(array->Equals(sliced)) << array->ToString() << sliced->ToString();
    }
  }
}

TEST(UnsafeRow, EveryTypeComesBack) {
  using namespace types;
  ExpectRoundTrip(Boolean(), "[true, false, null, true]");
  ExpectRoundTrip(Byte(), "[1, -128, null]");
  ExpectRoundTrip(Short(), "[1, -32768, null]");
  ExpectRoundTrip(Integer(), "[1, -5, null]");
  ExpectRoundTrip(Long(), "[1, -9223372036854775808, null]");
  ExpectRoundTrip(Float(), "[1.5, -0.25, null]");
  ExpectRoundTrip(Double(), "[1.5, -0.25, null]");
  ExpectRoundTrip(Decimal(10, 2), R"(["1.50", "-99999999.99", null])");
  ExpectRoundTrip(Decimal(38, 3), R"(["1.500", "-12345678901234567890123456789012345.678", null, "0.000", "-0.128"])");
  ExpectRoundTrip(String(), R"(["", "abc", null, "12345678", "longer than a word"])");
  ExpectRoundTrip(Binary(), R"(["", "abc", null])");
  ExpectRoundTrip(Date(), "[1, -1, null]");
  ExpectRoundTrip(Timestamp(), "[1, -1, null]");
  ExpectRoundTrip(TimestampNtz(), "[1, -1, null]");
  ExpectRoundTrip(YearMonthInterval(), "[14, -1, null]");
  ExpectRoundTrip(DayTimeInterval(), "[14, -1, null]");
  ExpectRoundTrip(CalendarInterval(), "[[1, 2, 3000], [-1, 0, -5000], null]");
  ExpectRoundTrip(Array(Integer()), "[[1, null, 3], [], null, [7]]");
  ExpectRoundTrip(Array(Boolean()), "[[true, null, false], [], null, [true]]");
  ExpectRoundTrip(Array(String()), R"([["x", null, ""], [], null, ["longer than a word"]])");
  ExpectRoundTrip(Array(Decimal(30, 1)), R"([["1.0", null, "-7.5"], [], null])");
  ExpectRoundTrip(Array(CalendarInterval()), "[[[1, 2, 3000], null], [], null]");
  ExpectRoundTrip(Array(Array(Short())), "[[[1, 2], null, []], [], null]");
  ExpectRoundTrip(Map(String(), Long()), R"([[["a", 1], ["b", null]], [], null, [["c", 3]]])");
  ExpectRoundTrip(Struct({{"a", Integer()}, {"b", String()}, {"c", Decimal(20, 0)}}),
                  R"([{"a": 1, "b": "x", "c": "5"}, {"a": null, "b": null, "c": null}, null])");
  ExpectRoundTrip(Array(Struct({{"a", Map(Integer(), Array(String()))}})),
                  R"([[{"a": [[1, ["x", null]], [2, null]]}, null], null, []])");
  ExpectRoundTrip(Null(), "[null, null]");
}

TEST(UnsafeRow, MoreThan64Columns) {
  std::vector<DataTypePtr> types(70, types::Integer());
  std::vector<std::string> json(70, "[1, null]");
  UnsafeRows rows = Encode(types, json);
  EXPECT_EQ(rows[0].size(), 16 + 70 * 8);
  auto decoded = UnsafeRowDecoder(types).Decode(rows).ValueOrDie();
  EXPECT_TRUE(arrow::MakeArray(decoded[69])->Equals(FromJson(types[69], "[1, null]")));
}

TEST(UnsafeRow, KeysHaveOneZeroAndOneNaN) {
  auto normalized = UnsafeRowEncoder::Floats::kNormalized;
  EXPECT_EQ(Encode({types::Double()}, {"[-0.0]"}, normalized)[0], Encode({types::Double()}, {"[0.0]"})[0]);
  EXPECT_NE(Encode({types::Double()}, {"[-0.0]"})[0], Encode({types::Double()}, {"[0.0]"})[0]);
  auto nested = types::Array(types::Float());
  EXPECT_EQ(Encode({nested}, {"[[-0.0]]"}, normalized)[0], Encode({nested}, {"[[0.0]]"})[0]);
}

TEST(UnsafeRow, DamagedBytesAreAnError) {
  UnsafeRows rows = Encode({types::String(), types::Array(types::Long())}, {R"(["abcdefgh"])", "[[1, 2, 3]]"});
  UnsafeRowDecoder decoder({types::String(), types::Array(types::Long())});
  std::string row(rows[0]);
  for (size_t size = 0; size < row.size(); ++size) {
    std::string_view cut(row.data(), size);
    EXPECT_FALSE(decoder.Decode(std::vector{cut}).ok()) << size;
  }
  row[12] = '\x7f';
  EXPECT_FALSE(decoder.Decode(std::vector{std::string_view(row)}).ok());
}

}  // namespace
}  // namespace millrace::state
