#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>

#include <algorithm>

#include "analyzer/expression_resolver.h"
#include "base/error.h"
#include "spark/connect/expressions.pb.h"
#include "types/arrow_type.h"

// Clients before 4.2 still send the fields that later ones mark as deprecated.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Expression;
using types::DataTypePtr;

struct TypedScalar {
  DataTypePtr type;
  std::shared_ptr<arrow::Scalar> value;
};

template <typename ScalarType, typename Value>
TypedScalar Make(DataTypePtr type, Value value) {
  return {type, std::make_shared<ScalarType>(value, types::ToArrow(*type))};
}

arrow::Result<TypedScalar> FromLiteral(const Expression::Literal& literal, int depth);

arrow::Result<TypedScalar> FromDecimal(const Expression::Literal::Decimal& decimal) {
  arrow::Decimal128 value;
  int32_t precision = 0;
  int32_t scale = 0;
  ARROW_RETURN_NOT_OK(arrow::Decimal128::FromString(decimal.value(), &value, &precision, &scale));
  if (scale < 0) {
    ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, 0));
    precision -= scale;
    scale = 0;
  }
  // What a client says of the type never makes the value smaller. Source: Spark, LiteralValueProtoConverter.
  if (decimal.has_scale() && decimal.scale() > scale) {
    ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, decimal.scale()));
    precision += decimal.scale() - scale;
    scale = decimal.scale();
  }
  if (decimal.has_precision()) precision = std::max(precision, decimal.precision());
  DataTypePtr type = types::Decimal(std::max({precision, scale, 1}), scale);
  return TypedScalar{type, std::make_shared<arrow::Decimal128Scalar>(value, types::ToArrow(*type))};
}

arrow::Result<std::shared_ptr<arrow::Array>> BuildArray(const DataTypePtr& type,
                                                        const std::vector<TypedScalar>& values) {
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*type)));
  for (const TypedScalar& value : values) {
    if (value.value->is_valid) {
      ARROW_RETURN_NOT_OK(builder->AppendScalar(*value.value));
    } else {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
    }
  }
  return builder->Finish();
}

template <typename Elements>
arrow::Result<std::vector<TypedScalar>> FromElements(const Elements& elements, int depth, bool* contains_null) {
  std::vector<TypedScalar> values;
  for (const Expression::Literal& element : elements) {
    ARROW_ASSIGN_OR_RAISE(TypedScalar value, FromLiteral(element, depth + 1));
    *contains_null = *contains_null || !value.value->is_valid;
    values.push_back(std::move(value));
  }
  return values;
}

arrow::Result<TypedScalar> FromArray(const Expression::Literal& literal, int depth) {
  const auto& array = literal.array();
  bool contains_null = false;
  ARROW_ASSIGN_OR_RAISE(auto values, FromElements(array.elements(), depth, &contains_null));
  DataTypePtr element_type;
  if (literal.has_data_type() && literal.data_type().has_array()) {
    ARROW_ASSIGN_OR_RAISE(element_type, ResolveDataType(literal.data_type().array().element_type()));
    contains_null = literal.data_type().array().contains_null();
  } else if (array.has_element_type()) {
    ARROW_ASSIGN_OR_RAISE(element_type, ResolveDataType(array.element_type()));
  } else {
    element_type = values.empty() ? types::Null() : values[0].type;
  }
  ARROW_ASSIGN_OR_RAISE(auto built, BuildArray(element_type, values));
  DataTypePtr type = types::Array(element_type, contains_null);
  return TypedScalar{type, std::make_shared<arrow::ListScalar>(std::move(built), types::ToArrow(*type))};
}

