#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

namespace millrace::kafka {

/// What a key store of Java holds, as PEM.
struct JavaKeyStore {
  /// All trusted certificates, one after the other.
  std::string trusted_certificates;
  /// Of the first private key; empty when there is none. The key is not encrypted.
  std::string certificate_chain;
  std::string private_key;
};

/// Whether the bytes are those of a PKCS#12 file rather than of Java's own format. Java takes one for the other.
bool IsPkcs12(std::string_view bytes);

/// Reads Java's own format ("JKS"). `password` checks that nothing was changed, when it is not empty; `key_password`
/// decrypts the private key. Errors: Invalid in the words of Java's reader.
/// Source: the comments of OpenJDK's JavaKeyStore and KeyProtector.
arrow::Result<JavaKeyStore> ReadJavaKeyStore(std::string_view bytes, std::string_view password,
                                             std::string_view key_password);

/// The certificates of a PKCS#12 file that holds trusted ones. Errors: Invalid.
arrow::Result<std::string> ReadPkcs12Certificates(std::string_view bytes, const std::string& password);

}  // namespace millrace::kafka
