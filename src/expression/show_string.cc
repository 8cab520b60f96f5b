#include "expression/show_string.h"

#include <arrow/array.h>

#include <algorithm>

#include "expression/cast.h"
#include "format/json/json_tokenizer.h"

namespace millrace::expression {

namespace {

struct CodePoint {
  uint32_t value;
  size_t length;
};

CodePoint DecodeUtf8(std::string_view text, size_t at) {
  auto byte = static_cast<unsigned char>(text[at]);
  size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  length = std::min(length, text.size() - at);
  uint32_t value = length == 1 ? byte : byte & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) value = (value << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  return {value, length};
}

// The ranges Spark counts as two columns wide (Utils.fullWidthRegex).
bool IsFullWidth(uint32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0xFFE0 && c <= 0xFFE6);
}

// Java counts UTF-16 units: a character beyond the basic plane is two.
size_t Utf16Length(const CodePoint& c) { return c.value >= 0x10000 ? 2 : 1; }

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    CodePoint c = DecodeUtf8(text, i);
    width += Utf16Length(c) + (IsFullWidth(c.value) ? 1 : 0);
    i += c.length;
  }
  return width;
}

size_t Utf16Length(std::string_view text) {
  size_t length = 0;
  for (size_t i = 0; i < text.size();) {
    CodePoint c = DecodeUtf8(text, i);
    length += Utf16Length(c);
    i += c.length;
  }
  return length;
}

std::string Prefix(std::string_view text, size_t length) {
  size_t i = 0;
  size_t taken = 0;
  while (i < text.size() && taken < length) {
    CodePoint c = DecodeUtf8(text, i);
    taken += Utf16Length(c);
    i += c.length;
  }
  return std::string(text.substr(0, i));
}

// Control characters as their escapes, so that a cell stays on its line; malformed bytes as Java's strings have them.
std::string EscapeMeta(std::string_view text) {
  std::string valid;
  if (!format::IsValidUtf8(text)) {
    valid = format::ReplaceInvalidUtf8(text);
    text = valid;
  }
  std::string out;
  for (char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\v':
        out += "\\v";
        break;
      case '\a':
        out += "\\a";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Truncated(std::string text, int truncate) {
  auto limit = static_cast<size_t>(truncate);
  if (truncate <= 0 || Utf16Length(text) <= limit) return text;
  return limit < 4 ? Prefix(text, limit) : Prefix(text, limit - 3) + "...";
}

using Cells = std::vector<std::vector<std::string>>;

std::string Padded(const std::string& text, size_t width, bool left) {
  size_t own = DisplayWidth(text);
  std::string pad(width > own ? width - own : 0, ' ');
  return left ? pad + text : text + pad;
}

std::string Horizontal(const Cells& cells, int truncate) {
  size_t num_columns = cells[0].size();
  std::vector<size_t> widths(num_columns, 3);
  for (const auto& row : cells) {
    for (size_t i = 0; i < num_columns; ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  // Rows without columns have both ends too.
  std::string line = "+";
  for (size_t i = 0; i < num_columns; ++i) line += std::string(i == 0 ? "" : "+") + std::string(widths[i], '-');
  line += "+\n";
  auto append_row = [&](const std::vector<std::string>& row, std::string* out) {
    *out += "|";
    for (size_t i = 0; i < num_columns; ++i) *out += (i == 0 ? "" : "|") + Padded(row[i], widths[i], truncate > 0);
    *out += "|\n";
  };
  std::string out = line;
  append_row(cells[0], &out);
  out += line;
  for (size_t i = 1; i < cells.size(); ++i) append_row(cells[i], &out);
  return out + line;
}

std::string Vertical(const Cells& cells) {
  size_t num_columns = cells[0].size();
  size_t name_width = 3;
  for (const std::string& name : cells[0]) name_width = std::max(name_width, DisplayWidth(name));
  size_t value_width = 3;
  for (size_t i = 1; i < cells.size(); ++i) {
    for (const std::string& cell : cells[i]) value_width = std::max(value_width, DisplayWidth(cell));
  }
  std::string out;
  for (size_t i = 1; i < cells.size(); ++i) {
    std::string title = "-RECORD " + std::to_string(i - 1);
    size_t width = name_width + value_width + 5;
    out += title + std::string(width > title.size() ? width - title.size() : 0, '-') + "\n";
    for (size_t j = 0; j < num_columns; ++j) {
      out += " " + Padded(cells[0][j], name_width, false) + " | " + Padded(cells[i][j], value_width, false) + " \n";
    }
  }
  return out;
}

struct Table {
  /// Names, then rows.
  Cells cells;
  bool more = false;
};

arrow::Result<Table> MakeTable(const EvalContext& context, const types::DataType& schema,
                               const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                               const ShowOptions& options) {
  Table table;
  Cells& cells = table.cells;
  cells.resize(1);
  for (const types::StructField& field : schema.fields()) {
    cells[0].push_back(EscapeMeta(field.name));
  }
  int64_t wanted = std::max<int64_t>(0, options.num_rows);
  int64_t total = 0;
  for (const auto& batch : rows) {
    total += batch->num_rows();
    int64_t left = wanted - static_cast<int64_t>(cells.size() - 1);
    auto slice = batch->Slice(0, std::min(left, batch->num_rows()));
    if (slice->num_rows() == 0) continue;
    size_t first = cells.size();
    cells.resize(first + static_cast<size_t>(slice->num_rows()));
    for (int c = 0; c < slice->num_columns(); ++c) {
      ARROW_ASSIGN_OR_RAISE(auto texts,
                            ToPrettyStrings(context, *slice->column(c), *schema.fields()[static_cast<size_t>(c)].type));
      const auto& strings = static_cast<const arrow::StringArray&>(*texts);
      for (int64_t i = 0; i < slice->num_rows(); ++i) {
        cells[first + static_cast<size_t>(i)].push_back(Truncated(EscapeMeta(strings.GetView(i)), options.truncate));
      }
    }
  }
  table.more = total > wanted;
  return table;
}

std::string OnlyShowing(const ShowOptions& options) {
  int64_t wanted = std::max<int64_t>(0, options.num_rows);
  return "only showing top " + std::to_string(wanted) + (wanted == 1 ? " row" : " rows");
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

arrow::Result<std::string> ShowString(const EvalContext& context, const types::DataType& schema,
                                      const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                      const ShowOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Table table, MakeTable(context, schema, rows, options));
  std::string out = options.vertical ? Vertical(table.cells) : Horizontal(table.cells, options.truncate);
  if (options.vertical && table.cells.size() == 1) out = "(0 rows)\n";
  // Whoever prints it ends the line: an empty one then follows a whole table, and none the words below one that is cut.
  return table.more ? out + OnlyShowing(options) : out;
}

arrow::Result<std::string> HtmlString(const EvalContext& context, const types::DataType& schema,
                                      const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                      const ShowOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Table table, MakeTable(context, schema, rows, options));
  std::string out = "<table border='1'>\n";
  for (size_t i = 0; i < table.cells.size(); ++i) {
    const char* tag = i == 0 ? "th" : "td";
    out += "<tr>";
    for (const std::string& cell : table.cells[i]) {
      out += std::string("<") + tag + ">" + EscapeHtml(cell) + "</" + tag + ">";
    }
    out += "</tr>\n";
  }
  out += "</table>\n";
  return table.more ? out + OnlyShowing(options) + "\n" : out;
}

}  // namespace millrace::expression
