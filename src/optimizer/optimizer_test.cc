#include "optimizer/optimizer.h"

#include <gtest/gtest.h>

#include "expression/call.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/limit.h"
#include "logical/node/project.h"
#include "logical/node/range.h"
#include "logical/node/sort.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {
namespace {

using expression::AttributePtr;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::JoinType;
using logical::NodeKind;
using logical::PlanPtr;

AttributePtr Column(const char* name) {
  return std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), name, types::Long(), false);
}
PlanPtr Table(const AttributePtr& column) { return std::make_shared<logical::Range>(column, 0, 10, 1, 1); }

ExpressionPtr Call(const char* name, ExpressionPtr a, ExpressionPtr b, bool can_fail = false) {
  auto info = std::make_shared<expression::CallInfo>();
  info->name = name;
  info->style = expression::CallStyle::kInfix;
  info->can_fail = can_fail;
  info->kernel = [](const auto&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Status::NotImplemented("not evaluated here");
  };
  return std::make_shared<expression::Call>(info, types::Boolean(), true, ExpressionVector{a, b});
}
ExpressionPtr Five() { return expression::Literal::Long(5); }

PlanPtr Optimized(const PlanPtr& plan) { return Optimize(plan, {}).ValueOrDie(); }

// Kinds from the root down the first children.
std::vector<NodeKind> Spine(PlanPtr plan) {
  std::vector<NodeKind> kinds;
  for (;; plan = plan->child()) {
    kinds.push_back(plan->kind());
    if (plan->children().empty()) return kinds;
  }
}

TEST(Optimizer, FiltersGoBelowJoinsByType) {
  AttributePtr a = Column("a"), b = Column("b");
  ExpressionPtr on = Call("=", a, b);
  auto filtered = [&](JoinType type, ExpressionPtr condition) {
    return Optimized(
        std::make_shared<logical::Filter>(condition, std::make_shared<logical::Join>(type, on, Table(a), Table(b))));
  };
  PlanPtr inner = filtered(JoinType::kInner, Call(">", a, Five()));
  EXPECT_EQ(Spine(inner), (std::vector<NodeKind>{NodeKind::kJoin, NodeKind::kFilter, NodeKind::kRange}));
  PlanPtr outer = filtered(JoinType::kFullOuter, Call(">", a, Five()));
  EXPECT_EQ(outer->kind(), NodeKind::kFilter);
  PlanPtr failing = filtered(JoinType::kInner, Call(">", a, Five(), /*can_fail=*/true));
  EXPECT_EQ(failing->kind(), NodeKind::kFilter);
}

TEST(Optimizer, AGuardedConjunctDoesNotOvertakeItsGuard) {
  AttributePtr a = Column("a");
  auto expensive = std::make_shared<expression::Alias>(Call("f", a, a), "e");
  auto project = std::make_shared<logical::Project>(ExpressionVector{a, expensive}, Table(a));
  ExpressionPtr guard = Call("g", expensive->ToAttribute(), Five());
  ExpressionPtr risky = Call("r", a, Five(), /*can_fail=*/true);
  PlanPtr plan = Optimized(std::make_shared<logical::Filter>(logical::JoinConjuncts({guard, risky}), project));
  EXPECT_EQ(Spine(plan), (std::vector<NodeKind>{NodeKind::kFilter, NodeKind::kProject, NodeKind::kRange}));
}

TEST(Optimizer, LimitMeetsTheSortBelowAProjection) {
  AttributePtr a = Column("a");
  auto sort = std::make_shared<logical::Sort>(std::vector<expression::SortOrder>{{a, true, true}}, true, Table(a));
  auto project = std::make_shared<logical::Project>(
      ExpressionVector{std::make_shared<expression::Alias>(Call("f", a, a), "e")}, sort);
  PlanPtr plan =
      Optimized(std::make_shared<logical::Limit>(3, 0, false, std::make_shared<logical::Limit>(7, 0, false, project)));
  EXPECT_EQ(Spine(plan),
            (std::vector<NodeKind>{NodeKind::kProject, NodeKind::kLimit, NodeKind::kSort, NodeKind::kRange}));
  EXPECT_EQ(*static_cast<const logical::Limit&>(*plan->child()).limit(), 3);
}

