// Every function of the C++ API beside its SQL: the right name, every argument in its place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <millrace/millrace.h>

#include <optional>

namespace millrace {
namespace {

using namespace functions;  // NOLINT: all of them are called

struct Pair {
  Column column;
  const char* sql;
};

/// A row with a column of each type that functions ask for.
constexpr const char* kRow =
    "SELECT 3 AS i, 5 AS k, 2.5D AS d, 'a1,b=2' AS s, 'Yg==' AS e, X'6162' AS b, TIMESTAMP '2024-03-01 10:20:30.5' AS "
    "t, "
    "DATE '2024-02-29' AS y, array(3, 1, 3) AS l, array('x', 'y') AS a, map('a', 1) AS m, true AS o, '{\"a\": 1}' AS "
    "j, "
    "parse_json('{\"a\": 1}') AS v, array(struct('q' AS k, 2 AS v)) AS p, TIME '10:20:30' AS c, 'HOUR' AS u, "
    "array(array(1), array(2)) AS n, INTERVAL '1' HOUR AS h, '9' AS w, 'https://a.b/c?d=e' AS r, X'01' AS z";

class FunctionsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto session = Session::Builder().Config("spark.sql.session.timeZone", "UTC").NumThreads(1).GetOrCreate();
    ASSERT_TRUE(session.ok()) << session.status();
    session_.emplace(*session);
  }
  static void TearDownTestSuite() { session_.reset(); }

  static DataFrame OneRow() { return session_->Sql(kRow); }
  static DataFrame Rows(const char* sql) { return session_->Sql(sql); }

  /// The rows as text, or the failure.
  static std::string Text(const DataFrame& frame) {
    auto text = frame.ShowString(100, 0);
    return text.ok() ? *text : text.status().message();
  }

  /// Each column means what its SQL says. Those that fail must be named.
  static void ExpectSame(const DataFrame& input, const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
      std::string expected = Text(input.SelectExpr({std::string(pair.sql) + " AS result"}));
      EXPECT_THAT(expected, ::testing::StartsWith("+--")) << pair.sql;
      EXPECT_EQ(Text(input.Select({pair.column.As("result")})), expected) << pair.sql;
    }
  }

  static std::optional<Session> session_;
};

std::optional<Session> FunctionsTest::session_;

TEST_F(FunctionsTest, Aggregates) {
  ExpectSame(OneRow(), {{AnyValue("i", true), "any_value(i, true)"},
                        {ApproxCountDistinct("i", 0.1), "approx_count_distinct(i, 0.1D)"},
                        {ArrayAgg("i"), "array_agg(i)"},
                        {Avg("i"), "avg(i)"},
                        {BitAnd("i"), "bit_and(i)"},
                        {BitmapAndAgg("b"), "bitmap_and_agg(b)"},
                        {BitmapConstructAgg("i"), "bitmap_construct_agg(i)"},
                        {BitmapOrAgg("b"), "bitmap_or_agg(b)"},
                        {BitOr("i"), "bit_or(i)"},
                        {BitXor("i"), "bit_xor(i)"},
                        {BoolAnd("o"), "bool_and(o)"},
                        {BoolOr("o"), "bool_or(o)"},
                        {CollectList("i"), "collect_list(i)"},
                        {CollectSet("i"), "collect_set(i)"},
                        {Corr("w", "w"), "corr(w, w)"},
                        {Count("i"), "count(i)"},
                        {CountIf("o"), "count_if(o)"},
                        {CovarPop("i", "d"), "covar_pop(i, d)"},
                        {CovarSamp("w", "w"), "covar_samp(w, w)"},
                        {Every("o"), "every(o)"},
                        {First("i", true), "first(i, true)"},
                        {FirstValue("i", true), "first_value(i, true)"},
                        {Last("i", true), "last(i, true)"},
                        {LastValue("i", true), "last_value(i, true)"},
                        {ListAgg("i", "yyyy-MM-dd"), "listagg(i, 'yyyy-MM-dd')"},
                        {MaxBy("i", "d", 2), "max_by(i, d, 2)"},
                        {Max("i"), "max(i)"},
                        {Mean("i"), "mean(i)"},
                        {Median("i"), "median(i)"},
                        {MinBy("i", "d", 2), "min_by(i, d, 2)"},
                        {Min("i"), "min(i)"},
                        {Mode("i", true), "mode(i, true)"},
                        {PercentileApprox("i", 0.5, 2), "percentile_approx(i, 0.5D, 2)"},
                        {Product("i"), "product(i)"},
                        {RegrAvgx("i", "d"), "regr_avgx(i, d)"},
                        {RegrAvgy("i", "d"), "regr_avgy(i, d)"},
                        {RegrCount("i", "d"), "regr_count(i, d)"},
                        {RegrIntercept("w", "w"), "regr_intercept(w, w)"},
                        {RegrR2("w", "w"), "regr_r2(w, w)"},
                        {RegrSlope("w", "w"), "regr_slope(w, w)"},
                        {RegrSxx("i", "d"), "regr_sxx(i, d)"},
                        {RegrSxy("i", "d"), "regr_sxy(i, d)"},
                        {RegrSyy("i", "d"), "regr_syy(i, d)"},
                        {SchemaOfVariantAgg("v"), "schema_of_variant_agg(v)"},
                        {Some("o"), "some(o)"},
                        {StddevPop("i"), "stddev_pop(i)"},
                        {StringAgg("i", "yyyy-MM-dd"), "string_agg(i, 'yyyy-MM-dd')"},
                        {Sum("i"), "sum(i)"},
                        {TryAvg("i"), "try_avg(i)"},
                        {TrySum("i"), "try_sum(i)"},
                        {VarPop("i"), "var_pop(i)"},
                        {HistogramNumeric("i", Lit(2)), "histogram_numeric(i, 2)"},
                        {Kurtosis("d"), "kurtosis(d)"},
                        {Skewness("d"), "skewness(d)"},
                        {Stddev("d"), "stddev(d)"},
                        {VarSamp("d"), "var_samp(d)"}});
}

