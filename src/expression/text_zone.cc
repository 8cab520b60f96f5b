#include "expression/text_zone.h"

namespace millrace::expression {

namespace {
thread_local const types::TimeZone* current = nullptr;
}

TextZone::TextZone(const types::TimeZone* zone) : before_(current) { current = zone; }
TextZone::~TextZone() { current = before_; }

const types::TimeZone* TextZone::Current() { return current == nullptr ? types::TimeZone::Utc() : current; }

}  // namespace millrace::expression
