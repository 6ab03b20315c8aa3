/* What ld.so loads because an ELF file names it in DT_AUDIT: leaves a file to show that it ran. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

unsigned la_version(unsigned version) { return version; }

__attribute__((constructor)) static void LeaveWitness(void) {
  const char* const path = getenv("GPUSTAGE_WITNESS");
  if (path == NULL) return;
  const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
}