TEST(Optimizer, UnusedItemsAreNotComputed) {
  AttributePtr a = Column("a");
  auto used = std::make_shared<expression::Alias>(Call("f", a, a), "used");
  auto unused = std::make_shared<expression::Alias>(Call("g", a, a), "unused");
  auto below = std::make_shared<logical::Project>(ExpressionVector{a, used, unused}, Table(a));
  ExpressionPtr twice = Call("h", used->ToAttribute(), used->ToAttribute());
  PlanPtr plan = Optimized(
      std::make_shared<logical::Project>(ExpressionVector{std::make_shared<expression::Alias>(twice, "x")}, below));
  // `used` is needed twice, so it stays a column of its own.
  ASSERT_EQ(Spine(plan), (std::vector<NodeKind>{NodeKind::kProject, NodeKind::kProject, NodeKind::kRange}));
  EXPECT_EQ(plan->child()->output().size(), 1u);
}

ExpressionPtr Field(const ExpressionPtr& of, const char* name) {
  return function::ExtractValue(of, expression::Literal::String(name), false).ValueOrDie();
}
ExpressionPtr Item(ExpressionPtr value, const char* name) {
  return std::make_shared<expression::Alias>(std::move(value), name);
}

TEST(Optimizer, FromJsonDecodesOnlyWhatIsRead) {
  auto value =
      std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "value", types::String(), true);
  PlanPtr texts = std::make_shared<logical::Project>(
      ExpressionVector{std::make_shared<expression::Alias>(expression::Literal::String("{}"), "value", value->id())},
      Table(Column("id")));
  ExpressionPtr call =
      function::BindCall(
          "from_json", {value, expression::Literal::String("a INT, b STRING, c STRUCT<d: INT, e: STRING, f: INT>")}, {})
          .ValueOrDie();
  auto js = std::make_shared<expression::Alias>(call, "js");
  PlanPtr decoded = std::make_shared<logical::Project>(ExpressionVector{value, js}, texts);
  ExpressionPtr c = Field(js->ToAttribute(), "c");
  PlanPtr filtered = std::make_shared<logical::Filter>(Call(">", Field(c, "f"), Five()), decoded);
  PlanPtr plan =
      PruneFromJsonFields(std::make_shared<logical::Project>(
                              ExpressionVector{Item(Field(c, "e"), "e"), Item(Field(c, "f"), "f")}, filtered),
                          {})
          .ValueOrDie();
  const PlanPtr& below = plan->child()->child();
  EXPECT_EQ(below->output()[1]->type()->CatalogString(), "struct<c:struct<e:string,f:int>>");
  EXPECT_EQ(plan->output()[0]->type()->CatalogString(), "string");
  // The same again changes nothing; and a use of the whole value keeps all fields.
  EXPECT_EQ(PruneFromJsonFields(plan, {}).ValueOrDie(), plan);
  EXPECT_EQ(PruneFromJsonFields(decoded, {}).ValueOrDie(), decoded);

  // Without a column of its own: both fields come of one call.
  PlanPtr direct =
      PruneFromJsonFields(std::make_shared<logical::Project>(
                              ExpressionVector{Item(Field(call, "a"), "a"), Item(Field(call, "b"), "b")}, texts),
                          {})
          .ValueOrDie();
  const auto& items = static_cast<const logical::Project&>(*direct).items();
  auto decoder = [&](size_t i) { return items[i]->children()[0]->children()[0]; };
  EXPECT_EQ(decoder(0)->type()->CatalogString(), "struct<a:int,b:string>");
  EXPECT_TRUE(expression::SemanticallyEqual(*decoder(0), *decoder(1)));
}

TEST(Optimizer, WhatCannotBeFoldedStays) {
  AttributePtr a = Column("a");
  auto item = std::make_shared<expression::Alias>(Call("f", Five(), Five(), true), "x");
  PlanPtr plan = Optimized(std::make_shared<logical::Project>(ExpressionVector{item}, Table(a)));
  EXPECT_NE(logical::TreeString(*plan).find("(5 f 5)"), std::string::npos);
}

}  // namespace
}  // namespace millrace::optimizer