TEST_F(FunctionsTest, Collections) {
  ExpectSame(OneRow(), {{ArrayAppend("l", 1), "array_append(l, 1)"},
                        {Array({"i", "k"}), "array(i, k)"},
                        {ArrayCompact("l"), "array_compact(l)"},
                        {ArrayContains("l", 1), "array_contains(l, 1)"},
                        {ArrayDistinct("l"), "array_distinct(l)"},
                        {ArrayExcept("l", "l"), "array_except(l, l)"},
                        {ArrayInsert("l", 2, 1), "array_insert(l, 2, 1)"},
                        {ArrayIntersect("l", "l"), "array_intersect(l, l)"},
                        {ArrayJoin("l", "yyyy-MM-dd", "UTF-8"), "array_join(l, 'yyyy-MM-dd', 'UTF-8')"},
                        {ArrayMax("l"), "array_max(l)"},
                        {ArrayMin("l"), "array_min(l)"},
                        {ArrayPosition("l", 1), "array_position(l, 1)"},
                        {ArrayPrepend("l", 1), "array_prepend(l, 1)"},
                        {ArrayRemove("l", 1), "array_remove(l, 1)"},
                        {ArrayRepeat("l", 2), "array_repeat(l, 2)"},
                        {ArraySize("l"), "array_size(l)"},
                        {ArraySort("l"), "array_sort(l)"},
                        {ArraysOverlap("l", "l"), "arrays_overlap(l, l)"},
                        {ArraysZip({"l", "n"}), "arrays_zip(l, n)"},
                        {ArrayUnion("l", "l"), "array_union(l, l)"},
                        {CreateMap({"i", "k"}), "map(i, k)"},
                        {ElementAt("l", 1), "element_at(l, 1)"},
                        {Explode("l"), "explode(l)"},
                        {ExplodeOuter("l"), "explode_outer(l)"},
                        {Flatten("n"), "flatten(n)"},
                        {Get("l", 2), "get(l, 2)"},
                        {MapConcat({"m"}), "map_concat(m)"},
                        {MapContainsKey("m", "yyyy-MM-dd"), "map_contains_key(m, 'yyyy-MM-dd')"},
                        {MapEntries("m"), "map_entries(m)"},
                        {MapFromArrays("a", "n"), "map_from_arrays(a, n)"},
                        {MapFromEntries("p"), "map_from_entries(p)"},
                        {MapKeys("m"), "map_keys(m)"},
                        {MapValues("m"), "map_values(m)"},
                        {NamedStruct({Lit("k"), "i"}), "named_struct('k', i)"},
                        {Size("l"), "size(l)"},
                        {Slice("l", 2, "i"), "slice(l, 2, i)"},
                        {SortArray("l", true), "sort_array(l, true)"},
                        {TryElementAt("l", "i"), "try_element_at(l, i)"},
                        {Sequence("i", "k", Lit(2)), "sequence(i, k, 2)"},
                        {Sequence("i", "k"), "sequence(i, k)"}});
}

TEST_F(FunctionsTest, Conditions) {
  ExpectSame(OneRow(), {{Coalesce({"i", "k"}), "coalesce(i, k)"},
                        {EqualNull("s", "e"), "equal_null(s, e)"},
                        {IfNull("s", "e"), "ifnull(s, e)"},
                        {ILike("s", "d", "a"), "ilike(s, d, 'a')"},
                        {IsNaN("d"), "isnan(d)"},
                        {IsNotNull("s"), "isnotnull(s)"},
                        {IsNull("s"), "isnull(s)"},
                        {Like("s", "d", "a"), "like(s, d, 'a')"},
                        {NaNvl("d", "i"), "nanvl(d, i)"},
                        {NullIf("s", "e"), "nullif(s, e)"},
                        {NullIfZero("d"), "nullifzero(d)"},
                        {Nvl2("s", "d", "i"), "nvl2(s, d, i)"},
                        {Nvl("s", "e"), "nvl(s, e)"},
                        {RegexpLike("s", "d"), "regexp_like(s, d)"},
                        {RLike("s", "d"), "rlike(s, d)"},
                        {ZeroIfNull("d"), "zeroifnull(d)"}});
}

