/* libscan_outer.so, libscan_inner.so, libscan_named.so, libscan_cached.so: each has one function,
 * its own name. */
#ifdef NEEDS
extern int NEEDS(void);
int NAME(void) { return NEEDS(); }
#else
int NAME(void) { return 1; }
#endif
