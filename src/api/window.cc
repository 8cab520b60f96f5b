#include "millrace/window.h"

#include "api/message.h"

namespace millrace {

using spark::connect::Expression;

WindowSpec WindowSpec::PartitionBy(std::vector<Column> keys) const {
  WindowSpec spec = *this;
  spec.keys_ = std::move(keys);
  return spec;
}

WindowSpec WindowSpec::OrderBy(std::vector<Column> order) const {
  WindowSpec spec = *this;
  spec.order_ = std::move(order);
  return spec;
}

WindowSpec WindowSpec::RowsBetween(int64_t start, int64_t end) const {
  WindowSpec spec = *this;
  spec.frame_ = {true, start, end};
  return spec;
}

WindowSpec WindowSpec::RangeBetween(int64_t start, int64_t end) const {
  WindowSpec spec = *this;
  spec.frame_ = {false, start, end};
  return spec;
}

namespace {

void SetBoundary(int64_t at, int64_t unbounded, bool rows, Expression::Window::WindowFrame::FrameBoundary* boundary) {
  if (at == unbounded) {
    boundary->set_unbounded(true);
  } else if (at == WindowSpec::kCurrentRow) {
    boundary->set_current_row(true);
  } else if (rows && at >= INT32_MIN && at <= INT32_MAX) {
    // Frames of rows are counted in INT.
    *boundary->mutable_value() = Lit(static_cast<int32_t>(at)).message();
  } else {
    *boundary->mutable_value() = Lit(at).message();
  }
}

}  // namespace

Column Column::Over(const WindowSpec& window) const {
  auto message = std::make_shared<Expression>();
  auto* over = message->mutable_window();
  *over->mutable_window_function() = *message_;
  api::AddMessages(window.keys_, over->mutable_partition_spec());
  for (const Column& key : window.order_) {
    *over->add_order_spec() = (key.message().has_sort_order() ? key : key.Asc()).message().sort_order();
  }
  if (window.frame_) {
    auto* frame = over->mutable_frame_spec();
    frame->set_frame_type(window.frame_->rows ? Expression::Window::WindowFrame::FRAME_TYPE_ROW
                                              : Expression::Window::WindowFrame::FRAME_TYPE_RANGE);
    SetBoundary(window.frame_->start, WindowSpec::kUnboundedPreceding, window.frame_->rows, frame->mutable_lower());
    SetBoundary(window.frame_->end, WindowSpec::kUnboundedFollowing, window.frame_->rows, frame->mutable_upper());
  }
  return Column(std::move(message));
}

}  // namespace millrace
