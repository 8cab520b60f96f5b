#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::types {

enum class TypeId : uint8_t {
  kNull,
  kBoolean,
  kByte,
  kShort,
  kInteger,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kString,
  kBinary,
  kDate,
  kTimestamp,     ///< an instant, µs since 1970 UTC
  kTimestampNtz,  ///< a wall clock reading, µs since 1970-01-01 00:00
  kYearMonthInterval,
  kDayTimeInterval,
  kCalendarInterval,  ///< months, days, µs apart: the type of legacy intervals
  kTime,              ///< a time of day, ns since midnight; 0 to 6 digits of the second's fraction count
  kVariant,           ///< a value that carries its own type; no nested type: it has no fields
  kArray,
  kMap,
  kStruct,
};

/// Fields of the two ANSI interval types, in Spark's numbering.
enum class IntervalField : uint8_t { kYear = 0, kMonth = 1 };
enum class DayTimeField : uint8_t { kDay = 0, kHour = 1, kMinute = 2, kSecond = 3 };

class DataType;
/// Types are immutable and shared.
using DataTypePtr = std::shared_ptr<const DataType>;

/// The class of a user whose objects a column holds, in the form of another type's values (Spark's UserDefinedType).
struct UserClass {
  std::string jvm_class;     ///< empty for a class of Python alone
  std::string python_class;  ///< "module.Class"; empty when there is none
  std::string serialized_python_class;

  bool operator==(const UserClass& other) const {
    return jvm_class == other.jvm_class && (!jvm_class.empty() || python_class == other.python_class);
  }
};

/// One column of a struct or of a table.
struct StructField {
  std::string name;
  DataTypePtr type;
  bool nullable = true;
  /// Spark's column metadata: a JSON object, or empty for none. Carries comments, watermark delays, char lengths.
  std::string metadata_json;

  bool operator==(const StructField& other) const;
};

/// A Spark SQL data type. Immutable; compare with Equals, not by pointer. Thread-safe.
/// A type with a user class is, but for names and comparison, the type that its values are stored as.
/// Source: Spark SQL reference, "Data Types".
class DataType {
 public:
  TypeId id() const { return id_; }

  /// kDecimal: 1 … 38 and 0 … precision. kTime: digits of the fraction.
  int precision() const { return precision_; }
  int scale() const { return scale_; }
  /// Interval types: first and last field.
  int start_field() const { return precision_; }
  int end_field() const { return scale_; }
  /// kArray: the element. kMap: key and value.
  const DataTypePtr& element() const { return children_[0].type; }
  bool contains_null() const { return children_[0].nullable; }
  const DataTypePtr& key() const { return children_[0].type; }
  const DataTypePtr& value() const { return children_[1].type; }
  bool value_contains_null() const { return children_[1].nullable; }
  /// kStruct: the fields; also the table's columns where a struct stands for a schema.
  const std::vector<StructField>& fields() const { return children_; }
  /// Index of the only field with exactly this name, or -1 (none) / -2 (several).
  int FieldIndex(std::string_view name, bool case_sensitive) const;

  /// Null for every type of Spark's own.
  const UserClass* user_class() const { return user_class_.get(); }

  bool is_integral() const { return id_ >= TypeId::kByte && id_ <= TypeId::kLong; }
  bool is_fractional() const { return id_ >= TypeId::kFloat && id_ <= TypeId::kDecimal; }
  bool is_numeric() const { return id_ >= TypeId::kByte && id_ <= TypeId::kDecimal; }
  bool is_nested() const { return id_ >= TypeId::kArray; }
  bool is_ansi_interval() const { return id_ == TypeId::kYearMonthInterval || id_ == TypeId::kDayTimeInterval; }
  bool is_datetime() const { return id_ >= TypeId::kDate && id_ <= TypeId::kTimestampNtz; }
  /// Whether this type, or one inside of it, is of kind `id`.
  bool Holds(TypeId id) const;

  /// Same type including nullability of elements and names of fields (metadata aside).
  bool Equals(const DataType& other) const;
  /// Same type, nullability of elements, values and fields aside.
  bool EqualsIgnoreNullability(const DataType& other) const;

