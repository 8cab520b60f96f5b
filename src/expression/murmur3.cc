#include "expression/murmur3.h"

#include <arrow/array.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace millrace::expression {

using types::DataType;
using types::TypeId;

namespace {

uint32_t MixKey(uint32_t key) { return std::rotl(key * 0xcc9e2d51U, 15) * 0x1b873593U; }
uint32_t MixHash(uint32_t hash, uint32_t key) { return std::rotl(hash ^ key, 13) * 5 + 0xe6546b64U; }

uint32_t Finish(uint32_t hash, uint32_t length) {
  hash ^= length;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6bU;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35U;
  return hash ^ (hash >> 16);
}

template <typename T>
T LoadLittle(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

struct Murmur3 {
  using Hash = int32_t;
  static Hash Int(int32_t value, Hash seed) { return Murmur3Int(value, seed); }
  static Hash Long(int64_t value, Hash seed) { return Murmur3Long(value, seed); }
  static Hash Bytes(std::string_view bytes, Hash seed) { return Murmur3Bytes(bytes, seed); }
};

struct Xx64 {
  using Hash = int64_t;
  static constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
  static constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
  static constexpr uint64_t kPrime3 = 0x165667B19E3779F9ULL;
  static constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63ULL;
  static constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5ULL;

  static uint64_t Avalanche(uint64_t hash) {
    hash = (hash ^ (hash >> 33)) * kPrime2;
    hash = (hash ^ (hash >> 29)) * kPrime3;
    return hash ^ (hash >> 32);
  }
  static uint64_t Round(uint64_t lane, uint64_t input) { return std::rotl(lane + input * kPrime2, 31) * kPrime1; }
  static uint64_t Fold(uint64_t hash, uint64_t lane) { return (hash ^ Round(0, lane)) * kPrime1 + kPrime4; }
  static uint64_t AddFour(uint64_t hash, uint32_t value) {
    return std::rotl(hash ^ (value * kPrime1), 23) * kPrime2 + kPrime3;
  }
  static uint64_t AddEight(uint64_t hash, uint64_t value) {
    return std::rotl(hash ^ Round(0, value), 27) * kPrime1 + kPrime4;
  }

  static Hash Int(int32_t value, Hash seed) {
    uint64_t hash = static_cast<uint64_t>(seed) + kPrime5 + 4;
    return static_cast<Hash>(Avalanche(AddFour(hash, static_cast<uint32_t>(value))));
  }
  static Hash Long(int64_t value, Hash seed) {
    uint64_t hash = static_cast<uint64_t>(seed) + kPrime5 + 8;
    return static_cast<Hash>(Avalanche(AddEight(hash, static_cast<uint64_t>(value))));
  }
  static Hash Bytes(std::string_view bytes, Hash signed_seed) {
    auto seed = static_cast<uint64_t>(signed_seed);
    const char* p = bytes.data();
    const char* end = p + bytes.size();
    uint64_t hash = seed + kPrime5;
    if (bytes.size() >= 32) {
      uint64_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
      for (; end - p >= 32; p += 32) {
        for (int k = 0; k < 4; ++k) lanes[k] = Round(lanes[k], LoadLittle<uint64_t>(p + 8 * k));
      }
      hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
      for (uint64_t lane : lanes) hash = Fold(hash, lane);
    }
    hash += bytes.size();
    for (; end - p >= 8; p += 8) hash = AddEight(hash, LoadLittle<uint64_t>(p));
    if (end - p >= 4) {
      hash = AddFour(hash, LoadLittle<uint32_t>(p));
      p += 4;
    }
    for (; p != end; ++p) hash = std::rotl(hash ^ (static_cast<uint8_t>(*p) * kPrime5), 11) * kPrime1;
    return static_cast<Hash>(Avalanche(hash));
  }
};

// The bytes of an unscaled decimal as java.math.BigInteger.toByteArray: big-endian, as few as hold the sign.
std::string_view BigEndian(const arrow::Decimal128& value, char* buffer) {
  for (int k = 0; k < 8; ++k) {
    buffer[k] = static_cast<char>(static_cast<uint64_t>(value.high_bits()) >> (56 - 8 * k));
    buffer[8 + k] = static_cast<char>(value.low_bits() >> (56 - 8 * k));
  }
  size_t first = 0;
  char sign = value.high_bits() < 0 ? '\xff' : '\0';
  while (first < 15 && buffer[first] == sign && ((buffer[first + 1] ^ sign) & 0x80) == 0) ++first;
  return {buffer + first, 16 - first};
}

int32_t FloatBits(float value) {
  if (value == 0) return 0;
  return std::bit_cast<int32_t>(std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value);
}

int64_t DoubleBits(double value) {
  if (value == 0) return 0;
  return std::bit_cast<int64_t>(std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value);
}

bool IsNull(const arrow::ArrayData& data, int64_t i) {
  if (data.type->id() == arrow::Type::NA) return true;
  return data.buffers[0] != nullptr && !arrow::bit_util::GetBit(data.buffers[0]->data(), i + data.offset);
}

template <typename H>
typename H::Hash HashCell(const DataType& type, const arrow::ArrayData& data, int64_t i, typename H::Hash seed);

template <typename H>
typename H::Hash HashElements(const DataType& type, const arrow::ArrayData& data, int64_t i, typename H::Hash seed) {
  const auto* offsets = data.GetValues<int32_t>(1);
  const arrow::ArrayData& values = *data.child_data[0];
  for (int32_t k = offsets[i]; k < offsets[i + 1]; ++k) {
    if (type.id() == TypeId::kArray) {
      seed = HashCell<H>(*type.element(), values, k, seed);
    } else {
      seed = HashCell<H>(*type.key(), *values.child_data[0], k + values.offset, seed);
      seed = HashCell<H>(*type.value(), *values.child_data[1], k + values.offset, seed);
    }
  }
  return seed;
}

template <typename H>
typename H::Hash HashNonNull(const DataType& type, const arrow::ArrayData& data, int64_t i, typename H::Hash seed) {
  switch (type.id()) {
    case TypeId::kNull:
      return seed;
    case TypeId::kBoolean:
      return H::Int(arrow::bit_util::GetBit(data.buffers[1]->data(), i + data.offset) ? 1 : 0, seed);
    case TypeId::kByte:
      return H::Int(data.GetValues<int8_t>(1)[i], seed);
    case TypeId::kShort:
      return H::Int(data.GetValues<int16_t>(1)[i], seed);
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return H::Int(data.GetValues<int32_t>(1)[i], seed);
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return H::Long(data.GetValues<int64_t>(1)[i], seed);
    case TypeId::kFloat:
      return H::Int(FloatBits(data.GetValues<float>(1)[i]), seed);
    case TypeId::kDouble:
      return H::Long(DoubleBits(data.GetValues<double>(1)[i]), seed);
    case TypeId::kDecimal: {
      const auto& value = data.GetValues<arrow::Decimal128>(1)[i];
      if (type.precision() <= 18) return H::Long(static_cast<int64_t>(value.low_bits()), seed);
      char buffer[16];
      return H::Bytes(BigEndian(value, buffer), seed);
    }
    case TypeId::kString:
    case TypeId::kBinary: {
      const auto* offsets = data.GetValues<int32_t>(1);
      const char* bytes = data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
      return H::Bytes({bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])}, seed);
    }
    case TypeId::kCalendarInterval: {
      auto value = data.GetValues<arrow::MonthDayNanoIntervalType::MonthDayNanos>(1)[i];
      return H::Int(value.months, H::Int(value.days, H::Long(value.nanoseconds / 1000, seed)));
    }
    case TypeId::kVariant:  // Spark has no hash of it and refuses it by type
      return seed;
    case TypeId::kArray:
    case TypeId::kMap:
      return HashElements<H>(type, data, i, seed);
    case TypeId::kStruct:
      for (size_t k = 0; k < type.fields().size(); ++k) {
        seed = HashCell<H>(*type.fields()[k].type, *data.child_data[k], i + data.offset, seed);
      }
      return seed;
  }
  return seed;
}

