#include "function/scalar/json/from_json.h"

#include <algorithm>

#include "base/error.h"
#include "format/json/json_decoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

constexpr std::string_view kName = "from_json";

struct FromJsonInfo : CallInfo {
  DataTypePtr full_schema;
  format::JsonOptions options;
};

bool HasNonStringMapKey(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kStruct:
      return std::any_of(type.fields().begin(), type.fields().end(),
                         [](const types::StructField& field) { return HasNonStringMapKey(*field.type); });
    case TypeId::kArray:
      return HasNonStringMapKey(*type.element());
    case TypeId::kMap:
      return type.key()->id() != TypeId::kString || HasNonStringMapKey(*type.key()) ||
             HasNonStringMapKey(*type.value());
    default:
      return false;
  }
}

ExpressionPtr MakeFromJson(ExpressionVector arguments, DataTypePtr schema, DataTypePtr full_schema,
                           format::JsonOptions options) {
  auto info = std::make_shared<FromJsonInfo>();
  info->name = kName;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(std::string(kName));
  // So the column is called (JsonToStructs.sql).
  if (schema->id() == TypeId::kMap) info->render = [](const std::vector<std::string>&) { return "entries"; };
  info->can_fail = options.mode == format::ParseMode::kFailFast;
  info->full_schema = full_schema;
  info->options = options;
  info->kernel = PooledKernel<format::JsonDecoder>(
      [schema, full_schema, options = std::move(options)](arrow::MemoryPool* memory) {
        return format::JsonDecoder::Make({.schema = schema, .full_schema = full_schema, .options = options}, memory);
      },
      [](format::JsonDecoder& decoder, const arrow::Array& records,
         arrow::MemoryPool*) -> arrow::Result<std::shared_ptr<arrow::Array>> {
        ARROW_ASSIGN_OR_RAISE(format::DecodedJson decoded, decoder.Decode(records));
        return std::move(decoded.values);
      });
  return std::make_shared<Call>(std::move(info), std::move(schema), /*nullable=*/true, std::move(arguments));
}

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, BindSchema(input, 1));
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 2));
  TypeId id = schema->id();
  if (id != TypeId::kStruct && id != TypeId::kArray && id != TypeId::kMap && id != TypeId::kVariant) {
    return UserError("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(shown))}, {"schema", QuoteSqlType(schema->Sql())}});
  }
  if (HasNonStringMapKey(*schema)) {
    return UserError("DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE",
                     {{"sqlExpr", QuoteSqlExpression("entries")}, {"schema", QuoteSqlType(schema->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr text, BindText(shown, 0));
  ARROW_ASSIGN_OR_RAISE(format::JsonOptions options,
                        format::JsonOptions::Parse(given, {.time_zone = input.context.time_zone}));
  if (options.mode == format::ParseMode::kDropMalformed) {
    return UserError("PARSE_MODE_UNSUPPORTED", {{"funcName", QuoteIdentifier(kName)}, {"mode", "DROPMALFORMED"}});
  }
  if (id == TypeId::kStruct) {
    ARROW_RETURN_NOT_OK(format::CheckCorruptRecordColumn(*schema, options.corrupt_record_column));
  }
  schema = types::AsNullable(schema);
  ExpressionVector arguments{std::move(text), expression::Literal::String(schema->ToJson()), OptionsLiteral(given)};
  return MakeFromJson(std::move(arguments), schema, schema, std::move(options));
}

/// `type` with only what the paths from `depth` on reach.
DataTypePtr Narrow(const DataTypePtr& type, const std::vector<const std::vector<std::string>*>& paths, size_t depth) {
  if (type->id() != TypeId::kStruct) return type;
  std::vector<types::StructField> kept;
  for (const types::StructField& field : type->fields()) {
    std::vector<const std::vector<std::string>*> inside;
    bool whole = false;
    for (const auto* path : paths) {
      if ((*path)[depth] != field.name) continue;
      inside.push_back(path);
      whole = whole || path->size() == depth + 1;
    }
    if (inside.empty()) continue;
    types::StructField narrowed = field;
    if (!whole) narrowed.type = Narrow(field.type, inside, depth + 1);
    kept.push_back(std::move(narrowed));
  }
  return types::Struct(std::move(kept));
}

bool HasDuplicateNames(const types::DataType& type) {
  if (type.id() != TypeId::kStruct) return false;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    if (HasDuplicateNames(*type.fields()[i].type)) return true;
    for (size_t k = 0; k < i; ++k) {
      if (type.fields()[i].name == type.fields()[k].name) return true;
    }
  }
  return false;
}

}  // namespace

bool IsFromJson(const expression::Expression& expression) {
  return expression.kind() == expression::ExpressionKind::kCall && static_cast<const Call&>(expression).name() == kName;
}

ExpressionPtr PruneFromJson(const ExpressionPtr& from_json_call, const std::vector<std::vector<std::string>>& paths) {
  const auto& call = static_cast<const Call&>(*from_json_call);
  const auto& info = static_cast<const FromJsonInfo&>(call.info());
  if (call.type()->id() != TypeId::kStruct || info.options.mode != format::ParseMode::kPermissive || paths.empty() ||
      HasDuplicateNames(*call.type())) {
    return from_json_call;
  }
  std::vector<const std::vector<std::string>*> wanted;
  for (const std::vector<std::string>& path : paths) {
    if (path.empty() || path[0] == info.options.corrupt_record_column) return from_json_call;
    wanted.push_back(&path);
  }
  DataTypePtr narrowed = Narrow(call.type(), wanted, 0);
  if (narrowed->fields().empty() || narrowed->Equals(*call.type())) return from_json_call;
  return MakeFromJson(call.children(), std::move(narrowed), info.full_schema, info.options);
}

extern const FunctionDef kFromJson{
    .name = "from_json",
    .family = "json",
    .description = "Reads JSON texts into structs, arrays or maps of the given schema.",
    .example = "from_json('{\"a\":1, \"b\":0.8}', 'a INT, b DOUBLE')",
    .example_result = "{1, 0.8}",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = Bind,
};

}  // namespace millrace::function
