#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// C++ types as Spark's types, for functions that take and give rows of the program's own types.
///
///   bool BOOLEAN · int8_t TINYINT · int16_t SMALLINT · int32_t INT · int64_t BIGINT · float FLOAT · double DOUBLE ·
///   std::string STRING · Binary BINARY · Date DATE · Timestamp TIMESTAMP · TimestampNtz TIMESTAMP_NTZ ·
///   std::vector<T> ARRAY<T> · std::map<K, V> MAP<K, V> · a struct with kFields, std::pair, std::tuple STRUCT ·
///   std::optional<T>: T that may be NULL. A NULL for any other type is an error.
///
/// As a row, a struct's fields are the columns, a tuple's are _1, _2, …, and any other type is one column, `value`.
/// State and its schema are what Spark's encoders make of the Scala types alike, so that it is read there too.

namespace millrace {

using Date = std::chrono::sys_days;
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using TimestampNtz = std::chrono::local_time<std::chrono::microseconds>;
struct Binary {
  std::string bytes;
  auto operator<=>(const Binary&) const = default;
};

/// One field of a struct that is a row.
template <typename Struct, typename Member>
struct Field {
  std::string_view name;
  Member Struct::* member;
};

constexpr std::tuple<> Fields() { return {}; }
/// What a struct says of itself to be a row:
///   struct Visit {
///     std::string user;
///     int64_t clicks = 0;
///     static constexpr auto kFields = millrace::Fields("user", &Visit::user, "clicks", &Visit::clicks);
///   };
template <typename Struct, typename Member, typename... Rest>
constexpr auto Fields(std::string_view name, Member Struct::* member, Rest... rest) {
  return std::tuple_cat(std::make_tuple(Field<Struct, Member>{name, member}), Fields(rest...));
}

namespace api {

/// A value in a column. A view: the column outlives it.
class ValueReader {
 public:
  ValueReader(const arrow::Array* column, int64_t row) : column_(column), row_(row) {}
  bool IsNull() const;
  // REQUIRES: not NULL, and of the kind.
  bool Bool() const;
  /// Whole numbers, days, microseconds.
  int64_t Integer() const;
  double Floating() const;
  std::string_view Bytes() const;
  ValueReader Field(int i) const;
  /// Of an array or a map.
  int64_t Size() const;
  ValueReader Element(int64_t i) const;
  ValueReader Key(int64_t i) const;
  ValueReader Value(int64_t i) const;

 private:
  const arrow::Array* column_;
  int64_t row_;
};

/// Where the next value of a column goes. A view: the builder outlives it. Each value is written once.
class ValueWriter {
 public:
  explicit ValueWriter(arrow::ArrayBuilder* builder) : builder_(builder) {}
  arrow::Status Null() const;
  arrow::Status Bool(bool value) const;
  arrow::Status Integer(int64_t value) const;
  arrow::Status Floating(double value) const;
  arrow::Status Bytes(std::string_view value) const;
  /// Then each field is written.
  arrow::Status BeginStruct() const;
  ValueWriter Field(int i) const;
  /// Then each element, or each key and its value, is written.
  arrow::Status BeginList() const;
  ValueWriter Element() const;
  arrow::Status BeginMap() const;
  ValueWriter Key() const;
  ValueWriter Value() const;

