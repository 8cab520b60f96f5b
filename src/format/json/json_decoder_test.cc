#include "format/json/json_decoder.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "format/json/json_encoder.h"

namespace millrace::format {
namespace {

std::shared_ptr<arrow::Array> Column(const std::vector<std::string>& records) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(records).ok());
  return *builder.Finish();
}

struct Decoded {
  std::vector<std::string> rows;
  int64_t num_slow = 0;
};

/// The rows as JSON with nulls.
Decoded Decode(const std::vector<std::string>& records, const std::string& schema, const OptionMap& given = {},
               bool as_source = false) {
  auto type = *types::ParseSchemaDdl(schema);
  auto decoder = *JsonDecoder::Make({.schema = type, .options = *JsonOptions::Parse(given, {}), .as_source = as_source},
                                    arrow::default_memory_pool());
  auto decoded = decoder->Decode(*Column(records));
  EXPECT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_TRUE(decoded->values->Validate().ok());  // corrupt records are kept with their invalid UTF-8
  auto encoder = *JsonEncoder::Make(type, *JsonOptions::Parse({{"ignoreNullFields", "false"}}, {}));
  auto texts = *encoder->Encode(*decoded->values, arrow::default_memory_pool());
  Decoded result{.num_slow = decoder->num_slow_records()};
  for (int64_t i = 0; i < texts->length(); ++i) {
    result.rows.push_back(texts->IsNull(i) ? "NULL" : static_cast<const arrow::StringArray&>(*texts).GetString(i));
  }
  return result;
}

TEST(JsonDecoder, TakesTheFastPathForWellFormedRecords) {
  Decoded decoded = Decode({R"({"a":1,"b":"x\n\u00e9","c":{"d":[1,2]},"t":"2024-01-02T03:04:05.5Z"})",
                            R"({"b" : "y", "zz":[{"k":null}], "a":-7})", R"({})"},
                           "a BIGINT, b STRING, c STRUCT<d: ARRAY<INT>>, t TIMESTAMP");
  EXPECT_EQ(decoded.num_slow, 0);
  EXPECT_EQ(decoded.rows[0], R"({"a":1,"b":"x\né","c":{"d":[1,2]},"t":"2024-01-02T03:04:05.500Z"})");
  EXPECT_EQ(decoded.rows[1], R"({"a":-7,"b":"y","c":null,"t":null})");
  EXPECT_EQ(decoded.rows[2], R"({"a":null,"b":null,"c":null,"t":null})");
}

TEST(JsonDecoder, MalformedRecordDoesNotHarmItsNeighbours) {
  // An open string swallows the quotes of the records behind it.
  std::vector<std::string> records;
  for (int i = 0; i < 50; ++i) {
    records.push_back(i % 7 == 3 ? R"({"a":1,"b":"open)" : R"({"a":)" + std::to_string(i) + R"(,"b":"fine"})");
  }
  Decoded decoded = Decode(records, "a INT, b STRING, _corrupt_record STRING");
  for (int i = 0; i < 50; ++i) {
    std::string expected = i % 7 == 3 ? R"({"a":null,"b":null,"_corrupt_record":"{\"a\":1,\"b\":\"open"})"
                                      : R"({"a":)" + std::to_string(i) + R"(,"b":"fine","_corrupt_record":null})";
    EXPECT_EQ(decoded.rows[static_cast<size_t>(i)], expected);
  }
  EXPECT_EQ(decoded.num_slow, 7);
}

TEST(JsonDecoder, InvalidUtf8AndControlCharactersStayInTheirRecord) {
  Decoded decoded =
      Decode({"{\"a\":\"x\"}", "{\"a\":\"\xFF\"}", "{\"a\":\"t\tb\"}", "{\"a\":\"\xC3", "\xA9\"}", "{\"a\":\"y\"}"},
             "a STRING");
  EXPECT_EQ(decoded.rows, (std::vector<std::string>{R"({"a":"x"})", "{\"a\":\"\xEF\xBF\xBD\"}", R"({"a":null})",
                                                    R"({"a":null})", R"({"a":null})", R"({"a":"y"})"}));
}

TEST(JsonDecoder, TextBehindTheValueIsIgnored) {
  EXPECT_EQ(Decode({R"({"a":1}{"a":2})", R"({"a":3} x)"}, "MAP<STRING, INT>").rows,
            (std::vector<std::string>{R"({"a":1})", R"({"a":3})"}));
  EXPECT_EQ(Decode({"[1][2]", "[3]"}, "ARRAY<INT>").rows, (std::vector<std::string>{"[1]", "[3]"}));
}

