#include "kafka/java_key_store.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace millrace::kafka {

namespace {

constexpr uint32_t kMagic = 0xFEEDFEED;
constexpr uint32_t kPrivateKey = 1;
constexpr uint32_t kTrustedCertificate = 2;
constexpr size_t kDigestSize = SHA_DIGEST_LENGTH;
constexpr std::string_view kWrongPassword = "Keystore was tampered with, or password was incorrect";

using Digest = std::array<uint8_t, kDigestSize>;

Digest Sha1(std::string_view first, std::string_view second, std::string_view third = {}) {
  Digest digest{};
  unsigned size = 0;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr);
  for (std::string_view part : {first, second, third}) EVP_DigestUpdate(context.get(), part.data(), part.size());
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  return digest;
}

std::string_view View(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

/// The two bytes of each of Java's characters. REQUIRES: ASCII, which passwords of stores are; others do not match.
std::string PasswordBytes(std::string_view password) {
  std::string bytes;
  for (char c : password) {
    bytes += '\0';
    bytes += c;
  }
  return bytes;
}

std::string Pem(std::string_view der, std::string_view kind) {
  std::string base64(4 * ((der.size() + 2) / 3) + 1, '\0');
  int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                             reinterpret_cast<const unsigned char*>(der.data()), static_cast<int>(der.size()));
  base64.resize(static_cast<size_t>(size));
  std::string pem = fmt::format("-----BEGIN {}-----\n", kind);
  for (size_t start = 0; start < base64.size(); start += 64) pem += base64.substr(start, 64) + "\n";
  return pem + fmt::format("-----END {}-----\n", kind);
}

/// Big-endian fields, one after the other.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  arrow::Result<std::string_view> Bytes(uint64_t size) {
    if (size > rest_.size()) return arrow::Status::Invalid("Invalid keystore format: it ends early");
    std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  arrow::Result<uint32_t> Number(size_t size) {
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Bytes(size));
    uint32_t number = 0;
    for (char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
    return number;
  }
  /// A text, or bytes, behind its size.
  arrow::Result<std::string_view> Sized(size_t size_of_size) {
    ARROW_ASSIGN_OR_RAISE(uint32_t size, Number(size_of_size));
    return Bytes(size);
  }

 private:
  std::string_view rest_;
};

arrow::Result<std::string_view> Certificate(Fields* fields, uint32_t version) {
  if (version == 2) {
    ARROW_ASSIGN_OR_RAISE(std::string_view kind, fields->Sized(2));
    if (kind != "X.509") return arrow::Status::Invalid("a certificate of the unknown kind ", kind);
  }
  return fields->Sized(4);
}

/// Java's own cipher of private keys: a key stream of digests, each of the password and the one before.
arrow::Result<std::string> DecryptKey(std::string_view protected_key, std::string_view key_password) {
  const auto* data = reinterpret_cast<const unsigned char*>(protected_key.data());
  std::unique_ptr<X509_SIG, decltype(&X509_SIG_free)> info(
      d2i_X509_SIG(nullptr, &data, static_cast<long>(protected_key.size())), &X509_SIG_free);
  if (info == nullptr) return arrow::Status::Invalid("the private key is not encrypted as Java does it");
  const ASN1_OCTET_STRING* octets = nullptr;
  X509_SIG_get0(info.get(), nullptr, &octets);
  std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(octets)),
                        static_cast<size_t>(ASN1_STRING_length(octets)));
  if (text.size() < 2 * kDigestSize) return arrow::Status::Invalid("the private key is not encrypted as Java does it");
  const std::string password = PasswordBytes(key_password);
  std::string_view salt = text.substr(0, kDigestSize);
  std::string key(text.substr(kDigestSize, text.size() - 2 * kDigestSize));
  Digest stream = Sha1(password, salt);
  for (size_t i = 0; i < key.size(); ++i) {
    if (i > 0 && i % kDigestSize == 0) stream = Sha1(password, View(stream));
    key[i] = static_cast<char>(static_cast<uint8_t>(key[i]) ^ stream[i % kDigestSize]);
  }
  if (View(Sha1(password, key)) != text.substr(text.size() - kDigestSize)) {
    return arrow::Status::Invalid("Cannot recover key");
  }
  return key;
}

}  // namespace