template <typename H>
typename H::Hash HashCell(const DataType& type, const arrow::ArrayData& data, int64_t i, typename H::Hash seed) {
  return IsNull(data, i) ? seed : HashNonNull<H>(type, data, i, seed);
}

template <typename H>
std::vector<typename H::Hash> HashRows(const std::vector<std::shared_ptr<arrow::ArrayData>>& columns,
                                       const std::vector<types::DataTypePtr>& types, int64_t num_rows,
                                       typename H::Hash seed) {
  std::vector<typename H::Hash> hashes(static_cast<size_t>(num_rows), seed);
  for (size_t c = 0; c < columns.size(); ++c) {
    const arrow::ArrayData& data = *columns[c];
    const DataType& type = *types[c];
    for (size_t i = 0; i < hashes.size(); ++i) hashes[i] = HashCell<H>(type, data, static_cast<int64_t>(i), hashes[i]);
  }
  return hashes;
}

}  // namespace

int32_t Murmur3Int(int32_t value, int32_t seed) {
  return static_cast<int32_t>(Finish(MixHash(static_cast<uint32_t>(seed), MixKey(static_cast<uint32_t>(value))), 4));
}

int32_t Murmur3Long(int64_t value, int32_t seed) {
  auto bits = static_cast<uint64_t>(value);
  uint32_t hash = MixHash(static_cast<uint32_t>(seed), MixKey(static_cast<uint32_t>(bits)));
  hash = MixHash(hash, MixKey(static_cast<uint32_t>(bits >> 32)));
  return static_cast<int32_t>(Finish(hash, 8));
}

int32_t Murmur3Bytes(std::string_view bytes, int32_t seed) {
  auto hash = static_cast<uint32_t>(seed);
  size_t aligned = bytes.size() / 4 * 4;
  for (size_t i = 0; i < aligned; i += 4) hash = MixHash(hash, MixKey(LoadLittle<uint32_t>(bytes.data() + i)));
  // Unlike the published Murmur3: each byte left is a block of its own, sign-extended.
  for (size_t i = aligned; i < bytes.size(); ++i) {
    hash = MixHash(hash, MixKey(static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(bytes[i])))));
  }
  return static_cast<int32_t>(Finish(hash, static_cast<uint32_t>(bytes.size())));
}

std::vector<int32_t> Murmur3Hash(const std::vector<std::shared_ptr<arrow::ArrayData>>& columns,
                                 const std::vector<types::DataTypePtr>& types, int64_t num_rows, int32_t seed) {
  return HashRows<Murmur3>(columns, types, num_rows, seed);
}

std::vector<int64_t> XxHash64(const std::vector<std::shared_ptr<arrow::ArrayData>>& columns,
                              const std::vector<types::DataTypePtr>& types, int64_t num_rows, int64_t seed) {
  return HashRows<Xx64>(columns, types, num_rows, seed);
}

}  // namespace millrace::expression
