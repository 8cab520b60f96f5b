#include "millrace/functions/string.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;

Column Ascii(const Column& value) { return Call("ascii", {value}); }
Column Base64(const Column& value) { return Call("base64", {value}); }
Column BitLength(const Column& value) { return Call("bit_length", {value}); }
Column BTrim(const Column& text, const std::optional<Column>& trim) {
  return Call("btrim", Arguments({text}, Optional(trim)));
}
Column Char(const Column& value) { return Call("char", {value}); }
Column Chr(const Column& value) { return Call("chr", {value}); }
Column Collate(const Column& value, std::string_view collation) { return Call("collate", {value, Lit(collation)}); }
Column Collation(const Column& value) { return Call("collation", {value}); }
Column Concat(const std::vector<Column>& values) { return Call("concat", values); }
Column ConcatWs(std::string_view separator, const std::vector<Column>& values) {
  return Call("concat_ws", api::Prepend(Lit(separator), values));
}
Column Contains(const Column& left, const Column& right) { return Call("contains", {left, right}); }
Column Decode(const Column& value, std::string_view charset) { return Call("decode", {value, Lit(charset)}); }
Column Elt(const std::vector<Column>& inputs) { return Call("elt", inputs); }
Column Encode(const Column& value, std::string_view charset) { return Call("encode", {value, Lit(charset)}); }
Column EndsWith(const Column& text, const Column& suffix) { return Call("endswith", {text, suffix}); }
Column FindInSet(const Column& text, const Column& texts) { return Call("find_in_set", {text, texts}); }
Column FormatNumber(const Column& value, int32_t num_decimals) {
  return Call("format_number", {value, Lit(num_decimals)});
}
Column FormatString(std::string_view format, const std::vector<Column>& values) {
  return Call("format_string", api::Prepend(Lit(format), values));
}
Column InitCap(const Column& value) { return Call("initcap", {value}); }
Column Instr(const Column& text, const ColumnOrLiteral& part) { return Call("instr", {text, part.column()}); }
Column IsValidUtf8(const Column& text) { return Call("is_valid_utf8", {text}); }
Column Left(const Column& text, const Column& length) { return Call("left", {text, length}); }
Column Length(const Column& value) { return Call("length", {value}); }
Column Levenshtein(const Column& left, const Column& right, std::optional<int64_t> threshold) {
  return Call("levenshtein", Arguments({left, right}, Optional(threshold)));
}
Column Locate(std::string_view part, const Column& text, int32_t position) {
  return Call("locate", {Lit(part), text, Lit(position)});
}
Column Lower(const Column& value) { return Call("lower", {value}); }
Column LPad(const Column& value, const ColumnOrNumber& length, const ColumnOrLiteral& pad) {
  return Call("lpad", {value, length.column(), pad.column()});
}
Column LTrim(const Column& value, const std::optional<Column>& trim) {
  return Call("ltrim", Arguments({value}, Optional(trim)));
}
Column MakeValidUtf8(const Column& text) { return Call("make_valid_utf8", {text}); }
Column Mask(const Column& text, const Column& upper_char, const Column& lower_char, const Column& digit_char,
            const Column& other_char) {
  return Call("mask", {text, upper_char, lower_char, digit_char, other_char});
}
Column OctetLength(const Column& value) { return Call("octet_length", {value}); }
Column Overlay(const Column& text, const Column& replace, const ColumnOrNumber& position,
               const ColumnOrNumber& length) {
  return Call("overlay", {text, replace, position.column(), length.column()});
}
Column ParseUrl(const Column& url, const Column& part_to_extract, const std::optional<Column>& key) {
  return Call("parse_url", Arguments({url, part_to_extract}, Optional(key)));
}
Column Position(const Column& part, const Column& text, const std::optional<Column>& start) {
  return Call("position", Arguments({part, text}, Optional(start)));
}
Column Quote(const Column& value) { return Call("quote", {value}); }
Column Randstr(const ColumnOrNumber& length, const std::optional<ColumnOrNumber>& seed) {
  return Call("randstr", Arguments({length.column()}, Optional(seed)));
}
Column RegexpCount(const Column& text, const Column& regexp) { return Call("regexp_count", {text, regexp}); }
Column RegexpExtractAll(const Column& text, const Column& regexp, const std::optional<ColumnOrNumber>& group) {
  return Call("regexp_extract_all", Arguments({text, regexp}, Optional(group)));
}
Column RegexpExtract(const Column& text, std::string_view pattern, int32_t group) {
  return Call("regexp_extract", {text, Lit(pattern), Lit(group)});
}
Column RegexpInstr(const Column& text, const Column& regexp, const std::optional<ColumnOrNumber>& group) {
  return Call("regexp_instr", Arguments({text, regexp}, Optional(group)));
}
Column RegexpReplace(const Column& string, const ColumnOrLiteral& pattern, const ColumnOrLiteral& replacement) {
  return Call("regexp_replace", {string, pattern.column(), replacement.column()});
}
Column RegexpSubstr(const Column& text, const Column& regexp) { return Call("regexp_substr", {text, regexp}); }
Column Repeat(const Column& value, const ColumnOrNumber& times) { return Call("repeat", {value, times.column()}); }
Column Replace(const Column& text, const Column& search, const std::optional<Column>& replace) {
  return Call("replace", Arguments({text, search}, Optional(replace)));
}
Column Reverse(const Column& value) { return Call("reverse", {value}); }
Column Right(const Column& text, const Column& length) { return Call("right", {text, length}); }
Column RPad(const Column& value, const ColumnOrNumber& length, const ColumnOrLiteral& pad) {
  return Call("rpad", {value, length.column(), pad.column()});
}
Column RTrim(const Column& value, const std::optional<Column>& trim) {
  return Call("rtrim", Arguments({value}, Optional(trim)));
}
Column Soundex(const Column& value) { return Call("soundex", {value}); }
Column SplitPart(const Column& text, const Column& delimiter, const Column& part) {
  return Call("split_part", {text, delimiter, part});
}
Column Split(const Column& text, const ColumnOrLiteral& pattern, const ColumnOrNumber& limit) {
  return Call("split", {text, pattern.column(), limit.column()});
}
Column StartsWith(const Column& text, const Column& prefix) { return Call("startswith", {text, prefix}); }
Column StrToMap(const Column& text, const Column& pair_delimiter, const Column& key_value_delimiter) {
  return Call("str_to_map", {text, pair_delimiter, key_value_delimiter});
}
Column SubstringIndex(const Column& text, std::string_view delimiter, int32_t count) {
  return Call("substring_index", {text, Lit(delimiter), Lit(count)});
}
Column Substring(const Column& text, const ColumnOrNumber& position, const ColumnOrNumber& length) {
  return Call("substring", {text, position.column(), length.column()});
}
Column Substr(const Column& text, const Column& position, const std::optional<Column>& length) {
  return Call("substr", Arguments({text, position}, Optional(length)));
}
Column ToBinary(const Column& value, const std::optional<Column>& format) {
  return Call("to_binary", Arguments({value}, Optional(format)));
}
Column ToChar(const Column& value, const Column& format) { return Call("to_char", {value, format}); }
Column ToNumber(const Column& value, const Column& format) { return Call("to_number", {value, format}); }
Column ToVarchar(const Column& value, const Column& format) { return Call("to_varchar", {value, format}); }
Column Translate(const Column& source, std::string_view matching, std::string_view replace) {
  return Call("translate", {source, Lit(matching), Lit(replace)});
}
Column Trim(const Column& value, const std::optional<Column>& trim) {
  return Call("trim", Arguments({value}, Optional(trim)));
}
Column TryParseUrl(const Column& url, const Column& part_to_extract, const std::optional<Column>& key) {
  return Call("try_parse_url", Arguments({url, part_to_extract}, Optional(key)));
}
Column TryToBinary(const Column& value, const std::optional<Column>& format) {
  return Call("try_to_binary", Arguments({value}, Optional(format)));
}
Column TryToNumber(const Column& value, const Column& format) { return Call("try_to_number", {value, format}); }
Column TryUrlDecode(const Column& text) { return Call("try_url_decode", {text}); }
Column TryValidateUtf8(const Column& text) { return Call("try_validate_utf8", {text}); }
Column UnBase64(const Column& value) { return Call("unbase64", {value}); }
Column Upper(const Column& value) { return Call("upper", {value}); }
Column UrlDecode(const Column& text) { return Call("url_decode", {text}); }
Column UrlEncode(const Column& text) { return Call("url_encode", {text}); }
Column ValidateUtf8(const Column& text) { return Call("validate_utf8", {text}); }

}  // namespace millrace::functions
