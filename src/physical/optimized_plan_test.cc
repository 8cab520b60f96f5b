#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "logical/node/sort.h"
#include "logical/node/subquery_alias.h"
#include "logical/node/union.h"
#include "optimizer/optimizer.h"
#include "physical/testing/random_plan.h"

namespace millrace::physical {
namespace {

using namespace testing;  // NOLINT
using logical::JoinType;

// Builds plans of a few random nodes over random tables.
class RandomPlan {
 public:
  explicit RandomPlan(unsigned seed) : random_(seed) { plan_ = Relation(25); }

  PlanPtr Build() {
    for (int depth = 1 + Draw(6); depth > 0; --depth) Grow();
    return plan_;
  }

 private:
  int Draw(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  PlanPtr Relation(int max_rows) {
    RandomTable table(&random_, Draw(max_rows));
    return table.Cut(&random_, RandomTableColumns(), 3);
  }

  ExpressionPtr Number(const PlanPtr& plan) {
    ExpressionVector numbers;
    for (const AttributePtr& column : plan->output()) {
      if (column->type()->id() == types::TypeId::kLong) numbers.push_back(column);
    }
    if (numbers.empty() || Draw(6) == 0) return expression::Literal::Long(Draw(10) - 4);
    return numbers[static_cast<size_t>(Draw(static_cast<int>(numbers.size())))];
  }

  ExpressionPtr Condition(const PlanPtr& plan) {
    ExpressionVector conjuncts;
    for (int n = 1 + Draw(3); n > 0; --n) {
      ExpressionPtr left = Draw(3) == 0 ? Plus(Number(plan), Number(plan)) : Number(plan);
      conjuncts.push_back(Greater(left, Number(plan)));
    }
    return logical::JoinConjuncts(conjuncts);
  }

  void Grow() {
    switch (Draw(8)) {
      case 0:
      case 1:
        plan_ = std::make_shared<logical::Filter>(Condition(plan_), plan_);
        return;
      case 2: {
        ExpressionVector items;
        for (const AttributePtr& column : plan_->output()) {
          if (Draw(4) != 0) items.push_back(column);
        }
        for (int n = 1 + Draw(2); n > 0; --n) items.push_back(Named(Plus(Number(plan_), Number(plan_)), "p"));
        plan_ = std::make_shared<logical::Project>(std::move(items), plan_);
        return;
      }
      case 3: {
        const JoinType types[] = {JoinType::kInner,     JoinType::kLeftOuter, JoinType::kRightOuter,
                                  JoinType::kFullOuter, JoinType::kLeftSemi,  JoinType::kLeftAnti,
                                  JoinType::kCross};
        JoinType type = types[Draw(7)];
        PlanPtr right = Relation(12);
        ExpressionVector conjuncts;
        if (type != JoinType::kCross) {
          if (Draw(4) != 0) conjuncts.push_back(Equal(Number(plan_), Number(right)));
          if (Draw(2) == 0) conjuncts.push_back(Greater(Number(plan_), Number(right)));
          if (Draw(3) == 0) conjuncts.push_back(Condition(right));
          if (Draw(3) == 0) conjuncts.push_back(Condition(plan_));
        }
        plan_ = std::make_shared<logical::Join>(type, logical::JoinConjuncts(conjuncts), plan_, right);
        return;
      }
      case 4: {
        ExpressionVector grouping, items;
        for (const AttributePtr& column : plan_->output()) {
          if (Draw(3) == 0) grouping.push_back(column);
        }
        items = grouping;
        items.push_back(Named(AggregateOf(true, Number(plan_)), "s"));
        items.push_back(Named(AggregateOf(false, Number(plan_), Draw(2) == 0), "n"));
        plan_ = std::make_shared<logical::Aggregate>(std::move(grouping), std::move(items), plan_);
        return;
      }
      case 5: {
        AttributeVector output;
        for (const AttributePtr& column : plan_->output()) output.push_back(column->NewInstance());
        PlanPtr copy = logical::FreshCopy(plan_, nullptr);
        plan_ = std::make_shared<logical::Union>(std::move(output), std::vector<PlanPtr>{plan_, copy});
        return;
      }
      case 6:
        plan_ = std::make_shared<logical::Deduplicate>(plan_->output(), false, plan_);
        return;
      default:
        plan_ = std::make_shared<logical::SubqueryAlias>(
            std::vector<std::string>{"t"},
            std::make_shared<logical::Sort>(std::vector<expression::SortOrder>{{Number(plan_), true, true}}, true,
                                            plan_));
    }
  }

  std::mt19937 random_;
  PlanPtr plan_;
};

// Zeros, signs of NaN: which of the equal ones a group shows may differ.
std::vector<TextRow> Comparable(std::vector<TextRow> rows) {
  for (TextRow& row : rows) {
    for (std::string& value : row) {
      if (value == "-nan") value = "nan";
      if (value == "-0") value = "0";
    }
  }
  return Sorted(std::move(rows));
}

TEST(OptimizedPlan, GivesTheRowsOfThePlanItWasMadeFrom) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    PlanPtr plan = RandomPlan(seed).Build();
    arrow::Result<PlanPtr> optimized = optimizer::Optimize(plan, {});
    ASSERT_TRUE(optimized.ok()) << optimized.status().ToString();
    ASSERT_EQ((*optimized)->output().size(), plan->output().size());
    for (size_t i = 0; i < plan->output().size(); ++i) {
      ASSERT_EQ((*optimized)->output()[i]->id(), plan->output()[i]->id());
    }
    std::vector<TextRow> expected = Comparable(RunPlan(plan));
    if (expected.size() > 20000) continue;
    ASSERT_EQ(Comparable(RunPlan(*optimized)), expected) << "seed " << seed << "\n"
                                                         << logical::TreeString(*plan) << "\n"
                                                         << logical::TreeString(**optimized);
  }
}

}  // namespace
}  // namespace millrace::physical