TEST_F(FunctionsTest, DatesAndTimes) {
  ExpectSame(
      OneRow(),
      {{AddMonths("t", 2), "add_months(t, 2)"},
       {CurrentDate(), "current_date()"},
       {CurrentTimezone(), "current_timezone()"},
       {DateAdd("t", 2), "date_add(t, 2)"},
       {DateDiff("t", "y"), "date_diff(t, y)"},
       {DateFormat("t", "yyyy-MM-dd"), "date_format(t, 'yyyy-MM-dd')"},
       {DateFromUnixDate("i"), "date_from_unix_date(i)"},
       {DatePart("MON", "t"), "date_part('MON', t)"},
       {DateSub("t", 2), "date_sub(t, 2)"},
       {DateTrunc("MON", "t"), "date_trunc('MON', t)"},
       {Day("t"), "day(t)"},
       {DayName("t"), "dayname(t)"},
       {DayOfMonth("t"), "dayofmonth(t)"},
       {DayOfWeek("t"), "dayofweek(t)"},
       {DayOfYear("t"), "dayofyear(t)"},
       {Extract("MON", "t"), "extract('MON', t)"},
       {FromUnixTime("i", "yyyy-MM-dd"), "from_unixtime(i, 'yyyy-MM-dd')"},
       {FromUtcTimestamp("t", "UTC"), "from_utc_timestamp(t, 'UTC')"},
       {Hour("t"), "hour(t)"},
       {LastDay("t"), "last_day(t)"},
       {MakeDtInterval(2, 2, 2, 2), "make_dt_interval(2, 2, 2, 2)"},
       {Minute("t"), "minute(t)"},
       {Month("t"), "month(t)"},
       {MonthName("t"), "monthname(t)"},
       {MonthsBetween("t", "y", true), "months_between(t, y, true)"},
       {NextDay("t", "MON"), "next_day(t, 'MON')"},
       {Quarter("t"), "quarter(t)"},
       {Second("t"), "second(t)"},
       {TimeFromMicros("i"), "time_from_micros(i)"},
       {TimeFromMillis("i"), "time_from_millis(i)"},
       {TimeFromSeconds("i"), "time_from_seconds(i)"},
       {TimestampMicros("i"), "timestamp_micros(i)"},
       {TimestampMillis("i"), "timestamp_millis(i)"},
       {TimestampSeconds("i"), "timestamp_seconds(i)"},
       {TimeToMicros("c"), "time_to_micros(c)"},
       {TimeToMillis("c"), "time_to_millis(c)"},
       {TimeToSeconds("c"), "time_to_seconds(c)"},
       {ToDate("t", "yyyy-MM-dd"), "to_date(t, 'yyyy-MM-dd')"},
       {ToTimestampLtz("t", "y"), "to_timestamp_ltz(t, y)"},
       {ToTimestampNtz("t", "y"), "to_timestamp_ntz(t, y)"},
       {ToTimestamp("t", "yyyy-MM-dd"), "to_timestamp(t, 'yyyy-MM-dd')"},
       {ToTime("w", "w"), "to_time(w, w)"},
       {ToUnixTimestamp("t", "y"), "to_unix_timestamp(t, y)"},
       {ToUtcTimestamp("t", "UTC"), "to_utc_timestamp(t, 'UTC')"},
       {Trunc("t", "MON"), "trunc(t, 'MON')"},
       {TryToDate("t", "yyyy-MM-dd"), "try_to_date(t, 'yyyy-MM-dd')"},
       {TryToTimestamp("t", "y"), "try_to_timestamp(t, y)"},
       {TryToTime("w", "w"), "try_to_time(w, w)"},
       {UnixDate("t"), "unix_date(t)"},
       {UnixMicros("t"), "unix_micros(t)"},
       {UnixMillis("t"), "unix_millis(t)"},
       {UnixSeconds("t"), "unix_seconds(t)"},
       {Weekday("t"), "weekday(t)"},
       {WeekOfYear("t"), "weekofyear(t)"},
       {Year("t"), "year(t)"},
       {ConvertTimezone("UTC", Lit("Europe/Paris"), Col("t").Cast("timestamp_ntz")),
        "convert_timezone('UTC', 'Europe/Paris', CAST(t AS TIMESTAMP_NTZ))"},
       {Extract("hour", "t"), "extract(hour FROM t)"},
       {DatePart("hour", "t"), "date_part('hour', t)"},
       {MakeDate(Lit(2024), "i", "k"), "make_date(2024, i, k)"},
       {MakeTime("i", "k", Lit(7)), "make_time(i, k, 7)"},
       {MakeTimestamp(Lit(2024), "i", "k", Lit(1), Lit(2), Lit(3.5), Lit("Europe/Paris")),
        "make_timestamp(2024, i, k, 1, 2, 3.5D, 'Europe/Paris')"},
       {MakeTimestampLtz(Lit(2024), "i", "k", Lit(1), Lit(2), Lit(3)), "make_timestamp_ltz(2024, i, k, 1, 2, 3)"},
       {MakeTimestampNtz(Lit(2024), "i", "k", Lit(1), Lit(2), Lit(3)), "make_timestamp_ntz(2024, i, k, 1, 2, 3)"},
       {TryMakeTimestamp(Lit(2024), Lit(13), "k", Lit(1), Lit(2), Lit(3)), "try_make_timestamp(2024, 13, k, 1, 2, 3)"},
       {MakeYmInterval("i", 2), "make_ym_interval(i, 2)"},
       {TimeDiff("u", Lit("08:00").Cast("time"), "c"), "time_diff(u, TIME '08:00', c)"},
       {TimeTrunc("u", "c"), "time_trunc(u, c)"},
       {TimestampAdd("HOUR", "i", "t"), "timestampadd(HOUR, i, t)"},
       {TimestampDiff("DAY", Col("y").Cast("timestamp"), "t"), "timestampdiff(DAY, CAST(y AS TIMESTAMP), t)"},
       {ToTime(Lit("10.20"), Lit("HH.mm")), "to_time('10.20', 'HH.mm')"},
       {TimeBucket(Expr("INTERVAL '1' HOUR"), "t"), "time_bucket(INTERVAL '1' HOUR, t)"}});
}

