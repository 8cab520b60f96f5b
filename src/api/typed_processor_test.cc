#include "api/state_for_test.h"

namespace millrace {
namespace {

class Counter : public StatefulProcessor<Key, Row, Event> {
 public:
  arrow::Status Init(OutputMode, TimeMode) override {
    ARROW_ASSIGN_OR_RAISE(count_, GetHandle().GetValueState<Total>("count"));
    return arrow::Status::OK();
  }
  arrow::Result<std::vector<Event>> HandleInputRows(const Key& key, std::span<const Row> rows,
                                                    const TimerValues&) override {
    ARROW_ASSIGN_OR_RAISE(std::optional<Total> count, count_.Get());
    int64_t total = (count ? count->total : 0) + static_cast<int64_t>(rows.size());
    ARROW_RETURN_NOT_OK(count_.Update({total}));
    return std::vector<Event>{{key, "new " + std::to_string(rows.size()), total}};
  }

 protected:
  ValueState<Total> count_;
};

TEST_F(TypedProcessorTest, ValueState) {
  Build build = [](const DataFrame& input) {
    return input.GroupByKey<Key>({"k"}).TransformWithState(Counter(), TimeMode::kNone, OutputMode::kUpdate);
  };
  RunRounds(kCounting, build, "update");
  EXPECT_THAT(batches_[0], ElementsAre("Row(k=None, what='new 1', n=1)", "Row(k='a', what='new 2', n=2)",
                                       "Row(k='b', what='new 1', n=1)"));
  EXPECT_THAT(batches_[1], ElementsAre("Row(k='a', what='new 1', n=3)", "Row(k='c', what='new 1', n=1)"));
  EXPECT_THAT(batches_[2], ElementsAre("Row(k=None, what='new 1', n=2)", "Row(k='d', what='new 1', n=1)",
                                       "Row(k='a', what='new 2', n=5)", "Row(k='b', what='new 1', n=2)"));
  EXPECT_THAT(batches_[3], ElementsAre("Row(k='d', what='new 1', n=2)"));
  // The key's one column is `value`, as Scala's encoder of a String has it.
  EXPECT_THAT(State("key.value AS k, partition_id, value.total", {{"stateVarName", "count"}}),
              UnorderedElementsAre(R"({"k":"a","partition_id":2,"total":5})", R"({"k":"b","partition_id":2,"total":2})",
                                   R"({"k":"c","partition_id":2,"total":1})", R"({"k":"d","partition_id":1,"total":2})",
                                   R"({"partition_id":0,"total":2})"));
  RunRoundsCrashing(kCounting, build, "update");
}

class Starting : public StatefulProcessorWithInitialState<Key, Input, Event, Total> {
 public:
  arrow::Status Init(OutputMode, TimeMode) override {
    ARROW_ASSIGN_OR_RAISE(count_, GetHandle().GetValueState<int64_t>("count"));
    return arrow::Status::OK();
  }
  arrow::Status HandleInitialState(const Key&, const Total& initial, const TimerValues&) override {
    return count_.Update(initial.total);
  }
  arrow::Result<std::vector<Event>> HandleInputRows(const Key& key, std::span<const Input> rows,
                                                    const TimerValues&) override {
    ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> count, count_.Get());
    int64_t total = count.value_or(0) + static_cast<int64_t>(rows.size());
    ARROW_RETURN_NOT_OK(count_.Update(total));
    return std::vector<Event>{{key, "new " + std::to_string(rows.size()), total}};
  }

 private:
  ValueState<int64_t> count_;
};

TEST_F(TypedProcessorTest, InitialState) {
  RunRounds(
      kCounting,
      [this](const DataFrame& input) {
        auto initial = session_->Sql("SELECT * FROM VALUES ('a', 100L), ('z', 7L), (NULL, 50L) AS s(k, total)");
        return input.GroupByKey<Key, Input>({"k"}).TransformWithState(Starting(), TimeMode::kNone, OutputMode::kUpdate,
                                                                      initial.GroupByKey<Key, Total>({"k"}));
      },
      "update");
  EXPECT_THAT(batches_[0], ElementsAre("Row(k=None, what='new 1', n=51)", "Row(k='a', what='new 2', n=102)",
                                       "Row(k='b', what='new 1', n=1)"));
  EXPECT_THAT(batches_[2], ElementsAre("Row(k=None, what='new 1', n=52)", "Row(k='d', what='new 1', n=1)",
                                       "Row(k='a', what='new 2', n=105)", "Row(k='b', what='new 1', n=2)"));
  EXPECT_THAT(State("key.value AS k, value.value AS n", {{"stateVarName", "count"}}),
              UnorderedElementsAre(R"({"k":"a","n":105})", R"({"k":"b","n":2})", R"({"k":"c","n":1})",
                                   R"({"k":"d","n":2})", R"({"k":"z","n":7})", R"({"n":52})"));
}

struct Named {
  int32_t v = 0;
  std::optional<std::string> name;
  static constexpr auto kFields = Fields("v", &Named::v, "name", &Named::name);
};

std::string Texts(const std::vector<Named>& values) {
  std::string text = "[";
  for (const Named& value : values) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(value.v) + value.name.value_or("");
  }
  return text + "]";
}

