/* What the subjects of tests/proof look for, in C++, C, Go and Python alike. The tree is
 * tests/proof/subject.h's. */
#pragma once

#define SCAN_DIRECTORY "/opt/scan"           /* listed */
#define SCAN_MISSING_DIRECTORY "/opt/none"   /* listed in vain */
#define SCAN_FILE "/opt/scan/present"        /* looked up */
#define SCAN_LINK "/opt/link"                /* leads to it, over another link */
#define SCAN_MISSING_FILE "/opt/scan/absent" /* looked up in vain */
#define SCAN_NODE "/dev/nvidia0"             /* looked up in vain, as a scanner does */
#define SCAN_LIBRARY \
  "/opt/scan/libscan_outer.so"            /* needs libscan_inner.so, which its RUNPATH finds */
#define SCAN_BY_NAME "libscan_named.so"   /* LD_LIBRARY_PATH finds it at its second place */
#define SCAN_BY_CACHE "libscan_cached.so" /* ld.so.cache finds it */
#define SCAN_MISSING_LIBRARY "libscan_none.so.1" /* nothing finds it */
#define SCAN_SYMBOL "scan_outer"
#define SCAN_MISSING_SYMBOL "scan_no_such_symbol"
