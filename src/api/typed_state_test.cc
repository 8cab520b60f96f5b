#include "api/state_for_test.h"

namespace millrace {
namespace {

arrow::Result<Counted> Count(const Key& key, std::span<const Input> rows, GroupState<Total>& state) {
  int64_t total = state.Exists() ? state.GetOption()->total : 0;
  auto fresh = static_cast<int64_t>(rows.size());
  state.Update({total + fresh});
  return Counted{key, total + fresh, fresh};
}

TEST_F(TypedStateTest, MapGroupsWithStateCounts) {
  Build build = [](const DataFrame& input) {
    return input.GroupByKey<Key, Input>({"k"}).MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout, Count);
  };
  RunRounds(kCounting, build, "update");
  EXPECT_THAT(batches_[0],
              ElementsAre("Row(k=None, total=1, new=1)", "Row(k='a', total=2, new=2)", "Row(k='b', total=1, new=1)"));
  EXPECT_THAT(batches_[1], ElementsAre("Row(k='a', total=3, new=1)", "Row(k='c', total=1, new=1)"));
  EXPECT_THAT(batches_[2], ElementsAre("Row(k=None, total=2, new=1)", "Row(k='d', total=1, new=1)",
                                       "Row(k='a', total=5, new=2)", "Row(k='b', total=2, new=1)"));
  EXPECT_THAT(batches_[3], ElementsAre("Row(k='d', total=2, new=1)"));
  EXPECT_THAT(State("key.k, partition_id, value.groupState.total"),
              UnorderedElementsAre(R"({"k":"a","partition_id":2,"total":5})", R"({"k":"b","partition_id":2,"total":2})",
                                   R"({"k":"c","partition_id":2,"total":1})", R"({"k":"d","partition_id":1,"total":2})",
                                   R"({"partition_id":0,"total":2})"));
  RunRoundsCrashing(kCounting, build, "update");
}

TEST_F(TypedStateTest, StateLiesAsScalasEncodersHaveIt) {
  RunRounds(
      {{"a 1 00:05"}},
      [](const DataFrame& input) {
        return input.WithWatermark("t", "10 seconds")
            .GroupByKey<std::string, Input>({"k"})
            .FlatMapGroupsWithState<int64_t>(OutputMode::kAppend, GroupStateTimeout::kEventTimeTimeout,
                                             [](const std::string& key, std::span<const Input>,
                                                GroupState<int64_t>& state) -> arrow::Result<std::vector<std::string>> {
                                               state.Update(7);
                                               return std::vector<std::string>{key};
                                             });
      },
      "append");
  EXPECT_THAT(batches_[0], ElementsAre("Row(value='a')"));
  auto metadata = session_->Read().Format("state-metadata").Load(folder_ + "/checkpoint").Collect();
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ((*metadata)[0].GetString("operatorName").ValueOrDie(), "flatMapGroupsWithState");
  // Of Dataset[Long] the encoder's one column is `value`, which is never NULL.
  std::string schema = session_->Read().Format("statestore").Load(folder_ + "/checkpoint").SchemaDdl().ValueOrDie();
  EXPECT_THAT(schema, HasSubstr("value STRUCT<groupState: STRUCT<value: BIGINT NOT NULL>, timeoutTimestamp: BIGINT NOT"
                                " NULL>"));
}

arrow::Result<std::vector<Event>> FollowSession(const std::string& key, std::span<const Input> rows,
                                                GroupState<Visits>& state) {
  ARROW_ASSIGN_OR_RAISE(int64_t watermark_ms, state.GetCurrentWatermarkMs());
  Visits visits = state.GetOption().value_or(Visits());
  if (state.HasTimedOut()) {
    state.Remove();
    return std::vector<Event>{{key, "ended with " + std::to_string(rows.size()), visits.n}};
  }
  for (const Input& row : rows) {
    ++visits.n;
    visits.last = std::max(visits.last, row.t->time_since_epoch().count() / 1000);
  }
  state.Update(visits);
  ARROW_RETURN_NOT_OK(state.SetTimeoutTimestamp(std::max(visits.last + 20000, watermark_ms + 1)));
  return std::vector<Event>{{key, "goes on at " + std::to_string(watermark_ms - 1704067200000), visits.n}};
}

TEST_F(TypedStateTest, EventTimeTimeoutsComeAfterTheRowsOfTheirPartition) {
  Build build = [](const DataFrame& input) {
    return input.WithWatermark("t", "10 seconds")
        .GroupByKey<std::string, Input>({"k"})
        .FlatMapGroupsWithState<Visits>(OutputMode::kAppend, GroupStateTimeout::kEventTimeTimeout, FollowSession);
  };
  RunRounds(kSessions, build, "append");
  EXPECT_THAT(batches_[1], ElementsAre("Row(k='a', what='goes on at 0', n=2)"));
  EXPECT_THAT(batches_[2],
              ElementsAre("Row(k='b', what='goes on at 10000', n=2)", "Row(k='c', what='goes on at 10000', n=1)"));
  EXPECT_THAT(batches_[3], ElementsAre("Row(k='a', what='ended with 0', n=2)"));
  EXPECT_THAT(batches_[4], ElementsAre("Row(k='d', what='goes on at 50000', n=1)"));
  EXPECT_THAT(batches_[5],
              ElementsAre("Row(k='e', what='goes on at 80000', n=1)", "Row(k='b', what='ended with 0', n=2)"));
  EXPECT_THAT(batches_[6], ElementsAre("Row(k='d', what='ended with 0', n=1)", "Row(k='c', what='ended with 0', n=1)"));
  EXPECT_THAT(batches_[8], ElementsAre("Row(k='e', what='ended with 0', n=1)"));
  EXPECT_THAT(State("key.k, partition_id, value"),
              ElementsAre(R"({"k":"a","partition_id":2,"value":{"groupState":{"n":1,"last":1704067500000},)"
                          R"("timeoutTimestamp":1704067520000}})"));
  RunRoundsCrashing(kSessions, build, "append");
}

// Scala's GroupState forgets a timeout that is not set again; Python's keeps it. Source: Spark,
// FlatMapGroupsWithStateExec.callFunctionAndUpdateState compares with the timeout in the store.
TEST_F(TypedStateTest, ATimeoutThatIsNotSetAgainIsGone) {
  RunRounds(
      kSessions,
      [](const DataFrame& input) {
        return input.WithWatermark("t", "10 seconds")
            .GroupByKey<std::string, Input>({"k"})
            .FlatMapGroupsWithState<int32_t>(
                OutputMode::kAppend, GroupStateTimeout::kEventTimeTimeout,
                [](const std::string& key, std::span<const Input> rows,
                   GroupState<int32_t>& state) -> arrow::Result<std::vector<Event>> {
                  if (!state.HasTimedOut()) {
                    state.Update(static_cast<int32_t>(rows.size()));
                    ARROW_ASSIGN_OR_RAISE(int64_t watermark_ms, state.GetCurrentWatermarkMs());
                    ARROW_RETURN_NOT_OK(state.SetTimeoutTimestamp(watermark_ms, "1 second"));
                  }
                  ARROW_ASSIGN_OR_RAISE(int32_t n, state.Get());
                  return std::vector<Event>{{key, state.HasTimedOut() ? "timed out" : "rows", n}};
                });
      },
      "append");
  int timed_out = 0;
  for (const auto& [id, rows] : batches_) {
    for (const std::string& row : rows) timed_out += row.find("k='c', what='timed out'") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(timed_out, 1);
}

TEST_F(TypedStateTest, InitialStateIsSeenByTheFirstMicroBatchOnly) {
  Build build = [this](const DataFrame& input) {
    auto initial = session_->Sql("SELECT * FROM VALUES ('a', 100L), ('z', 7L) AS s(k, total)");
    return input.GroupByKey<Key, Input>({"k"}).MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout,
                                                                         initial.GroupByKey<Key, Total>({"k"}), Count);
  };
  RunRounds(kCounting, build, "update");
  EXPECT_THAT(batches_[0], ElementsAre("Row(k=None, total=1, new=1)", "Row(k='z', total=7, new=0)",
                                       "Row(k='a', total=102, new=2)", "Row(k='b', total=1, new=1)"));
  EXPECT_THAT(batches_[1], ElementsAre("Row(k='a', total=103, new=1)", "Row(k='c', total=1, new=1)"));
  EXPECT_THAT(batches_[2], ElementsAre("Row(k=None, total=2, new=1)", "Row(k='d', total=1, new=1)",
                                       "Row(k='a', total=105, new=2)", "Row(k='b', total=2, new=1)"));
}

TEST_F(TypedStateTest, OfNoStreamEachGroupIsSeenOnce) {
  DataFrame rows = session_->Sql(
      "SELECT * FROM VALUES ('b', 1, TIMESTAMP '2024-01-01'), ('a', 2, NULL), ('b', 3, NULL) AS r(k, v, t)");
  auto counted = rows.GroupByKey<Key, Input>({"k"})
                     .MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout, Count)
                     .OrderBy({"k"})
                     .Collect();
  ASSERT_TRUE(counted.ok()) << counted.status();
  ASSERT_EQ(counted->size(), 2U);
  EXPECT_EQ((*counted)[0].ToString(), "Row(k='a', total=1, new=1)");
  EXPECT_EQ((*counted)[1].ToString(), "Row(k='b', total=2, new=2)");
  DataFrame initial = session_->Sql("SELECT * FROM VALUES ('b', 10L), ('c', 5L) AS s(k, total)");
  counted = rows.GroupByKey<Key, Input>({"k"})
                .MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout, initial.GroupByKey<Key, Total>({"k"}), Count)
                .OrderBy({"k"})
                .Collect();
  ASSERT_TRUE(counted.ok()) << counted.status();
  ASSERT_EQ(counted->size(), 3U);
  EXPECT_EQ((*counted)[1].ToString(), "Row(k='b', total=12, new=2)");
  EXPECT_EQ((*counted)[2].ToString(), "Row(k='c', total=5, new=0)");
}

