#include <optional>

#include "base/error.h"
#include "function/row_kernel.h"

/// url_encode, url_decode, parse_url.

namespace millrace::function {

namespace {

std::string UrlEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
                 c == '*' || c == '_';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[(c >> 4) & 15];
      out += kHex[c & 15];
    }
  }
  return out;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool UrlDecode(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      *out += ' ';
    } else if (text[i] != '%') {
      *out += text[i];
    } else {
      if (i + 2 >= text.size()) return false;
      int high = HexDigit(text[i + 1]);
      int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      *out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

arrow::Result<ExpressionPtr> BindUrlDecode(const BindInput& input, bool tried) {
  return BindSimple(input, {types::String()}, types::String(),
                    BuiltKernel<arrow::StringBuilder, std::string_view>(
                        arrow::utf8(),
                        [tried](const EvalContext&, std::string_view text, arrow::StringBuilder& builder) {
                          std::string out;
                          if (UrlDecode(text, &out)) return builder.Append(out);
                          if (tried) return builder.AppendNull();
                          return UserError("CANNOT_DECODE_URL", {{"url", std::string(text)}});
                        }),
                    {.can_fail = !tried, .may_null = true});
}

using Part = std::optional<std::string_view>;

/// The parts of a URI as java.net.URI finds them.
struct Url {
  Part scheme, authority, path, query, fragment, host, user_info;

  static bool Parse(std::string_view text, Url* url) {
    for (char c : text) {
      auto byte = static_cast<unsigned char>(c);
      if (byte <= ' ' || byte == 127 || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos) return false;
    }
    if (size_t hash = text.find('#'); hash != std::string_view::npos) {
      url->fragment = text.substr(hash + 1);
      text = text.substr(0, hash);
    }
    size_t colon = text.find_first_of(":/?");
    if (colon != std::string_view::npos && text[colon] == ':' && colon > 0) {
      url->scheme = text.substr(0, colon);
      text.remove_prefix(colon + 1);
      if (!text.starts_with('/')) return true;  // opaque: mailto:…
    }
    if (size_t mark = text.find('?'); mark != std::string_view::npos) {
      url->query = text.substr(mark + 1);
      text = text.substr(0, mark);
    }
    if (text.starts_with("//")) {
      text.remove_prefix(2);
      size_t slash = text.find('/');
      url->authority = text.substr(0, slash);
      text = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
      std::string_view host = *url->authority;
      if (size_t at = host.rfind('@'); at != std::string_view::npos) {
        url->user_info = host.substr(0, at);
        host.remove_prefix(at + 1);
      }
      size_t port = host.starts_with('[') ? host.find(':', host.find(']')) : host.find(':');
      url->host = host.substr(0, port);
    }
    url->path = text;
    return true;
  }
};

bool FindPart(std::string_view text, std::string_view part, std::string* out) {
  Url url;
  if (!Url::Parse(text, &url)) return false;
  auto set = [out](const Part& value) {
    if (value) *out = *value;
    return value.has_value();
  };
  if (part == "HOST") return set(url.host);
  if (part == "PATH") return set(url.path);
  if (part == "QUERY") return set(url.query);
  if (part == "REF") return set(url.fragment);
  if (part == "PROTOCOL") return set(url.scheme);
  if (part == "AUTHORITY") return set(url.authority);
  if (part == "USERINFO") return set(url.user_info);
  if (part != "FILE" || !url.path) return false;
  *out = *url.path;
  if (url.query) *out += "?" + std::string(*url.query);
  return true;
}

bool FindKey(std::string_view query, std::string_view key, std::string* out) {
  while (!query.empty()) {
    size_t end = query.find('&');
    std::string_view pair = query.substr(0, end);
    size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key) {
      *out = pair.substr(equals + 1);
      return true;
    }
    if (end == std::string_view::npos) return false;
    query.remove_prefix(end + 1);
  }
  return false;
}

arrow::Status CheckUrl(std::string_view text, bool tried) {
  Url url;
  if (tried || Url::Parse(text, &url)) return arrow::Status::OK();
  return UserError("INVALID_URL", {{"url", std::string(text)}, {"ansiConfig", QuoteConf("spark.sql.ansi.enabled")}});
}

arrow::Result<ExpressionPtr> BindParseUrl(const BindInput& input, bool tried) {
  CallOptions options{.can_fail = !tried, .may_null = true};
  if (input.arguments.size() == 2) {
    return BindSimple(input, {types::String()}, types::String(),
                      BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view>(
                          arrow::utf8(),
                          [tried](const EvalContext&, std::string_view text, std::string_view part,
                                  arrow::StringBuilder& builder) -> arrow::Status {
                            ARROW_RETURN_NOT_OK(CheckUrl(text, tried));
                            std::string out;
                            return FindPart(text, part, &out) ? builder.Append(out) : builder.AppendNull();
                          }),
                      options);
  }
  return BindSimple(input, {types::String()}, types::String(),
                    BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view, std::string_view>(
                        arrow::utf8(),
                        [tried](const EvalContext&, std::string_view text, std::string_view part, std::string_view key,
                                arrow::StringBuilder& builder) -> arrow::Status {
                          ARROW_RETURN_NOT_OK(CheckUrl(text, tried));
                          std::string query;
                          std::string out;
                          bool found = part == "QUERY" && FindPart(text, part, &query) && FindKey(query, key, &out);
                          return found ? builder.Append(out) : builder.AppendNull();
                        }),
                    options);
}

}  // namespace

extern const FunctionDef kUrlEncode{
    .name = "url_encode",
    .family = "string",
    .description = "The text as a part of a URL.",
    .example = "url_encode('https://spark.apache.org')",
    .example_result = "https%3A%2F%2Fspark.apache.org",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::String()}, types::String(),
          BuiltKernel<arrow::StringBuilder, std::string_view>(
              arrow::utf8(), [](const EvalContext&, std::string_view text,
                                arrow::StringBuilder& builder) { return builder.Append(UrlEncode(text)); }),
          {.may_null = true});
    }};

extern const FunctionDef kUrlDecode{.name = "url_decode",
                                    .family = "string",
                                    .description = "The text of a part of a URL.",
                                    .example = "url_decode('https%3A%2F%2Fspark.apache.org')",
                                    .example_result = "https://spark.apache.org",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = [](const BindInput& input) { return BindUrlDecode(input, false); }};

extern const FunctionDef kTryUrlDecode{.name = "try_url_decode",
                                       .family = "string",
                                       .description = "As url_decode, NULL where the text is malformed.",
                                       .example = "try_url_decode('a%2')",
                                       .example_result = "NULL",
                                       .min_arguments = 1,
                                       .max_arguments = 1,
                                       .bind = [](const BindInput& input) { return BindUrlDecode(input, true); }};

extern const FunctionDef kParseUrl{
    .name = "parse_url",
    .family = "string",
    .description = "A part of a URL: HOST, PATH, QUERY (or one key of it), REF, PROTOCOL, FILE, AUTHORITY, USERINFO.",
    .example = "parse_url('http://spark.apache.org/path?query=1', 'HOST')",
    .example_result = "spark.apache.org",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) { return BindParseUrl(input, false); }};

extern const FunctionDef kTryParseUrl{.name = "try_parse_url",
                                      .family = "string",
                                      .description = "As parse_url, NULL where the URL is malformed.",
                                      .example = "try_parse_url('inva lid://spark.apache.org', 'HOST')",
                                      .example_result = "NULL",
                                      .min_arguments = 2,
                                      .max_arguments = 3,
                                      .bind = [](const BindInput& input) { return BindParseUrl(input, true); }};

}  // namespace millrace::function
