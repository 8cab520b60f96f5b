#pragma once

#include <cstdint>
#include <vector>

#include "millrace/column.h"

/// Hashes and ciphers.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// The input deciphered by AES.
Column AesDecrypt(const Column& input, const Column& key, const Column& mode = Lit("GCM"),
                  const Column& padding = Lit("DEFAULT"), const Column& aad = Lit(""));
/// The input enciphered by AES.
Column AesEncrypt(const Column& input, const Column& key, const Column& mode = Lit("GCM"),
                  const Column& padding = Lit("DEFAULT"), const Column& iv = Lit(""), const Column& aad = Lit(""));
/// Cyclic redundancy check of the bytes.
Column Crc32(const Column& value);
/// Murmur3 hash of the values, as Spark partitions by it.
Column Hash(const std::vector<Column>& values);
/// MD5 digest in hexadecimal.
Column Md5(const Column& value);
/// SHA-1 digest in hexadecimal.
Column Sha1(const Column& value);
/// SHA-2 digest of 224, 256, 384 or 512 bits (0 is 256) in hexadecimal.
Column Sha2(const Column& value, int32_t num_bits);
/// The input deciphered by AES; NULL where it cannot be.
Column TryAesDecrypt(const Column& input, const Column& key, const Column& mode = Lit("GCM"),
                     const Column& padding = Lit("DEFAULT"), const Column& aad = Lit(""));
/// 64-bit xxHash of the values.
Column XxHash64(const std::vector<Column>& values);

}  // namespace millrace::functions
