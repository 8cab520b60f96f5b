#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "types/data_type.h"

namespace millrace::types {

/// Column metadata that holds a comment, as StructField::metadata_json.
std::string ColumnCommentJson(std::string_view comment);
/// Metadata of a column with a comment, a DEFAULT (the text of its expression), or both; empty for neither.
std::string ColumnMetadata(const std::optional<std::string>& comment, const std::optional<std::string>& default_text);
/// The text under `key` of a column's metadata; none where there is no text.
std::optional<std::string> MetadataText(const StructField& field, std::string_view key);
/// The comment in a column's metadata.
std::optional<std::string> CommentOf(const StructField& field);
/// The text of a column's DEFAULT.
std::optional<std::string> DefaultOf(const StructField& field);

}  // namespace millrace::types
