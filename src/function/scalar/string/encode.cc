#include <array>
#include <optional>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// Bytes as text and back: base64, hex, character sets, to_binary.

namespace millrace::function {

using types::TypeId;

namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// MIME: lines of 76 characters.
std::string ToBase64(std::string_view bytes) {
  std::string out;
  size_t column = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    if (column == 76) {
      out += "\r\n";
      column = 0;
    }
    auto byte = [&](size_t k) { return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U; };
    uint32_t group = (byte(0) << 16) | (byte(1) << 8) | byte(2);
    out += kBase64[group >> 18];
    out += kBase64[(group >> 12) & 63];
    out += i + 1 < bytes.size() ? kBase64[(group >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? kBase64[group & 63] : '=';
    column += 4;
  }
  return out;
}

// As Java's MIME decoder: skips what is no digit; false for one digit left over, and for padding that is not where it
// belongs. Only white space is skipped when `strict`.
bool FromBase64(std::string_view text, bool strict, std::string* out) {
  uint32_t group = 0;
  int count = 0;
  size_t i = 0;
  auto find = [](char c) { return std::char_traits<char>::find(kBase64, 64, c); };
  auto skipped = [strict](char c) { return !strict || c == '\r' || c == '\n' || c == ' ' || c == '\t'; };
  while (i < text.size()) {
    char c = text[i++];
    if (c == '=') {
      if (count == 0) return false;
      if (count == 2 && (i == text.size() || text[i++] != '=')) return false;
      break;
    }
    const char* found = find(c);
    if (found == nullptr) {
      if (!skipped(c)) return false;
      continue;
    }
    group = (group << 6) | static_cast<uint32_t>(found - kBase64);
    if (++count < 4) continue;
    for (int shift : {16, 8, 0}) *out += static_cast<char>(group >> shift);
    group = 0;
    count = 0;
  }
  if (count == 1) return false;
  while (i < text.size()) {
    char c = text[i++];
    if (find(c) != nullptr || !skipped(c)) return false;
  }
  if (count == 2) *out += static_cast<char>(group >> 4);
  if (count == 3) {
    *out += static_cast<char>(group >> 10);
    *out += static_cast<char>(group >> 2);
  }
  return true;
}

void AppendHex(std::string_view bytes, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (char c : bytes) {
    *out += kDigits[(c >> 4) & 15];
    *out += kDigits[c & 15];
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ToUpperAscii(c);
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// An odd first digit stands alone.
bool FromHex(std::string_view text, std::string* out) {
  size_t i = 0;
  if (text.size() % 2 == 1) {
    int digit = HexDigit(text[i++]);
    if (digit < 0) return false;
    *out += static_cast<char>(digit);
  }
  for (; i < text.size(); i += 2) {
    int high = HexDigit(text[i]);
    int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    *out += static_cast<char>(high * 16 + low);
  }
  return true;
}

arrow::Result<ExpressionPtr> BindHex(const BindInput& input) {
  TypeId id = input.arguments[0]->type()->id();
  if (id == TypeId::kBinary || id == TypeId::kString) {
    return BindSimple(input, {input.arguments[0]->type()}, types::String(),
                      BuiltKernel<arrow::StringBuilder, std::string_view>(
                          arrow::utf8(), [](const EvalContext&, std::string_view bytes, arrow::StringBuilder& builder) {
                            std::string out;
                            AppendHex(bytes, &out);
                            return builder.Append(out);
                          }));
  }
  if (!expression::CanImplicitCast(input.arguments[0]->type(), types::Long())) {
    return UnexpectedInputType(input, 0, R"(("BIGINT" or "BINARY" or "STRING"))");
  }
  return BindSimple(input, {types::Long()}, types::String(),
                    BuiltKernel<arrow::StringBuilder, int64_t>(
                        arrow::utf8(), [](const EvalContext&, int64_t value, arrow::StringBuilder& builder) {
                          return builder.Append(fmt::format("{:X}", static_cast<uint64_t>(value)));
                        }));
}

enum class Charset : uint8_t { kLatin1, kAscii, kUtf16, kUtf16Be, kUtf16Le, kUtf32, kUtf8 };

std::optional<Charset> FindCharset(std::string_view name) {
  constexpr std::pair<std::string_view, Charset> kCharsets[] = {
      {"iso-8859-1", Charset::kLatin1}, {"us-ascii", Charset::kAscii},   {"utf-16", Charset::kUtf16},
      {"utf-16be", Charset::kUtf16Be},  {"utf-16le", Charset::kUtf16Le}, {"utf-32", Charset::kUtf32},
      {"utf-8", Charset::kUtf8}};
  for (const auto& [known, charset] : kCharsets) {
    if (EqualsIgnoreCase(name, known)) return charset;
  }
  return std::nullopt;
}

arrow::Status UnknownCharset(std::string_view function, std::string_view name) {
  return UserError("INVALID_PARAMETER_VALUE.CHARSET",
                   {{"parameter", QuoteIdentifier("charset")},
                    {"functionName", QuoteIdentifier(function)},
                    {"charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"},
                    {"charset", std::string(name)}});
}

void AppendUnit16(uint32_t unit, bool little, std::string* out) {
  auto high = static_cast<char>(unit >> 8);
  auto low = static_cast<char>(unit);
  *out += little ? low : high;
  *out += little ? high : low;
}

bool Encode(std::string_view text, Charset charset, std::string* out) {
  bool little = charset == Charset::kUtf16Le;
  if (charset == Charset::kUtf8) return out->append(text), true;
  if (charset == Charset::kUtf16 && !text.empty()) AppendUnit16(0xFEFF, false, out);
  for (size_t i = 0; i < text.size();) {
    char32_t c = DecodeUtf8(text, &i);
    switch (charset) {
      case Charset::kLatin1:
      case Charset::kAscii:
        if (c >= (charset == Charset::kAscii ? 128U : 256U)) return false;
        *out += static_cast<char>(c);
        break;
      case Charset::kUtf32:
        AppendUnit16(c >> 16, false, out);
        AppendUnit16(c & 0xFFFF, false, out);
        break;
      default:
        if (c >= 0x10000) {
          AppendUnit16(0xD800 + ((c - 0x10000) >> 10), little, out);
          AppendUnit16(0xDC00 + ((c - 0x10000) & 0x3FF), little, out);
        } else {
          AppendUnit16(c, little, out);
        }
    }
  }
  return true;
}

bool DecodeUtf16(std::string_view bytes, bool little, std::string* out) {
  auto unit = [&](size_t i) {
    auto a = static_cast<unsigned char>(bytes[i]);
    auto b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(little ? a | (b << 8) : (a << 8) | b);
  };
  if (bytes.size() % 2 == 1) return false;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xD800 && c < 0xDC00 && i + 2 < bytes.size()) {
      i += 2;
      c = 0x10000 + ((c - 0xD800) << 10) + (unit(i) - 0xDC00);
    }
    AppendUtf8(c, out);
  }
  return true;
}

bool Decode(std::string_view bytes, Charset charset, std::string* out) {
  switch (charset) {
    case Charset::kUtf8:
      for (size_t i = 0; i < bytes.size();) {
        size_t begin = i;
        char32_t c = DecodeUtf8(bytes, &i);
        if (c == 0xFFFD && bytes.substr(begin, i - begin) != "\xEF\xBF\xBD") return false;
      }
      out->append(bytes);
      return true;
    case Charset::kLatin1:
    case Charset::kAscii:
      for (char c : bytes) {
        if (charset == Charset::kAscii && (c & 0x80) != 0) return false;
        AppendUtf8(static_cast<unsigned char>(c), out);
      }
      return true;
    case Charset::kUtf32:
      for (size_t i = 0; i + 3 < bytes.size(); i += 4) {
        char32_t c = 0;
        for (size_t k = 0; k < 4; ++k) c = (c << 8) | static_cast<unsigned char>(bytes[i + k]);
        AppendUtf8(c, out);
      }
      return bytes.size() % 4 == 0;
    case Charset::kUtf16: {
      bool marked = bytes.starts_with("\xFE\xFF") || bytes.starts_with("\xFF\xFE");
      bool little = bytes.starts_with("\xFF\xFE");
      return DecodeUtf16(marked ? bytes.substr(2) : bytes, little, out);
    }
    default:
      return DecodeUtf16(bytes, charset == Charset::kUtf16Le, out);
  }
}

using Convert = bool (*)(std::string_view, Charset, std::string*);

arrow::Status AppendConverted(std::string_view function, Convert convert, std::string_view value,
                              std::string_view charset_name, arrow::BinaryBuilder& builder) {
  std::optional<Charset> charset = FindCharset(charset_name);
  if (!charset) return UnknownCharset(function, charset_name);
  std::string out;
  if (convert(value, *charset, &out)) return builder.Append(out);
  return UserError("MALFORMED_CHARACTER_CODING",
                   {{"function", QuoteIdentifier(function)}, {"charset", std::string(charset_name)}});
}

// decode(value, search, result, …, default), Oracle's CASE.
arrow::Result<ExpressionPtr> BindDecodeCase(const BindInput& input) {
  const ExpressionVector& a = input.arguments;
  ExpressionVector children;
  size_t i = 1;
  for (; i + 1 < a.size(); i += 2) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr same, BindCall("<=>", {a[0], a[i]}, input.context));
    children.push_back(std::move(same));
    children.push_back(a[i + 1]);
  }
  if (i < a.size()) children.push_back(a[i]);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, BindCall("when", std::move(children), input.context));
  return std::make_shared<expression::CaseWhen>(
      made->children(), false, std::make_shared<expression::ShownCall>(expression::ShownCall{"decode", a}));
}

