/* An unmodified client of the CUDA runtime, as anybody would write it: counts the devices and
   prints one JSON object. Built against the toolkit's libcudart, shared and static. Exits 0 when it
   could count, 1 when CUDA said no. */
#include <cuda_runtime_api.h>
#include <stdio.h>

static void print_device(int ordinal, const char* before) {
  struct cudaDeviceProp prop;
  char pci[32] = "";
  const cudaError_t error = cudaGetDeviceProperties(&prop, ordinal);
  if (error != cudaSuccess) {
    printf("%s{\"error\":%d}", before, (int)error);
    return;
  }
  cudaDeviceGetPCIBusId(pci, sizeof(pci), ordinal);
  printf("%s{\"name\":\"%s\",\"uuid\":\"GPU-", before, prop.name);
  for (int i = 0; i < 16; ++i) {
    const int dash = i == 4 || i == 6 || i == 8 || i == 10;
    printf("%s%02x", dash ? "-" : "", (unsigned)(unsigned char)prop.uuid.bytes[i]);
  }
  printf("\",\"pci_id\":\"%s\",\"memory_total\":%zu,\"compute_capability\":\"%d.%d\"", pci,
         prop.totalGlobalMem, prop.major, prop.minor);
  printf(",\"multiprocessors\":%d,\"integrated\":%d}", prop.multiProcessorCount, prop.integrated);
}

int main(void) {
  int count = 0, driver = 0, runtime = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  printf("{\"error\":%d,\"error_text\":\"%s\",\"driver\":%d,\"runtime\":%d,\"devices\":[",
         (int)error, cudaGetErrorString(error), driver, runtime);
  for (int i = 0; error == cudaSuccess && i < count; ++i) print_device(i, i > 0 ? "," : "");
  printf("]}\n");
  return error == cudaSuccess ? 0 : 1;
}
