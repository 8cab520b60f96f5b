#include "format/predicate.h"

#include <gtest/gtest.h>

#include <random>

namespace millrace::format {
namespace {

using Op = Predicate::Op;

PredicatePtr RandomPredicate(std::mt19937* random, int depth) {
  auto draw = [&](int n) { return static_cast<int>((*random)() % static_cast<unsigned>(n)); };
  if (depth > 0 && draw(2) == 0) {
    switch (draw(3)) {
      case 0:
        return Predicate::Not(RandomPredicate(random, depth - 1));
      case 1:
        return Predicate::And({RandomPredicate(random, depth - 1), RandomPredicate(random, depth - 1)});
      default:
        return Predicate::Or({RandomPredicate(random, depth - 1), RandomPredicate(random, depth - 1)});
    }
  }
  static constexpr Op kOps[] = {Op::kEqual,          Op::kLess, Op::kLessOrEqual, Op::kGreater,
                                Op::kGreaterOrEqual, Op::kIn,   Op::kIsNull};
  Op op = kOps[draw(7)];
  std::vector<PredicateValue> values;
  int count = op == Op::kIsNull ? 0 : op == Op::kIn ? 2 : 1;
  for (int i = 0; i < count; ++i) values.emplace_back(int64_t{draw(8)});
  return Predicate::Compare(op, {draw(2) == 0 ? "a" : "b"}, types::Long(), std::move(values));
}

struct Row {
  std::optional<int64_t> a, b;
};

// SQL's three values: none stands for NULL.
std::optional<bool> Evaluate(const Predicate& node, const Row& row) {
  switch (node.op) {
    case Op::kNot: {
      auto value = Evaluate(*node.children[0], row);
      return value ? std::optional(!*value) : std::nullopt;
    }
    case Op::kAnd:
    case Op::kOr: {
      bool decides = node.op == Op::kOr;
      bool unknown = false;
      for (const auto& child : node.children) {
        auto value = Evaluate(*child, row);
        if (value == decides) return decides;
        unknown = unknown || !value;
      }
      return unknown ? std::nullopt : std::optional(!decides);
    }
    default: {
      auto value = node.column[0] == "a" ? row.a : row.b;
      if (node.op == Op::kIsNull) return !value.has_value();
      if (!value) return std::nullopt;
      auto v = [&](size_t i) { return std::get<int64_t>(node.values[i].value()); };
      switch (node.op) {
        case Op::kEqual:
          return *value == v(0);
        case Op::kIn:
          return *value == v(0) || *value == v(1);
        case Op::kLess:
          return *value < v(0);
        case Op::kLessOrEqual:
          return *value <= v(0);
        case Op::kGreater:
          return *value > v(0);
        default:
          return *value >= v(0);
      }
    }
  }
}

// No row that satisfies a condition may be in data that was ruled out, whatever is known of the data.
TEST(PredicateTest, NeverRulesOutARowThatMatches) {
  std::mt19937 random(1);
  int ruled_out = 0;
  for (int round = 0; round < 20000; ++round) {
    PredicatePtr predicate = RandomPredicate(&random, 3);
    std::vector<Row> rows(1 + random() % 4);
    for (Row& row : rows) {
      if (random() % 4 != 0) row.a = random() % 8;
      if (random() % 4 != 0) row.b = random() % 8;
    }
    bool tell_bounds = random() % 4 != 0, tell_nulls = random() % 4 != 0;
    auto range_of = [&](const std::vector<std::string>& column, const types::DataType&) {
      ColumnRange range;
      int64_t nulls = 0;
      for (const Row& row : rows) {
        auto value = column[0] == "a" ? row.a : row.b;
        if (!value) {
          ++nulls;
          continue;
        }
        PredicateValue bound(*value);
        if (!tell_bounds) continue;
        if (!range.min || bound.Compare(*range.min) == std::partial_ordering::less) range.min = bound;
        if (!range.max || bound.Compare(*range.max) == std::partial_ordering::greater) range.max = bound;
      }
      range.num_rows = static_cast<int64_t>(rows.size());
      if (tell_nulls) range.null_count = nulls;
      return range;
    };
    // Columns that have no other name are lost; what is left must be a weaker condition.
    PredicatePtr renamed = RenameColumns(predicate, [&](const std::vector<std::string>& name) {
      return name[0] == "b" && round % 2 == 0 ? std::nullopt : std::optional(name);
    });
    bool matches = false;
    for (const Row& row : rows) matches = matches || Evaluate(*predicate, row) == true;
    if (matches) {
      EXPECT_TRUE(MayMatch(*predicate, range_of)) << predicate->ToString();
      EXPECT_TRUE(renamed == nullptr || MayMatch(*renamed, range_of)) << predicate->ToString();
    }
    if (!MayMatch(*predicate, range_of)) ++ruled_out;
  }
  EXPECT_GT(ruled_out, 2000);
}

TEST(PredicateTest, ValuesOfOtherKindsAreNotCompared) {
  PredicateValue whole(int64_t{1}), text(std::string("1")), number(1.0), nan(std::nan(""));
  EXPECT_EQ(whole.Compare(text), std::partial_ordering::unordered);
  EXPECT_EQ(number.Compare(nan), std::partial_ordering::unordered);
  PredicateValue a(PredicateValue::DecimalValue{arrow::Decimal128(150), 2});
  PredicateValue b(PredicateValue::DecimalValue{arrow::Decimal128(15), 1});
  EXPECT_EQ(a.Compare(b), std::partial_ordering::equivalent);
}

}  // namespace
}  // namespace millrace::format
