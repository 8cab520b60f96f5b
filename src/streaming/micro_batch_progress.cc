#include <arrow/array.h>

#include <algorithm>
#include <cstdlib>

#include "format/json/json_encoder.h"
#include "physical/operator/collect_metrics.h"
#include "physical/operator/event_time_watermark.h"
#include "physical/operator/source_scan.h"
#include "streaming/micro_batch_execution.h"

// What the loop tells of itself: progress, state, observed metrics.

namespace millrace::streaming {

int64_t ConfInt64(const StreamingQuerySpec& spec, std::string_view key, int64_t fallback) {
  std::optional<std::string> text = spec.conf(key);
  return text ? std::strtoll(text->c_str(), nullptr, 10) : fallback;
}

arrow::Status MicroBatchExecution::ReportObserved(physical::ExecutionContext* context) {
  ARROW_ASSIGN_OR_RAISE(auto all, physical::FinishObservedMetrics(*bound_.root, *context));
  for (const physical::ObservedMetrics& metrics : all) {
    format::JsonOptions options;
    options.ignore_null_fields = false;
    ARROW_ASSIGN_OR_RAISE(auto encoder, format::JsonEncoder::Make(metrics.schema, options));
    ARROW_ASSIGN_OR_RAISE(auto rows, metrics.row->ToStructArray());
    ARROW_ASSIGN_OR_RAISE(auto texts, encoder->Encode(*rows, context->eval.memory_pool));
    const auto& text = static_cast<const arrow::StringArray&>(*texts);
    ARROW_ASSIGN_OR_RAISE(progress_.observed_metrics[metrics.name], ParseJson(text.GetView(0)));
  }
  return arrow::Status::OK();
}

std::string MicroBatchExecution::DescribeInput(const physical::EventTimeWatermark& watermark) const {
  std::string text = watermark.event_time()->name();
  const physical::Operator* node = &watermark;
  while (!node->children().empty()) node = node->children()[0].get();
  const auto* scan = dynamic_cast<const physical::ConnectorScan*>(node);
  for (const QuerySource& source : bound_.sources) {
    for (const QuerySource::Scan& one : source.scans) {
      if (scan != nullptr && one.key == scan->source_key()) return text + " of " + source.description;
    }
  }
  return text;
}

void MicroBatchExecution::ReportState(bool ran) {
  if (watermarks_.has_event_time()) {
    int64_t watermark_ms = ran ? batch_watermark_ms_ : watermarks_.watermark_ms();
    // A query that has run no micro-batch reports nothing of it, as Spark.
    if (ran || has_run_) progress_.event_time["watermark"] = IsoMillis(watermark_ms);
    // Of the first place that saw any, as Spark.
    for (const physical::EventTimeWatermark* node : physical::EventTimeWatermarks(*bound_.root)) {
      auto it = event_times_.find(node);
      if (!ran || !has_new_data_ || it == event_times_.end() || it->second.count == 0) continue;
      progress_.event_time["max"] = IsoMillis(it->second.max_ms);
      progress_.event_time["min"] = IsoMillis(it->second.min_ms);
      progress_.event_time["avg"] = IsoMillis(static_cast<int64_t>(it->second.average_ms));
      break;
    }
  }
  if (state_ == nullptr || !has_run_) return;
  progress_.state_operators = state_->Progress(ran);
  std::optional<QueryState::Waiting> waiting = state_->WaitingRows();
  std::optional<size_t> deciding = watermarks_.Deciding();
  if (!waiting || !deciding) return;
  const WatermarkTracker::Input& input = watermarks_.inputs()[*deciding];
  progress_.waiting =
      QueryProgress::Waiting{waiting->num_rows, waiting->next_ms, DescribeInput(*input.nodes[0]), input.moved_at_ms};
}

void MicroBatchExecution::ReportProgress(bool ran) {
  int64_t now_us = spec_.clock->NowMicros();
  int64_t interval_ms = spec_.no_data_progress_interval_ms;
  // The first look that finds nothing is kept as progress, and nobody is told that the query is idle.
  bool first = last_report_ms_ == 0;
  if (!ran && now_us / 1000 - last_report_ms_ < interval_ms) {
    if (!last_trigger_ms_) last_trigger_ms_ = progress_.timestamp_ms;
    return;
  }
  last_report_ms_ = now_us / 1000;
  progress_.id = id();
  progress_.run_id = run_id_;
  progress_.name = spec_.name;
  if (!ran) {
    progress_.batch_id = batch_id_.value;
    for (QuerySource& source : bound_.sources) {
      progress_.sources.push_back({"", source.committed, source.available, std::nullopt, 0, {}});
    }
  }
  progress_.duration_ms["triggerExecution"] = (now_us - trigger_start_us_) / 1000;
  progress_.batch_duration_ms = (now_us - trigger_start_us_) / 1000;
  if (last_trigger_ms_) progress_.since_last_trigger_ms = progress_.timestamp_ms - *last_trigger_ms_;
  last_trigger_ms_ = progress_.timestamp_ms;
  for (size_t i = 0; i < bound_.sources.size(); ++i) {
    QuerySource& source = bound_.sources[i];
    SourceProgress& reported = progress_.sources[i];
    // Some sources know only by now what they are.
    reported.description = source.stream->Description();
    auto latest = source.stream->ReportLatestOffset();
    if (latest.ok()) reported.latest_offset = *latest;
    reported.metrics = source.stream->Metrics(source.committed);
    for (const QuerySource::Scan& scan : source.scans) {
      if (!scan.repeats) reported.num_input_rows += rows_read_[scan.key];
    }
  }
  ReportState(ran);
  progress_.sink_description = sink_->Description();
  bool reports_rows =
      sink_->reports_num_output_rows() || (spec_.sink != nullptr && spec_.sink->reports_num_output_rows);
  progress_.num_output_rows = reports_rows ? rows_written_ : -1;
  JsonValue json = ToJson(progress_);
  {
    std::lock_guard lock(mutex_);
    auto limit = static_cast<size_t>(
        std::max<int64_t>(1, ConfInt64(spec_, "spark.sql.streaming.numRecentProgressUpdates", 100)));
    recent_.push_back(json);
    while (recent_.size() > limit) recent_.pop_front();
  }
  if (ran) {
    if (spec_.on_progress) spec_.on_progress(json);
  } else if (!first && spec_.on_idle) {
    spec_.on_idle(*this, progress_.timestamp_ms);
  }
}

}  // namespace millrace::streaming