bool IsPkcs12(std::string_view bytes) { return bytes.starts_with('\x30'); }

arrow::Result<JavaKeyStore> ReadJavaKeyStore(std::string_view bytes, std::string_view password,
                                             std::string_view key_password) {
  if (bytes.size() < kDigestSize) return arrow::Status::Invalid("Invalid keystore format");
  std::string_view content = bytes.substr(0, bytes.size() - kDigestSize);
  Fields fields(content);
  ARROW_ASSIGN_OR_RAISE(uint32_t magic, fields.Number(4));
  ARROW_ASSIGN_OR_RAISE(uint32_t version, fields.Number(4));
  if (magic != kMagic || (version != 1 && version != 2)) return arrow::Status::Invalid("Invalid keystore format");
  Digest expected = Sha1(PasswordBytes(password), "Mighty Aphrodite", content);
  if (!password.empty() && View(expected) != bytes.substr(content.size())) {
    return arrow::Status::Invalid(kWrongPassword);
  }
  JavaKeyStore store;
  ARROW_ASSIGN_OR_RAISE(uint32_t num_entries, fields.Number(4));
  for (uint32_t entry = 0; entry < num_entries; ++entry) {
    ARROW_ASSIGN_OR_RAISE(uint32_t tag, fields.Number(4));
    ARROW_RETURN_NOT_OK(fields.Sized(2).status());  // its alias
    ARROW_RETURN_NOT_OK(fields.Bytes(8).status());  // when it was made
    if (tag == kTrustedCertificate) {
      ARROW_ASSIGN_OR_RAISE(std::string_view certificate, Certificate(&fields, version));
      store.trusted_certificates += Pem(certificate, "CERTIFICATE");
      continue;
    }
    if (tag != kPrivateKey) return arrow::Status::Invalid("Unrecognized keystore entry");
    ARROW_ASSIGN_OR_RAISE(std::string_view protected_key, fields.Sized(4));
    ARROW_ASSIGN_OR_RAISE(uint32_t length, fields.Number(4));
    std::string chain;
    for (uint32_t i = 0; i < length; ++i) {
      ARROW_ASSIGN_OR_RAISE(std::string_view certificate, Certificate(&fields, version));
      chain += Pem(certificate, "CERTIFICATE");
    }
    if (!store.private_key.empty()) continue;
    // A store of trusted certificates may have a key that nobody has the password of.
    if (key_password.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(std::string key, DecryptKey(protected_key, key_password));
    store.private_key = Pem(key, "PRIVATE KEY");
    store.certificate_chain = std::move(chain);
  }
  return store;
}

arrow::Result<std::string> ReadPkcs12Certificates(std::string_view bytes, const std::string& password) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::unique_ptr<PKCS12, decltype(&PKCS12_free)> store(d2i_PKCS12(nullptr, &data, static_cast<long>(bytes.size())),
                                                        &PKCS12_free);
  if (store == nullptr) return arrow::Status::Invalid("Invalid keystore format");
  if (PKCS12_verify_mac(store.get(), password.c_str(), static_cast<int>(password.size())) != 1) {
    return arrow::Status::Invalid("keystore password was incorrect");
  }
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(store.get(), password.c_str(), &key, &certificate, &others) != 1) {
    return arrow::Status::Invalid("it is encrypted in a way that is too old; export it anew");
  }
  EVP_PKEY_free(key);
  std::string pem;
  auto add = [&pem](X509* one) {
    unsigned char* der = nullptr;
    int size = i2d_X509(one, &der);
    if (size > 0) pem += Pem({reinterpret_cast<const char*>(der), static_cast<size_t>(size)}, "CERTIFICATE");
    OPENSSL_free(der);
    X509_free(one);
  };
  if (certificate != nullptr) add(certificate);
  while (others != nullptr && sk_X509_num(others) > 0) add(sk_X509_shift(others));
  sk_X509_free(others);
  return pem;
}

}  // namespace millrace::kafka