arrow::Result<TypedScalar> FromMap(const Expression::Literal& literal, int depth) {
  const auto& map = literal.map();
  bool key_null = false;
  bool value_null = false;
  ARROW_ASSIGN_OR_RAISE(auto keys, FromElements(map.keys(), depth, &key_null));
  ARROW_ASSIGN_OR_RAISE(auto values, FromElements(map.values(), depth, &value_null));
  DataTypePtr type;
  if (literal.has_data_type() && literal.data_type().has_map()) {
    ARROW_ASSIGN_OR_RAISE(type, ResolveDataType(literal.data_type()));
  } else if (map.has_key_type()) {
    ARROW_ASSIGN_OR_RAISE(DataTypePtr key_type, ResolveDataType(map.key_type()));
    ARROW_ASSIGN_OR_RAISE(DataTypePtr value_type, ResolveDataType(map.value_type()));
    type = types::Map(std::move(key_type), std::move(value_type), value_null);
  } else {
    type = types::Map(keys.empty() ? types::Null() : keys[0].type, values.empty() ? types::Null() : values[0].type,
                      value_null);
  }
  ARROW_ASSIGN_OR_RAISE(auto key_array, BuildArray(type->key(), keys));
  ARROW_ASSIGN_OR_RAISE(auto value_array, BuildArray(type->value(), values));
  auto arrow_type = types::ToArrow(*type);
  const auto& entry_fields = static_cast<const arrow::MapType&>(*arrow_type).value_type()->fields();
  ARROW_ASSIGN_OR_RAISE(auto entries, arrow::StructArray::Make({key_array, value_array}, entry_fields));
  return TypedScalar{type, std::make_shared<arrow::MapScalar>(std::move(entries), arrow_type)};
}

arrow::Result<TypedScalar> FromStruct(const Expression::Literal& literal, int depth) {
  const auto& message = literal.struct_();
  bool unused = false;
  ARROW_ASSIGN_OR_RAISE(auto values, FromElements(message.elements(), depth, &unused));
  const connect::DataType& declared = literal.has_data_type() ? literal.data_type() : message.struct_type();
  ARROW_ASSIGN_OR_RAISE(DataTypePtr type, ResolveDataType(declared));
  if (type->id() != types::TypeId::kStruct || type->fields().size() != values.size()) {
    return InternalError("A struct literal does not match its type");
  }
  arrow::ScalarVector scalars;
  for (size_t i = 0; i < values.size(); ++i) {
    scalars.push_back(values[i].value->is_valid ? values[i].value
                                                : arrow::MakeNullScalar(types::ToArrow(*type->fields()[i].type)));
  }
  return TypedScalar{type, std::make_shared<arrow::StructScalar>(std::move(scalars), types::ToArrow(*type))};
}

template <typename Builder, typename Values>
arrow::Result<TypedScalar> FromSpecialized(DataTypePtr element_type, const Values& values) {
  Builder builder;
  for (const auto& value : values) ARROW_RETURN_NOT_OK(builder.Append(value));
  ARROW_ASSIGN_OR_RAISE(auto built, builder.Finish());
  DataTypePtr type = types::Array(std::move(element_type), false);
  return TypedScalar{type, std::make_shared<arrow::ListScalar>(std::move(built), types::ToArrow(*type))};
}