  /// "bigint", "struct<a:int,b:array<string>>" (Spark's catalogString): what printSchema-like texts use.
  std::string CatalogString() const;
  /// Spark's simpleString ("timestamp", "decimal(10,2)"); long structs are not cut.
  std::string SimpleString() const { return CatalogString(); }
  /// "BIGINT", "STRUCT<a: INT, b: ARRAY<STRING>>" (Spark's sql): what error messages use.
  std::string Sql() const;
  /// "long", "decimal(10,2)": the word in Spark's schema JSON and printSchema.
  std::string TypeName() const;
  /// Spark's schema JSON, as Delta and the checkpoint's schema files hold it.
  std::string ToJson() const;
  /// kStruct only: "a INT NOT NULL,b STRUCT<c: STRING>" (Spark's StructType.toDDL).
  std::string ToDdl() const;
  /// kStruct only: the tree printSchema prints, with the leading "root".
  std::string ToTreeString() const;

  DataType(TypeId id, int precision, int scale, std::vector<StructField> children,
           std::shared_ptr<const UserClass> user_class = nullptr)
      : id_(id),
        precision_(precision),
        scale_(scale),
        children_(std::move(children)),
        user_class_(std::move(user_class)) {}

 private:
  TypeId id_;
  int precision_;
  int scale_;
  std::vector<StructField> children_;
  std::shared_ptr<const UserClass> user_class_;
};

DataTypePtr Null();
DataTypePtr Boolean();
DataTypePtr Byte();
DataTypePtr Short();
DataTypePtr Integer();
DataTypePtr Long();
DataTypePtr Float();
DataTypePtr Double();
DataTypePtr Decimal(int precision, int scale);
DataTypePtr String();
DataTypePtr Binary();
DataTypePtr Date();
DataTypePtr Timestamp();
DataTypePtr TimestampNtz();
DataTypePtr YearMonthInterval(IntervalField start = IntervalField::kYear, IntervalField end = IntervalField::kMonth);
DataTypePtr DayTimeInterval(DayTimeField start = DayTimeField::kDay, DayTimeField end = DayTimeField::kSecond);
DataTypePtr CalendarInterval();
/// `precision`: 0 … kMicrosPrecision.
DataTypePtr Time(int precision);
DataTypePtr Variant();
DataTypePtr Array(DataTypePtr element, bool contains_null = true);
DataTypePtr Map(DataTypePtr key, DataTypePtr value, bool value_contains_null = true);
DataTypePtr Struct(std::vector<StructField> fields);

/// Objects of `user_class`, stored as values of `stored`.
DataTypePtr UserDefined(const DataType& stored, UserClass user_class);
/// The same type with every user class in it, at any depth, taken off; itself when there is none.
DataTypePtr WithoutUserClasses(const DataTypePtr& type);

/// The type of a kind without parameters (everything but decimal, intervals and nested types).
DataTypePtr SimpleType(TypeId id);

inline constexpr int kMaxDecimalPrecision = 38;
/// TIME alone: six digits of the fraction.
inline constexpr int kMicrosPrecision = 6;
/// The decimal that holds every value of an integral type; Spark's DecimalType.forType.
DataTypePtr DecimalForIntegral(TypeId id);

/// The same type with every nested nullability set to true; user classes stay as they are (Spark's asNullable).
DataTypePtr AsNullable(const DataTypePtr& type);

/// Parses Spark's schema JSON (what ToJson writes). Errors: Invalid naming what is wrong.
arrow::Result<DataTypePtr> ParseTypeJson(std::string_view json);

/// Parses a type in DDL ("array<int>", "STRUCT<a: INT NOT NULL COMMENT 'x'>", "decimal(10, 2)", "interval day to
/// second"). Errors: UserError PARSE_SYNTAX_ERROR, UNSUPPORTED_DATATYPE.
arrow::Result<DataTypePtr> ParseTypeDdl(std::string_view text);

/// Parses a list of columns ("a INT, b STRING NOT NULL" or "a: INT"); also accepts one whole STRUCT<…> type,
/// and, as Spark's from_json does, any other single type. Errors as ParseTypeDdl.
arrow::Result<DataTypePtr> ParseSchemaDdl(std::string_view text);

/// `name` as it must stand in SQL: bare when it is a plain identifier, else in back-ticks.
std::string QuoteIfNeeded(std::string_view name);

}  // namespace millrace::types