class ListsAndMaps : public StatefulProcessor<Key, Input, Event> {
 public:
  arrow::Status Init(OutputMode, TimeMode) override {
    ARROW_ASSIGN_OR_RAISE(seen_, GetHandle().GetListState<Named>("seen"));
    ARROW_ASSIGN_OR_RAISE(last_, GetHandle().GetListState<int32_t>("last"));
    using Times = std::pair<int64_t, std::string>;
    ARROW_ASSIGN_OR_RAISE(by_value_, (GetHandle().GetMapState<int32_t, Times>("byValue")));
    return arrow::Status::OK();
  }
  arrow::Result<std::vector<Event>> HandleInputRows(const Key& key, std::span<const Input> rows,
                                                    const TimerValues&) override {
    int32_t sum = 0;
    std::vector<int32_t> values;
    std::vector<Named> rest;
    for (const Input& row : rows) {
      sum += row.v;
      if (!values.empty()) rest.push_back({row.v, std::nullopt});
      values.push_back(row.v);
    }
    ARROW_ASSIGN_OR_RAISE(std::vector<Named> before, seen_.Get());
    ARROW_RETURN_NOT_OK(seen_.AppendValue({values[0], "first"}));
    if (!rest.empty()) ARROW_RETURN_NOT_OK(seen_.AppendList(rest));
    ARROW_RETURN_NOT_OK(last_.Put(values));
    if (sum > 9) ARROW_RETURN_NOT_OK(seen_.Clear());
    for (int32_t value : values) ARROW_RETURN_NOT_OK(Map(value));
    ARROW_ASSIGN_OR_RAISE(auto entries, by_value_.Iterator());
    ARROW_ASSIGN_OR_RAISE(std::vector<int32_t> keys, by_value_.Keys());
    ARROW_ASSIGN_OR_RAISE(bool any, by_value_.Exists());
    ARROW_ASSIGN_OR_RAISE(std::vector<Named> after, seen_.Get());
    std::string text = Texts(before) + " " + Texts(after) + " {";
    for (size_t i = 0; i < entries.size(); ++i) {
      text += (i > 0 ? ", " : "") + std::to_string(keys[i]) + ": " + std::to_string(entries[i].second.first) + " " +
              entries[i].second.second;
    }
    return std::vector<Event>{{key, text + "}", any ? 1 : 0}};
  }

 private:
  arrow::Status Map(int32_t value) {
    int32_t odd = value % 4;
    ARROW_ASSIGN_OR_RAISE(auto known, by_value_.GetValue(odd));
    ARROW_ASSIGN_OR_RAISE(bool contains, by_value_.ContainsKey(odd));
    if (contains != known.has_value()) return arrow::Status::Invalid("ContainsKey");
    ARROW_RETURN_NOT_OK(by_value_.UpdateValue(odd, {(known ? known->first : 0) + 1, std::to_string(value)}));
    if (value == 9) ARROW_RETURN_NOT_OK(by_value_.RemoveKey(2));
    return value == 8 ? by_value_.Clear() : arrow::Status::OK();
  }

  ListState<Named> seen_;
  ListState<int32_t> last_;
  MapState<int32_t, std::pair<int64_t, std::string>> by_value_;
};

