#include "logical/node/join.h"
#include "logical/node/project.h"
#include "physical/testing/random_plan.h"

namespace millrace::physical {
namespace {

using namespace testing;  // NOLINT
using logical::JoinType;

std::string KeyText(const std::string& text) {
  if (text == "-nan") return "nan";
  if (text == "-0") return "0";
  return text;
}

// ON l.k = r.k AND l.d <=> r.d [AND l.v > r.v].
bool NaiveMatch(const TextRow& l, const TextRow& r, bool keyed, bool residual) {
  if (keyed && (l[0] == "null" || l[0] != r[0] || KeyText(l[2]) != KeyText(r[2]))) return false;
  if (residual && (l[3] == "null" || r[3] == "null" || std::stoll(l[3]) <= std::stoll(r[3]))) return false;
  return true;
}

std::vector<TextRow> NaiveJoin(JoinType type, const arrow::RecordBatch& left, const arrow::RecordBatch& right,
                               bool keyed, bool residual) {
  std::vector<TextRow> result;
  std::vector<bool> right_matched(static_cast<size_t>(right.num_rows()));
  TextRow nulls(4, "null");
  auto pair = [&](TextRow l, const TextRow& r) {
    l.insert(l.end(), r.begin(), r.end());
    result.push_back(std::move(l));
  };
  for (int64_t i = 0; i < left.num_rows(); ++i) {
    TextRow l = RowText(left, i);
    bool matched = false;
    for (int64_t j = 0; j < right.num_rows(); ++j) {
      TextRow r = RowText(right, j);
      if (!NaiveMatch(l, r, keyed, residual)) continue;
      matched = true;
      right_matched[static_cast<size_t>(j)] = true;
      if (type != JoinType::kLeftSemi && type != JoinType::kLeftAnti) pair(l, r);
    }
    if (type == JoinType::kLeftSemi ? matched : type == JoinType::kLeftAnti && !matched) result.push_back(l);
    if (!matched && (type == JoinType::kLeftOuter || type == JoinType::kFullOuter)) pair(l, nulls);
  }
  for (int64_t j = 0; j < right.num_rows(); ++j) {
    bool keeps = type == JoinType::kRightOuter || type == JoinType::kFullOuter;
    if (keeps && !right_matched[static_cast<size_t>(j)]) pair(nulls, RowText(right, j));
  }
  return result;
}

TEST(HashJoin, EqualsTheNaiveAnswerForEveryTypeAndAnyCutting) {
  const JoinType types[] = {JoinType::kInner,    JoinType::kLeftOuter, JoinType::kRightOuter, JoinType::kFullOuter,
                            JoinType::kLeftSemi, JoinType::kLeftAnti,  JoinType::kCross};
  unsigned seed = 0;
  for (JoinType type : types) {
    for (bool keyed : {true, false}) {
      for (bool residual : {true, false}) {
        for (int round = 0; round < 6; ++round) {
          std::mt19937 random(++seed);
          RandomTable left(&random, static_cast<int>(random() % 50));
          RandomTable right(&random, round == 0 ? 0 : static_cast<int>(random() % 50));
          AttributeVector l = RandomTableColumns(), r = RandomTableColumns();
          ExpressionVector conjuncts;
          if (keyed) conjuncts = {Equal(r[0], l[0]), Equal(l[2], r[2], "<=>")};
          if (residual) conjuncts.push_back(Greater(l[3], r[3]));
          auto plan = std::make_shared<logical::Join>(type, logical::JoinConjuncts(conjuncts), left.Cut(&random, l, 3),
                                                      right.Cut(&random, r, 3));
          EXPECT_EQ(Sorted(RunPlan(plan)), Sorted(NaiveJoin(type, *left.rows, *right.rows, keyed, residual)))
              << logical::JoinTypeName(type) << " keyed " << keyed << " residual " << residual << " seed " << seed;
        }
      }
    }
  }
}

TEST(HashJoin, CopiesOnlyTheColumnsThatAreRead) {
  std::mt19937 random(5);
  RandomTable table(&random, 20);
  AttributeVector l = RandomTableColumns(), r = RandomTableColumns();
  auto join = std::make_shared<logical::Join>(JoinType::kInner, Equal(l[0], r[0]), table.Cut(&random, l, 1),
                                              table.Cut(&random, r, 1));
  auto root = PlanOperators(std::make_shared<logical::Project>(ExpressionVector{r[3], l[3]}, join), 1).ValueOrDie();
  EXPECT_EQ(root->children()[0]->output().size(), 2u);
  EXPECT_EQ(root->children()[0]->children()[0]->output().size(), 2u);
  std::string text = TreeString(*root);
  EXPECT_NE(text.find("BroadcastHashJoin [k#"), std::string::npos) << text;
}

}  // namespace
}  // namespace millrace::physical
