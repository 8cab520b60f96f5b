#include "expression/generator.h"
#include "logical/node/filter.h"
#include "logical/node/generate.h"
#include "logical/node/limit.h"
#include "logical/node/project.h"
#include "logical/node/range.h"
#include "logical/node/repartition.h"
#include "logical/node/sample.h"
#include "logical/node/sort.h"
#include "logical/node/union.h"
#include "physical/expression_set.h"
#include "physical/testing/random_plan.h"

namespace millrace::physical {
namespace {

using namespace testing;  // NOLINT

PlanPtr Numbers(const AttributePtr& id, int64_t end, int partitions) {
  return std::make_shared<logical::Range>(id, 0, end, 1, partitions);
}

TEST(ProjectFilter, ComputesACommonSubexpressionOnce) {
  AttributePtr id = Column("id", types::Long());
  int evaluations = 0;
  ExpressionPtr sum = Plus(id, expression::Literal::Long(1), &evaluations);
  auto plan = std::make_shared<logical::Project>(
      ExpressionVector{Named(Plus(sum, id), "a"), Named(Plus(sum, sum), "b"), Named(sum, "c")}, Numbers(id, 3, 1));
  EXPECT_EQ(RunPlan(plan), (std::vector<TextRow>{{"1", "2", "1"}, {"3", "4", "2"}, {"5", "6", "3"}}));
  EXPECT_EQ(evaluations, 1);
}

TEST(ProjectFilter, DoesNotShareWhatOnlyBranchesComputeAndMayFail) {
  AttributePtr id = Column("id", types::Long());
  ExpressionPtr risky = LongCall("?", types::Long(), id, id, [](int64_t x, int64_t) { return x; }, /*can_fail=*/true);
  ExpressionPtr choice = std::make_shared<expression::CaseWhen>(
      ExpressionVector{Greater(id, expression::Literal::Long(1)), Plus(risky, risky)}, false);
  auto set = ExpressionSet::Bind({choice, Plus(id, id)}, {id}).ValueOrDie();
  EXPECT_EQ(set.num_shared(), 0u);
}

TEST(ProjectFilter, FiltersAndProjectionsRunAsOneOperator) {
  AttributePtr id = Column("id", types::Long());
  ExpressionPtr doubled = Named(Plus(id, id), "twice");
  auto inner = std::make_shared<logical::Project>(
      ExpressionVector{id, doubled},
      std::make_shared<logical::Filter>(Greater(id, expression::Literal::Long(2)), Numbers(id, 8, 3)));
  auto plan = std::make_shared<logical::Project>(
      ExpressionVector{expression::ToAttribute(doubled)},
      std::make_shared<logical::Filter>(Greater(expression::ToAttribute(doubled), expression::Literal::Long(9)),
                                        inner));
  auto root = PlanOperators(plan, 1).ValueOrDie();
  EXPECT_EQ(root->DescribeStack().size(), 3u) << TreeString(*root);
  EXPECT_EQ(Sorted(RunPlan(plan)), (std::vector<TextRow>{{"10"}, {"12"}, {"14"}}));
}

TEST(Sort, OrdersAsSparkDoesAndMergesPartitions) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    RandomTable table(&random, 60);
    AttributeVector c = RandomTableColumns();
    std::vector<expression::SortOrder> orders = {{c[2], false, false}, {c[0], true, true}, {c[1], true, false}};
    PlanPtr sort = std::make_shared<logical::Sort>(orders, true, table.Cut(&random, c, 4));
    std::vector<TextRow> rows = RunPlan(sort);
    auto rank = [](const TextRow& row) {
      // d DESC NULLS LAST: NaN first.
      double d = row[2] == "null" ? 1e9 : row[2].find("nan") != std::string::npos ? -1e9 : -std::stod(row[2]);
      return std::tuple(d, row[0] == "null" ? -1 : std::stoi(row[0]), row[1] == "null",
                        row[1] == "null" ? std::string() : row[1]);
    };
    std::vector<TextRow> expected;
    for (int64_t i = 0; i < table.rows->num_rows(); ++i) expected.push_back(RowText(*table.rows, i));
    std::stable_sort(expected.begin(), expected.end(),
                     [&](const TextRow& a, const TextRow& b) { return rank(a) < rank(b); });
    EXPECT_EQ(rows, expected) << "seed " << seed;
    std::vector<TextRow> top = RunPlan(std::make_shared<logical::Limit>(5, 3, false, sort));
    EXPECT_EQ(top, std::vector<TextRow>(expected.begin() + 3, expected.begin() + 8)) << "seed " << seed;
  }
}

TEST(Limit, TakesPartitionsInOrder) {
  AttributePtr id = Column("id", types::Long());
  PlanPtr numbers = Numbers(id, 20, 4);
  EXPECT_EQ(RunPlan(std::make_shared<logical::Limit>(3, 4, false, numbers), 2),
            (std::vector<TextRow>{{"4"}, {"5"}, {"6"}}));
  EXPECT_EQ(RunPlan(std::make_shared<logical::Limit>(7, 0, true, numbers), 2),
            (std::vector<TextRow>{{"13"}, {"14"}, {"15"}, {"16"}, {"17"}, {"18"}, {"19"}}));
  EXPECT_EQ(RunPlan(std::make_shared<logical::Limit>(std::nullopt, 18, false, numbers)).size(), 2u);
}