struct Everything {
  bool b = false;
  int8_t i1 = 0;
  int16_t i2 = 0;
  float f4 = 0;
  double f8 = 0;
  Binary bytes;
  Date d;
  Timestamp t;
  TimestampNtz n;
  std::vector<std::optional<std::string>> list;
  std::map<std::string, int32_t> map;
  Visits inner;
  std::optional<std::pair<int32_t, std::string>> pair;
  static constexpr auto kFields = Fields(
      "b", &Everything::b, "i1", &Everything::i1, "i2", &Everything::i2, "f4", &Everything::f4, "f8", &Everything::f8,
      "bytes", &Everything::bytes, "d", &Everything::d, "t", &Everything::t, "n", &Everything::n, "list",
      &Everything::list, "map", &Everything::map, "inner", &Everything::inner, "pair", &Everything::pair);
};

TEST_F(TypedStateTest, ValuesOfAllTypesGoThroughTheState) {
  using std::chrono::microseconds;
  Everything value{true,
                   -1,
                   300,
                   1.5F,
                   2.25,
                   {std::string("\0\xff", 2)},
                   Date(std::chrono::days(19782)),
                   Timestamp(microseconds(5)),
                   TimestampNtz(microseconds(-6)),
                   {"x", std::nullopt},
                   {{"one", 1}, {"two", 2}},
                   {3, 4},
                   std::pair<int32_t, std::string>{7, "p"}};
  bool same = false;
  RunRounds(
      {{"a 1"}, {"a 2"}},
      [&](const DataFrame& input) {
        return input.GroupByKey<std::string, Input>({"k"}).MapGroupsWithState<Everything>(
            GroupStateTimeout::kNoTimeout,
            [&](const std::string&, std::span<const Input>,
                GroupState<Everything>& state) -> arrow::Result<Everything> {
              if (state.Exists()) {
                ARROW_ASSIGN_OR_RAISE(Everything got, state.Get());
                same = got.b && got.i1 == -1 && got.i2 == 300 && got.f4 == 1.5F && got.f8 == 2.25 &&
                       got.bytes == value.bytes && got.d == value.d && got.t == value.t && got.n == value.n &&
                       got.list == value.list && got.map == value.map && got.inner.last == 4 && got.pair == value.pair;
                return got;
              }
              state.Update(value);
              return value;
            });
      },
      "update");
  EXPECT_TRUE(same);
  EXPECT_EQ(batches_[0], batches_[1]);
}

