// A key store of Java, or a PKCS#12 file. Must be read, or refused, without a crash.

#include <cstdint>
#include <string_view>

#include "kafka/java_key_store.h"

using namespace millrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (kafka::IsPkcs12(bytes)) {
    (void)kafka::ReadPkcs12Certificates(bytes, "changeit");
    return 0;
  }
  // Without a password for the whole, damaged stores are read as far as they go.
  (void)kafka::ReadJavaKeyStore(bytes, "", "changeit");
  (void)kafka::ReadJavaKeyStore(bytes, "changeit", "changeit");
  return 0;
}
