#include "analyzer/relation/table_changes.h"

#include "base/ascii.h"
#include "base/error.h"
#include "spark/connect/relations.pb.h"
#include "types/datetime_text.h"
#include "types/scala_text.h"

namespace millrace::analyzer {

namespace {

using spark::connect::Relation;
using types::TypeId;

constexpr std::string_view kByName = "table_changes";
constexpr std::string_view kByPath = "table_changes_by_path";

arrow::Status Unsupported(const std::string& what, const types::DataType& type, const char* supported) {
  return UserError("DELTA_UNSUPPORTED_EXPRESSION",
                   {{"causedBy", what}, {"expType", types::ScalaText(type)}, {"supportedTypes", supported}});
}

arrow::Status SetBound(RelationResolver& resolver, const std::string& prefix,
                       const spark::connect::Expression& argument,
                       google::protobuf::Map<std::string, std::string>* options) {
  AttributeVector none;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, resolver.Expressions(none).Resolve(argument));
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*value, resolver.context().eval));
  if (!scalar->is_valid) return UserError("DELTA_CDC_READ_NULL_RANGE_BOUNDARY");
  switch (value->type()->id()) {
    case TypeId::kShort:
    case TypeId::kInteger:
    case TypeId::kLong:
      (*options)[prefix + "Version"] = scalar->ToString();
      return arrow::Status::OK();
    case TypeId::kString:
      (*options)[prefix + "Timestamp"] = scalar->ToString();
      return arrow::Status::OK();
    case TypeId::kTimestamp: {
      std::string text;
      int64_t micros = static_cast<const arrow::TimestampScalar&>(*scalar).value;
      types::AppendTimestamp(micros, *resolver.context().eval.time_zone, &text);
      (*options)[prefix + "Timestamp"] = text;
      return arrow::Status::OK();
    }
    default:
      return Unsupported(prefix + " option", *value->type(), "IntegerType,LongType,StringType,TimestampType");
  }
}

}  // namespace

bool IsTableChanges(std::string_view function_name) {
  return EqualsIgnoreCase(function_name, kByName) || EqualsIgnoreCase(function_name, kByPath);
}

arrow::Result<PlanPtr> ResolveTableChanges(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.unresolved_table_valued_function();
  bool by_path = EqualsIgnoreCase(message.function_name(), kByPath);
  const auto& arguments = message.arguments();
  if (arguments.size() < 2 || arguments.size() > 3) {
    return UserError("INCORRECT_NUMBER_OF_ARGUMENTS",
                     {{"failure", arguments.size() < 2 ? "not enough args" : "too many args"},
                      {"functionName", ToLowerAscii(message.function_name())},
                      {"minArgs", "2"},
                      {"maxArgs", "3"}});
  }
  AttributeVector none;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr table, resolver.Expressions(none).Resolve(arguments[0]));
  if (table->type()->id() != TypeId::kString || !table->foldable()) {
    return Unsupported(by_path ? "table path" : "table name", *table->type(), "StringType literal");
  }
  ARROW_ASSIGN_OR_RAISE(auto name, expression::EvaluateFoldable(*table, resolver.context().eval));
  Relation read;
  google::protobuf::Map<std::string, std::string>* options = nullptr;
  if (by_path) {
    read.mutable_read()->mutable_data_source()->set_format("delta");
    read.mutable_read()->mutable_data_source()->add_paths(name->ToString());
    options = read.mutable_read()->mutable_data_source()->mutable_options();
  } else {
    read.mutable_read()->mutable_named_table()->set_unparsed_identifier(name->ToString());
    options = read.mutable_read()->mutable_named_table()->mutable_options();
  }
  (*options)["readChangeFeed"] = "true";
  ARROW_RETURN_NOT_OK(SetBound(resolver, "starting", arguments[1], options));
  if (arguments.size() > 2) ARROW_RETURN_NOT_OK(SetBound(resolver, "ending", arguments[2], options));
  return resolver.Resolve(read);
}

}  // namespace millrace::analyzer
