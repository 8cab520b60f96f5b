#include "connector/kafka/topic_pattern.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace millrace::connector::kafka {

struct TopicPattern::Code {
  explicit Code(pcre2_code* compiled) : code(compiled) {}
  ~Code() { pcre2_code_free(code); }
  pcre2_code* code;
};

TopicPattern::TopicPattern(std::unique_ptr<Code> code) : code_(std::move(code)) {}
TopicPattern::~TopicPattern() = default;

arrow::Result<std::unique_ptr<TopicPattern>> TopicPattern::Compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE position = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF, &error,
                                   &position, nullptr);
  if (code == nullptr) {
    unsigned char message[256];
    pcre2_get_error_message(error, message, sizeof(message));
    return arrow::Status::Invalid(
        fmt::format("The option subscribePattern is no regular expression: {} near index {}\n{}",
                    reinterpret_cast<char*>(message), position, pattern));
  }
  return std::unique_ptr<TopicPattern>(new TopicPattern(std::make_unique<Code>(code)));
}

bool TopicPattern::Matches(std::string_view topic) const {
  pcre2_match_data* match = pcre2_match_data_create_from_pattern(code_->code, nullptr);
  int found = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(topic.data()), topic.size(), 0, 0, match, nullptr);
  pcre2_match_data_free(match);
  return found >= 0;
}

}  // namespace millrace::connector::kafka