TEST_F(FunctionsTest, Formats) {
  ExpectSame(OneRow(), {{GetJsonObject("j", "$.a"), "get_json_object(j, '$.a')"},
                        {IsValidVariant("v"), "is_valid_variant(v)"},
                        {IsVariantNull("v"), "is_variant_null(v)"},
                        {JsonObjectKeys("j"), "json_object_keys(j)"},
                        {functions::ParseJson("j"), "parse_json(j)"},
                        {SchemaOfCsv("yyyy-MM-dd"), "schema_of_csv('yyyy-MM-dd')"},
                        {SchemaOfVariant("v"), "schema_of_variant(v)"},
                        {ToJson("v"), "to_json(v)"},
                        {ToVariantObject("l"), "to_variant_object(l)"},
                        {TryParseJson("j"), "try_parse_json(j)"},
                        {FromCsv(Lit("1;x"), "a INT, b STRING", {{"sep", ";"}}),
                         "from_csv('1;x', 'a INT, b STRING', map('sep', ';'))"},
                        {JsonArrayLength(Lit("[1, 2]")), "json_array_length('[1, 2]')"},
                        {SchemaOfJson("{\"a\": 1}"), "schema_of_json('{\"a\": 1}')"},
                        {SchemaOfCsv("1,a"), "schema_of_csv('1,a')"},
                        {ToCsv(Struct({"i", "s"}), {{"sep", "|"}}), "to_csv(struct(i, s), map('sep', '|'))"},
                        {ToJson(Struct({"i", "d"})), "to_json(struct(i, d))"},
                        {VariantGet("v", "$.a", "int"), "variant_get(v, '$.a', 'int')"},
                        {TryVariantGet("v", "$.a", "date"), "try_variant_get(v, '$.a', 'date')"}});
}

TEST_F(FunctionsTest, Hashes) {
  ExpectSame(
      OneRow(),
      {{Crc32("s"), "crc32(s)"},
       {Hash({"i", "k"}), "hash(i, k)"},
       {Md5("s"), "md5(s)"},
       {Sha1("s"), "sha1(s)"},
       {Sha2("s", 0), "sha2(s, 0)"},
       {TryAesDecrypt("s", "s", "s", "i", "b"), "try_aes_decrypt(s, s, s, i, b)"},
       {XxHash64({"i", "k"}), "xxhash64(i, k)"},
       {AesDecrypt(AesEncrypt("s", Lit("0123456789abcdef"), Lit("ECB")), Lit("0123456789abcdef"), Lit("ECB"))
            .Cast("string"),
        "s"},
       {Hex(AesEncrypt("s", Lit("0123456789abcdef"), Lit("ECB"))), "hex(aes_encrypt(s, '0123456789abcdef', 'ECB'))"}});
}

TEST_F(FunctionsTest, Numbers) {
  ExpectSame(OneRow(), {{Abs("i"), "abs(i)"},
                        {Acos("i"), "acos(i)"},
                        {Acosh("i"), "acosh(i)"},
                        {Asin("i"), "asin(i)"},
                        {Asinh("i"), "asinh(i)"},
                        {Atan2("i", "d"), "atan2(i, d)"},
                        {Atan("i"), "atan(i)"},
                        {Atanh("i"), "atanh(i)"},
                        {Bin("i"), "bin(i)"},
                        {BitCount("i"), "bit_count(i)"},
                        {BitGet("i", "d"), "bit_get(i, d)"},
                        {BitmapBitPosition("i"), "bitmap_bit_position(i)"},
                        {BitmapBucketNumber("i"), "bitmap_bucket_number(i)"},
                        {BitmapCount("s"), "bitmap_count(s)"},
                        {BRound("i", 2), "bround(i, 2)"},
                        {Cbrt("i"), "cbrt(i)"},
                        {Ceil("i", 2), "ceil(i, 2)"},
                        {Conv("i", 2, 10), "conv(i, 2, 10)"},
                        {Cos("i"), "cos(i)"},
                        {Cosh("i"), "cosh(i)"},
                        {Cot("i"), "cot(i)"},
                        {Csc("i"), "csc(i)"},
                        {Degrees("i"), "degrees(i)"},
                        {E(), "e()"},
                        {Exp("i"), "exp(i)"},
                        {ExpM1("i"), "expm1(i)"},
                        {Factorial("i"), "factorial(i)"},
                        {Floor("i", 2), "floor(i, 2)"},
                        {Greatest({"i", "k"}), "greatest(i, k)"},
                        {Hex("i"), "hex(i)"},
                        {Hypot("i", "d"), "hypot(i, d)"},
                        {Least({"i", "k"}), "least(i, k)"},
                        {Ln("i"), "ln(i)"},
                        {Log10("i"), "log10(i)"},
                        {Log1P("i"), "log1p(i)"},
                        {Log2("i"), "log2(i)"},
                        {Log("i"), "ln(i)"},
                        {Negative("i"), "negative(i)"},
                        {Pi(), "pi()"},
                        {Pmod("i", "d"), "pmod(i, d)"},
                        {Positive("i"), "positive(i)"},
                        {Power("i", "d"), "power(i, d)"},
                        {Pow("i", "d"), "pow(i, d)"},
                        {Radians("i"), "radians(i)"},
                        {Rint("i"), "rint(i)"},
                        {Round("i", 2), "round(i, 2)"},
                        {Sec("i"), "sec(i)"},
                        {ShiftLeft("i", 2), "shiftleft(i, 2)"},
                        {ShiftRight("i", 2), "shiftright(i, 2)"},
                        {ShiftRightUnsigned("i", 2), "shiftrightunsigned(i, 2)"},
                        {Signum("i"), "signum(i)"},
                        {Sinh("i"), "sinh(i)"},
                        {Sin("i"), "sin(i)"},
                        {Sqrt("i"), "sqrt(i)"},
                        {Tanh("i"), "tanh(i)"},
                        {Tan("i"), "tan(i)"},
                        {TryAdd("i", "d"), "try_add(i, d)"},
                        {TryDivide("i", "d"), "try_divide(i, d)"},
                        {TryMod("i", "d"), "try_mod(i, d)"},
                        {TryMultiply("i", "d"), "try_multiply(i, d)"},
                        {TrySubtract("i", "d"), "try_subtract(i, d)"},
                        {Unhex("i"), "unhex(i)"},
                        {WidthBucket("i", "d", "k", 2), "width_bucket(i, d, k, 2)"},
                        {Log("d"), "ln(d)"}});
}

