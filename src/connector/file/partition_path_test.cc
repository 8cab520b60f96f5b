#include "connector/file/partition_path.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "connector/file/glob.h"

namespace millrace::connector::file {
namespace {

std::string Inferred(std::string_view raw) {
  return InferPartitionType(raw, true, *types::TimeZone::Utc())->CatalogString();
}

TEST(PartitionPathTest, NamesAreEscaped) {
  EXPECT_EQ(EscapePathName("a/b c:d=e%f#g'h\"i?j\\k*l[m]n^o{p"),
            "a%2Fb c%3Ad%3De%25f%23g%27h%22i%3Fj%5Ck%2Al%5Bm%5Dn%5Eo%7Bp");
  EXPECT_EQ(EscapePathName(std::string("\x01\x7f}é", 5)), "%01%7F}é");
  EXPECT_EQ(UnescapePathName("a%2Fb%zz%4"), "a/b%zz%4");
  EXPECT_EQ(PartitionDirectory("day", "2024-01-02 03:04:05"), "day=2024-01-02 03%3A04%3A05");
  EXPECT_EQ(PartitionDirectory("page", std::nullopt), "page=__HIVE_DEFAULT_PARTITION__");
  EXPECT_EQ(PartitionDirectory("page", ""), "page=__HIVE_DEFAULT_PARTITION__");
}

TEST(PartitionPathTest, DirectoriesAreTakenApart) {
  EXPECT_EQ((*ParsePartitionDirectory("a%3Db=c=d"))->first, "a=b");
  EXPECT_EQ((*ParsePartitionDirectory("a%3Db=c=d"))->second, "c=d");
  EXPECT_EQ(*ParsePartitionDirectory("plain"), std::nullopt);
  EXPECT_TRUE(IsErrorCondition(ParsePartitionDirectory("=x").status(), "EMPTY_PARTITION_COLUMN_NAME"));
  EXPECT_TRUE(IsErrorCondition(ParsePartitionDirectory("x=").status(), "EMPTY_PARTITION_COLUMN_VALUE"));
}

TEST(PartitionPathTest, TypesAreInferred) {
  EXPECT_EQ(Inferred("12"), "int");
  EXPECT_EQ(Inferred("-3000000000"), "bigint");
  EXPECT_EQ(Inferred("12345678901234567890"), "decimal(20,0)");
  EXPECT_EQ(Inferred("1.5"), "double");
  EXPECT_EQ(Inferred("2024-01-02"), "date");
  EXPECT_EQ(Inferred("2024-01-02 03%3A04%3A05"), "timestamp");
  EXPECT_EQ(Inferred("p1"), "string");
  EXPECT_EQ(Inferred("true"), "string");
  EXPECT_EQ(Inferred("nan"), "string");
  EXPECT_EQ(Inferred("2024-13-45"), "string");
  EXPECT_EQ(Inferred("__HIVE_DEFAULT_PARTITION__"), "void");
}

TEST(PartitionPathTest, TypesAreWidened) {
  auto wider = [](const types::DataTypePtr& a, const types::DataTypePtr& b) {
    std::string one = WiderPartitionType(a, b)->CatalogString();
    EXPECT_EQ(WiderPartitionType(b, a)->CatalogString(), one);
    return one;
  };
  EXPECT_EQ(wider(types::Integer(), types::Long()), "bigint");
  EXPECT_EQ(wider(types::Integer(), types::Double()), "double");
  EXPECT_EQ(wider(types::Long(), types::Double()), "string");
  EXPECT_EQ(wider(types::Date(), types::Timestamp()), "timestamp");
  EXPECT_EQ(wider(types::Integer(), types::Date()), "string");
  EXPECT_EQ(wider(types::Null(), types::Date()), "date");
  EXPECT_EQ(wider(types::String(), types::Integer()), "string");
}

TEST(GlobTest, MatchesAsHadoop) {
  EXPECT_TRUE(GlobMatches("*.json", "a.json"));
  EXPECT_FALSE(GlobMatches("*.json", "a.jsonl"));
  EXPECT_TRUE(GlobMatches("a?c", "abc"));
  EXPECT_TRUE(GlobMatches("[a-c]x", "bx"));
  EXPECT_FALSE(GlobMatches("[^a-c]x", "bx"));
  EXPECT_TRUE(GlobMatches("{one,two*}", "twofold"));
  EXPECT_TRUE(GlobMatches("a{b,c{d,e}}f", "acef"));
  EXPECT_TRUE(GlobMatches("a\\*b", "a*b"));
  EXPECT_FALSE(GlobMatches("a\\*b", "axb"));
  EXPECT_TRUE(GlobMatches("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(IsGlob("/a/b c.json"));
}

}  // namespace
}  // namespace millrace::connector::file