arrow::Result<ExpressionPtr> BindDecode(const BindInput& input) {
  if (input.arguments.size() > 2) return BindDecodeCase(input);
  return BindSimple(
      input, {types::Binary(), types::String()}, types::String(),
      BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view>(
          arrow::utf8(),
          [](const EvalContext&, std::string_view value, std::string_view charset, arrow::StringBuilder& builder) {
            return AppendConverted("decode", Decode, value, charset, builder);
          }),
      {.can_fail = true, .may_null = true});
}

arrow::Status InvalidBinary(std::string_view text, std::string_view format) {
  return UserError("CONVERSION_INVALID_INPUT", {{"str", "'" + std::string(text) + "'"},
                                                {"fmt", "'" + std::string(format) + "'"},
                                                {"targetType", QuoteSqlType("BINARY")},
                                                {"suggestion", QuoteIdentifier("try_to_binary")}});
}

arrow::Result<ExpressionPtr> BindToBinary(const BindInput& input, bool tried) {
  std::string format = "hex";
  if (input.arguments.size() == 2) {
    ARROW_ASSIGN_OR_RAISE(auto given, FoldableString(input, 1, "fmt"));
    if (given) format = ToLowerAscii(*given);
  }
  if (format != "hex" && format != "base64" && format != "utf-8" && format != "utf8") {
    if (tried) {
      ExpressionVector arguments = input.arguments;
      return MakeCall(input, std::move(arguments), types::Binary(), /*nullable=*/true,
                      [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
                        return arrow::Datum(arrow::MakeNullScalar(arrow::binary()));
                      });
    }
    return UserError("DATATYPE_MISMATCH.INVALID_ARG_VALUE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                             {"inputName", "fmt"},
                                                             {"requireType", "case-insensitive \"STRING\""},
                                                             {"validValues", "'hex', 'utf-8', 'utf8', or 'base64'"},
                                                             {"inputValue", "'" + format + "'"}});
  }
  auto append = [format, tried](std::string_view text, arrow::BinaryBuilder& builder) {
    std::string out;
    bool good = true;
    if (format == "hex")
      good = FromHex(text, &out);
    else if (format == "base64")
      good = FromBase64(text, true, &out);
    else
      out = text;
    if (good) return builder.Append(out);
    return tried ? builder.AppendNull() : InvalidBinary(text, ToUpperAscii(format));
  };
  // A format that is NULL makes a NULL; otherwise it is only shown.
  expression::ScalarKernel kernel =
      input.arguments.size() == 2
          ? BuiltKernel<arrow::BinaryBuilder, std::string_view, std::string_view>(
                arrow::binary(), [append](const EvalContext&, std::string_view text, std::string_view,
                                          arrow::BinaryBuilder& builder) { return append(text, builder); })
          : BuiltKernel<arrow::BinaryBuilder, std::string_view>(
                arrow::binary(), [append](const EvalContext&, std::string_view text, arrow::BinaryBuilder& builder) {
                  return append(text, builder);
                });
  return BindSimple(input, {types::String(), types::String()}, types::Binary(), std::move(kernel),
                    {.can_fail = !tried, .may_null = true});
}

}  // namespace

