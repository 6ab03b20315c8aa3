/* Stands before dlopen and dlsym as tools do that people preload, and hands both on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

void* dlsym(void* restrict handle, const char* restrict name) {
  static void* (*real)(void*, const char*);
  if (real == NULL) real = (void* (*)(void*, const char*))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  return real(handle, name);
}

void* dlopen(const char* path, int mode) {
  static void* (*real)(const char*, int);
  if (real == NULL) real = (void* (*)(const char*, int))dlsym(RTLD_NEXT, "dlopen");
  return real(path, mode);
}
