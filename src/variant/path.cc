#include "variant/path.h"

#include <charconv>

namespace millrace::variant {

namespace {

// One step at the front of `text`, which it is taken off; false when there is none.
bool TakeStep(std::string_view* text, PathStep* step) {
  if (text->starts_with('.')) {
    size_t end = std::min(text->find_first_of(".[", 1), text->size());
    if (end == 1) return false;
    step->name = text->substr(1, end - 1);
    text->remove_prefix(end);
    return true;
  }
  if (!text->starts_with('[') || text->size() < 3) return false;
  char quote = (*text)[1];
  if (quote == '\'' || quote == '"') {
    size_t end = text->find(quote, 2);
    if (end == std::string_view::npos || end + 1 >= text->size() || (*text)[end + 1] != ']') return false;
    step->name = text->substr(2, end - 2);
    text->remove_prefix(end + 2);
    return true;
  }
  size_t end = text->find(']');
  if (end == std::string_view::npos || end == 1) return false;
  std::string_view digits = text->substr(1, end - 1);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
  step->is_element = true;
  auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step->index);
  if (error != std::errc() || last != digits.data() + digits.size()) return false;
  text->remove_prefix(end + 1);
  return true;
}

}  // namespace

std::optional<Path> ParsePath(std::string_view text) {
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  Path path;
  while (!text.empty()) {
    if (!TakeStep(&text, &path.emplace_back())) return std::nullopt;
  }
  return path;
}

arrow::Result<std::optional<Variant>> Follow(const Variant& root, const Path& path) {
  std::optional<Variant> at = root;
  for (const PathStep& step : path) {
    ARROW_ASSIGN_OR_RAISE(Kind kind, at->kind());
    if (kind != (step.is_element ? Kind::kArray : Kind::kObject)) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(at, step.is_element ? at->Element(step.index) : at->Field(step.name));
    if (!at) return std::nullopt;
  }
  return at;
}

}  // namespace millrace::variant