TEST_F(FunctionsTest, SessionAndErrors) {
  ExpectSame(OneRow(), {{CurrentCatalog(), "current_catalog()"},
                        {CurrentDatabase(), "current_database()"},
                        {CurrentSchema(), "current_schema()"},
                        {CurrentUser(), "current_user()"},
                        {SessionUser(), "session_user()"},
                        {TypeOf("o"), "typeof(o)"},
                        {User(), "user()"},
                        {Version(), "version()"},
                        {AssertTrue("o", "no"), "assert_true(o, 'no')"}});
}

TEST_F(FunctionsTest, Texts) {
  ExpectSame(OneRow(), {{Ascii("s"), "ascii(s)"},
                        {Base64("s"), "base64(s)"},
                        {BitLength("s"), "bit_length(s)"},
                        {BTrim("s", "i"), "btrim(s, i)"},
                        {Char("i"), "char(i)"},
                        {Chr("i"), "chr(i)"},
                        {Collate("s", "UTF8_BINARY"), "collate(s, 'UTF8_BINARY')"},
                        {Collation("s"), "collation(s)"},
                        {Concat({"i", "k"}), "concat(i, k)"},
                        {ConcatWs("yyyy-MM-dd", {"i", "k"}), "concat_ws('yyyy-MM-dd', i, k)"},
                        {Contains("s", "i"), "contains(s, i)"},
                        {Decode("s", "UTF-8"), "decode(s, 'UTF-8')"},
                        {Encode("s", "UTF-8"), "encode(s, 'UTF-8')"},
                        {EndsWith("s", "i"), "endswith(s, i)"},
                        {FindInSet("s", "i"), "find_in_set(s, i)"},
                        {FormatNumber("i", 2), "format_number(i, 2)"},
                        {FormatString("yyyy-MM-dd", {"i", "k"}), "format_string('yyyy-MM-dd', i, k)"},
                        {InitCap("s"), "initcap(s)"},
                        {Instr("s", "yyyy-MM-dd"), "instr(s, 'yyyy-MM-dd')"},
                        {IsValidUtf8("s"), "is_valid_utf8(s)"},
                        {Left("s", "i"), "left(s, i)"},
                        {Length("s"), "length(s)"},
                        {Levenshtein("s", "i", 2), "levenshtein(s, i, 2)"},
                        {Locate("yyyy-MM-dd", "s", 2), "locate('yyyy-MM-dd', s, 2)"},
                        {Lower("s"), "lower(s)"},
                        {LPad("s", 2, "yyyy-MM-dd"), "lpad(s, 2, 'yyyy-MM-dd')"},
                        {LTrim("s", "i"), "ltrim(s, i)"},
                        {MakeValidUtf8("s"), "make_valid_utf8(s)"},
                        {Mask("s", Lit("X"), Lit("x"), Lit("n"), Lit("o")), "mask(s, 'X', 'x', 'n', 'o')"},
                        {OctetLength("s"), "octet_length(s)"},
                        {Overlay("s", "i", 2, 0.5), "overlay(s, i, 2, 0.5D)"},
                        {ParseUrl("s", "s", "d"), "parse_url(s, s, d)"},
                        {Position("s", "i", "w"), "position(s, i, w)"},
                        {Quote("s"), "quote(s)"},
                        {RegexpCount("s", "i"), "regexp_count(s, i)"},
                        {RegexpExtractAll("s", "i", 2), "regexp_extract_all(s, i, 2)"},
                        {RegexpExtract("s", "yyyy-MM-dd", 2), "regexp_extract(s, 'yyyy-MM-dd', 2)"},
                        {RegexpInstr("s", "i", 2), "regexp_instr(s, i, 2)"},
                        {RegexpReplace("s", "yyyy-MM-dd", "UTF-8"), "regexp_replace(s, 'yyyy-MM-dd', 'UTF-8')"},
                        {RegexpSubstr("s", "s"), "regexp_substr(s, s)"},
                        {Repeat("s", 2), "repeat(s, 2)"},
                        {Replace("s", "i", "b"), "replace(s, i, b)"},
                        {Reverse("s"), "reverse(s)"},
                        {Right("s", "i"), "right(s, i)"},
                        {RPad("s", 2, "yyyy-MM-dd"), "rpad(s, 2, 'yyyy-MM-dd')"},
                        {RTrim("s", "i"), "rtrim(s, i)"},
                        {Soundex("s"), "soundex(s)"},
                        {SplitPart("s", "i", "w"), "split_part(s, i, w)"},
                        {Split("s", "yyyy-MM-dd", 2), "split(s, 'yyyy-MM-dd', 2)"},
                        {StartsWith("s", "i"), "startswith(s, i)"},
                        {StrToMap("s", "w", "e"), "str_to_map(s, w, e)"},
                        {SubstringIndex("s", "yyyy-MM-dd", 2), "substring_index(s, 'yyyy-MM-dd', 2)"},
                        {Substring("s", 2, "i"), "substring(s, 2, i)"},
                        {Substr("s", "i", "w"), "substr(s, i, w)"},
                        {ToChar("t", "t"), "to_char(t, t)"},
                        {ToVarchar("t", "t"), "to_varchar(t, t)"},
                        {Translate("s", "yyyy-MM-dd", "UTF-8"), "translate(s, 'yyyy-MM-dd', 'UTF-8')"},
                        {Trim("s", "i"), "trim(s, i)"},
                        {TryParseUrl("s", "s", "d"), "try_parse_url(s, s, d)"},
                        {TryUrlDecode("s"), "try_url_decode(s)"},
                        {TryValidateUtf8("s"), "try_validate_utf8(s)"},
                        {UnBase64("b"), "unbase64(b)"},
                        {Upper("s"), "upper(s)"},
                        {UrlDecode("s"), "url_decode(s)"},
                        {UrlEncode("s"), "url_encode(s)"},
                        {ValidateUtf8("s"), "validate_utf8(s)"},
                        {Elt({"i", "s", Lit("q"), Lit("r")}), "elt(i, s, 'q', 'r')"},
                        {ToBinary("w", Lit("utf-8")), "to_binary(w, 'utf-8')"},
                        {ToChar("i", Lit("999")), "to_char(i, '999')"},
                        {ToNumber("w", Lit("999")), "to_number(w, '999')"},
                        {TryToNumber("s", Lit("999")), "try_to_number(s, '999')"},
                        {TryToBinary("s", Lit("hex")), "try_to_binary(s, 'hex')"}});
}