 private:
  arrow::ArrayBuilder* builder_;
};

arrow::Status UnexpectedNull(std::string_view type);
/// A field of a struct type in Spark's JSON, appended.
void AppendFieldJson(std::string_view name, const std::string& type, bool nullable, std::string* json);

template <typename T>
concept HasFields = requires { T::kFields; };

/// How a C++ type is a value of a column.
template <typename T>
struct ValueCodec;

template <typename T>
arrow::Status ReadValue(const ValueReader& reader, T* value) {
  if (!ValueCodec<T>::kTakesNull && reader.IsNull()) return UnexpectedNull(ValueCodec<T>::Type());
  return ValueCodec<T>::Read(reader, value);
}

/// Types of one word. Spark's encoders call those nullable that are objects in Java.
#define MILLRACE_SIMPLE_VALUE(CppType, kJson, kIsObject, READ, WRITE)                                    \
  template <>                                                                                            \
  struct ValueCodec<CppType> {                                                                           \
    static constexpr bool kNullable = kIsObject;                                                         \
    static constexpr bool kTakesNull = false;                                                            \
    static std::string Type() { return "\"" kJson "\""; }                                                \
    static arrow::Status Read(const ValueReader& reader, CppType* value) {                               \
      *value = READ;                                                                                     \
      return arrow::Status::OK();                                                                        \
    }                                                                                                    \
    static arrow::Status Write(const CppType& value, const ValueWriter& writer) { return writer.WRITE; } \
  }
MILLRACE_SIMPLE_VALUE(bool, "boolean", false, reader.Bool(), Bool(value));
MILLRACE_SIMPLE_VALUE(int8_t, "byte", false, static_cast<int8_t>(reader.Integer()), Integer(value));
MILLRACE_SIMPLE_VALUE(int16_t, "short", false, static_cast<int16_t>(reader.Integer()), Integer(value));
MILLRACE_SIMPLE_VALUE(int32_t, "integer", false, static_cast<int32_t>(reader.Integer()), Integer(value));
MILLRACE_SIMPLE_VALUE(int64_t, "long", false, reader.Integer(), Integer(value));
MILLRACE_SIMPLE_VALUE(float, "float", false, static_cast<float>(reader.Floating()),
                      Floating(static_cast<double>(value)));
MILLRACE_SIMPLE_VALUE(double, "double", false, reader.Floating(), Floating(value));
MILLRACE_SIMPLE_VALUE(std::string, "string", true, std::string(reader.Bytes()), Bytes(value));
MILLRACE_SIMPLE_VALUE(Binary, "binary", true, Binary{std::string(reader.Bytes())}, Bytes(value.bytes));
MILLRACE_SIMPLE_VALUE(Date, "date", true, Date(std::chrono::days(reader.Integer())),
                      Integer(value.time_since_epoch().count()));
MILLRACE_SIMPLE_VALUE(Timestamp, "timestamp", true, Timestamp(std::chrono::microseconds(reader.Integer())),
                      Integer(value.time_since_epoch().count()));
MILLRACE_SIMPLE_VALUE(TimestampNtz, "timestamp_ntz", true, TimestampNtz(std::chrono::microseconds(reader.Integer())),
                      Integer(value.time_since_epoch().count()));
#undef MILLRACE_SIMPLE_VALUE

template <typename T>
struct ValueCodec<std::optional<T>> {
  static constexpr bool kNullable = true;
  static constexpr bool kTakesNull = true;
  static std::string Type() { return ValueCodec<T>::Type(); }
  static arrow::Status Read(const ValueReader& reader, std::optional<T>* value) {
    if (reader.IsNull()) {
      value->reset();
      return arrow::Status::OK();
    }
    return ValueCodec<T>::Read(reader, &value->emplace());
  }
  static arrow::Status Write(const std::optional<T>& value, const ValueWriter& writer) {
    return value ? ValueCodec<T>::Write(*value, writer) : writer.Null();
  }
};

template <typename T>
struct ValueCodec<std::vector<T>> {
  static constexpr bool kNullable = true;
  static constexpr bool kTakesNull = false;
  static std::string Type() {
    return "{\"type\":\"array\",\"elementType\":" + ValueCodec<T>::Type() +
           ",\"containsNull\":" + (ValueCodec<T>::kNullable ? "true}" : "false}");
  }
  static arrow::Status Read(const ValueReader& reader, std::vector<T>* value) {
    value->resize(static_cast<size_t>(reader.Size()));
    for (size_t i = 0; i < value->size(); ++i) {
      T element{};
      ARROW_RETURN_NOT_OK(ReadValue(reader.Element(static_cast<int64_t>(i)), &element));
      (*value)[i] = std::move(element);
    }
    return arrow::Status::OK();
  }
  static arrow::Status Write(const std::vector<T>& value, const ValueWriter& writer) {
    ARROW_RETURN_NOT_OK(writer.BeginList());
    for (const T& element : value) ARROW_RETURN_NOT_OK(ValueCodec<T>::Write(element, writer.Element()));
    return arrow::Status::OK();
  }
};

template <typename K, typename V>
struct ValueCodec<std::map<K, V>> {
  static constexpr bool kNullable = true;
  static constexpr bool kTakesNull = false;
  static std::string Type() {
    return "{\"type\":\"map\",\"keyType\":" + ValueCodec<K>::Type() + ",\"valueType\":" + ValueCodec<V>::Type() +
           ",\"valueContainsNull\":" + (ValueCodec<V>::kNullable ? "true}" : "false}");
  }
  static arrow::Status Read(const ValueReader& reader, std::map<K, V>* value) {
    value->clear();
    for (int64_t i = 0; i < reader.Size(); ++i) {
      K key{};
      ARROW_RETURN_NOT_OK(ReadValue(reader.Key(i), &key));
      ARROW_RETURN_NOT_OK(ReadValue(reader.Value(i), &(*value)[std::move(key)]));
    }
    return arrow::Status::OK();
  }
  static arrow::Status Write(const std::map<K, V>& value, const ValueWriter& writer) {
    ARROW_RETURN_NOT_OK(writer.BeginMap());
    for (const auto& [key, one] : value) {
      ARROW_RETURN_NOT_OK(ValueCodec<K>::Write(key, writer.Key()));
      ARROW_RETURN_NOT_OK(ValueCodec<V>::Write(one, writer.Value()));
    }
    return arrow::Status::OK();
  }
};

template <HasFields T>
struct ValueCodec<T> {
  static constexpr bool kNullable = true;
  static constexpr bool kTakesNull = false;
  static std::string Type() {
    std::string fields;
    std::apply([&](const auto&... field) { (AddField(field, &fields), ...); }, T::kFields);
    return "{\"type\":\"struct\",\"fields\":[" + fields + "]}";
  }
  static arrow::Status Read(const ValueReader& reader, T* value) {
    int i = 0;
    arrow::Status status;
    auto read = [&](const auto& field) {
      int at = i++;
      if (status.ok()) status = ReadValue(reader.Field(at), &(value->*field.member));
    };
    std::apply([&](const auto&... field) { (read(field), ...); }, T::kFields);
    return status;
  }
  static arrow::Status Write(const T& value, const ValueWriter& writer) {
    ARROW_RETURN_NOT_OK(writer.BeginStruct());
    int i = 0;
    arrow::Status status;
    auto write = [&](const auto& field) {
      int at = i++;
      using Member = std::remove_cvref_t<decltype(value.*field.member)>;
      if (status.ok()) status = ValueCodec<Member>::Write(value.*field.member, writer.Field(at));
    };
    std::apply([&](const auto&... field) { (write(field), ...); }, T::kFields);
    return status;
  }