extern const FunctionDef kBase64Text{
    .name = "base64",
    .family = "string",
    .description = "The bytes in base64.",
    .example = "base64('Spark SQL')",
    .example_result = "U3BhcmsgU1FM",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::Binary()}, types::String(),
          BuiltKernel<arrow::StringBuilder, std::string_view>(
              arrow::utf8(), [](const EvalContext&, std::string_view bytes, arrow::StringBuilder& builder) {
                return builder.Append(ToBase64(bytes));
              }));
    }};

extern const FunctionDef kUnBase64{
    .name = "unbase64",
    .family = "string",
    .description = "The bytes of a base64 text.",
    .example = "cast(unbase64('U3BhcmsgU1FM') as string)",
    .example_result = "Spark SQL",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String()}, types::Binary(),
                        BuiltKernel<arrow::BinaryBuilder, std::string_view>(
                            arrow::binary(),
                            [](const EvalContext&, std::string_view text, arrow::BinaryBuilder& builder) {
                              std::string out;
                              if (FromBase64(text, false, &out)) return builder.Append(out);
                              return InvalidBinary(text, "BASE64");
                            }),
                        {.can_fail = true});
    }};

extern const FunctionDef kHex{.name = "hex",
                              .family = "string",
                              .description = "A number or the bytes in hexadecimal.",
                              .example = "hex(17)",
                              .example_result = "11",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindHex};

