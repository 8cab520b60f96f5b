#include "cli/generator/record_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json_value.h"
#include "cli/generator/timestamp_text.h"

namespace millrace::cli {
namespace {

/// `count` records as "key|value", made `cut` at a time.
std::vector<std::string> Make(const DataSet& data_set, const MakerOptions& options, int64_t count, int64_t cut) {
  std::vector<std::string> records;
  auto maker = data_set.make(options);
  RecordTexts batch;
  for (int64_t made = 0; made < count; made += cut) {
    maker->Make(cut, &batch);
    for (size_t i = 0; i < batch.size(); ++i) {
      records.push_back(std::string(batch.key(i)) + "|" + std::string(batch.value(i)));
    }
  }
  return records;
}

TEST(RecordMakerTest, TheSameSeedGivesTheSameSeriesHoweverItIsCut) {
  for (const DataSet& data_set : DataSets()) {
    EXPECT_EQ(Make(data_set, {.seed = 7}, 1000, 1000), Make(data_set, {.seed = 7}, 1000, 10)) << data_set.name;
    EXPECT_NE(Make(data_set, {.seed = 7}, 1000, 1000), Make(data_set, {.seed = 8}, 1000, 1000)) << data_set.name;
  }
}

TEST(RecordMakerTest, JsonIsJson) {
  for (const DataSet& data_set : DataSets()) {
    if (data_set.file_extension != "json") continue;
    for (const std::string& record : Make(data_set, {}, 500, 500)) {
      auto value = ParseJson(record.substr(record.find('|') + 1));
      EXPECT_TRUE(value.ok()) << record;
    }
  }
}

TEST(RecordMakerTest, AVisitGoesOnInLaterRounds) {
  auto records = Make(DataSets()[0], {.num_active = 3}, 9, 9);
  auto parse = [&](size_t i) { return ParseJson(records[i].substr(records[i].find('|') + 1)).ValueOrDie(); };
  JsonValue first = parse(1);
  JsonValue later = parse(7);
  EXPECT_EQ(first.Find("visit_id")->AsString(), later.Find("visit_id")->AsString());
  EXPECT_EQ(first.Find("context")->ToString(), later.Find("context")->ToString());
  EXPECT_LT(first.Find("event_time")->AsString(), later.Find("event_time")->AsString());
  EXPECT_EQ(first.Find("event_time")->AsString(), "2024-01-01T00:00:00+00:00");
  EXPECT_EQ(records[1].substr(0, records[1].find('|')), first.Find("visit_id")->AsString());
}

TEST(TimestampTextTest, BothWays) {
  std::string text;
  AppendDateTime(1'709'251'199'999, 'T', &text);
  EXPECT_EQ(text, "2024-02-29T23:59:59");
  EXPECT_EQ(ParseDateTime(text + "Z"), 1'709'251'199'000);
  EXPECT_EQ(ParseDateTime(text + "+00:00"), 1'709'251'199'000);
  for (const char* bad : {"", "2024-02-30T00:00:00", "2024-02-29T24:00:00", "2024-02-29T00:00:00+01:00", "tomorrow"}) {
    EXPECT_EQ(ParseDateTime(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace millrace::cli