TEST_F(FunctionsTest, Sketches) {
  DataFrame input = Rows("SELECT * FROM VALUES (1, 2, 1.5D), (2, 2, 2.5D), (7, 3, 4D) AS t(x, y, d)");
  ExpectSame(
      input,
      {{HllSketchEstimate(HllSketchAgg("x")), "hll_sketch_estimate(hll_sketch_agg(x))"},
       {HllSketchEstimate(HllUnion(HllSketchAgg("x", 10), HllSketchAgg("y"), true)),
        "hll_sketch_estimate(hll_union(hll_sketch_agg(x, 10), hll_sketch_agg(y), true))"},
       {ThetaSketchEstimate(ThetaUnion(ThetaSketchAgg("x"), ThetaSketchAgg("y"))),
        "theta_sketch_estimate(theta_union(theta_sketch_agg(x), theta_sketch_agg(y)))"},
       {ThetaSketchEstimate(ThetaDifference(ThetaSketchAgg("x"), ThetaSketchAgg("y"))),
        "theta_sketch_estimate(theta_difference(theta_sketch_agg(x), theta_sketch_agg(y)))"},
       {ThetaSketchEstimate(ThetaIntersection(ThetaSketchAgg("x"), ThetaSketchAgg("y"))),
        "theta_sketch_estimate(theta_intersection(theta_sketch_agg(x), theta_sketch_agg(y)))"},
       {TupleSketchSummaryDouble(TupleSketchAggDouble("y", "d", 10, "max"), "max"),
        "tuple_sketch_summary_double(tuple_sketch_agg_double(y, d, 10, 'max'), 'max')"},
       {TupleSketchEstimateInteger(TupleUnionInteger(TupleSketchAggInteger("x", "y"), TupleSketchAggInteger("y", "x"))),
        "tuple_sketch_estimate_integer(tuple_union_integer(tuple_sketch_agg_integer(x, y), "
        "tuple_sketch_agg_integer(y, x)))"}});
}

TEST_F(FunctionsTest, GeneratorsOfSeveralColumns) {
  const Pair pairs[] = {{Inline("p"), "inline(p)"},
                        {InlineOuter("p"), "inline_outer(p)"},
                        {PosExplode("l"), "posexplode(l)"},
                        {PosExplodeOuter("l"), "posexplode_outer(l)"},
                        {JsonTuple("j", {"a", "b"}), "json_tuple(j, 'a', 'b')"},
                        {Stack({Lit(2), "i", "k"}), "stack(2, i, k)"}};
  for (const Pair& pair : pairs) {
    std::string expected = Text(OneRow().SelectExpr({pair.sql}));
    EXPECT_THAT(expected, ::testing::StartsWith("+--")) << pair.sql;
    EXPECT_EQ(Text(OneRow().Select({pair.column})), expected) << pair.sql;
  }
}

