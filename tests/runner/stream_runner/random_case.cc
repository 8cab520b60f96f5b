#include "stream_runner/random_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/failpoint.h"

namespace millrace::stream_runner {

namespace {

constexpr int64_t kStart_s = 1704110400;  // 2024-01-01 12:00:00
/// All rows that flush have it in each of their times, so that what they give is told apart.
constexpr const char* kFlushYear = "2040-";

/// SplitMix64: the same numbers with every standard library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull + 1) {}
  /// 0 … n - 1.
  int Below(int n) { return static_cast<int>(Next() % static_cast<uint64_t>(n)); }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  bool Percent(int percent) { return Below(100) < percent; }

 private:
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

std::string TimeText(int64_t seconds) {
  int64_t day_s = seconds - kStart_s + 12 * 3600;
  return fmt::format("2024-01-{:02d} {:02d}:{:02d}:{:02d}", 1 + day_s / 86400, day_s / 3600 % 24, day_s / 60 % 60,
                     day_s % 60);
}

/// A view with the columns ts (event time, under a watermark), k (INT) and v (BIGINT).
struct Flow {
  std::string name;
};

class Drawer {
 public:
  Drawer(RandomCase* drawn, Random* random) : case_(*drawn), random_(*random) {}

  void Query() {
    int mode = random_.Below(10);
    if (mode < 7) return Append();
    case_.mode = mode < 9 ? RandomCase::Mode::kUpdate : RandomCase::Mode::kComplete;
    aggregates_ = outer_joins_ = false;
    joins_ = case_.mode == RandomCase::Mode::kUpdate;
    Aggregate(Draw(random_.Between(0, 2)));
  }

 private:
  std::string NewName() { return "t" + std::to_string(++num_views_); }

  void Note(const std::string& word) { case_.operators += (case_.operators.empty() ? "" : " ") + word; }

  std::string View(const std::string& sql) {
    std::string name = NewName();
    case_.views.push_back("view " + name + "\n " + sql);
    return name;
  }

  Flow Source() {
    RandomCase::Source source;
    source.name = std::string(1, static_cast<char>('a' + case_.sources.size()));
    source.delay_s = random_.Between(1, 12);
    int num_rows = random_.Between(3, 24), step_s = random_.Between(1, 6);
    for (int i = 0; i < num_rows; ++i) {
      std::string key = random_.Percent(4) ? "NULL" : std::to_string(random_.Below(4));
      std::string value = random_.Percent(8) ? "NULL" : std::to_string(random_.Between(-5, 20));
      source.rows.push_back(
          fmt::format("('{}', {}, {})", TimeText(kStart_s + i * step_s + random_.Below(source.delay_s)), key, value));
    }
    case_.sources.push_back(source);
    Note(source.name);
    return {source.name};
  }

  /// A flow of at most `depth` operators above its sources.
  Flow Draw(int depth) {
    if (depth <= 0) return Source();
    switch (random_.Below(9)) {
      case 0:
        return Filter(Draw(depth - 1));
      case 1:
        return StaticJoin(Draw(depth - 1));
      case 2:
        return Union(Draw(depth - 1), Draw(random_.Below(depth)));
      case 3:
        return Deduplicate(Draw(depth - 1));
      case 4:
      case 5:
        return Window(Draw(depth - 1));
      default:
        return Join(depth);
    }
  }

  Flow Filter(Flow in) {
    Note("filter");
    static constexpr std::array kConditions = {"v % 3 <> 0 OR k > 99", "k > 0", "v IS NOT NULL OR k = 1",
                                               "minute(ts) % 2 = 0"};
    in.name = View(fmt::format("SELECT ts, k, v + {} AS v FROM {} WHERE {}", random_.Below(9), in.name,
                               kConditions[static_cast<size_t>(random_.Below(4))]));
    return in;
  }

  Flow StaticJoin(Flow in) {
    Note("static_join");
    bool left = random_.Percent(50);
    in.name =
        View(fmt::format("SELECT ts, {0}.k, v + coalesce(w, 3) AS v FROM {0} {1}JOIN VALUES (0, 10), (1, 11), (1, 12), "
                         "(3, 13) AS s(sk, w) ON {0}.k = sk",
                         in.name, left ? "LEFT " : ""));
    return in;
  }

