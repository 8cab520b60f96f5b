#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/ascii.h"
#include "base/error.h"
#include "function/row_kernel.h"

/// aes_encrypt, aes_decrypt, try_aes_decrypt: AES as Java's ciphers do it (PKCS padding; GCM with a 12 byte IV in front
/// and a 16 byte tag behind).

namespace millrace::function {

using arrow::Datum;

namespace {

enum class Mode : uint8_t { kEcb, kCbc, kGcm };
constexpr size_t kTagBytes = 16;
constexpr size_t IvBytes(Mode mode) { return mode == Mode::kGcm ? 12 : mode == Mode::kCbc ? 16 : 0; }

arrow::Result<Mode> ParseMode(std::string_view function, std::string_view mode, std::string_view padding) {
  bool pkcs = EqualsIgnoreCase(padding, "PKCS");
  bool standard = EqualsIgnoreCase(padding, "DEFAULT");
  if (EqualsIgnoreCase(mode, "ECB") && (pkcs || standard)) return Mode::kEcb;
  if (EqualsIgnoreCase(mode, "CBC") && (pkcs || standard)) return Mode::kCbc;
  if (EqualsIgnoreCase(mode, "GCM") && (EqualsIgnoreCase(padding, "NONE") || standard)) return Mode::kGcm;
  return UserError(
      "UNSUPPORTED_FEATURE.AES_MODE",
      {{"mode", std::string(mode)}, {"padding", std::string(padding)}, {"functionName", QuoteIdentifier(function)}});
}

const EVP_CIPHER* CipherOf(Mode mode, size_t key_bytes) {
  switch (mode) {
    case Mode::kEcb:
      return key_bytes == 16 ? EVP_aes_128_ecb() : key_bytes == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
    case Mode::kCbc:
      return key_bytes == 16 ? EVP_aes_128_cbc() : key_bytes == 24 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
    case Mode::kGcm:
      return key_bytes == 16 ? EVP_aes_128_gcm() : key_bytes == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
  }
  return nullptr;
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

/// One call's arguments, but for the text.
struct Parameters {
  std::string_view function;
  std::string_view key;
  std::string_view mode;
  std::string_view padding;
  std::string_view iv;
  std::string_view aad;
};

arrow::Status BadParameter(const Parameters& p, const std::string& kind, ErrorParameters parameters = {}) {
  parameters["parameter"] = "`expr`, `key`";
  parameters["functionName"] = "`aes_encrypt`/`aes_decrypt`";
  (void)p;
  return UserError("INVALID_PARAMETER_VALUE." + kind, std::move(parameters));
}

arrow::Status CryptoError(const Parameters& p, const std::string& detail) {
  return BadParameter(p, "AES_CRYPTO_ERROR", {{"detailMessage", detail}});
}

arrow::Result<std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>> Open(const Parameters& p, Mode mode, std::string_view iv,
                                                                    bool encrypt) {
  std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* cipher = CipherOf(mode, p.key.size());
  if (context == nullptr || EVP_CipherInit_ex(context.get(), cipher, nullptr, Bytes(p.key),
                                              mode == Mode::kEcb ? nullptr : Bytes(iv), encrypt ? 1 : 0) != 1) {
    return InternalError("AES could not be set up");
  }
  int size = 0;
  if (!p.aad.empty() &&
      EVP_CipherUpdate(context.get(), nullptr, &size, Bytes(p.aad), static_cast<int>(p.aad.size())) != 1) {
    return InternalError("AES could not take additional data");
  }
  return context;
}

arrow::Status CheckParameters(const Parameters& p, Mode mode) {
  bool key_ok = p.key.size() == 16 || p.key.size() == 24 || p.key.size() == 32;
  if (!key_ok) {
    return UserError("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", {{"parameter", "`key`"},
                                                                {"functionName", "`aes_encrypt`/`aes_decrypt`"},
                                                                {"actualLength", std::to_string(p.key.size())}});
  }
  if (!p.aad.empty() && mode != Mode::kGcm) {
    return UserError("UNSUPPORTED_FEATURE.AES_MODE_AAD",
                     {{"mode", std::string(p.mode)}, {"functionName", "`aes_encrypt`/`aes_decrypt`"}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::string> Encrypt(const Parameters& p, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Mode mode, ParseMode("aes_encrypt`/`aes_decrypt", p.mode, p.padding));
  ARROW_RETURN_NOT_OK(CheckParameters(p, mode));
  std::string iv(p.iv);
  if (!iv.empty() && mode == Mode::kEcb) {
    return UserError("UNSUPPORTED_FEATURE.AES_MODE_IV",
                     {{"mode", std::string(p.mode)}, {"functionName", "`aes_encrypt`/`aes_decrypt`"}});
  }
  if (iv.empty()) {
    iv.resize(IvBytes(mode));
    if (!iv.empty() && RAND_bytes(reinterpret_cast<unsigned char*>(iv.data()), static_cast<int>(iv.size())) != 1) {
      return InternalError("No random bytes");
    }
  }
  if (iv.size() != IvBytes(mode)) {
    return UserError("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", {{"mode", std::string(p.mode)},
                                                               {"parameter", "`iv`"},
                                                               {"functionName", "`aes_encrypt`/`aes_decrypt`"},
                                                               {"actualLength", std::to_string(iv.size())}});
  }
  ARROW_ASSIGN_OR_RAISE(auto context, Open(p, mode, iv, true));
  std::string out = iv;
  out.resize(iv.size() + text.size() + 2 * kTagBytes);
  auto* begin = reinterpret_cast<unsigned char*>(out.data()) + iv.size();
  int first = 0;
  int last = 0;
  if (EVP_CipherUpdate(context.get(), begin, &first, Bytes(text), static_cast<int>(text.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), begin + first, &last) != 1) {
    return InternalError("AES failed");
  }
  size_t size = iv.size() + static_cast<size_t>(first + last);
  if (mode == Mode::kGcm) {
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, begin + first + last);
    size += kTagBytes;
  }
  out.resize(size);
  return out;
}

arrow::Result<std::string> Decrypt(const Parameters& p, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Mode mode, ParseMode("aes_encrypt`/`aes_decrypt", p.mode, p.padding));
  ARROW_RETURN_NOT_OK(CheckParameters(p, mode));
  size_t tag = mode == Mode::kGcm ? kTagBytes : 0;
  if (text.size() < IvBytes(mode)) return CryptoError(p, "Wrong IV length: must be 16 bytes long");
  std::string_view iv = text.substr(0, IvBytes(mode));
  if (text.size() < IvBytes(mode) + tag)
    return CryptoError(p, "Input data too short to contain an expected tag length of 16bytes");
  std::string_view body = text.substr(IvBytes(mode), text.size() - IvBytes(mode) - tag);
  ARROW_ASSIGN_OR_RAISE(auto context, Open(p, mode, iv, false));
  std::string out(body.size() + kTagBytes, 0);
  auto* begin = reinterpret_cast<unsigned char*>(out.data());
  int first = 0;
  int last = 0;
  if (mode == Mode::kGcm) {
    std::string expected(text.substr(text.size() - kTagBytes));
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, expected.data());
  }
  bool whole_blocks = mode == Mode::kGcm || body.size() % 16 == 0;
  if (!whole_blocks) {
    return CryptoError(p, "Input length must be multiple of 16 when decrypting with padded cipher");
  }
  if (EVP_CipherUpdate(context.get(), begin, &first, Bytes(body), static_cast<int>(body.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), begin + first, &last) != 1) {
    return CryptoError(p, mode == Mode::kGcm
                              ? "Tag mismatch"
                              : "Given final block not properly padded. Such issues can arise if a bad key is used "
                                "during decryption.");
  }
  out.resize(static_cast<size_t>(first + last));
  return out;
}

enum class Operation : uint8_t { kEncrypt, kDecrypt, kTryDecrypt };

// Arguments: text, key [, mode [, padding [, iv (encrypt only) [, aad]]]].
template <Operation kOperation>
arrow::Result<ExpressionPtr> BindAes(const BindInput& input) {
  constexpr bool kEncrypt = kOperation == Operation::kEncrypt;
  BindInput whole = input;
  if (whole.arguments.size() < 3) whole.arguments.push_back(expression::Literal::String("GCM"));
  if (whole.arguments.size() < 4) whole.arguments.push_back(expression::Literal::String("DEFAULT"));
  size_t num_arguments = kEncrypt ? 6 : 5;
  while (whole.arguments.size() < num_arguments) whole.arguments.push_back(expression::Literal::String(""));
  std::vector<DataTypePtr> parameters = {types::Binary(), types::Binary(), types::String(), types::String()};
  while (parameters.size() < num_arguments) parameters.push_back(types::Binary());
  auto run = [](const EvalContext& context, const std::vector<Datum>& arguments,
                int64_t num_rows) -> arrow::Result<Datum> {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<Datum> {
      expression::StringColumn text(arguments[0]);
      expression::StringColumn key(arguments[1]);
      expression::StringColumn mode(arguments[2]);
      expression::StringColumn padding(arguments[3]);
      expression::StringColumn fifth(arguments[4]);
      expression::StringColumn aad(arguments.back());
      arrow::BinaryBuilder builder(context.memory_pool);
      for (int64_t i = 0; i < n; ++i) {
        if (text.IsNull(i) || key.IsNull(i) || mode.IsNull(i) || padding.IsNull(i) || fifth.IsNull(i) ||
            aad.IsNull(i)) {
          ARROW_RETURN_NOT_OK(builder.AppendNull());
          continue;
        }
        Parameters p{"", key[i], mode[i], padding[i], kEncrypt ? fifth[i] : std::string_view(), aad[i]};
        arrow::Result<std::string> out = kEncrypt ? Encrypt(p, text[i]) : Decrypt(p, text[i]);
        if (!out.ok() && kOperation == Operation::kTryDecrypt) {
          ARROW_RETURN_NOT_OK(builder.AppendNull());
          continue;
        }
        ARROW_RETURN_NOT_OK(out.status());
        ARROW_RETURN_NOT_OK(builder.Append(*out));
      }
      ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
      return Datum(std::move(array));
    });
  };
  constexpr bool kTry = kOperation == Operation::kTryDecrypt;
  return BindSimple(whole, parameters, types::Binary(), run,
                    {.can_fail = !kTry, .may_null = true, .deterministic = !kEncrypt});
}

}  // namespace

extern const FunctionDef kAesEncrypt{.name = "aes_encrypt",
                                     .family = "hash",
                                     .description = "Encrypts with AES in GCM, CBC or ECB mode.",
                                     .example = "length(aes_encrypt('Spark', '1234567890abcdef', 'ECB'))",
                                     .example_result = "16",
                                     .min_arguments = 2,
                                     .max_arguments = 6,
                                     .bind = BindAes<Operation::kEncrypt>};

extern const FunctionDef kAesDecrypt{
    .name = "aes_decrypt",
    .family = "hash",
    .description = "Decrypts what aes_encrypt made.",
    .example = "CAST(aes_decrypt(aes_encrypt('Spark', '1234567890abcdef'), '1234567890abcdef') AS STRING)",
    .example_result = "Spark",
    .min_arguments = 2,
    .max_arguments = 5,
    .bind = BindAes<Operation::kDecrypt>};

extern const FunctionDef kTryAesDecrypt{.name = "try_aes_decrypt",
                                        .family = "hash",
                                        .description = "As aes_decrypt; NULL where it fails.",
                                        .example = "try_aes_decrypt('Spark', '1234567890abcdef')",
                                        .example_result = "NULL",
                                        .min_arguments = 2,
                                        .max_arguments = 5,
                                        .bind = BindAes<Operation::kTryDecrypt>};

}  // namespace millrace::function
