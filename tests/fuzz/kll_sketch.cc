// A KLL sketch that parses answers, is merged, and is written as bytes that read back to the same bytes.

#include "function/sketch/kll_sketch.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

template <typename Item>
void Try(std::string_view bytes) {
  using Sketch = millrace::function::KllSketch<Item>;
  auto sketch = Sketch::Parse(bytes);
  if (!sketch.ok()) return;
  const std::string written = sketch->Serialize();
  auto again = Sketch::Parse(written);
  if (!again.ok() || again->Serialize() != written) std::abort();
  Sketch into(8);
  into.Update(Item{1});
  into.Merge(*sketch);
  if (into.Text().empty() || into.num_items() != sketch->num_items() + 1) std::abort();
  if (sketch->num_items() == 0) return;
  const auto items = sketch->Sorted();
  const double rank = items.Rank(items.Quantile(0.5));
  if (!(rank >= 0 && rank <= 1)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Try<int64_t>(bytes);
  Try<float>(bytes);
  Try<double>(bytes);
  return 0;
}
