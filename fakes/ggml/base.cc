// libggml-base: the log, the abort and the buffer that a backend needs. Nothing of ggml itself: a
// real backend does not load on it, as it does not on the libggml-base of another release.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "fakes/ggml/abi.h"
#include "fakes/world/call.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"

namespace gpustage::world {
const int32_t kNotSupported = 0;
const int32_t kDeviceLost = 0;
}  // namespace gpustage::world

namespace {

using LogCallback = void (*)(int32_t level, const char* text, void* user_data);

void WriteToError(int32_t, const char* text, void*) {
  gpustage::world::WriteError(text, strlen(text));
}

LogCallback g_log = WriteToError;
void* g_log_user_data = nullptr;

}  // namespace

extern "C" {

void ggml_log_set(LogCallback callback, void* user_data) {
  g_log = callback != nullptr ? callback : WriteToError;
  g_log_user_data = user_data;
}

void ggml_log_internal(int32_t level, const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  g_log(level, text, g_log_user_data);
}

void ggml_abort(const char* file, int line, const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  CALL(file, line, text).End(gpustage::world::kNoResult);
  gpustage::world::Text<1200> message;
  message.Add(file).Add(':').Decimal(line).Add(": ").Add(text).Add('\n');
  gpustage::world::WriteError(message.c_str(), message.length());
  abort();
}

gpustage::ggml::Buffer* ggml_backend_buffer_init(gpustage::ggml::BufferType* type,
                                                 gpustage::ggml::BufferInterface functions,
                                                 void* context, size_t size) {
  using gpustage::ggml::Buffer;
  auto* const buffer = static_cast<Buffer*>(calloc(1, sizeof(Buffer)));
  if (buffer == nullptr) return nullptr;
  buffer->functions = functions;
  buffer->type = type;
  buffer->context = context;
  buffer->size = size;
  return buffer;
}
}
