#include "types/collation.h"

#include <unicode/ucol.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>
#include <unicode/uvernum.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/edit_distance.h"
#include "base/error.h"
#include "base/json_value.h"

namespace millrace::types {

namespace {

constexpr std::string_view kPrefix = "SYSTEM.BUILTIN.";

struct Registry {
  std::mutex mutex;
  /// A deque: references to its collations stay valid.
  std::deque<Collation> collations{{.name = "UTF8_BINARY", .provider = "spark", .locale = {}},
                                   {.name = "null", .provider = {}, .locale = {}}};
  std::map<std::string, int> numbers{{"UTF8_BINARY", kBinaryCollation}};
};

Registry& TheRegistry() {
  static auto* registry = new Registry;
  return *registry;
}

// ICU's locales by Spark's names of them in upper case: language, script and the country in three letters.
struct LocaleName {
  std::string shown;
  std::string icu;
};

const std::map<std::string, LocaleName>& Locales() {
  static const auto* locales = [] {
    auto* made = new std::map<std::string, LocaleName>;
    made->emplace("UNICODE", LocaleName{"UNICODE", ""});
    for (int32_t i = 0; i < ucol_countAvailable(); ++i) {
      const char* icu = ucol_getAvailable(i);
      auto part = [&](auto get) {
        char text[ULOC_FULLNAME_CAPACITY];
        UErrorCode status = U_ZERO_ERROR;
        int32_t length = get(icu, text, static_cast<int32_t>(sizeof(text)), &status);
        return U_SUCCESS(status) ? std::string(text, static_cast<size_t>(length)) : std::string();
      };
      if (!part(uloc_getVariant).empty()) continue;
      std::string name = part(uloc_getLanguage);
      std::string script = part(uloc_getScript);
      if (!script.empty()) name += "_" + script;
      std::string country = uloc_getISO3Country(icu);
      if (!country.empty()) name += "_" + country;
      if (!name.empty()) made->emplace(ToUpperAscii(name), LocaleName{name, icu});
    }
    return made;
  }();
  return *locales;
}

arrow::Status InvalidName(std::string_view name) {
  std::string upper = ToUpperAscii(name);
  std::vector<std::pair<size_t, std::string>> near{{EditDistance(upper, "UTF8_BINARY"), "UTF8_BINARY"},
                                                   {EditDistance(upper, "UTF8_LCASE"), "UTF8_LCASE"}};
  for (const auto& [key, locale] : Locales()) near.emplace_back(EditDistance(upper, key), locale.shown);
  std::stable_sort(near.begin(), near.end());
  std::string proposals;
  for (size_t i = 0; i < std::min<size_t>(near.size(), 3); ++i) proposals += (i > 0 ? ", " : "") + near[i].second;
  return UserError("COLLATION_INVALID_NAME", {{"proposals", proposals}, {"collationName", std::string(name)}});
}

// Takes `word` off the end of `*name`.
bool TakeSuffix(std::string_view word, std::string* name) {
  if (!name->ends_with(word)) return false;
  name->resize(name->size() - word.size());
  return true;
}

// The words after the locale come in any order, each at most once.
arrow::Result<Collation> Parse(std::string_view given) {
  std::string rest = ToUpperAscii(given);
  if (rest.starts_with(kPrefix)) rest.erase(0, kPrefix.size());
  Collation collation;
  bool trims_given = false, case_given = false, accents_given = false;
  auto once = [](bool* seen) { return !std::exchange(*seen, true); };
  bool valid = true;
  while (valid) {
    if (TakeSuffix("_RTRIM", &rest)) {
      valid = once(&trims_given);
      collation.trims = true;
    } else if (bool ci = rest.ends_with("_CI"); ci || rest.ends_with("_CS")) {
      TakeSuffix(ci ? "_CI" : "_CS", &rest);
      valid = once(&case_given);
      collation.ignores_case = ci;
    } else if (bool ai = rest.ends_with("_AI"); ai || rest.ends_with("_AS")) {
      TakeSuffix(ai ? "_AI" : "_AS", &rest);
      valid = once(&accents_given);
      collation.ignores_accents = ai;
    } else {
      break;
    }
  }
  std::string_view trim = collation.trims ? "_RTRIM" : "";
  if (rest == "UTF8_BINARY" || rest == "UTF8_LCASE") {
    if (!valid || case_given || accents_given) return InvalidName(given);
    collation.provider = "spark";
    collation.lower_case = rest == "UTF8_LCASE";
    collation.name = rest + std::string(trim);
    return collation;
  }
  auto locale = Locales().find(rest);
  if (!valid || locale == Locales().end()) return InvalidName(given);
  collation.provider = "icu";
  collation.locale = locale->second.icu;
  collation.name = locale->second.shown + (collation.ignores_case ? "_CI" : "") +
                   (collation.ignores_accents ? "_AI" : "") + std::string(trim);
  return collation;
}

}  // namespace

arrow::Result<int> FindCollation(std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(Collation collation, Parse(name));
  Registry& registry = TheRegistry();
  std::lock_guard lock(registry.mutex);
  auto [it, added] = registry.numbers.emplace(collation.name, static_cast<int>(registry.collations.size()));
  if (added) registry.collations.push_back(std::move(collation));
  return it->second;
}

arrow::Result<std::vector<ListedCollation>> ListCollations() {
  std::vector<ListedCollation> all;
  for (std::string_view trim : {"", "_RTRIM"}) {
    for (std::string_view word : {"UTF8_BINARY", "UTF8_LCASE"}) {
      ARROW_ASSIGN_OR_RAISE(Collation collation, Parse(std::string(word) + std::string(trim)));
      all.push_back({std::move(collation), "", "", ""});
    }
  }
  auto first_of_locales = static_cast<std::ptrdiff_t>(all.size());
  for (const auto& [key, locale] : Locales()) {
    std::string language, country;
    if (!locale.icu.empty()) {
      auto shown = [&](auto get) {
        UChar text[ULOC_FULLNAME_CAPACITY];
        UErrorCode status = U_ZERO_ERROR;
        int32_t length = get(locale.icu.c_str(), "en", text, ULOC_FULLNAME_CAPACITY, &status);
        std::string utf8;
        if (U_SUCCESS(status)) icu::UnicodeString(text, length).toUTF8String(utf8);
        return utf8;
      };
      language = shown(uloc_getDisplayLanguage);
      country = shown(uloc_getDisplayCountry);
    }
    for (std::string_view sensitivity : {"", "_AI", "_CI", "_CI_AI"}) {
      for (std::string_view trim : {"", "_RTRIM"}) {
        ARROW_ASSIGN_OR_RAISE(Collation collation, Parse(locale.shown + std::string(sensitivity) + std::string(trim)));
        all.push_back({std::move(collation), language, country, U_ICU_VERSION});
      }
    }
  }
  std::sort(all.begin() + first_of_locales, all.end(),
            [](const ListedCollation& a, const ListedCollation& b) { return a.collation.name < b.collation.name; });
  return all;
}

const Collation& CollationOf(int number) {
  Registry& registry = TheRegistry();
  std::lock_guard lock(registry.mutex);
  return registry.collations[static_cast<size_t>(number)];
}

DataTypePtr CollatedString(int number) {
  if (number == kBinaryCollation) return String();
  return std::make_shared<DataType>(TypeId::kString, number, 0, std::vector<StructField>{});
}

int CollationNumber(const DataType& type) {
  // CHAR and VARCHAR as they are declared keep their length there, and say so in the scale.
  return type.id() == TypeId::kString && type.scale() == 0 ? type.precision() : kBinaryCollation;
}

bool HoldsCollation(const DataType& type) {
  if (type.id() == TypeId::kString) return CollationNumber(type) != kBinaryCollation;
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const StructField& field) { return HoldsCollation(*field.type); });
}