 private:
  template <typename Member>
  static void AddField(const Field<T, Member>& field, std::string* json) {
    AppendFieldJson(field.name, ValueCodec<Member>::Type(), ValueCodec<Member>::kNullable, json);
  }
};

template <typename Tuple>
struct TupleCodec {
  static constexpr bool kNullable = true;
  static constexpr bool kTakesNull = false;
  static constexpr auto kIndices = std::make_index_sequence<std::tuple_size_v<Tuple>>();
  static std::string Type() { return TypeOf(kIndices); }
  static arrow::Status Read(const ValueReader& reader, Tuple* value) { return ReadAll(reader, value, kIndices); }
  static arrow::Status Write(const Tuple& value, const ValueWriter& writer) {
    ARROW_RETURN_NOT_OK(writer.BeginStruct());
    return WriteAll(value, writer, kIndices);
  }

 private:
  template <size_t... I>
  static std::string TypeOf(std::index_sequence<I...>) {
    std::string fields;
    (AppendFieldJson("_" + std::to_string(I + 1), ValueCodec<std::tuple_element_t<I, Tuple>>::Type(),
                     ValueCodec<std::tuple_element_t<I, Tuple>>::kNullable, &fields),
     ...);
    return "{\"type\":\"struct\",\"fields\":[" + fields + "]}";
  }
  template <size_t... I>
  static arrow::Status ReadAll(const ValueReader& reader, Tuple* value, std::index_sequence<I...>) {
    arrow::Status status;
    ((status.ok() ? void(status = ReadValue(reader.Field(static_cast<int>(I)), &std::get<I>(*value))) : void()), ...);
    return status;
  }
  template <size_t... I>
  static arrow::Status WriteAll(const Tuple& value, const ValueWriter& writer, std::index_sequence<I...>) {
    arrow::Status status;
    ((status.ok() ? void(status = ValueCodec<std::tuple_element_t<I, Tuple>>::Write(std::get<I>(value),
                                                                                    writer.Field(static_cast<int>(I))))
                  : void()),
     ...);
    return status;
  }
};
template <typename... T>
struct ValueCodec<std::tuple<T...>> : TupleCodec<std::tuple<T...>> {};
template <typename A, typename B>
struct ValueCodec<std::pair<A, B>> : TupleCodec<std::pair<A, B>> {};

template <typename T>
inline constexpr bool kIsTuple = false;
template <typename... T>
inline constexpr bool kIsTuple<std::tuple<T...>> = true;
template <typename A, typename B>
inline constexpr bool kIsTuple<std::pair<A, B>> = true;

/// How a C++ type is a row: a struct of its columns.
template <typename T>
struct RowCodec {
  static constexpr bool kIsStruct = HasFields<T> || kIsTuple<T>;
  static std::string Type() {
    if constexpr (kIsStruct) {
      return ValueCodec<T>::Type();
    } else {
      std::string field;
      AppendFieldJson("value", ValueCodec<T>::Type(), ValueCodec<T>::kNullable, &field);
      return "{\"type\":\"struct\",\"fields\":[" + field + "]}";
    }
  }
  static arrow::Status Read(const ValueReader& row, T* value) {
    if constexpr (kIsStruct) {
      return ValueCodec<T>::Read(row, value);
    } else {
      return ReadValue(row.Field(0), value);
    }
  }
  static arrow::Status Write(const T& value, const ValueWriter& row) {
    if constexpr (kIsStruct) {
      return ValueCodec<T>::Write(value, row);
    } else {
      ARROW_RETURN_NOT_OK(row.BeginStruct());
      return ValueCodec<T>::Write(value, row.Field(0));
    }
  }
};

}  // namespace api
}  // namespace millrace
