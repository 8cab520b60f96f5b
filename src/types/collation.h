#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "types/data_type.h"

/// Collations of texts. A STRING type holds the number of its collation where other types hold a precision; the plain
/// STRING, which compares bytes (UTF8_BINARY), has 0. docs/adr/0014 says how values are compared.

namespace millrace::types {

struct Collation {
  /// As Spark shows it: "UTF8_LCASE", "de_CI_AI_RTRIM".
  std::string name;
  /// "icu", or "spark" for the UTF8 ones.
  std::string provider;
  /// ICU's name of the locale; empty for the root.
  std::string locale;
  bool lower_case = false;  ///< UTF8_LCASE
  bool ignores_case = false;
  bool ignores_accents = false;
  /// Spaces at the end do not count.
  bool trims = false;

  bool is_icu() const { return provider == "icu"; }
};

inline constexpr int kBinaryCollation = 0;
/// Of texts whose collations meet and do not say which one counts: "string collate null".
inline constexpr int kIndeterminateCollation = 1;

/// The number of the collation called `name` ("unicode_ci", "SYSTEM.BUILTIN.DE_AI"); the same name has the same number
/// as long as the process lives. Errors: UserError COLLATION_INVALID_NAME.
arrow::Result<int> FindCollation(std::string_view name);
/// REQUIRES: a number that FindCollation gave, or one of the constants.
const Collation& CollationOf(int number);

/// What collations() tells of one.
struct ListedCollation {
  Collation collation;
  /// In English; empty where the locale has none.
  std::string language;
  std::string country;
  /// Of the library that compares (Spark has a newer one); empty for the UTF8 ones.
  std::string icu_version;
};
/// Spark's in its order: the UTF8 ones, then those of locales by name.
arrow::Result<std::vector<ListedCollation>> ListCollations();

DataTypePtr CollatedString(int number);
/// The number of a STRING's collation.
int CollationNumber(const DataType& type);
/// Whether the type, or one inside of it, is a STRING that does not compare by its bytes.
bool HoldsCollation(const DataType& type);
/// The same type with every STRING in it plain; itself when there is nothing to change.
DataTypePtr WithoutCollations(const DataTypePtr& type);
/// The same type with every STRING in it under collation `number`.
DataTypePtr WithCollation(const DataTypePtr& type, int number);

/// " collate UTF8_LCASE" for texts under a collation, nothing for the plain STRING.
std::string CollationSuffix(const DataType& type);
/// What Spark keeps in a field's metadata for the collations in its type, as members of a JSON object
/// ("a.element":"spark.UTF8_LCASE"); empty for none.
std::string CollationMetadata(const StructField& field);

}  // namespace millrace::types