TEST_F(TypedProcessorTest, ListAndMapState) {
  Build build = [](const DataFrame& input) {
    return input.GroupByKey<Key, Input>({"k"}).TransformWithState(ListsAndMaps(), TimeMode::kNone, OutputMode::kUpdate);
  };
  RunRounds(kCounting, build, "update");
  EXPECT_THAT(batches_[0], ElementsAre("Row(k=None, what='[] [4first] {0: 1 4}', n=1)",
                                       "Row(k='a', what='[] [1first, 3] {1: 1 1, 3: 1 3}', n=1)",
                                       "Row(k='b', what='[] [2first] {2: 1 2}', n=1)"));
  EXPECT_THAT(batches_[1],
              ElementsAre("Row(k='a', what='[1first, 3] [1first, 3, 6first] {1: 1 1, 2: 1 6, 3: 1 3}', n=1)",
                          "Row(k='c', what='[] [5first] {1: 1 5}', n=1)"));
  EXPECT_THAT(batches_[2], ElementsAre("Row(k=None, what='[4first] [4first, 8first] {}', n=0)",
                                       "Row(k='d', what='[] [9first] {1: 1 9}', n=1)",
                                       "Row(k='a', what='[1first, 3, 6first] [] {1: 1 1, 2: 2 10, 3: 2 11}', n=1)",
                                       "Row(k='b', what='[2first] [2first, 7first] {2: 1 2, 3: 1 7}', n=1)"));
  EXPECT_THAT(batches_[3], ElementsAre("Row(k='d', what='[9first] [9first, 1first] {1: 2 1}', n=1)"));
  EXPECT_THAT(State("key.value AS k, list_element.value AS v", {{"stateVarName", "last"}}),
              UnorderedElementsAre(R"({"k":"a","v":10})", R"({"k":"a","v":11})", R"({"k":"b","v":7})",
                                   R"({"k":"c","v":5})", R"({"k":"d","v":1})", R"({"v":8})"));
  RunRoundsCrashing(kCounting, build, "update");
}

class Sessions : public StatefulProcessor<std::string, Input, Event> {
 public:
  arrow::Status Init(OutputMode, TimeMode) override {
    ARROW_ASSIGN_OR_RAISE(count_, GetHandle().GetValueState<int64_t>("count"));
    return arrow::Status::OK();
  }
  arrow::Result<std::vector<Event>> HandleInputRows(const std::string& key, std::span<const Input> rows,
                                                    const TimerValues& times) override {
    ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> found, count_.Get());
    int64_t count = found.value_or(0);
    for (const Input& row : rows) {
      ++count;
      ARROW_RETURN_NOT_OK(GetHandle().RegisterTimer(row.t->time_since_epoch().count() / 1000 + 20000));
    }
    ARROW_ASSIGN_OR_RAISE(std::vector<int64_t> timers, GetHandle().ListTimers());
    if (timers.size() > 1) {
      ARROW_RETURN_NOT_OK(GetHandle().DeleteTimer(*std::min_element(timers.begin(), timers.end())));
    }
    ARROW_RETURN_NOT_OK(count_.Update(count));
    std::string text = "goes on with " + std::to_string(timers.size()) + " at ";
    return std::vector<Event>{{key, text + std::to_string(times.GetCurrentWatermarkInMs()), count}};
  }
  arrow::Result<std::vector<Event>> HandleExpiredTimer(const std::string& key, const TimerValues& times,
                                                       const ExpiredTimerInfo& timer) override {
    ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> count, count_.Get());
    ARROW_RETURN_NOT_OK(count_.Clear());
    std::string text = "ended " + std::to_string(timer.GetExpiryTimeInMs()) + " at ";
    return std::vector<Event>{{key, text + std::to_string(times.GetCurrentWatermarkInMs()), count.value_or(-1)}};
  }

 private:
  ValueState<int64_t> count_;
};

TEST_F(TypedProcessorTest, EventTimeTimers) {
  Build build = [](const DataFrame& input) {
    return input.WithWatermark("t", "10 seconds")
        .GroupByKey<std::string, Input>({"k"})
        .TransformWithState(Sessions(), TimeMode::kEventTime, OutputMode::kAppend);
  };
  RunRounds(kSessions, build, "append");
  EXPECT_THAT(batches_[2], ElementsAre("Row(k='b', what='goes on with 2 at 1704067210000', n=2)",
                                       "Row(k='c', what='goes on with 1 at 1704067210000', n=1)"));
  EXPECT_THAT(batches_[3], ElementsAre("Row(k='a', what='ended 1704067240000 at 1704067250000', n=2)"));
  EXPECT_THAT(batches_[5], ElementsAre("Row(k='e', what='goes on with 1 at 1704067280000', n=1)",
                                       "Row(k='b', what='ended 1704067265000 at 1704067280000', n=2)",
                                       "Row(k='c', what='ended 1704067280000 at 1704067280000', n=1)"));
  EXPECT_THAT(batches_[6], ElementsAre("Row(k='d', what='ended 1704067310000 at 1704067370000', n=1)"));
  EXPECT_THAT(batches_[8], ElementsAre("Row(k='e', what='ended 1704067400000 at 1704067490000', n=1)"));
  EXPECT_THAT(State("key.value AS k, expiration_timestamp_ms", {{"readRegisteredTimers", "true"}}),
              ElementsAre(R"({"k":"a","expiration_timestamp_ms":1704067520000})"));
  RunRoundsCrashing(kSessions, build, "append");
}

