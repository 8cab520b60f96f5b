#include "connector/file/glob.h"

#include <algorithm>

namespace millrace::connector::file {

namespace {

// Length of a bracket set or brace list that opens at `at`; npos when it does not close.
size_t ClosingOf(std::string_view pattern, size_t at, char open, char close) {
  int depth = 0;
  for (size_t i = at; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == open) {
      ++depth;
    } else if (pattern[i] == close && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

// The alternatives of the first {…} of a pattern, each with what stands around it; the pattern itself without one.
std::vector<std::string> ExpandBraces(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
      continue;
    }
    if (pattern[i] != '{') continue;
    size_t close = ClosingOf(pattern, i, '{', '}');
    if (close == std::string_view::npos) break;
    std::vector<std::string> expanded;
    int depth = 0;
    size_t start = i + 1;
    for (size_t j = i + 1; j <= close; ++j) {
      bool separator = depth == 0 && (pattern[j] == ',' || j == close);
      if (pattern[j] == '{') ++depth;
      if (pattern[j] == '}') --depth;
      if (!separator) continue;
      std::string whole(pattern.substr(0, i));
      whole += pattern.substr(start, j - start);
      whole += pattern.substr(close + 1);
      for (std::string& text : ExpandBraces(whole)) expanded.push_back(std::move(text));
      start = j + 1;
    }
    return expanded;
  }
  return {std::string(pattern)};
}

bool InSet(std::string_view set, char c) {
  bool negated = !set.empty() && (set[0] == '^' || set[0] == '!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (set[i] <= c && c <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == c;
    }
  }
  return found != negated;
}

bool MatchesPlain(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  while (n < name.size()) {
    bool matched = false;
    size_t next = p + 1;
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        star = p++;
        star_name = n;
        continue;
      }
      if (pattern[p] == '?') {
        matched = true;
      } else if (pattern[p] == '[' && pattern.find(']', p + 2) != std::string_view::npos) {
        size_t close = pattern.find(']', p + 2);
        matched = InSet(pattern.substr(p + 1, close - p - 1), name[n]);
        next = close + 1;
      } else {
        if (pattern[p] == '\\' && p + 1 < pattern.size()) next = ++p + 1;
        matched = pattern[p] == name[n];
      }
    }
    if (matched) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

arrow::Status ExpandFrom(const FileSystem& file_system, const std::string& directory, std::string_view rest,
                         std::vector<std::string>* found) {
  size_t slash = rest.find('/');
  std::string_view part = rest.substr(0, slash);
  std::string_view after = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  auto go_on = [&](const std::string& path, bool is_directory) -> arrow::Status {
    if (after.empty()) {
      found->push_back(path);
      return arrow::Status::OK();
    }
    return is_directory ? ExpandFrom(file_system, path, after, found) : arrow::Status::OK();
  };
  if (!IsGlob(part)) {
    std::string path = JoinPath(directory, part);
    ARROW_ASSIGN_OR_RAISE(auto info, file_system.Stat(path));
    return info ? go_on(path, info->is_directory) : arrow::Status::OK();
  }
  arrow::Result<std::vector<FileInfo>> files = file_system.List(directory);
  if (files.status().IsKeyError()) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(files);
  std::sort(files->begin(), files->end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
  for (const FileInfo& file : *files) {
    if (GlobMatches(part, file.name)) ARROW_RETURN_NOT_OK(go_on(JoinPath(directory, file.name), file.is_directory));
  }
  return arrow::Status::OK();
}

}  // namespace

bool IsGlob(std::string_view path) { return path.find_first_of("{}[]*?\\") != std::string_view::npos; }

bool GlobMatches(std::string_view pattern, std::string_view name) {
  for (const std::string& plain : ExpandBraces(pattern)) {
    if (MatchesPlain(plain, name)) return true;
  }
  return false;
}

arrow::Result<std::vector<std::string>> ExpandGlob(const FileSystem& file_system, const std::string& pattern) {
  if (!IsGlob(pattern)) return std::vector<std::string>{pattern};
  // A brace may span slashes, so it is taken apart before the path is.
  std::vector<std::string> found;
  for (const std::string& whole : ExpandBraces(pattern)) {
    std::string_view rest = whole;
    while (rest.starts_with('/')) rest.remove_prefix(1);
    if (!IsGlob(rest)) {
      ARROW_ASSIGN_OR_RAISE(auto info, file_system.Stat(Unescape(whole)));
      if (info) found.push_back(Unescape(whole));
      continue;
    }
    ARROW_RETURN_NOT_OK(ExpandFrom(file_system, "/", rest, &found));
  }
  return found;
}

}  // namespace millrace::connector::file
