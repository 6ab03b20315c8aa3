// Asks a CUDA driver, an NVML or a CUDA runtime a few hundred questions and prints what it answers,
// a line each: codes before the start, each attribute, short buffers, null pointers, wrong versions
// of structs, and so on. The same program runs on real machines (fixtures/recordings/real-gpu) and
// on the fakes. It changes no setting of a device.
//
//   conformance driver|nvml|runtime LIBRARY [NAMES]
#include "tests/subjects/conformance.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

sigjmp_buf g_back;
const char* g_id = "start";
int g_int;
int g_more;
unsigned long long g_size;
void* g_pointer;
char g_text[4096];
char g_bytes[65536];
const char** g_names;

static void* g_library;

static int Absent() { return kAbsent; }

Function Find(const char* name) {
  void* const found = dlsym(g_library, name);
  Function function = Absent;
  if (found != NULL) memcpy(&function, &found, sizeof(found));
  return function;
}

static char* NextText(void) {
  static char texts[32][512];
  static unsigned next;
  return texts[next++ % 32];
}

const char* Id(const char* format, ...) {
  char* const text = NextText();
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, 512, format, arguments);
  va_end(arguments);
  return text;
}

static const char* Changed(const char* text, char from, char to, int by) {
  char* const changed = NextText();
  size_t i = 0;
  for (; text[i] != '\0' && i < 511; ++i)
    changed[i] = (char)(text[i] >= from && text[i] <= to ? text[i] + by : text[i]);
  changed[i] = '\0';
  return changed;
}
const char* Upper(const char* text) { return Changed(text, 'a', 'z', 'A' - 'a'); }
const char* Lower(const char* text) { return Changed(text, 'A', 'Z', 'a' - 'A'); }

void Clear(void) {
  g_int = -7;
  g_more = -7;
  g_size = 7777;
  g_pointer = g_text;
  memset(g_text, '~', sizeof(g_text));
  memset(g_bytes, 0, sizeof(g_bytes));
}

void Print(int code, const char* value) {
  if (value == NULL)
    printf("%s = %d\n", g_id, code);
  else
    printf("%s = %d %s\n", g_id, code, value);
  fflush(stdout);
}

const char* Text(size_t size) {
  static char text[4100];
  size_t n = 0;
  if (g_text[0] == '~') return "~";
  while (n < size && n < sizeof(g_text) && g_text[n] != '\0') ++n;
  snprintf(text, sizeof(text), "[%.*s]%s", (int)n, g_text, n < size ? "" : " not ended");
  return text;
}

const char* Pointer(void) {
  return g_pointer == NULL ? "null" : g_pointer == (void*)g_text ? "untouched" : "set";
}

// The questions that crashed, for all processes of this program.
enum { kMaxCrashes = 64 };
static char (*g_crashed)[128];

static int Crashes(void) {
  int count = 0;
  while (count < kMaxCrashes && g_crashed[count][0] != '\0') ++count;
  return count;
}

int HasCrashed(void) {
  for (int i = 0; i < kMaxCrashes; ++i)
    if (strcmp(g_crashed[i], g_id) == 0) return 1;
  return 0;
}

void Crash(void) {
  const int count = Crashes();
  if (count == kMaxCrashes) _exit(1);
  snprintf(g_crashed[count], sizeof(g_crashed[count]), "%s", g_id);
  printf("%s = SIGSEGV\n", g_id);
  fflush(stdout);
}

static void OnCrash(int signal_number) {
  (void)signal_number;
  siglongjmp(g_back, 1);
}

void AskAlone(void (*ask)(const char* name), const char* name) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(5);
    ask(name);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) printf("%s ended by signal %d\n", name, WTERMSIG(status));
  fflush(stdout);
}

static int RunOnce(const struct Section* section, const char* library, FILE* out) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(fileno(out), STDOUT_FILENO);
    signal(SIGSEGV, OnCrash);
    signal(SIGBUS, OnCrash);
    alarm(20);
    g_library = dlopen(library, RTLD_NOW);
    if (g_library == NULL) printf("%s: %s\n", section->name, dlerror());
    if (g_library != NULL) section->ask();
    fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void Run(const struct Section* section, const char* library) {
  for (int left = 4; left >= 0; --left) {
    FILE* const out = tmpfile();
    if (out == NULL) return;
    const int before = Crashes();
    const int ended_by = RunOnce(section, library, out);
    if (ended_by != SIGALRM || left == 0 || Crashes() == before) {
      static char buffer[65536];
      rewind(out);
      for (size_t n; (n = fread(buffer, 1, sizeof(buffer), out)) > 0;) fwrite(buffer, 1, n, stdout);
      if (ended_by != 0) printf("%s ended by signal %d\n", section->name, ended_by);
      left = 0;
    }
    fclose(out);
  }
}

static void ReadNames(const char* path) {
  static const char* names[1024];
  static char lines[1024][256];
  size_t count = 0;
  FILE* const file = fopen(path, "r");
  while (file != NULL && count < 1023 && fgets(lines[count], sizeof(lines[count]), file) != NULL) {
    lines[count][strcspn(lines[count], " \r\n")] = '\0';
    if (lines[count][0] == '#' || lines[count][0] == '\0') continue;
    names[count] = lines[count];
    ++count;
  }
  if (file != NULL) fclose(file);
  g_names = names;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  g_crashed = mmap(NULL, sizeof(*g_crashed) * kMaxCrashes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (g_crashed == MAP_FAILED) return 3;
  ReadNames(argc > 3 ? argv[3] : "/dev/null");
  const struct Section* section = strcmp(argv[1], "driver") == 0 ? kDriverSections
                                  : strcmp(argv[1], "nvml") == 0 ? kNvmlSections
                                                                 : kRuntimeSections;
  for (; section->name != NULL; ++section)
    if (argc < 5 || strcmp(argv[4], section->name) == 0) Run(section, argv[2]);
  return 0;
}
