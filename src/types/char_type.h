#pragma once

#include <optional>
#include <string>

#include "types/data_type.h"

namespace millrace::types {

/// CHAR(n) and VARCHAR(n) are STRING with the type that was declared in the column's metadata, as Spark keeps them.
struct CharType {
  /// CHAR: values are padded to `length` characters.
  bool padded = false;
  int length = 0;
};

/// The declared type of a CHAR or VARCHAR column; nullopt for every other one.
std::optional<CharType> CharTypeOf(const StructField& field);
/// The same of a column's metadata.
std::optional<CharType> CharTypeOf(const DataType& type, const std::string& metadata_json);
/// Marks a STRING field as declared `type`; nullopt takes the mark away. Other metadata stays.
void SetCharType(const std::optional<CharType>& type, StructField* field);
/// The type of a column that was declared as, or with, CHAR(n) or VARCHAR(n), as ParseDeclaredDdl makes it; nullptr for
/// every other one.
DataTypePtr DeclaredTypeOf(const StructField& field);
/// Marks a field as declared `text`, which has CHAR(n) or VARCHAR(n) inside: "array<char(2)>". Other metadata stays.
void SetDeclaredType(std::string_view text, StructField* field);
/// As DESCRIBE shows the field's type: "char(5)", else its simpleString.
std::string DeclaredTypeText(const StructField& field);
/// As ParseTypeDdl and ParseSchemaDdl, but CHAR(n) and VARCHAR(n) stay what they are, anywhere in the type: for clients
/// that ask what a text declares, not for columns.
arrow::Result<DataTypePtr> ParseDeclaredDdl(std::string_view text);
/// The length and kind of a type that ParseDeclaredDdl made; nullopt for every other one.
std::optional<CharType> DeclaredCharType(const DataType& type);
/// Number of characters, not bytes, of a UTF-8 text.
int64_t CharacterCount(std::string_view text);

}  // namespace millrace::types