TEST_F(FunctionsTest, LambdasAndPlainConstructors) {
  ExpectSame(
      OneRow(),
      {{Transform("l", [](const Column& x) { return x + 1; }), "transform(l, x -> x + 1)"},
       {Transform("l", [](const Column& x, const Column& at) { return x * at; }), "transform(l, (x, at) -> x * at)"},
       {Filter("l", [](const Column& x) { return x > 1; }), "filter(l, x -> x > 1)"},
       {Filter("l", [](const Column&, const Column& at) { return at > 0; }), "filter(l, (x, at) -> at > 0)"},
       {Exists("l", [](const Column& x) { return x == 1; }), "exists(l, x -> x = 1)"},
       {Forall("l", [](const Column& x) { return x > 1; }), "forall(l, x -> x > 1)"},
       {Aggregate("l", Lit(10), [](const Column& sum, const Column& x) { return sum + x; }),
        "aggregate(l, 10, (sum, x) -> sum + x)"},
       {Aggregate(
            "l", Lit(10), [](const Column& sum, const Column& x) { return sum + x; },
            [](const Column& sum) { return sum * 2; }),
        "aggregate(l, 10, (sum, x) -> sum + x, sum -> sum * 2)"},
       {ArraySort("l", [](const Column& x, const Column& y) { return y - x; }), "array_sort(l, (x, y) -> y - x)"},
       {MapFilter("m", [](const Column& key, const Column&) { return key == "a"; }),
        "map_filter(m, (k, v) -> k = 'a')"},
       {TransformKeys("m", [](const Column& key, const Column&) { return Upper(key); }),
        "transform_keys(m, (k, v) -> upper(k))"},
       {TransformValues("m", [](const Column&, const Column& value) { return value + 1; }),
        "transform_values(m, (k, v) -> v + 1)"},
       {MapZipWith("m", "m", [](const Column&, const Column& x, const Column& y) { return x + y; }),
        "map_zip_with(m, m, (k, x, y) -> x + y)"},
       {ZipWith("l", "l", [](const Column& x, const Column& y) { return x - y; }), "zip_with(l, l, (x, y) -> x - y)"},
       // Lambdas in lambdas see their own variables and the outer ones.
       {Transform("n", [](const Column& x) { return Transform(x, [&](const Column& y) { return y + Size(x); }); }),
        "transform(n, x -> transform(x, y -> y + size(x)))"},
       {Struct({"i", Col("s").As("text")}), "struct(i, s AS text)"},
       {CreateMap({Lit("k"), "i"}), "map('k', i)"},
       {When(Col("i") > 5, "large").When(Col("i") > 2, "some").Otherwise("few"),
        "CASE WHEN i > 5 THEN 'large' WHEN i > 2 THEN 'some' ELSE 'few' END"},
       {BitwiseNot("i"), "~i"},
       {Log(2.0, "i"), "log(2.0D, i)"},
       {Window("t", "10 minutes"), "window(t, '10 minutes')"},
       {Window("t", "10 minutes", "", "5 minutes"), "window(t, '10 minutes', '10 minutes', '5 minutes')"},
       {FromJson("j", "a INT", {{"mode", "FAILFAST"}}), "from_json(j, 'a INT', map('mode', 'FAILFAST'))"},
       {Overlay("s", Lit("zz"), 2, 1), "overlay(s, 'zz', 2, 1)"},
       {MakeInterval(1, 0, 0, "i"), "make_interval(1, 0, 0, i)"},
       {Uniform(1, 5, int64_t{3}), "uniform(1, 5, 3L)"}});
}

TEST_F(FunctionsTest, TextsBesideColumnsAreConstants) {
  ExpectSame(OneRow(), {{Col("s").StartsWith("a1"), "s LIKE 'a1%'"},
                        {Col("s").EndsWith("x"), "endswith(s, 'x')"},
                        {Col("s").Contains("b="), "contains(s, 'b=')"},
                        {Col("i").IsIn({1, 3}), "i IN (1, 3)"},
                        {Col("s").IsIn({"q", Col("s")}), "s IN ('q', s)"},
                        {Col("i").Between(1, Col("k")), "i BETWEEN 1 AND k"},
                        {Col("m").GetItem("a"), "m['a']"},
                        {Col("l").GetItem(1), "l[1]"},
                        {Col("s").EqualTo("a1,b=2"), "s = 'a1,b=2'"},
                        {Col("i").BitwiseAnd(1), "i & 1"},
                        {Col("i").BitwiseOr(4), "i | 4"},
                        {Col("i").BitwiseXor(Col("k")), "i ^ k"},
                        {Col("s").ILike("A1%"), "s ILIKE 'A1%'"}});
}

TEST_F(FunctionsTest, OverWindows) {
  DataFrame input = Rows("SELECT * FROM VALUES ('a', 1), ('a', 2), ('a', 4), ('b', 8), ('b', 8) AS t(g, x)");
  WindowSpec ordered = WindowSpec().PartitionBy({"g"}).OrderBy({Col("x").Desc()});
  ExpectSame(input,
             {{RowNumber().Over(ordered), "row_number() OVER (PARTITION BY g ORDER BY x DESC)"},
              {Rank().Over(ordered), "rank() OVER (PARTITION BY g ORDER BY x DESC)"},
              {DenseRank().Over(ordered), "dense_rank() OVER (PARTITION BY g ORDER BY x DESC)"},
              {PercentRank().Over(ordered), "percent_rank() OVER (PARTITION BY g ORDER BY x DESC)"},
              {CumeDist().Over(ordered), "cume_dist() OVER (PARTITION BY g ORDER BY x DESC)"},
              {Ntile(2).Over(ordered), "ntile(2) OVER (PARTITION BY g ORDER BY x DESC)"},
              {Lag("x").Over(ordered), "lag(x) OVER (PARTITION BY g ORDER BY x DESC)"},
              {Lead("x", 2, -1).Over(ordered), "lead(x, 2, -1) OVER (PARTITION BY g ORDER BY x DESC)"},
              {NthValue("x", 2).Over(ordered), "nth_value(x, 2) OVER (PARTITION BY g ORDER BY x DESC)"},
              {Sum("x").Over(WindowSpec().PartitionBy({"g"})), "sum(x) OVER (PARTITION BY g)"},
              {Sum("x").Over(ordered.RowsBetween(-1, WindowSpec::kCurrentRow)),
               "sum(x) OVER (PARTITION BY g ORDER BY x DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"},
              {Sum("x").Over(ordered.RowsBetween(WindowSpec::kUnboundedPreceding, WindowSpec::kUnboundedFollowing)),
               "sum(x) OVER (PARTITION BY g ORDER BY x DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"},
              {Sum("x").Over(WindowSpec().OrderBy({"x"}).RangeBetween(-2, 0)),
               "sum(x) OVER (ORDER BY x RANGE BETWEEN 2 PRECEDING AND CURRENT ROW)"}});
}

