#include "format/json/json_structure.h"

#include <simdjson.h>

#include <algorithm>

namespace millrace::format {

struct JsonStructure::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
};

JsonStructure::JsonStructure() : parser_(std::make_unique<Parser>()) {}
JsonStructure::~JsonStructure() = default;
JsonStructure::JsonStructure(JsonStructure&&) noexcept = default;
JsonStructure& JsonStructure::operator=(JsonStructure&&) noexcept = default;

bool JsonStructure::Index(const uint8_t* text, size_t size) {
  if (size > capacity_ || parser_->stages == nullptr) {
    size_t capacity = std::max<size_t>(size, 64 * 1024);
    parser_->stages.reset();
    capacity_ = 0;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser_->stages) !=
        simdjson::SUCCESS) {
      return false;
    }
    capacity_ = capacity;
  }
  simdjson::internal::dom_parser_implementation& stages = *parser_->stages;
  if (stages.stage1(text, size, simdjson::stage1_mode::regular) != simdjson::SUCCESS) return false;
  positions_ = stages.structural_indexes.get();
  num_positions_ = stages.n_structural_indexes;
  // Readers look one position ahead.
  stages.structural_indexes[num_positions_] = static_cast<uint32_t>(size);
  stages.structural_indexes[num_positions_ + 1] = static_cast<uint32_t>(size);
  return true;
}

}  // namespace millrace::format
