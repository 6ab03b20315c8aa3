/* An auditor as a user may have one: it prints what is opened. */
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdio.h>

unsigned la_version(unsigned version) {
  (void)version;
  return LAV_CURRENT;
}

unsigned la_objopen(struct link_map* map, Lmid_t space, uintptr_t* cookie) {
  (void)space;
  (void)cookie;
  dprintf(2, "their auditor: %s\n", map->l_name);
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