struct Passed {
  std::string k;
  Timestamp t;
  static constexpr auto kFields = Fields("k", &Passed::k, "t", &Passed::t);
};

class Pass : public StatefulProcessor<std::string, Input, Passed> {
 public:
  explicit Pass(int64_t shift_seconds) : shift_(shift_seconds) {}
  arrow::Status Init(OutputMode, TimeMode) override { return arrow::Status::OK(); }
  arrow::Result<std::vector<Passed>> HandleInputRows(const std::string& key, std::span<const Input> rows,
                                                     const TimerValues&) override {
    std::vector<Passed> passed;
    for (const Input& row : rows) passed.push_back({key, *row.t - shift_});
    return passed;
  }

 private:
  std::chrono::seconds shift_;
};

TEST_F(TypedProcessorTest, TheEventTimeOfWhatComesOutIsWatched) {
  auto build = [](int64_t shift) {
    return [shift](const DataFrame& input) {
      return input.WithWatermark("t", "10 seconds")
          .GroupByKey<std::string, Input>({"k"})
          .TransformWithState(Pass(shift), "t", OutputMode::kAppend)
          .GroupBy({functions::Window("t", "10 seconds"), "k"})
          .Count()
          .SelectExpr({"k", "string(window.start) AS start", "count"});
    };
  };
  RunRounds({{"a 1 00:05, b 2 00:10", "a 3 00:20, b 5 00:55"}, {"c 1 02:00"}}, build(0), "append");
  EXPECT_THAT(batches_[2], UnorderedElementsAre("Row(k='a', start='2024-01-01 00:00:20', count=1)",
                                                "Row(k='b', start='2024-01-01 00:00:10', count=1)",
                                                "Row(k='a', start='2024-01-01 00:00:00', count=1)"));
  EXPECT_THAT(batches_[4], ElementsAre("Row(k='b', start='2024-01-01 00:00:50', count=1)"));
  Restart();
  AddFile("a 1 01:00");
  AddFile("a 2 01:30");
  AddFile("a 3 01:31");
  arrow::Status status = RunOnce(build(50), "append");
  EXPECT_THAT(status.message(), HasSubstr("EMITTING_ROWS_OLDER_THAN_WATERMARK_NOT_ALLOWED"));
}

class Wrong : public Counter {
 public:
  enum class Kind { kTtl, kTwice, kTimer, kEarly, kFails };
  explicit Wrong(Kind kind) : kind_(kind) {}
  arrow::Status Init(OutputMode output_mode, TimeMode time_mode) override {
    ARROW_RETURN_NOT_OK(Counter::Init(output_mode, time_mode));
    if (kind_ == Kind::kTwice) return GetHandle().GetValueState<int64_t>("count").status();
    if (kind_ == Kind::kEarly) return count_.Update({1});
    if (kind_ != Kind::kTtl) return arrow::Status::OK();
    return GetHandle().GetValueState<int64_t>("other", TtlConfig{std::chrono::seconds(1)}).status();
  }
  arrow::Result<std::vector<Event>> HandleInputRows(const Key&, std::span<const Row>, const TimerValues&) override {
    if (kind_ == Kind::kTimer) ARROW_RETURN_NOT_OK(GetHandle().RegisterTimer(1));
    return arrow::Status::Invalid("no luck");
  }

 private:
  Kind kind_;
};

TEST_F(TypedProcessorTest, WhatSparkRefusesIsRefused) {
  AddFile("a 1 00:05");
  auto message = [&](Wrong::Kind kind) {
    return RunOnce(
               [kind](const DataFrame& input) {
                 return input.GroupByKey<Key>({"k"}).TransformWithState(Wrong(kind), TimeMode::kNone,
                                                                        OutputMode::kUpdate);
               },
               "update")
        .message();
  };
  EXPECT_THAT(message(Wrong::Kind::kTtl), HasSubstr("STATEFUL_PROCESSOR_INCORRECT_TIME_MODE_TO_ASSIGN_TTL"));
  EXPECT_THAT(message(Wrong::Kind::kTwice), HasSubstr("STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED"));
  EXPECT_THAT(message(Wrong::Kind::kTimer),
              HasSubstr("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE"));
  EXPECT_THAT(message(Wrong::Kind::kEarly),
              HasSubstr("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE"));
  EXPECT_THAT(message(Wrong::Kind::kFails),
              HasSubstr("[TRANSFORM_WITH_STATE_USER_FUNCTION_ERROR] An error occurred in the user-defined function "
                        "handleInputRows of the StatefulProcessor. Reason: no luck"));
}

