#include "types/scala_text.h"

namespace millrace::types {

std::string ScalaText(const DataType& type) {
  switch (type.id()) {
    case TypeId::kStruct: {
      std::string text = "StructType(";
      for (size_t k = 0; k < type.fields().size(); ++k) {
        const auto& field = type.fields()[k];
        text += (k == 0 ? "StructField(" : ",StructField(") + field.name + "," + ScalaText(*field.type) + "," +
                (field.nullable ? "true)" : "false)");
      }
      return text + ")";
    }
    case TypeId::kArray:
      return "ArrayType(" + ScalaText(*type.element()) + "," + (type.contains_null() ? "true)" : "false)");
    case TypeId::kMap:
      return "MapType(" + ScalaText(*type.key()) + "," + ScalaText(*type.value()) + "," +
             (type.value_contains_null() ? "true)" : "false)");
    case TypeId::kDecimal:
      return "DecimalType(" + std::to_string(type.precision()) + "," + std::to_string(type.scale()) + ")";
    case TypeId::kNull:
      return "NullType";
    case TypeId::kTimestampNtz:
      return "TimestampNTZType";
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return std::string(type.id() == TypeId::kDayTimeInterval ? "DayTimeIntervalType(" : "YearMonthIntervalType(") +
             std::to_string(type.start_field()) + "," + std::to_string(type.end_field()) + ")";
    case TypeId::kCalendarInterval:
      return "CalendarIntervalType";
    case TypeId::kTime:
      return "TimeType(" + std::to_string(type.precision()) + ")";
    default: {
      std::string name = type.TypeName();
      name[0] = static_cast<char>(name[0] - 'a' + 'A');
      return name + "Type";
    }
  }
}

}  // namespace millrace::types