  Flow Union(const Flow& one, const Flow& other) {
    Note("union");
    return {View(fmt::format("SELECT ts, k, v FROM {} UNION ALL SELECT ts, k, v FROM {}", one.name, other.name))};
  }

  Flow Deduplicate(Flow in) {
    Note("dedup");
    std::string name = NewName();
    case_.views.push_back(fmt::format("view {} {} drop_duplicates", name, in.name));
    in.name = name;
    return in;
  }

  std::string WindowText(const std::string& time) {
    int length = random_.Between(2, 20);
    if (random_.Percent(70)) return fmt::format("window({}, '{} seconds')", time, length);
    return fmt::format("window({}, '{} seconds', '{} seconds')", time, length, random_.Between(1, length));
  }

  std::string AggregateText() {
    static constexpr std::array kFunctions = {"count(*)", "sum(v)", "min(v)", "max(v)", "count(v)", "bit_xor(v)"};
    return kFunctions[static_cast<size_t>(random_.Below(static_cast<int>(kFunctions.size())))];
  }

  Flow Window(Flow in) {
    if (!aggregates_) return Filter(in);
    std::string window = "window";
    std::string group;
    if (random_.Percent(30)) {
      Note("session");
      window = "session_window";
      group = fmt::format("session_window(ts, {})", random_.Percent(60)
                                                        ? fmt::format("'{} seconds'", random_.Between(1, 9))
                                                        : "CASE WHEN v > 9 THEN '2 seconds' ELSE '6 seconds' END");
    } else {
      Note("window");
      group = WindowText("ts");
    }
    // Spark has no sessions of all rows.
    bool by_key = window == "session_window" || random_.Percent(75);
    // No literal: by it a join would filter the other side below its watermark, which would then stand still, in Spark
    // too (tests/stream/join/literal_key_holds_the_watermark_back.stream).
    const char* key = by_key ? "k" : "CAST(sign(count(*)) * 7 AS INT)";
    std::string inner = View(fmt::format("SELECT {} AS w, {} AS k, {} AS v FROM {} GROUP BY {}{}", window, key,
                                         AggregateText(), in.name, group, by_key ? ", k" : ""));
    in.name = View(fmt::format("SELECT window_time(w) AS ts, k, v FROM {}", inner));
    return in;
  }

  Flow Join(int depth) {
    if (!joins_) return Union(Draw(depth - 1), Draw(0));
    Flow left = Draw(depth - 1);
    Flow right = Draw(random_.Below(depth));
    static constexpr std::array kTypes = {"", "LEFT ", "RIGHT ", "LEFT SEMI "};
    std::string type = kTypes[outer_joins_ ? static_cast<size_t>(random_.Below(4)) : random_.Percent(60) ? 0 : 3];
    Note(JoinWord(type));
    if (random_.Percent(25)) return WindowJoin(type, left, right);
    std::string kept = type == "RIGHT " ? "r" : "l";
    return {View(fmt::format("SELECT {0}.ts, {0}.k, {1} FROM {2} l {3}JOIN {4} r ON {5}", kept, JoinedValue(type),
                             left.name, type, right.name, JoinCondition()))};
  }

  /// By key and window. A side may have one column with a watermark, so the window takes the time's place.
  Flow WindowJoin(const std::string& type, const Flow& left, const Flow& right) {
    int length = random_.Between(2, 15);
    std::string windowed = "SELECT window(ts, '{} seconds') AS w, k, v FROM {}";
    std::string l = View(fmt::format(fmt::runtime(windowed), length, left.name));
    std::string r = View(fmt::format(fmt::runtime(windowed), length, right.name));
    std::string kept = type == "RIGHT " ? "r" : "l";
    std::string joined =
        View(fmt::format("SELECT {0}.w, {0}.k, {1} FROM {2} l {3}JOIN {4} r ON l.k = r.k AND l.w = r.w{5}", kept,
                         JoinedValue(type), l, type, r, JoinRest()));
    return {View(fmt::format("SELECT window_time(w) AS ts, k, v FROM {}", joined))};
  }

  static std::string JoinedValue(const std::string& type) {
    return type == "LEFT SEMI " ? "l.v" : "coalesce(l.v, 0) * 31 + coalesce(r.v, 5) AS v";
  }

