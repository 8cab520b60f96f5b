#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/name_resolution.h"
#include "analyzer/operator_input.h"
#include "expression/aggregate.h"
#include "expression/generator.h"
#include "python/user_function.h"
#include "spark/connect/expressions.pb.h"
#include "sql/parser.h"

namespace millrace::analyzer {

using expression::ExpressionVector;
using logical::PlanPtr;

/// One place in a plan where a frame stands.
struct FramePlace {
  AttributeVector columns;
  /// The frame itself is an input of the operation that is being resolved, not a part of one.
  bool is_input = false;
};
/// Columns of the relations that carry a plan id, so that `df["a"]` finds the column of that very frame.
/// Several places when the frame stands on both sides of a join.
using PlanColumns = std::map<int64_t, std::vector<FramePlace>>;

class RelationResolver;

/// Resolves expression messages against the columns of their input. Confined to one call of ResolveRelation.
class ExpressionResolver {
 public:
  /// `below` collects what the expressions ask for beyond `input`; null where window functions, time windows and
  /// subqueries are refused.
  ExpressionResolver(const AnalyzerContext& context, const AttributeVector& input, const PlanColumns& plan_columns,
                     RelationResolver* relations, OperatorInput* below)
      : context_(context), input_(input), plan_columns_(plan_columns), relations_(relations), below_(below) {}

  /// Lets an item read the aliases of the items before it (SELECT a + 1 AS b, b * 2).
  void AllowLateralAliases() { lateral_aliases_allowed_ = true; }
  /// An item before the ones to come, which another resolver made.
  void AddLateralAlias(ExpressionPtr alias) { lateral_aliases_.push_back(std::move(alias)); }

  /// One value; stars are refused.
  arrow::Result<ExpressionPtr> Resolve(const spark::connect::Expression& message);

  /// Items of a projection: stars expanded, every item named (Alias or AttributeReference). A generator comes as an
  /// unnamed GeneratorCall or as an Alias over one; Its aliases are in generator_names().
  arrow::Result<ExpressionVector> ResolveItems(
      const google::protobuf::RepeatedPtrField<spark::connect::Expression>& messages);

  /// Values without names, stars expanded (arguments, grouping expressions).
  arrow::Result<ExpressionVector> ResolveAll(
      const google::protobuf::RepeatedPtrField<spark::connect::Expression>& messages);
  /// The same for one message, whose values are appended. `drops_names`: an alias gives its value.
  arrow::Status ResolveInto(const spark::connect::Expression& message, bool drops_names, ExpressionVector* out);

  /// A condition. Errors: DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN.
  arrow::Result<ExpressionPtr> ResolveCondition(const spark::connect::Expression& message);

  arrow::Result<expression::SortOrder> ResolveSortOrder(const spark::connect::Expression& message);

  /// Aliases given to the columns of a generator (`AS (k, v)`).
  struct GeneratorNames {
    ExpressionPtr generator;
    std::vector<std::string> names;
  };
  const std::vector<GeneratorNames>& generator_names() const { return generator_names_; }

  /// The items that read aliases of items before them, with columns in the place of what these stand for.
  const ExpressionVector& items_over_aliases() const { return items_over_aliases_; }

  /// Gives `value` the name Spark would give it when the user gave none.
  static ExpressionPtr Name(const ExpressionPtr& value);

 private:
  /// What stands around a call of an aggregate.
  struct CallModifiers {
    bool distinct = false;
    bool ignore_nulls = false;
    ExpressionPtr filter;
  };

