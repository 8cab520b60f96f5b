#include <openssl/evp.h>
#include <zlib.h>

#include <array>

#include "base/error.h"
#include "function/row_kernel.h"

/// md5, sha1, sha2, crc32.

namespace millrace::function {

namespace {

arrow::Status AppendDigest(const EVP_MD* algorithm, std::string_view bytes, arrow::StringBuilder& builder) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr) != 1) {
    return InternalError("A message digest failed");
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return builder.Append(text);
}

const EVP_MD* Sha2(int32_t bits) {
  switch (bits) {
    case 224:
      return EVP_sha224();
    case 0:
    case 256:
      return EVP_sha256();
    case 384:
      return EVP_sha384();
    case 512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

template <const EVP_MD* (*kAlgorithm)()>
arrow::Result<ExpressionPtr> BindDigest(const BindInput& input) {
  return BindSimple(
      input, {types::Binary()}, types::String(),
      BuiltKernel<arrow::StringBuilder, std::string_view>(
          arrow::utf8(), [](const EvalContext&, std::string_view bytes,
                            arrow::StringBuilder& builder) { return AppendDigest(kAlgorithm(), bytes, builder); }),
      {.shown_name = std::string(input.name)});
}

}  // namespace

extern const FunctionDef kMd5{.name = "md5",
                              .family = "hash",
                              .description = "MD5 digest in hexadecimal.",
                              .example = "md5('Spark')",
                              .example_result = "8cde774d6f7333752ed72cacddb05126",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindDigest<EVP_md5>};

extern const FunctionDef kSha1{.name = "sha1",
                               .aliases = "sha",
                               .family = "hash",
                               .description = "SHA-1 digest in hexadecimal.",
                               .example = "sha1('Spark')",
                               .example_result = "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c",
                               .min_arguments = 1,
                               .max_arguments = 1,
                               .bind = BindDigest<EVP_sha1>};

extern const FunctionDef kSha2{
    .name = "sha2",
    .family = "hash",
    .description = "SHA-2 digest of 224, 256, 384 or 512 bits (0 is 256) in hexadecimal.",
    .example = "sha2('Spark', 256)",
    .example_result = "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::Binary(), types::Integer()}, types::String(),
          BuiltKernel<arrow::StringBuilder, std::string_view, int32_t>(
              arrow::utf8(),
              [](const EvalContext&, std::string_view bytes, int32_t bits, arrow::StringBuilder& builder) {
                const EVP_MD* algorithm = Sha2(bits);
                return algorithm == nullptr ? builder.AppendNull() : AppendDigest(algorithm, bytes, builder);
              }),
          {.may_null = true});
    }};

extern const FunctionDef kCrc32{
    .name = "crc32",
    .family = "hash",
    .description = "Cyclic redundancy check of the bytes.",
    .example = "crc32('Spark')",
    .example_result = "1557323817",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Binary()}, types::Long(),
                        FixedKernel<int64_t, std::string_view>(
                            arrow::int64(), [](const EvalContext&, std::string_view bytes, int64_t* out) {
                              *out = static_cast<int64_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()),
                                                                static_cast<uInt>(bytes.size())));
                            }));
    }};

}  // namespace millrace::function