  static std::string JoinWord(const std::string& type) {
    if (type.empty()) return "inner_join";
    std::string word = type;
    std::transform(word.begin(), word.end(), word.begin(), [](char c) { return c == ' ' ? '_' : c | 0x20; });
    return word + "join";
  }

  std::string JoinRest() { return random_.Percent(25) ? " AND l.v > r.v - 4" : ""; }

  /// One that lets both sides' state go.
  std::string JoinCondition() {
    std::string rest = JoinRest();
    if (random_.Percent(30)) return "l.k = r.k AND l.ts = r.ts" + rest;
    return fmt::format("l.k = r.k AND l.ts BETWEEN r.ts - INTERVAL {} SECONDS AND r.ts + INTERVAL {} SECONDS",
                       random_.Below(9), random_.Below(9)) +
           rest;
  }

  void Append() {
    int depth = random_.Between(1, 4);
    int top = random_.Below(10);
    if (top == 0) return FullJoin(Draw(random_.Below(depth)), Draw(random_.Below(depth)));
    if (top == 1) return WithinWatermark(Source());
    if (top == 2) {
      Flow in = Draw(depth - 1);
      Note("distinct");
      case_.query = fmt::format("SELECT DISTINCT ts, k FROM {}", in.name);
      return;
    }
    case_.query = fmt::format("SELECT ts, k, v FROM {}", Draw(depth).name);
  }

  void FullJoin(const Flow& left, const Flow& right) {
    Note("full_join");
    case_.query = fmt::format("SELECT l.ts, l.k, l.v, r.ts AS rts, r.k AS rk, r.v AS rv FROM {} l FULL JOIN {} r ON {}",
                              left.name, right.name, JoinCondition());
  }

  /// Duplicates lie within the delay of each other, so that none is forgotten: by key and a stretch of time of that
  /// length.
  void WithinWatermark(const Flow& in) {
    Note("within");
    int delay_s = case_.sources.back().delay_s;
    std::string blocks = View(fmt::format(
        "SELECT ts, k, concat(date_format(ts, 'yyyy-'), unix_seconds(ts) DIV {}) AS block FROM {}", delay_s, in.name));
    std::string name = NewName();
    case_.views.push_back(fmt::format("view {} {} drop_duplicates_within_watermark k block", name, blocks));
    case_.query = fmt::format("SELECT k, block FROM {}", name);
  }

  /// The aggregation on top of a query in update or complete mode.
  void Aggregate(const Flow& in) {
    std::string functions = "count(*) AS n, " + AggregateText() + " AS x";
    if (random_.Percent(30)) functions += ", avg(v) AS y";
    if (random_.Percent(20)) functions += ", array_sort(collect_list(v)) AS z";
    switch (random_.Below(4)) {
      case 0:
        Note("global");
        case_.query = fmt::format("SELECT {} FROM {}", functions, in.name);
        return;
      case 1:
        Note("by_key");
        case_.num_group_columns = 1;
        case_.query = fmt::format("SELECT k, {} FROM {} GROUP BY k", functions, in.name);
        return;
      case 2:
        if (case_.mode == RandomCase::Mode::kComplete) {
          Note("session");
          case_.query = fmt::format("SELECT session_window, k, {} FROM {} GROUP BY session_window(ts, '{} seconds'), k",
                                    functions, in.name, random_.Between(1, 9));
          return;
        }
        [[fallthrough]];
      default:
        Note("window");
        case_.num_group_columns = 2;
        case_.query = fmt::format("SELECT window, k, {} FROM {} GROUP BY {}, k", functions, in.name, WindowText("ts"));
    }
  }

