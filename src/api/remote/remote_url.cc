#include "api/remote/remote_url.h"

#include <algorithm>
#include <cctype>

namespace millrace::api {

namespace {

arrow::Result<std::string> DecodePercent(const std::string& text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    auto digit = [&](size_t at) { return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])); };
    if (!digit(i + 1) || !digit(i + 2)) return arrow::Status::Invalid("bad % escape in '", text, "'");
    decoded += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return decoded;
}

arrow::Status Set(RemoteUrl* url, const std::string& name, const std::string& value, bool* ssl_given) {
  if (name == "use_ssl") {
    url->use_ssl = value == "true" || value == "True" || value == "TRUE";
    *ssl_given = true;
  } else if (name == "token") {
    url->token = value;
  } else if (name == "user_id") {
    url->user_id = value;
  } else if (name == "session_id") {
    url->session_id = value;
  } else if (name == "user_agent") {
    url->user_agent = value;
  } else {
    std::string header = name;
    std::transform(header.begin(), header.end(), header.begin(), [](unsigned char c) { return std::tolower(c); });
    url->headers[header] = value;
  }
  return arrow::Status::OK();
}

bool IsLocal(const std::string& host) { return host == "localhost" || host.starts_with("127.") || host == "[::1]"; }

}  // namespace

arrow::Result<RemoteUrl> RemoteUrl::Parse(const std::string& url) {
  constexpr std::string_view kScheme = "sc://";
  auto bad = [&](std::string_view why) {
    return arrow::Status::Invalid("The address of a Spark Connect server is sc://host:port, not '", url, "': ", why);
  };
  if (!url.starts_with(kScheme)) return bad("it does not begin with sc://");
  RemoteUrl parsed;
  const size_t end = std::min(url.find('/', kScheme.size()), url.size());
  std::string address = url.substr(kScheme.size(), end - kScheme.size());
  if (address.empty()) return bad("there is no host");
  const size_t bracket = address.rfind(']');
  const size_t colon = address.find(':', bracket == std::string::npos ? 0 : bracket);
  std::string host = address.substr(0, colon);
  std::string port = colon == std::string::npos ? "15002" : address.substr(colon + 1);
  if (host.empty()) return bad("there is no host");
  bool digits = !port.empty() && port.size() <= 5 &&
                std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!digits || std::stoi(port) > 65535) return bad("the port is no number");
  parsed.target = host + ":" + port;

  std::string rest = end < url.size() ? url.substr(end + 1) : "";
  if (!rest.empty() && rest[0] != ';') return bad("only ';name=value' may follow the slash");
  bool ssl_given = false;
  while (!rest.empty()) {
    rest.erase(0, 1);
    const size_t next = std::min(rest.find(';'), rest.size());
    std::string pair = rest.substr(0, next);
    rest.erase(0, next);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) return bad("'" + pair + "' is no name=value");
    ARROW_ASSIGN_OR_RAISE(std::string value, DecodePercent(pair.substr(equals + 1)));
    ARROW_RETURN_NOT_OK(Set(&parsed, pair.substr(0, equals), value, &ssl_given));
  }
  // A token is not sent in the clear to another machine.
  if (!parsed.token.empty() && !parsed.use_ssl) {
    if (ssl_given && !IsLocal(host)) return bad("a token wants use_ssl=true");
    if (!IsLocal(host)) parsed.use_ssl = true;
  }
  return parsed;
}

}  // namespace millrace::api
