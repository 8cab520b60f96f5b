#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "millrace/column.h"

/// Texts. Positions count from 1.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// Code of the first character; 0 for an empty text.
Column Ascii(const Column& value);
/// The bytes in base64.
Column Base64(const Column& value);
/// Number of bits.
Column BitLength(const Column& value);
/// The text without the given characters (blanks by default) at both ends.
Column BTrim(const Column& text, const std::optional<Column>& trim = {});
/// As Chr.
Column Char(const Column& value);
/// The character of a code, modulo 256; empty for negative codes.
Column Chr(const Column& value);
/// The text under a collation; only UTF8_BINARY is built.
Column Collate(const Column& value, std::string_view collation);
/// Name of the collation of a text.
Column Collation(const Column& value);
/// Texts, binaries or arrays one after the other.
Column Concat(const std::vector<Column>& values);
/// The texts with a separator between them, NULLs left out.
Column ConcatWs(std::string_view separator, const std::vector<Column>& values);
/// Whether the first text holds the second.
Column Contains(const Column& left, const Column& right);
/// The text of bytes in a character set; with more arguments, CASE by value.
Column Decode(const Column& value, std::string_view charset);
/// The n-th of the values behind the first argument n.
Column Elt(const std::vector<Column>& inputs);
/// The text's bytes in a character set.
Column Encode(const Column& value, std::string_view charset);
/// Whether the first text ends with the second.
Column EndsWith(const Column& text, const Column& suffix);
/// Position of a word in a list separated by commas, from 1; 0 when it is not there.
Column FindInSet(const Column& text, const Column& texts);
/// The number with groups of three and so many decimal places, or in a pattern.
Column FormatNumber(const Column& value, int32_t num_decimals);
/// The values in a format of printf.
Column FormatString(std::string_view format, const std::vector<Column>& values);
/// The text with the first letter of each word capital, others small.
Column InitCap(const Column& value);
/// Position of the second text in the first, from 1; 0 when it is not there.
Column Instr(const Column& text, const ColumnOrLiteral& part);
/// Whether the text is well-formed UTF-8.
Column IsValidUtf8(const Column& text);
/// The first characters of a text.
Column Left(const Column& text, const Column& length);
/// Number of characters of a text, or of bytes of a binary.
Column Length(const Column& value);
/// Number of edits from one text to the other; -1 when above the threshold.
Column Levenshtein(const Column& left, const Column& right, std::optional<int64_t> threshold = {});
/// Where `part` stands first at or after a position; 0: nowhere.
Column Locate(std::string_view part, const Column& text, int32_t position = 1);
/// The text in small letters.
Column Lower(const Column& value);
/// The text, filled or cut to a length on the left.
Column LPad(const Column& value, const ColumnOrNumber& length, const ColumnOrLiteral& pad);
/// The text without blanks, or the given characters, at its start.
Column LTrim(const Column& value, const std::optional<Column>& trim = {});
/// The text with malformed bytes replaced by U+FFFD.
Column MakeValidUtf8(const Column& text);
/// The text with its characters replaced by kind; NULL keeps a kind.
Column Mask(const Column& text, const Column& upper_char = Lit("X"), const Column& lower_char = Lit("x"),
            const Column& digit_char = Lit("n"), const Column& other_char = LitNull());
/// Number of bytes.
Column OctetLength(const Column& value);
/// The text with a part replaced, from a position on.
Column Overlay(const Column& text, const Column& replace, const ColumnOrNumber& position,
               const ColumnOrNumber& length = -1);