extern const FunctionDef kUnHex{.name = "unhex",
                                .family = "string",
                                .description = "The bytes of a hexadecimal text; NULL when it is none.",
                                .example = "cast(unhex('537061726B2053514C') as string)",
                                .example_result = "Spark SQL",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) {
                                  return BindSimple(
                                      input, {types::String()}, types::Binary(),
                                      BuiltKernel<arrow::BinaryBuilder, std::string_view>(
                                          arrow::binary(),
                                          [](const EvalContext&, std::string_view text, arrow::BinaryBuilder& builder) {
                                            std::string out;
                                            return FromHex(text, &out) ? builder.Append(out) : builder.AppendNull();
                                          }),
                                      {.may_null = true});
                                }};

extern const FunctionDef kEncode{
    .name = "encode",
    .family = "string",
    .description = "The text's bytes in a character set.",
    .example = "hex(encode('abc', 'utf-8'))",
    .example_result = "616263",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::String(), types::String()}, types::Binary(),
          BuiltKernel<arrow::BinaryBuilder, std::string_view, std::string_view>(
              arrow::binary(),
              [](const EvalContext&, std::string_view value, std::string_view charset, arrow::BinaryBuilder& builder) {
                return AppendConverted("encode", Encode, value, charset, builder);
              }),
          {.can_fail = true, .may_null = true});
    }};

extern const FunctionDef kDecode{
    .name = "decode",
    .family = "string",
    .description = "The text of bytes in a character set; with more arguments, CASE by value.",
    .example = "decode(encode('abc', 'utf-8'), 'utf-8')",
    .example_result = "abc",
    .min_arguments = 2,
    .max_arguments = -1,
    .bind = BindDecode};

extern const FunctionDef kToBinary{.name = "to_binary",
                                   .family = "string",
                                   .description = "The bytes a text stands for, in hex, base64 or utf-8.",
                                   .example = "hex(to_binary('abc', 'utf-8'))",
                                   .example_result = "616263",
                                   .min_arguments = 1,
                                   .max_arguments = 2,
                                   .bind = [](const BindInput& input) { return BindToBinary(input, false); }};

extern const FunctionDef kTryToBinary{.name = "try_to_binary",
                                      .family = "string",
                                      .description = "As to_binary, NULL where the text is malformed.",
                                      .example = "try_to_binary('a!', 'base64')",
                                      .example_result = "NULL",
                                      .min_arguments = 1,
                                      .max_arguments = 2,
                                      .bind = [](const BindInput& input) { return BindToBinary(input, true); }};

}  // namespace millrace::function
