/* Opens a library, libcuda.so.1 without a word, and starts it: what programs that look for a GPU do
   first. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  void* const library = dlopen(argc > 1 ? argv[1] : "libcuda.so.1", RTLD_NOW);
  if (library == NULL) return fprintf(stderr, "%s\n", dlerror()) < 0 ? 3 : 1;
  int (*const start)(unsigned) = (int (*)(unsigned))dlsym(library, "cuInit");
  if (start == NULL) return puts("no cuInit") < 0 ? 3 : 2;
  const int answer = start(0);
  printf("cuInit %d\n", answer);
  return answer != 0;
}