/// A part of a URL: HOST, PATH, QUERY (or one key of it), REF, PROTOCOL, FILE, AUTHORITY, USERINFO.
Column ParseUrl(const Column& url, const Column& part_to_extract, const std::optional<Column>& key = {});
/// As Locate, for parts in a column.
Column Position(const Column& part, const Column& text, const std::optional<Column>& start = {});
/// The text in single quotes, those inside escaped.
Column Quote(const Column& value);
/// A random text of letters and digits for each row.
Column Randstr(const ColumnOrNumber& length, const std::optional<ColumnOrNumber>& seed = {});
/// Number of matches.
Column RegexpCount(const Column& text, const Column& regexp);
/// A group of every match.
Column RegexpExtractAll(const Column& text, const Column& regexp, const std::optional<ColumnOrNumber>& group = {});
/// What a group of the first match matched; empty without a match. Group 0 is the whole.
Column RegexpExtract(const Column& text, std::string_view pattern, int32_t group);
/// Position of the first match, from 1; 0 when there is none.
Column RegexpInstr(const Column& text, const Column& regexp, const std::optional<ColumnOrNumber>& group = {});
/// The text with every match replaced; $1 stands for a group.
Column RegexpReplace(const Column& string, const ColumnOrLiteral& pattern, const ColumnOrLiteral& replacement);
/// The first match, NULL when there is none.
Column RegexpSubstr(const Column& text, const Column& regexp);
/// The text so many times over.
Column Repeat(const Column& value, const ColumnOrNumber& times);
/// The text with every occurrence of the second text replaced by the third.
Column Replace(const Column& text, const Column& search, const std::optional<Column>& replace = {});
/// The text or array from its end to its start.
Column Reverse(const Column& value);
/// The last characters of a text.
Column Right(const Column& text, const Column& length);
/// The text, filled or cut to a length on the right.
Column RPad(const Column& value, const ColumnOrNumber& length, const ColumnOrLiteral& pad);
/// The text without blanks, or the given characters, at its end.
Column RTrim(const Column& value, const std::optional<Column>& trim = {});
/// Soundex code of a word.
Column Soundex(const Column& value);
/// A part of a text split at a delimiter, counted from 1, or from the end when negative.
Column SplitPart(const Column& text, const Column& delimiter, const Column& part);
/// The parts of a text between the matches of a regular expression.
Column Split(const Column& text, const ColumnOrLiteral& pattern, const ColumnOrNumber& limit = -1);
/// Whether the first text starts with the second.
Column StartsWith(const Column& text, const Column& prefix);
/// A map of a text; the delimiters are regular expressions.
Column StrToMap(const Column& text, const Column& pair_delimiter = Lit(","),
                const Column& key_value_delimiter = Lit(":"));
/// What stands before the count-th delimiter; from the end when the count is negative.
Column SubstringIndex(const Column& text, std::string_view delimiter, int32_t count);
/// The part of a text or binary from a position (1 is the first), of the given length.
Column Substring(const Column& text, const ColumnOrNumber& position, const ColumnOrNumber& length);
/// As Substring, to the end where no length is given.
Column Substr(const Column& text, const Column& position, const std::optional<Column>& length = {});
/// The bytes a text stands for, in hex, base64 or utf-8.
Column ToBinary(const Column& value, const std::optional<Column>& format = {});
/// A number, time or binary value as text of a pattern.
Column ToChar(const Column& value, const Column& format);
/// The number in a text of a pattern such as '$99,999.99S'.
Column ToNumber(const Column& value, const Column& format);
/// As ToChar.
Column ToVarchar(const Column& value, const Column& format);
/// The text with characters of the second text replaced by those of the third.
Column Translate(const Column& source, std::string_view matching, std::string_view replace);
/// The text without blanks, or the given characters, at both ends.
Column Trim(const Column& value, const std::optional<Column>& trim = {});
/// As parse_url, NULL where the URL is malformed.
Column TryParseUrl(const Column& url, const Column& part_to_extract, const std::optional<Column>& key = {});
/// As to_binary, NULL where the text is malformed.
Column TryToBinary(const Column& value, const std::optional<Column>& format = {});
/// As to_number; NULL where the text is not of the pattern.
Column TryToNumber(const Column& value, const Column& format);
/// As url_decode, NULL where the text is malformed.
Column TryUrlDecode(const Column& text);
/// The text, or NULL when it is not well-formed UTF-8.
Column TryValidateUtf8(const Column& text);
/// The bytes of a base64 text.
Column UnBase64(const Column& value);
/// The text in capital letters.
Column Upper(const Column& value);
/// The text of a part of a URL.
Column UrlDecode(const Column& text);
/// The text as a part of a URL.
Column UrlEncode(const Column& text);
/// The text, or an error when it is not well-formed UTF-8.
Column ValidateUtf8(const Column& text);

}  // namespace millrace::functions
