#include "format/text_cell.h"

#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::format {

bool ReadTextCell(const std::string& text, const types::DataType& type, const TextValueParser& values,
                  const NumberSymbols& symbols, JsonCell* cell) {
  using types::TypeId;
  auto in_range = [&](int64_t low, int64_t high) {
    return ParseInteger(text, &cell->integer) && cell->integer >= low && cell->integer <= high;
  };
  switch (type.id()) {
    case TypeId::kByte:
      return in_range(INT8_MIN, INT8_MAX);
    case TypeId::kShort:
      return in_range(INT16_MIN, INT16_MAX);
    case TypeId::kInteger:
      return in_range(INT32_MIN, INT32_MAX);
    case TypeId::kLong:
      return ParseInteger(text, &cell->integer);
    case TypeId::kDecimal: {
      std::string plain;
      return NormalizeDecimalText(text, symbols, &plain) &&
             types::ParseDecimal(plain, type.precision(), type.scale(), &cell->decimal) == types::DecimalParse::kOk;
    }
    case TypeId::kDate: {
      int32_t days = 0;
      bool ok = values.Date(text, &days);
      cell->integer = days;
      return ok;
    }
    case TypeId::kTimestamp:
      return values.Timestamp(text, &cell->integer);
    case TypeId::kTimestampNtz:
      return values.TimestampNtz(text, &cell->integer);
    case TypeId::kTime:
      return values.TimeOfDay(text, &cell->integer);
    case TypeId::kString:
      cell->text = text;
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::format
