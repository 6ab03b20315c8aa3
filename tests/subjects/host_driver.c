/* Stands where a driver would, for tests of trace --host on machines without a GPU: no driver, two
   functions. */
#include <stdlib.h>
#include <string.h>

int cuInit(unsigned flags) {
  const char* const mask = getenv("CUDA_VISIBLE_DEVICES");
  (void)flags;
#ifdef STUB
  (void)mask;
  return 34; /* CUDA_ERROR_STUB_LIBRARY */
#else
  return mask != NULL && strcmp(mask, "-1") == 0 ? 100 : 0; /* CUDA_ERROR_NO_DEVICE */
#endif
}
int cuDeviceGetCount(int* count) {
  *count = 1;
  return 0;
}