  arrow::Result<ExpressionPtr> ResolveKind(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolvePlaced(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolveAttribute(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolveFunction(
      const std::string& name, const google::protobuf::RepeatedPtrField<spark::connect::Expression>& arguments,
      const CallModifiers& modifiers);
  arrow::Result<ExpressionPtr> ResolveAggregateFilter(const spark::connect::Expression& message);
  /// Functions of sql/plan_conventions.h.
  arrow::Result<ExpressionPtr> ResolveInternal(const spark::connect::Expression& message);
  arrow::Result<ExpressionVector> ExpandStarExcept(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolveCast(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolveAlias(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolveLambda(const spark::connect::Expression& message,
                                             const std::vector<types::StructField>& parameters);
  arrow::Result<ExpressionPtr> ResolveWindow(const spark::connect::Expression& message);
  /// In analyzer/window_frame.cc.
  arrow::Result<logical::WindowFrame> ResolveFrame(const spark::connect::Expression::Window::WindowFrame& message,
                                                   const logical::WindowSpec& spec);
  arrow::Result<ExpressionPtr> ResolveWithinGroup(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolvePythonFunction(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolvePythonCall(
      const python::UserFunctionPtr& function, const types::DataTypePtr& type,
      const google::protobuf::RepeatedPtrField<spark::connect::Expression>& arguments);
  /// In analyzer/sql_functions.cc.
  arrow::Result<ExpressionPtr> ResolveSqlFunction(
      const catalog::SqlFunction& function,
      const google::protobuf::RepeatedPtrField<spark::connect::Expression>& arguments);
  arrow::Result<ExpressionPtr> ResolveSubquery(const spark::connect::Expression& message);
  /// nullopt when no item before this one has that alias.
  arrow::Result<std::optional<ExpressionPtr>> ResolveLateralAlias(const std::vector<std::string>& parts) const;
  /// `message` with names of its own for what it reads of lateral aliases, as Spark names a column that has no alias.
  arrow::Result<ExpressionPtr> ResolveOverAliasNames(const spark::connect::Expression& message) const;
  arrow::Result<ExpressionPtr> ResolveVariantPath(
      const google::protobuf::RepeatedPtrField<spark::connect::Expression>& arguments);
  arrow::Result<ExpressionPtr> ResolveUpdateFields(const spark::connect::Expression& message);
  /// `child`, a struct, with the field at `path` set to `value`; without it when `value` is null.
  arrow::Result<ExpressionPtr> UpdateField(const ExpressionPtr& child, std::span<const std::string> path,
                                           ExpressionPtr value) const;
  arrow::Result<ExpressionVector> ExpandStar(const spark::connect::Expression& message);
  arrow::Result<ExpressionVector> ExpandRegex(const spark::connect::Expression& message);
  arrow::Result<ExpressionPtr> ResolveFrameAttribute(const std::vector<std::string>& parts, int64_t plan_id) const;
  /// The column of that name of the one of `places` whose columns are among `input`; null when there is none.
  /// `known`: whether any of them has such a column.
  arrow::Result<ExpressionPtr> FindInFrames(const std::vector<std::string>& parts,
                                            const std::vector<FramePlace>& places, const AttributeVector& input,
                                            bool* known) const;

  const AnalyzerContext& context_;
  const AttributeVector& input_;
  const PlanColumns& plan_columns_;
  RelationResolver* relations_;
  OperatorInput* below_;
  bool lateral_aliases_allowed_ = false;
  ExpressionVector lateral_aliases_;
  /// Whether the item being resolved has read one of them, and which.
  mutable std::string read_alias_;
  ExpressionVector items_over_aliases_;
  /// Lambda parameters in scope, innermost last.
  std::vector<expression::AttributePtr> lambda_parameters_;
  std::vector<GeneratorNames> generator_names_;
  int depth_ = 0;
};

/// The class Spark's messages name for an ordinary function.
std::string SparkClassName(std::string_view function_name);

/// How the session reads SQL text.
sql::ParserOptions ParserOptionsOf(const AnalyzerContext& context);

/// The value of a literal message. Errors: NotSupported for kinds without a type here.
arrow::Result<ExpressionPtr> ResolveLiteral(const spark::connect::Expression& message);

}  // namespace millrace::analyzer
