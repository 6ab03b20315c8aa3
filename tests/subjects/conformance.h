// What the files of the conformance program share: one question prints one line, `id = code value`.
//
// Nothing here needs a header of NVIDIA's: functions are looked up by name and called without a
// prototype, so every argument that is 64 bits wide is written so.
#pragma once

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef int (*Function)();

// The function of the library under test; one that it lacks answers with kAbsent.
Function Find(const char* name);
enum { kAbsent = -99 };

// A text that lasts until the 32nd call after this one.
const char* Id(const char* format, ...) __attribute__((format(printf, 1, 2)));
// What NVML calls "00000000:00:06.0" and CUDA "0000:00:06.0", with other letters or parts left out.
const char* Upper(const char* text);
const char* Lower(const char* text);

extern sigjmp_buf g_back;  // where a crash goes on
extern const char* g_id;   // of the question that is being asked

// The answers. Each question finds them as Clear() left them, so that what a failed call wrote is
// seen.
extern int g_int;
extern int g_more;
extern unsigned long long g_size;
extern void* g_pointer;
extern char g_text[4096];
extern char g_bytes[65536];
void Clear(void);

void Print(int code, const char* value);
const char* Pointer(void);      // "null", "set" or "untouched"
const char* Text(size_t size);  // g_text, "~" when it was not touched

// Whether this question crashed when the section was first run. What crashes inside a driver may
// leave it locked, so that a later question hangs; the section is then run again without it.
int HasCrashed(void);
void Crash(void);

#define ASK_VALUE(id, call, value)          \
  do {                                      \
    g_id = (id);                            \
    Clear();                                \
    if (HasCrashed()) {                     \
      printf("%s = SIGSEGV\n", g_id);       \
    } else if (sigsetjmp(g_back, 1) == 0) { \
      const int answered = (call);          \
      Print(answered, (value));             \
    } else {                                \
      Crash();                              \
    }                                       \
  } while (0)

#define ASK(id, call) ASK_VALUE(id, call, NULL)
#define ASK_INT(id, call) ASK_VALUE(id, call, Id("%d", g_int))
#define ASK_TWO(id, call) ASK_VALUE(id, call, Id("%d %d", g_int, g_more))
#define ASK_SIZE(id, call) ASK_VALUE(id, call, Id("%llu", g_size))
#define ASK_TEXT(id, call, size) ASK_VALUE(id, call, Text(size))
#define ASK_POINTER(id, call) ASK_VALUE(id, call, Pointer())

// One section runs in a process of its own, so that it begins before any initialisation.
struct Section {
  const char* name;
  void (*ask)(void);
};
extern const struct Section kDriverSections[];
extern const struct Section kNvmlSections[];
extern const struct Section kRuntimeSections[];

// Asks in a process of its own, one for each name.
void AskAlone(void (*ask)(const char* name), const char* name);

// The names that a library exports, for what is asked of all of them; NULL behind the last.
extern const char** g_names;