TEST_F(TypedStateTest, WhatSparkRefusesIsRefused) {
  AddFile("a 1 00:05");
  auto flat = [](OutputMode mode, GroupStateTimeout timeout) {
    return [=](const DataFrame& input) {
      return input.GroupByKey<std::string, Input>({"k"}).FlatMapGroupsWithState<Visits>(mode, timeout, FollowSession);
    };
  };
  auto message = [&](const Build& build, const std::string& mode) {
    std::filesystem::remove_all(folder_ + "/checkpoint");  // each is a query of its own
    return RunOnce(build, mode).message();
  };
  EXPECT_THAT(
      message(flat(OutputMode::kUpdate, GroupStateTimeout::kNoTimeout), "append"),
      HasSubstr("flatMapGroupsWithState in update mode is not supported with Append output mode on a streaming"));
  EXPECT_THAT(message(flat(OutputMode::kAppend, GroupStateTimeout::kEventTimeTimeout), "append"),
              HasSubstr("event-time timeout in a [map|flatMap]GroupsWithState"));
  EXPECT_THAT(message(flat(OutputMode::kComplete, GroupStateTimeout::kNoTimeout), "complete"),
              HasSubstr("The output mode of function should be append or update"));
  Build map = [](const DataFrame& input) {
    return input.GroupByKey<Key, Input>({"k"}).MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout, Count);
  };
  EXPECT_THAT(message(map, "append"), HasSubstr("mapGroupsWithState is not supported with Append output mode"));
  // In the query: what the function does.
  EXPECT_THAT(message(flat(OutputMode::kAppend, GroupStateTimeout::kNoTimeout), "append"),
              HasSubstr("Cannot get event time watermark timestamp without setting watermark before"));
  auto failing = [](const DataFrame& input) {
    return input.GroupByKey<std::string, Input>({"k"}).MapGroupsWithState<Total>(
        GroupStateTimeout::kNoTimeout,
        [](const std::string&, std::span<const Input>, GroupState<Total>&) -> arrow::Result<Counted> {
          return arrow::Status::Invalid("no luck");
        });
  };
  EXPECT_THAT(message(failing, "update"), HasSubstr("[FLATMAPGROUPSWITHSTATE_USER_FUNCTION_ERROR] An error occurred in "
                                                    "the user provided function in flatMapGroupsWithState. Reason: no "
                                                    "luck"));
  // Rows and keys of other types.
  Build narrow = [](const DataFrame& input) {
    return input.SelectExpr({"k", "CAST(v AS BIGINT) AS v", "t"})
        .GroupByKey<std::string, Input>({"k"})
        .MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout, Count);
  };
  EXPECT_THAT(message(narrow, "update"), HasSubstr("CANNOT_UP_CAST_DATATYPE"));
  Build absent = [](const DataFrame& input) {
    return input.Drop({"t"}).GroupByKey<std::string, Input>({"k"}).MapGroupsWithState<Total>(
        GroupStateTimeout::kNoTimeout, Count);
  };
  EXPECT_THAT(message(absent, "update"), HasSubstr("UNRESOLVED_COLUMN"));
  Build null_key = [](const DataFrame& input) {
    return input.SelectExpr({"CAST(NULL AS STRING) AS k", "v", "t"})
        .GroupByKey<std::string, Input>({"k"})
        .MapGroupsWithState<Total>(GroupStateTimeout::kNoTimeout,
                                   [](const std::string& key, std::span<const Input> rows, GroupState<Total>& state) {
                                     return Count(key, rows, state);
                                   });
  };
  EXPECT_THAT(message(null_key, "update"), HasSubstr("NOT_NULL_ASSERT_VIOLATION"));
}

TEST(TypedValueTest, SchemasAreThoseOfScalasEncoders) {
  EXPECT_EQ(api::RowCodec<int64_t>::Type(),
            R"({"type":"struct","fields":[{"name":"value","type":"long","nullable":false,"metadata":{}}]})");
  EXPECT_EQ((api::RowCodec<std::pair<std::string, std::vector<int32_t>>>::Type()),
            R"({"type":"struct","fields":[{"name":"_1","type":"string","nullable":true,"metadata":{}},)"
            R"({"name":"_2","type":{"type":"array","elementType":"integer","containsNull":false},)"
            R"("nullable":true,"metadata":{}}]})");
}

}  // namespace
}  // namespace millrace