class Expiring : public StatefulProcessor<std::string, Input, Event> {
 public:
  arrow::Status Init(OutputMode, TimeMode) override {
    TtlConfig soon{std::chrono::milliseconds(600)};
    ARROW_ASSIGN_OR_RAISE(value_, GetHandle().GetValueState<int32_t>("value", soon));
    ARROW_ASSIGN_OR_RAISE(list_, GetHandle().GetListState<int32_t>("list", soon));
    ARROW_ASSIGN_OR_RAISE(map_, (GetHandle().GetMapState<int32_t, int32_t>("map", soon)));
    ARROW_ASSIGN_OR_RAISE(kept_, GetHandle().GetValueState<int32_t>("kept", TtlConfig{std::chrono::hours(1)}));
    return arrow::Status::OK();
  }
  arrow::Result<std::vector<Event>> HandleInputRows(const std::string& key, std::span<const Input> rows,
                                                    const TimerValues& times) override {
    for (const Input& row : rows) {
      ARROW_RETURN_NOT_OK(value_.Update(row.v));
      ARROW_RETURN_NOT_OK(list_.AppendValue(row.v));
      ARROW_RETURN_NOT_OK(map_.UpdateValue(row.v, row.v));
      ARROW_RETURN_NOT_OK(kept_.Update(row.v));
    }
    ARROW_RETURN_NOT_OK(GetHandle().RegisterTimer(times.GetCurrentProcessingTimeInMs() + 1500));
    return Left(key, 0);
  }
  arrow::Result<std::vector<Event>> HandleExpiredTimer(const std::string& key, const TimerValues&,
                                                       const ExpiredTimerInfo&) override {
    return Left(key, 1);
  }

 private:
  arrow::Result<std::vector<Event>> Left(const std::string& key, int64_t n) {
    ARROW_ASSIGN_OR_RAISE(auto value, value_.Get());
    ARROW_ASSIGN_OR_RAISE(auto list, list_.Get());
    ARROW_ASSIGN_OR_RAISE(auto keys, map_.Keys());
    ARROW_ASSIGN_OR_RAISE(auto kept, kept_.Get());
    return std::vector<Event>{{key,
                               (value ? "value " : "") + std::to_string(list.size()) + " " +
                                   std::to_string(keys.size()) + (kept ? " kept" : ""),
                               n}};
  }

  ValueState<int32_t> value_;
  ListState<int32_t> list_;
  MapState<int32_t, int32_t> map_;
  ValueState<int32_t> kept_;
};

TEST_F(TypedProcessorTest, TtlAndTimersByProcessingTime) {
  AddFile("a 1, b 2, a 3");
  std::mutex mutex;
  std::multiset<std::string> seen;
  auto query = ReadInput()
                   .GroupByKey<std::string, Input>({"k"})
                   .TransformWithState(Expiring(), TimeMode::kProcessingTime, OutputMode::kUpdate)
                   .WriteStream()
                   .ForeachBatch([&](const DataFrame& rows, int64_t) -> arrow::Status {
                     ARROW_ASSIGN_OR_RAISE(std::vector<Row> collected, rows.Collect());
                     std::lock_guard lock(mutex);
                     for (const Row& row : collected) seen.insert(row.ToString());
                     return arrow::Status::OK();
                   })
                   .OutputMode("update")
                   .Option("checkpointLocation", folder_ + "/checkpoint")
                   .Start();
  ASSERT_TRUE(query.ok()) << query.status();
  for (int i = 0; i < 600; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::lock_guard lock(mutex);
    if (seen.size() >= 4) break;
  }
  ASSERT_TRUE(query->Stop().ok());
  EXPECT_THAT(seen,
              UnorderedElementsAre("Row(k='a', what='value 2 2 kept', n=0)", "Row(k='b', what='value 1 1 kept', n=0)",
                                   "Row(k='a', what='0 0 kept', n=1)", "Row(k='b', what='0 0 kept', n=1)"));
}

}  // namespace
}  // namespace millrace