DataTypePtr WithCollation(const DataTypePtr& type, int number) {
  if (type->user_class() != nullptr) return type;
  if (type->id() == TypeId::kString) return type->scale() == 0 ? CollatedString(number) : type;
  if (type->fields().empty()) return type;
  std::vector<StructField> fields = type->fields();
  for (StructField& field : fields) field.type = WithCollation(field.type, number);
  return std::make_shared<DataType>(type->id(), type->precision(), type->scale(), std::move(fields));
}

DataTypePtr WithoutCollations(const DataTypePtr& type) {
  return HoldsCollation(*type) ? WithCollation(type, kBinaryCollation) : type;
}

std::string CollationSuffix(const DataType& type) {
  int number = CollationNumber(type);
  return number == kBinaryCollation ? std::string() : " collate " + CollationOf(number).name;
}

namespace {

void AppendMetadata(const DataType& type, const std::string& path, std::string* out) {
  switch (type.id()) {
    case TypeId::kString: {
      if (CollationNumber(type) == kBinaryCollation) return;
      const Collation& collation = CollationOf(CollationNumber(type));
      if (!out->empty()) *out += ',';
      AppendJsonString(path, out);
      *out += ':';
      AppendJsonString(collation.provider + "." + collation.name, out);
      return;
    }
    case TypeId::kArray:
      return AppendMetadata(*type.element(), path + ".element", out);
    case TypeId::kMap:
      AppendMetadata(*type.key(), path + ".key", out);
      return AppendMetadata(*type.value(), path + ".value", out);
    default:
      return;  // fields of structs have metadata of their own
  }
}

}  // namespace

std::string CollationMetadata(const StructField& field) {
  std::string members;
  AppendMetadata(*field.type, field.name, &members);
  return members;
}

}  // namespace millrace::types