TEST(JsonDecoder, ArrayAtTheRootIsRowsInTheSource) {
  Decoded decoded = Decode({R"([{"a":1},{"a":2}])", "", R"({"a":3})", "[]", "x"}, "a INT", {}, /*as_source=*/true);
  EXPECT_EQ(decoded.rows, (std::vector<std::string>{R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":null})"}));
  decoded = Decode({"x", R"({"a":3})"}, "a INT", {{"mode", "DROPMALFORMED"}}, /*as_source=*/true);
  EXPECT_EQ(decoded.rows, (std::vector<std::string>{R"({"a":3})"}));
}

TEST(JsonDecoder, SourceKeepsTheTextOfNestedValues) {
  Decoded decoded = Decode({R"({"a":{"b" : [1, 2]},"c":1.50})"}, "a STRING, c STRING", {}, /*as_source=*/true);
  EXPECT_EQ(decoded.rows[0], R"({"a":"{\"b\" : [1, 2]}","c":"1.50"})");
}

TEST(JsonDecoder, FailFastNamesTheRecord) {
  auto decoder = *JsonDecoder::Make(
      {.schema = *types::ParseSchemaDdl("a INT"), .options = *JsonOptions::Parse({{"mode", "FAILFAST"}}, {})},
      arrow::default_memory_pool());
  auto decoded = decoder->Decode(*Column({R"([{"a":1}])"}));
  EXPECT_TRUE(IsErrorCondition(decoded.status(), "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS"));
}

TEST(JsonDecoder, NarrowedSchemaKeepsWhatTheWholeOneWouldGive) {
  auto full = *types::ParseSchemaDdl("a INT, b STRUCT<c: INT>, d STRING");
  auto narrow = *types::ParseSchemaDdl("a INT, d STRING");
  // Spark gives a field of a record whose nested object breaks off; skipping the object would give none.
  auto records = Column({R"({"a":1,"b":{"c":tru},"d":"x"})", R"({"a":2,"d":"y"})"});
  auto decode = [&](const types::DataTypePtr& schema, const types::DataTypePtr& judged) {
    auto decoder = *JsonDecoder::Make({.schema = schema, .full_schema = judged}, arrow::default_memory_pool());
    return (*decoder->Decode(*records)).values;
  };
  const auto whole = decode(full, nullptr);
  const auto part = decode(narrow, full);
  const auto& whole_rows = static_cast<const arrow::StructArray&>(*whole);
  const auto& part_rows = static_cast<const arrow::StructArray&>(*part);
  EXPECT_TRUE(part_rows.GetFieldByName("a")->Equals(whole_rows.GetFieldByName("a")));
  EXPECT_TRUE(part_rows.GetFieldByName("d")->Equals(whole_rows.GetFieldByName("d")));
  EXPECT_FALSE(part_rows.GetFieldByName("a")->IsNull(0));
}

TEST(JsonDecoder, FastAndExactAgreeOnMutatedRecords) {
  const std::string schema =
      "a BIGINT, b STRING, c DOUBLE, d STRUCT<e: INT, f: ARRAY<STRING>>, g MAP<STRING, INT>, _corrupt_record STRING";
  const std::string seeds[] = {
      R"({"a":1,"b":"x\n","c":1.5,"d":{"e":2,"f":["p","q"]},"g":{"k":1}})",
      R"({"b":"long enough text for several words","z":[1,{"y":true}],"a":-12345678901,"c":0.001})",
      R"( { "a" : 12 , "d" : { "f" : [ ] } , "g" : null } )",
  };
  const std::string alphabet = "{}[]\",:\\ 0123456789-+.eEtrufalsn\tx\xC3\xA9\xFF'/";
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> records;
    for (int i = 0; i < 20; ++i) {
      std::string record = seeds[random() % 3];
      for (uint32_t k = random() % 4; k > 0; --k) {
        size_t at = random() % record.size();
        switch (random() % 3) {
          case 0:
            record[at] = alphabet[random() % alphabet.size()];
            break;
          case 1:
            record.insert(at, 1, alphabet[random() % alphabet.size()]);
            break;
          default:
            record.erase(at, 1 + random() % 3);
        }
        if (record.empty()) record = " ";
      }
      records.push_back(record);
    }
    Decoded fast = Decode(records, schema);
    Decoded exact = Decode(records, schema, {{"maxStringLen", "20000001"}});
    for (size_t i = 0; i < records.size(); ++i) ASSERT_EQ(fast.rows[i], exact.rows[i]) << records[i];
    EXPECT_EQ(exact.num_slow, 20);
  }
}

}  // namespace
}  // namespace millrace::format