  RandomCase& case_;
  Random& random_;
  int num_views_ = 0;
  /// What may stand below.
  bool aggregates_ = true;
  bool outer_joins_ = true;
  bool joins_ = true;
};

/// Which row arrives in which round: any cutting, each source's own.
void Cut(RandomCase* drawn, Random* random) {
  drawn->num_rounds = random->Between(1, 7);
  for (RandomCase::Source& source : drawn->sources) {
    source.rounds.clear();
    for (size_t i = 0; i < source.rows.size(); ++i) source.rounds.push_back(random->Below(drawn->num_rounds));
    std::sort(source.rounds.begin(), source.rounds.end());
  }
  for (int round = 0; round < drawn->num_rounds + drawn->num_flush_rounds; ++round) {
    drawn->restarts.push_back(random->Percent(15));
  }
}

void Circumstances(RandomCase* drawn, Random* random) {
  drawn->settings.push_back(fmt::format("set spark.sql.shuffle.partitions {}", random->Between(1, 4)));
  if (random->Percent(15)) {
    drawn->settings.push_back(
        "set spark.sql.streaming.stateStore.providerClass "
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider");
  }
  if (random->Percent(15)) drawn->settings.push_back("set spark.sql.streaming.noDataMicroBatches.enabled false");
  if (random->Percent(20)) drawn->settings.push_back("set spark.sql.streaming.stateStore.minDeltasForSnapshot 2");
  if (random->Percent(30)) {
    std::string_view point = kFailpoints[static_cast<size_t>(random->Below(static_cast<int>(kFailpoints.size())))];
    drawn->settings.push_back(fmt::format("crash {} {}", point, random->Between(1, 6)));
  }
}

}  // namespace

RandomCase RandomCase::Draw(uint64_t seed) {
  Random random(seed);
  RandomCase drawn;
  drawn.seed = seed;
  Drawer(&drawn, &random).Query();
  Cut(&drawn, &random);
  Circumstances(&drawn, &random);
  return drawn;
}

std::string RandomCase::Script(const std::vector<std::string>& answer) const {
  std::string text = fmt::format("# seed {}: {}\n", seed, operators);
  for (const Source& source : sources) {
    text += fmt::format("source {} (ts TIMESTAMP, k INT, v BIGINT) watermark ts '{} seconds'\n", source.name,
                        source.delay_s);
  }
  for (const std::string& view : views) text += view + "\n";
  static constexpr std::array kModes = {"append", "update", "complete"};
  text += fmt::format("mode {}\n", kModes[static_cast<size_t>(mode)]);
  for (const std::string& setting : settings) text += setting + "\n";
  text += fmt::format("leave_out {}\nquery {}\n", kFlushYear, query);
  for (int round = 0; round < num_rounds + num_flush_rounds; ++round) {
    bool any = false;
    for (size_t s = 0; s < sources.size(); ++s) {
      std::string rows;
      if (round >= num_rounds && mode == Mode::kAppend) {
        rows = fmt::format("('{}01-{:02d} 00:00:00', {}, 0)", kFlushYear, 1 + round - num_rounds, 1000 + s);
      }
      for (size_t i = 0; i < sources[s].rows.size(); ++i) {
        if (sources[s].rounds[i] == round) rows += (rows.empty() ? "" : ", ") + sources[s].rows[i];
      }
      if (rows.empty()) continue;
      text += fmt::format("add {} {}\n", sources[s].name, rows);
      any = true;
    }
    if (!any) continue;
    text += "process\n";
    if (restarts[static_cast<size_t>(round)]) text += "restart\n";
  }
  text += mode == Mode::kUpdate ? fmt::format("check_last {}\n", num_group_columns) : "check\n";
  for (const std::string& row : answer) text += row + "\n";
  return text;
}

std::string RandomCase::BatchScript() const {
  std::string text;
  for (const Source& source : sources) {
    std::string rows;
    for (const std::string& row : source.rows) rows += (rows.empty() ? "" : ", ") + row;
    // The shrunk case may have no rows left.
    std::string values = rows.empty() ? "(NULL, NULL, NULL)" : rows;
    text += fmt::format(
        "table {}\n SELECT CAST(ts AS TIMESTAMP) AS ts, CAST(k AS INT) AS k, CAST(v AS BIGINT) AS v FROM VALUES {} AS "
        "t(ts, k, v){}\n",
        source.name, values, rows.empty() ? " WHERE false" : "");
  }
  for (std::string view : views) {
    // Without a stream the two are the same, and the one is refused.
    size_t within = view.find("drop_duplicates_within_watermark");
    if (within != std::string::npos) view.replace(within, 32, "drop_duplicates");
    text += view + "\n";
  }
  return text;
}

}  // namespace millrace::stream_runner