TEST(Union, KeepsPositionsNotNames) {
  AttributePtr a = Column("a", types::Long()), b = Column("b", types::Long()), out = Column("x", types::Long());
  auto plan =
      std::make_shared<logical::Union>(AttributeVector{out}, std::vector<PlanPtr>{Numbers(a, 2, 1), Numbers(b, 3, 2)});
  EXPECT_EQ(Sorted(RunPlan(plan)), (std::vector<TextRow>{{"0"}, {"0"}, {"1"}, {"1"}, {"2"}}));
}

TEST(Exchange, SpreadsAllRowsAndOnlyOnce) {
  for (int partitions : {0, 1, 3}) {
    for (bool keyed : {true, false}) {
      AttributePtr id = Column("id", types::Long());
      ExpressionVector keys;
      if (keyed) keys.push_back(id);
      auto plan = std::make_shared<logical::Repartition>(partitions, true, keys, Numbers(id, 30, 2));
      EXPECT_EQ(Sorted(RunPlan(plan)), Sorted(RunPlan(Numbers(id, 30, 1))));
    }
  }
  AttributePtr id = Column("id", types::Long());
  EXPECT_EQ(RunPlan(std::make_shared<logical::Repartition>(2, false, ExpressionVector{}, Numbers(id, 30, 5))).size(),
            30u);
}

// Source: Spark 4.2, range(0, 20, 1, 2).repartition(5, "id").withColumn("p", spark_partition_id()).
TEST(Exchange, PutsRowsWhereSparkPutsThem) {
  const std::vector<int> spark = {0, 4, 3, 2, 0, 3, 0, 1, 1, 4, 2, 1, 2, 3, 4, 4, 0, 3, 0, 4};
  AttributePtr id = Column("id", types::Long());
  auto root =
      PlanOperators(std::make_shared<logical::Repartition>(5, true, ExpressionVector{id}, Numbers(id, 20, 2)), 2)
          .ValueOrDie();
  ExecutionContext context;
  std::vector<Batches> partitions = Collect(*root, context).ValueOrDie();
  ASSERT_EQ(partitions.size(), 5u);
  for (int p = 0; p < 5; ++p) {
    for (const TextRow& row : RowTexts({partitions[static_cast<size_t>(p)]})) {
      EXPECT_EQ(spark[std::stoul(row[0])], p) << row[0];
    }
  }
}

TEST(Sample, AdjoiningBoundsPartTheRows) {
  AttributePtr id = Column("id", types::Long());
  auto part = [&](double lower, double upper) {
    return RunPlan(std::make_shared<logical::Sample>(lower, upper, false, 42, Numbers(id, 400, 2)));
  };
  std::vector<TextRow> low = part(0, 0.3);
  EXPECT_EQ(low, part(0, 0.3));
  EXPECT_GT(low.size(), 80u);
  EXPECT_LT(low.size(), 160u);
  std::vector<TextRow> all = part(0.3, 1);
  all.insert(all.end(), low.begin(), low.end());
  EXPECT_EQ(Sorted(all), Sorted(RunPlan(Numbers(id, 400, 1))));
}

// Row i becomes i copies of itself, numbered.
ExpressionPtr Copies(const AttributePtr& column) {
  expression::GeneratorKernel kernel = [](const expression::EvalContext&, const std::vector<arrow::Datum>& arguments,
                                          int64_t num_rows) -> arrow::Result<expression::Generated> {
    expression::FixedColumn<int64_t> counts(arguments[0]);
    arrow::Int32Builder rows;
    arrow::Int64Builder numbers;
    for (int64_t i = 0; i < num_rows; ++i) {
      for (int64_t j = 0; j < counts[i]; ++j) {
        ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(i)));
        ARROW_RETURN_NOT_OK(numbers.Append(j));
      }
    }
    return expression::Generated{rows.Finish().ValueOrDie(), {numbers.Finish().ValueOrDie()}};
  };
  return std::make_shared<expression::GeneratorCall>(
      "copies", std::vector<types::StructField>{{"n", types::Long(), true, ""}}, kernel, ExpressionVector{column});
}

TEST(Generate, KeepsRowsWithoutResultsWhenOuter) {
  AttributePtr id = Column("id", types::Long()), n = Column("n", types::Long());
  auto inner = std::make_shared<logical::Generate>(Copies(id), false, AttributeVector{n}, Numbers(id, 3, 1));
  EXPECT_EQ(RunPlan(inner), (std::vector<TextRow>{{"1", "0"}, {"2", "0"}, {"2", "1"}}));
  auto outer = std::make_shared<logical::Generate>(Copies(id), true, AttributeVector{n}, Numbers(id, 3, 1));
  EXPECT_EQ(RunPlan(outer), (std::vector<TextRow>{{"0", "null"}, {"1", "0"}, {"2", "0"}, {"2", "1"}}));
}

}  // namespace
}  // namespace millrace::physical
