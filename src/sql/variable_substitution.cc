#include "sql/variable_substitution.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace millrace::sql {

namespace {

constexpr std::array<std::string_view, 4> kSettingPrefixes = {"spark", "sparkconf", "hivevar", "hiveconf"};

struct Reference {
  std::string_view prefix;
  std::string_view name;
  size_t end = 0;
};

bool IsWord(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

/// The reference that starts at `begin`, where "${" stands: up to the first brace, without blanks, not empty.
std::optional<Reference> ReferenceAt(std::string_view text, size_t begin) {
  size_t first = begin + 2;
  // The name has a character at least, be it a brace.
  size_t close = first + 1 < text.size() ? text.find('}', first + 1) : std::string_view::npos;
  if (close == std::string_view::npos) return std::nullopt;
  std::string_view inside = text.substr(first, close - first);
  if (std::any_of(inside.begin(), inside.end(), [](unsigned char c) { return std::isspace(c) != 0; })) {
    return std::nullopt;
  }
  size_t colon = inside.find(':');
  bool has_prefix = colon != std::string_view::npos && colon + 1 < inside.size() && IsWord(inside.substr(0, colon));
  if (!has_prefix) return Reference{{}, inside, close + 1};
  return Reference{inside.substr(0, colon), inside.substr(colon + 1), close + 1};
}

std::optional<std::string> EnvironmentVariable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// Java's properties that say something of this process too.
std::optional<std::string> SystemProperty(std::string_view name) {
  if (name == "file.separator") return "/";
  if (name == "path.separator") return ":";
  if (name == "line.separator") return "\n";
  if (name == "os.name") return "Linux";
  if (name == "java.io.tmpdir") return "/tmp";
  if (name == "user.dir") return std::filesystem::current_path().string();
  const passwd* user = getpwuid(geteuid());
  if (name == "user.name" && user != nullptr) return user->pw_name;
  if (name == "user.home" && user != nullptr) return user->pw_dir;
  return std::nullopt;
}

class Substitution {
 public:
  explicit Substitution(const SettingReader& setting) : setting_(setting) {}

  arrow::Result<std::string> Replace(std::string_view text) {
    std::string out;
    size_t done = 0;
    for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", done)) {
      std::optional<Reference> reference = ReferenceAt(text, at);
      size_t end = reference ? reference->end : at + 2;
      out.append(text.substr(done, at - done));
      if (reference) {
        ARROW_ASSIGN_OR_RAISE(std::optional<std::string> value, ValueOf(text, *reference));
        out.append(value ? *value : text.substr(at, end - at));
      } else {
        out.append("${");
      }
      done = end;
    }
    out.append(text.substr(done));
    return out;
  }

 private:
  arrow::Result<std::optional<std::string>> ValueOf(std::string_view text, const Reference& reference) {
    std::string key(reference.name);
    if (!reference.prefix.empty()) key = std::string(reference.prefix) + ":" + key;
    if (std::find(inside_.begin(), inside_.end(), key) != inside_.end()) {
      return arrow::Status::Invalid("requirement failed: Circular reference in ", text, ": ", key);
    }
    std::optional<std::string> value;
    if (reference.prefix == "env") {
      value = EnvironmentVariable(reference.name);
    } else if (reference.prefix == "system") {
      value = SystemProperty(reference.name);
    } else if (reference.prefix.empty() || std::find(kSettingPrefixes.begin(), kSettingPrefixes.end(),
                                                     reference.prefix) != kSettingPrefixes.end()) {
      ARROW_ASSIGN_OR_RAISE(value, setting_(std::string(reference.name)));
    }
    if (!value) return std::optional<std::string>();
    inside_.push_back(std::move(key));
    arrow::Result<std::string> replaced = Replace(*value);
    inside_.pop_back();
    ARROW_ASSIGN_OR_RAISE(value, std::move(replaced));
    return value;
  }

  const SettingReader& setting_;
  std::vector<std::string> inside_;
};

}  // namespace

arrow::Result<std::optional<std::string>> SubstituteVariables(std::string_view text, const SettingReader& setting) {
  if (!setting || text.find("${") == std::string_view::npos) return std::optional<std::string>();
  Substitution substitution(setting);
  ARROW_ASSIGN_OR_RAISE(std::string replaced, substitution.Replace(text));
  return std::optional<std::string>(std::move(replaced));
}

}  // namespace millrace::sql
