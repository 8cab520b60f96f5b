// The nine functions of Cyrus SASL that Debian's librdkafka asks for, answering "no such mechanism".
//
// The real library loads plug-ins that bring a second OpenSSL into the process, whose calls then bind to the OpenSSL that
// libparquet exports. Only Kerberos (GSSAPI) needs it: PLAIN, SCRAM and OAUTHBEARER are librdkafka's own.

#include <stddef.h>

enum { kSaslOk = 0, kSaslNoMechanism = -4 };

typedef struct sasl_conn sasl_conn_t;

int sasl_client_init(const void* callbacks) {
  (void)callbacks;
  return kSaslOk;
}

int sasl_client_new(const char* service, const char* host, const char* local, const char* remote, const void* callbacks,
                    unsigned flags, sasl_conn_t** connection) {
  (void)service, (void)host, (void)local, (void)remote, (void)callbacks, (void)flags;
  *connection = NULL;
  return kSaslNoMechanism;
}

int sasl_client_start(sasl_conn_t* connection, const char* mechanisms, void** prompts, const char** out, unsigned* out_size,
                      const char** mechanism) {
  (void)connection, (void)mechanisms, (void)prompts, (void)out, (void)out_size, (void)mechanism;
  return kSaslNoMechanism;
}

int sasl_client_step(sasl_conn_t* connection, const char* in, unsigned in_size, void** prompts, const char** out,
                     unsigned* out_size) {
  (void)connection, (void)in, (void)in_size, (void)prompts, (void)out, (void)out_size;
  return kSaslNoMechanism;
}

int sasl_listmech(sasl_conn_t* connection, const char* user, const char* prefix, const char* separator, const char* suffix,
                  const char** result, unsigned* size, int* count) {
  (void)connection, (void)user, (void)prefix, (void)separator, (void)suffix, (void)result, (void)size, (void)count;
  return kSaslNoMechanism;
}

int sasl_getprop(sasl_conn_t* connection, int property, const void** value) {
  (void)connection, (void)property;
  *value = NULL;
  return kSaslNoMechanism;
}

void sasl_dispose(sasl_conn_t** connection) { *connection = NULL; }

const char* sasl_errstring(int code, const char* languages, const char** language) {
  (void)code, (void)languages, (void)language;
  return "this build has no Kerberos (GSSAPI); use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER";
}

const char* sasl_errdetail(sasl_conn_t* connection) {
  (void)connection;
  return sasl_errstring(kSaslNoMechanism, NULL, NULL);
}
