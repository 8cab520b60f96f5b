#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "physical/testing/random_plan.h"

namespace millrace::physical {
namespace {

using namespace testing;  // NOLINT

// Keys are equal as Spark groups them: NaN is one value, and so is zero.
std::string KeyText(const std::string& text) {
  if (text == "-nan") return "nan";
  if (text == "-0") return "0";
  return text;
}

struct Naive {
  int64_t sum = 0;
  bool has_sum = false;
  int64_t count = 0;
  std::set<std::string> distinct;
  int64_t filtered = 0;
};

// GROUP BY k, s, d: sum(v), count(v), count(DISTINCT v), count(v) FILTER (WHERE k > v).
std::vector<TextRow> NaiveGroups(const arrow::RecordBatch& rows, bool grouped) {
  std::map<TextRow, Naive> groups;
  if (!grouped) groups[{}];
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    TextRow row = RowText(rows, i);
    TextRow key = grouped ? TextRow{row[0], row[1], KeyText(row[2])} : TextRow{};
    Naive& group = groups[key];
    if (row[3] == "null") continue;
    int64_t v = std::stoll(row[3]);
    group.sum += v;
    group.has_sum = true;
    ++group.count;
    group.distinct.insert(row[3]);
    if (row[0] != "null" && std::stoll(row[0]) > v) ++group.filtered;
  }
  std::vector<TextRow> result;
  for (const auto& [key, group] : groups) {
    TextRow row = key;
    row.push_back(group.has_sum ? std::to_string(group.sum) : "null");
    row.push_back(std::to_string(group.count));
    row.push_back(std::to_string(group.distinct.size()));
    row.push_back(std::to_string(group.filtered));
    result.push_back(row);
  }
  return result;
}

TEST(HashAggregate, EqualsTheNaiveAnswerForAnyPartitioningAndCutting) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    RandomTable table(&random, static_cast<int>(random() % 120));
    AttributeVector c = RandomTableColumns();
    PlanPtr relation = table.Cut(&random, c, 5);
    bool grouped = seed % 4 != 0;
    ExpressionVector grouping = grouped ? ExpressionVector{c[0], c[1], c[2]} : ExpressionVector{};
    ExpressionVector items = grouping;
    items.push_back(Named(AggregateOf(true, c[3]), "sum"));
    items.push_back(Named(AggregateOf(false, c[3]), "count"));
    items.push_back(Named(AggregateOf(false, c[3], /*distinct=*/true), "different"));
    items.push_back(Named(AggregateOf(false, c[3], false, Greater(c[0], c[3])), "filtered"));
    std::vector<TextRow> rows = RunPlan(std::make_shared<logical::Aggregate>(grouping, items, relation));
    for (TextRow& row : rows) {
      if (grouped) row[2] = KeyText(row[2]);
    }
    EXPECT_EQ(Sorted(rows), Sorted(NaiveGroups(*table.rows, grouped))) << "seed " << seed;
  }
}

TEST(HashAggregate, ItemsAreExpressionsOverGroupsAndAggregates) {
  std::mt19937 random(1);
  RandomTable table(&random, 50);
  AttributeVector c = RandomTableColumns();
  // GROUP BY k + v: (k + v) + sum(v)
  ExpressionPtr group = Plus(c[0], c[3]);
  auto plan = std::make_shared<logical::Aggregate>(
      ExpressionVector{group}, ExpressionVector{Named(Plus(Plus(c[0], c[3]), AggregateOf(true, c[3])), "x")},
      table.Cut(&random, c, 3));
  std::map<std::string, int64_t> sums;
  for (int64_t i = 0; i < table.rows->num_rows(); ++i) {
    TextRow row = RowText(*table.rows, i);
    bool known = row[0] != "null" && row[3] != "null";
    std::string key = known ? std::to_string(std::stoll(row[0]) + std::stoll(row[3])) : "null";
    sums[key] += row[3] == "null" ? 0 : std::stoll(row[3]);
  }
  std::vector<TextRow> expected;
  for (const auto& [key, sum] : sums) expected.push_back({key == "null" ? key : std::to_string(std::stoll(key) + sum)});
  EXPECT_EQ(Sorted(RunPlan(plan)), Sorted(expected));
}

TEST(HashAggregate, ManyGroupsAreMergedByHash) {
  arrow::Int64Builder builder;
  constexpr int64_t kGroups = 200000;
  for (int64_t i = 0; i < 2 * kGroups; ++i) ASSERT_TRUE(builder.Append(i % kGroups).ok());
  auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("k", arrow::int64())}), 2 * kGroups,
                                       arrow::ArrayVector{builder.Finish().ValueOrDie()});
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>();
  for (int p = 0; p < 4; ++p) partitions->push_back({rows->Slice(p * kGroups / 2, kGroups / 2)});
  AttributeVector c = {Column("k", types::Long())};
  auto relation = std::make_shared<logical::LocalRelation>(c, partitions);
  std::vector<TextRow> result =
      RunPlan(std::make_shared<logical::Aggregate>(
                  ExpressionVector{c[0]}, ExpressionVector{c[0], Named(AggregateOf(false, c[0]), "n")}, relation),
              65536);
  EXPECT_EQ(result.size(), static_cast<size_t>(kGroups));
  std::set<std::string> keys;
  for (const TextRow& row : result) {
    keys.insert(row[0]);
    EXPECT_EQ(row[1], "2");
  }
  EXPECT_EQ(keys.size(), static_cast<size_t>(kGroups));
}

TEST(Deduplicate, KeepsTheFirstRowOfEachKey) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    RandomTable table(&random, 80);
    AttributeVector c = RandomTableColumns();
    auto plan = std::make_shared<logical::Deduplicate>(AttributeVector{c[0], c[2]}, false, table.Cut(&random, c, 4));
    std::vector<TextRow> expected;
    std::set<TextRow> seen;
    for (int64_t i = 0; i < table.rows->num_rows(); ++i) {
      TextRow row = RowText(*table.rows, i);
      if (row[2] == "-0") row[2] = "0";  // as Spark shows keys
      if (seen.insert({row[0], KeyText(row[2])}).second) expected.push_back(row);
    }
    // They come by Spark's partitions.
    std::vector<TextRow> kept = RunPlan(plan);
    std::sort(kept.begin(), kept.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(kept, expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace millrace::physical
