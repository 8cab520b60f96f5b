#include "variant/variant.h"

#include <gtest/gtest.h>

#include "variant/path.h"
#include "variant/variant_builder.h"

namespace millrace::variant {

namespace {

using namespace std::string_view_literals;

// {"a": 1} as Parquet's specification lays it out.
constexpr std::string_view kObject = "\x02\x01\x00\x00\x02\x0c\x01"sv;
constexpr std::string_view kNames =
    "\x01\x01\x00\x01"
    "a"sv;

TEST(VariantTest, BuilderWritesTheSpecifiedBytes) {
  VariantBuilder builder;
  builder.Reset();
  std::vector<VariantBuilder::Field> fields{{builder.NameId("a"), 0}};
  builder.AppendLong(1);
  ASSERT_TRUE(builder.FinishObject(0, &fields).ok());
  std::string_view value, metadata;
  ASSERT_TRUE(builder.Finish(&value, &metadata));
  EXPECT_EQ(value, kObject);
  EXPECT_EQ(metadata, kNames);
}

TEST(VariantTest, ReadsWhatItWrote) {
  auto whole = Variant::Make(kObject, kNames);
  ASSERT_TRUE(whole.ok());
  auto field = whole->Field("a");
  ASSERT_TRUE(field.ok() && *field);
  EXPECT_EQ(*(*field)->integer(), 1);
  EXPECT_TRUE(IsValid(kObject, kNames));
}

TEST(VariantTest, EveryCutIsMalformedAndNeverReadBeyond) {
  for (size_t size = 0; size < kObject.size(); ++size) {
    std::string cut(kObject.substr(0, size));
    EXPECT_FALSE(IsValid(cut, kNames)) << size;
  }
  for (size_t size = 0; size < kNames.size(); ++size) {
    std::string cut(kNames.substr(0, size));
    EXPECT_FALSE(IsValid(kObject, cut)) << size;
  }
}

TEST(VariantTest, NamesAreOrderedByUtf16) {
  EXPECT_LT(CompareNames("\xF0\x9F\x98\x80", "\xEF\xBF\xBD"), 0);  // a surrogate pair before U+FFFD
  EXPECT_LT(CompareNames("a", "ab"), 0);
  EXPECT_EQ(CompareNames("", ""), 0);
}

TEST(VariantTest, Paths) {
  EXPECT_TRUE(ParsePath("$"));
  EXPECT_EQ(ParsePath("$.a['b.c'][\"d\"][12]")->size(), 4u);
  for (const char* bad : {"", "a", "$.", "$a", "$[", "$[]", "$['a]", "$[-1]", "$[99999999999]", "$..a", "$.a[1"}) {
    EXPECT_FALSE(ParsePath(bad)) << bad;
  }
}

}  // namespace

}  // namespace millrace::variant
