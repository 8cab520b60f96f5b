#include "millrace/functions/hash.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

Column AesDecrypt(const Column& input, const Column& key, const Column& mode, const Column& padding,
                  const Column& aad) {
  return Call("aes_decrypt", {input, key, mode, padding, aad});
}
Column AesEncrypt(const Column& input, const Column& key, const Column& mode, const Column& padding, const Column& iv,
                  const Column& aad) {
  return Call("aes_encrypt", {input, key, mode, padding, iv, aad});
}
Column Crc32(const Column& value) { return Call("crc32", {value}); }
Column Hash(const std::vector<Column>& values) { return Call("hash", values); }
Column Md5(const Column& value) { return Call("md5", {value}); }
Column Sha1(const Column& value) { return Call("sha1", {value}); }
Column Sha2(const Column& value, int32_t num_bits) { return Call("sha2", {value, Lit(num_bits)}); }
Column TryAesDecrypt(const Column& input, const Column& key, const Column& mode, const Column& padding,
                     const Column& aad) {
  return Call("try_aes_decrypt", {input, key, mode, padding, aad});
}
Column XxHash64(const std::vector<Column>& values) { return Call("xxhash64", values); }

}  // namespace millrace::functions