arrow::Result<TypedScalar> FromLiteral(const Expression::Literal& literal, int depth) {
  if (depth > 100) return NotSupported("a literal nested deeper than 100");
  switch (literal.literal_type_case()) {
    case Expression::Literal::kNull: {
      ARROW_ASSIGN_OR_RAISE(DataTypePtr type, ResolveDataType(literal.null()));
      return TypedScalar{type, arrow::MakeNullScalar(types::ToArrow(*type))};
    }
    case Expression::Literal::kBinary:
      return TypedScalar{types::Binary(), std::make_shared<arrow::BinaryScalar>(literal.binary())};
    case Expression::Literal::kBoolean:
      return TypedScalar{types::Boolean(), std::make_shared<arrow::BooleanScalar>(literal.boolean())};
    case Expression::Literal::kByte:
      return Make<arrow::Int8Scalar>(types::Byte(), static_cast<int8_t>(literal.byte()));
    case Expression::Literal::kShort:
      return Make<arrow::Int16Scalar>(types::Short(), static_cast<int16_t>(literal.short_()));
    case Expression::Literal::kInteger:
      return Make<arrow::Int32Scalar>(types::Integer(), literal.integer());
    case Expression::Literal::kLong:
      return Make<arrow::Int64Scalar>(types::Long(), int64_t{literal.long_()});
    case Expression::Literal::kFloat:
      return Make<arrow::FloatScalar>(types::Float(), literal.float_());
    case Expression::Literal::kDouble:
      return Make<arrow::DoubleScalar>(types::Double(), literal.double_());
    case Expression::Literal::kDecimal:
      return FromDecimal(literal.decimal());
    case Expression::Literal::kString:
      return TypedScalar{types::String(), std::make_shared<arrow::StringScalar>(literal.string())};
    case Expression::Literal::kDate:
      return Make<arrow::Date32Scalar>(types::Date(), literal.date());
    case Expression::Literal::kTimestamp:
      return Make<arrow::TimestampScalar>(types::Timestamp(), int64_t{literal.timestamp()});
    case Expression::Literal::kTimestampNtz:
      return Make<arrow::TimestampScalar>(types::TimestampNtz(), int64_t{literal.timestamp_ntz()});
    case Expression::Literal::kTime: {
      int precision = literal.time().has_precision() ? literal.time().precision() : types::kMicrosPrecision;
      DataTypePtr type = types::Time(precision);
      return TypedScalar{type,
                         std::make_shared<arrow::Time64Scalar>(int64_t{literal.time().nano()}, types::ToArrow(*type))};
    }
    case Expression::Literal::kCalendarInterval: {
      const auto& interval = literal.calendar_interval();
      arrow::MonthDayNanoIntervalType::MonthDayNanos value{interval.months(), interval.days(),
                                                           interval.microseconds() * 1000};
      return Make<arrow::MonthDayNanoIntervalScalar>(types::CalendarInterval(), value);
    }
    case Expression::Literal::kYearMonthInterval: {
      DataTypePtr type = types::YearMonthInterval();
      if (literal.has_data_type()) {
        ARROW_ASSIGN_OR_RAISE(type, ResolveDataType(literal.data_type()));
      }
      return Make<arrow::MonthIntervalScalar>(type, literal.year_month_interval());
    }
    case Expression::Literal::kDayTimeInterval: {
      DataTypePtr type = types::DayTimeInterval();
      if (literal.has_data_type()) {
        ARROW_ASSIGN_OR_RAISE(type, ResolveDataType(literal.data_type()));
      }
      return Make<arrow::DurationScalar>(type, int64_t{literal.day_time_interval()});
    }
    case Expression::Literal::kArray:
      return FromArray(literal, depth);
    case Expression::Literal::kMap:
      return FromMap(literal, depth);
    case Expression::Literal::kStruct:
      return FromStruct(literal, depth);
    case Expression::Literal::kSpecializedArray: {
      const auto& array = literal.specialized_array();
      if (array.has_bools()) return FromSpecialized<arrow::BooleanBuilder>(types::Boolean(), array.bools().values());
      if (array.has_ints()) return FromSpecialized<arrow::Int32Builder>(types::Integer(), array.ints().values());
      if (array.has_longs()) return FromSpecialized<arrow::Int64Builder>(types::Long(), array.longs().values());
      if (array.has_floats()) return FromSpecialized<arrow::FloatBuilder>(types::Float(), array.floats().values());
      if (array.has_doubles()) return FromSpecialized<arrow::DoubleBuilder>(types::Double(), array.doubles().values());
      return FromSpecialized<arrow::StringBuilder>(types::String(), array.strings().values());
    }
    default:
      return NotSupported("a literal of kind " + std::to_string(literal.literal_type_case()));
  }
}

}  // namespace

arrow::Result<ExpressionPtr> ResolveLiteral(const Expression& message) {
  ARROW_ASSIGN_OR_RAISE(TypedScalar scalar, FromLiteral(message.literal(), 0));
  return std::make_shared<expression::Literal>(std::move(scalar.type), std::move(scalar.value));
}

}  // namespace millrace::analyzer
