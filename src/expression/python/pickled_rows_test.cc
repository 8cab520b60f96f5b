#include "expression/python/pickled_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <string_view>

#include "python/wire.h"
#include "types/arrow_type.h"

namespace millrace::expression {
namespace {

using namespace std::string_view_literals;

// Written by Python's pickle.dumps(value, 5).
constexpr auto kNumbers =
    "\x80\x05\x95\x16\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01NJ\xfb\xff\xff\xff\x8a\x06\x00\x00\x00\x00\x00\x01"
    "e."sv;
constexpr auto kTexts = "\x80\x05\x95\x10\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x01\x61\x94\x8c\x02\xc3\xbc\x94Ne."sv;
constexpr auto kPairs = "\x80\x05\x95\x10\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01\x8c\x01x\x94\x86\x94Ne."sv;

std::string Results(std::string_view pickle, std::vector<types::DataTypePtr> types) {
  auto rows = UnpickleResults(pickle, types, arrow::default_memory_pool());
  if (!rows.ok()) return rows.status().ToString();
  std::string text;
  for (int c = 0; c < (*rows)->num_columns(); ++c) {
    for (int64_t r = 0; r < (*rows)->num_rows(); ++r) {
      text += (text.empty() ? "" : " ") + (*rows)->column(c)->GetScalar(r).ValueOrDie()->ToString();
    }
  }
  return text;
}

TEST(PickledRows, NumbersBecomeTheTypeThatIsWanted) {
  EXPECT_EQ(Results(kNumbers, {types::Long()}), "1 null -5 1099511627776");
  // Spark takes the low bits, and only floats for floats.
  EXPECT_EQ(Results(kNumbers, {types::Integer()}), "1 null -5 0");
  EXPECT_EQ(Results(kNumbers, {types::Double()}), "null null null null");
  EXPECT_EQ(Results(kNumbers, {types::String()}), "1 null -5 1099511627776");
}

TEST(PickledRows, TextsAndWhatIsNoText) {
  EXPECT_EQ(Results(kTexts, {types::String()}), "a \xc3\xbc null");
  EXPECT_EQ(Results(kTexts, {types::Long()}), "null null null");
}

TEST(PickledRows, TuplesAreRows) {
  auto pair = types::Struct({{"n", types::Long(), true, ""}, {"s", types::String(), true, ""}});
  auto rows = UnpickleResults(kPairs, {pair}, arrow::default_memory_pool());
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ((*rows)->num_rows(), 2);
  EXPECT_TRUE((*rows)->column(0)->IsNull(1));
  auto three =
      types::Struct({{"a", types::Long(), true, ""}, {"b", types::Long(), true, ""}, {"c", types::Long(), true, ""}});
  EXPECT_NE(Results(kPairs, {three}).find("3 fields are required while 2 values are provided"), std::string::npos);
}

TEST(PickledRows, BrokenPicklesAreErrors) {
  for (size_t size = 0; size < kPairs.size(); ++size) {
    EXPECT_FALSE(UnpickleResults(kPairs.substr(0, size), {types::Long()}, arrow::default_memory_pool()).ok()) << size;
  }
  EXPECT_FALSE(UnpickleResults("\x80\x05]R."sv, {types::Long()}, arrow::default_memory_pool()).ok());
  EXPECT_FALSE(UnpickleResults("\x80\x05h\x07."sv, {types::Long()}, arrow::default_memory_pool()).ok());
}

TEST(PickledRows, RowsAreFramesOfHundred) {
  arrow::Int32Builder builder;
  for (int i = 0; i < 250; ++i) ASSERT_TRUE(builder.Append(i).ok());
  auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("_0", arrow::int32())}), 250,
                                       {builder.Finish().ValueOrDie()});
  std::string out;
  ASSERT_TRUE(AppendPickledRows(*rows, {types::Integer()}, &out).ok());
  int frames = 0;
  for (size_t at = 0; at < out.size(); ++frames) at += 4 + static_cast<size_t>(python::LoadInt(out.data() + at));
  EXPECT_EQ(frames, 3);
}

}  // namespace
}  // namespace millrace::expression
