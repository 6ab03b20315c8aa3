/* A scanner that is linked to libcudart.so.12, so that this machine's loader is asked for one when
 * it is staged. */
#include <stdio.h>

int cudaGetDeviceCount(int* count);

int main(void) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != 0) return 0;
  for (int i = 0; i < count; ++i) printf("GPU %d: counted\n", i);
  return 0;
}
