#include "function/scalar/protobuf/protobuf_arguments.h"

#include <fstream>
#include <iterator>

#include "base/ascii.h"
#include "base/error.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Status Mismatch(const BindInput& input, std::string_view which, std::string_view what) {
  return UserError("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                    {"msg", "The " + std::string(which) + " argument of the " + ToUpperAscii(input.def.name) +
                                " SQL function must be a constant " + std::string(what)},
                    {"hint", ""}});
}

arrow::Result<std::string> ConstantBytes(const BindInput& input, size_t index) {
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*input.arguments[index], input.context));
  if (!scalar->is_valid) return arrow::Status::Invalid("NULL");
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
}

arrow::Result<std::string> ReadDescriptorFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return UserError("PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND", {{"filePath", path}});
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

arrow::Result<ProtobufArguments> BindProtobufArguments(const BindInput& input) {
  ProtobufArguments bound;
  const ExpressionVector& arguments = input.arguments;
  auto is_constant = [&](size_t i, TypeId id) { return arguments[i]->foldable() && arguments[i]->type()->id() == id; };
  auto is_null = [&](size_t i) { return arguments[i]->type()->id() == TypeId::kNull; };

  arrow::Result<std::string> name = arrow::Status::Invalid("");
  if (is_constant(1, TypeId::kString)) name = ConstantBytes(input, 1);
  if (!name.ok()) return Mismatch(input, "second", "string representing the Protobuf message name");
  bound.message_name = *std::move(name);

  size_t next = 2;
  std::optional<std::string> descriptor_set;
  if (arguments.size() > next && arguments[next]->type()->id() != TypeId::kMap) {
    bool is_path = is_constant(next, TypeId::kString);
    if (!is_null(next) && !is_path && !is_constant(next, TypeId::kBinary)) {
      return Mismatch(input, "third", "string or binary data representing the Protobuf descriptor file path");
    }
    if (!is_null(next)) {
      ARROW_ASSIGN_OR_RAISE(descriptor_set, ConstantBytes(input, next));
      if (is_path) {
        ARROW_ASSIGN_OR_RAISE(descriptor_set, ReadDescriptorFile(*descriptor_set));
      }
    }
    ++next;
  }
  if (arguments.size() > next && !is_null(next)) {
    const types::DataType& type = *arguments[next]->type();
    bool is_empty = type.id() == TypeId::kMap && type.key()->id() == TypeId::kNull;
    bool fits =
        is_constant(next, TypeId::kMap) && type.key()->id() == TypeId::kString && type.value()->id() == TypeId::kString;
    if (!is_empty && !fits) {
      return Mismatch(input, "fourth",
                      "map of strings to strings containing the options to use for converting the value " +
                          std::string(input.def.name == "to_protobuf" ? "to" : "from") + " Protobuf format");
    }
    if (fits) {
      ARROW_ASSIGN_OR_RAISE(bound.options, BindOptions(input, next));
    }
  }
  if (!descriptor_set) {
    bool has_package = bound.message_name.find('.') != std::string::npos;
    return UserError("CANNOT_LOAD_PROTOBUF_CLASS",
                     {{"protobufClassName", bound.message_name},
                      {"explanation", has_package ? "Ensure the class is included in the jar"
                                                  : "Ensure the class name includes package prefix"}});
  }
  ARROW_ASSIGN_OR_RAISE(bound.descriptors, format::ProtobufDescriptors::Parse(*descriptor_set));
  bound.kept = {arguments[0], expression::Literal::String(bound.message_name),
                expression::Literal::String(std::to_string(std::hash<std::string>()(*descriptor_set))),
                OptionsLiteral(bound.options)};
  return bound;
}

}  // namespace millrace::function