TEST_F(FunctionsTest, AggregatesOfManyRows) {
  DataFrame input = Rows("SELECT * FROM VALUES (1, 'a'), (2, 'b'), (2, 'b'), (7, NULL) AS t(x, s)");
  ExpectSame(input, {{CountDistinct("x"), "count(DISTINCT x)"},
                     {CountDistinct("x", {"s"}), "count(DISTINCT x, s)"},
                     {SumDistinct("x"), "sum(DISTINCT x)"},
                     {ListAggDistinct("s", "-"), "listagg(DISTINCT s, '-')"},
                     {First("s"), "first(s)"},
                     {Last("s", true), "last(s, true)"},
                     {Mode("x"), "mode(x)"},
                     {Percentile("x", 0.5), "percentile(x, 0.5)"},
                     {Percentile("x", std::vector<double>{0.25, 0.75}), "percentile(x, array(0.25, 0.75))"},
                     {PercentileApprox("x", 0.5, 100), "percentile_approx(x, 0.5, 100)"},
                     {PercentileApprox("x", std::vector<double>{0.5, 1.0}), "percentile_approx(x, array(0.5, 1.0))"}});
}

TEST_F(FunctionsTest, FramesDoWhatTheirSqlSays) {
  DataFrame input = Rows("SELECT * FROM VALUES ('a', 1, 2), ('b', 3, NULL), ('a', 5, 6) AS t(g, x, y)");
  ASSERT_TRUE(input.CreateOrReplaceTempView("t").ok());
  auto expect = [&](const DataFrame& frame, const char* sql) {
    std::string expected = Text(Rows(sql));
    EXPECT_THAT(expected, ::testing::StartsWith("+--")) << sql;
    EXPECT_EQ(Text(frame), expected) << sql;
  };
  expect(input.GroupBy({"g"}).Pivot("x", {1, 3}).Sum({"y"}).OrderBy({"g"}),
         "SELECT * FROM (SELECT g, x, y FROM t) PIVOT (sum(y) FOR x IN (1, 3)) ORDER BY g");
  expect(input.GroupBy({"g"}).Pivot("x").Max({"y"}).OrderBy({"g"}),
         "SELECT * FROM (SELECT g, x, y FROM t) PIVOT (max(y) FOR x IN (1, 3, 5)) ORDER BY g");
  expect(input.GroupBy({"g"}).Avg({"x", "y"}).OrderBy({"g"}), "SELECT g, avg(x), avg(y) FROM t GROUP BY g ORDER BY g");
  expect(input.GroupBy({"g"}).Min({"x"}).OrderBy({"g"}), "SELECT g, min(x) FROM t GROUP BY g ORDER BY g");
  expect(input.Unpivot({"g"}, {"x", "y"}, "name", "value"),
         "SELECT * FROM t UNPIVOT INCLUDE NULLS (value FOR name IN (x, y))");
  expect(input.FillNa(0, {"y"}), "SELECT g, x, coalesce(y, 0) AS y FROM t");
  expect(input.Select({"g"}).ExceptAll(Rows("SELECT 'a'")).OrderBy({"g"}),
         "SELECT g FROM t EXCEPT ALL SELECT 'a' ORDER BY g");
  expect(input.Select({"g"}).IntersectAll(input.Select({"g"})).OrderBy({"g"}),
         "SELECT g FROM t INTERSECT ALL SELECT g FROM t ORDER BY g");
  expect(input.WithColumnsRenamed({{"x", "p"}, {"y", "q"}}), "SELECT g, x AS p, y AS q FROM t");
  expect(input.Hint("coalesce", {1}).Transform([](const DataFrame& f) { return f.Filter(Col("x") > 1); }),
         "SELECT /*+ COALESCE(1) */ * FROM t WHERE x > 1");
  EXPECT_THAT(Text(input.Describe({"x"})), ::testing::HasSubstr("stddev"));
  EXPECT_THAT(Text(input.Summary({"75%"})), ::testing::HasSubstr("75%"));
  EXPECT_EQ(input.First().ValueOrDie()->ToString(), "Row(g='a', x=1, y=2)");
  EXPECT_TRUE(input.Filter(Col("x") > 9).IsEmpty().ValueOrDie());
  EXPECT_FALSE(input.Filter(Col("x") > 9).First().ValueOrDie().has_value());
}

}  // namespace
}  // namespace millrace
