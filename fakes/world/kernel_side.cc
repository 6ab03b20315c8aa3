#include "fakes/world/kernel_side.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fakes/world/fault.h"
#include "fakes/world/journal.h"
#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::world {
namespace {

long Open(const char* path, int flags, int mode = 0) {
  return SystemCall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), flags | O_CLOEXEC, mode);
}

// The driver makes a missing node of its own where it may: as root, in a /dev that can be written.
void MakeNode(const char* path, const char* content) {
  const long file = SystemCall(SYS_geteuid) == 0 ? Open(path, O_RDWR | O_CREAT | O_EXCL, 0666) : -1;
  if (file < 0) return;
  SystemCall(SYS_fchmod, file, 0666);
  SystemCall(SYS_write, file, reinterpret_cast<long>(content), static_cast<long>(strlen(content)));
  SystemCall(SYS_close, file);
}

// Behind its name a node may say "errno 5" and "from_ms 500", a line each: how it fails, and from
// when on in a process.
int NumberBehind(const char* text, const char* word) {
  const char* at = strstr(text, word);
  int number = 0;
  for (at = at == nullptr ? "" : at + strlen(word); *at >= '0' && *at <= '9'; ++at)
    number = number * 10 + (*at - '0');
  return number;
}

Node Fails(const char* path, const char* said, int* error) {
  const int number = NumberBehind(said, "errno ");
  if (number == 0) return Node::kNotTheDevice;
  if (NumberBehind(said, "from_ms ") > MillisecondsOfProcess()) return Node::kThere;
  if (error != nullptr) *error = number;
  Append(RecordKind::kNode, number, -1, 0, {path});
  return number == ENOENT ? Node::kMissing : Node::kFails;
}

Node Look(const char* path, const char* content, int* error) {
  const long file = Open(path, O_RDWR);
  if (file == -EACCES || file == -EPERM) return Node::kRefused;
  if (file == -ENOENT || file == -ENOTDIR || file == -ELOOP) return Node::kMissing;
  if (file < 0) return Node::kNotTheDevice;
  char found[128];
  const long read = SystemCall(SYS_read, file, reinterpret_cast<long>(found), sizeof(found) - 1);
  SystemCall(SYS_close, file);
  const size_t length = read < 0 ? 0 : static_cast<size_t>(read);
  found[length] = '\0';
  const size_t name = strlen(content);
  if (length < name || memcmp(found, content, name) != 0) return Node::kNotTheDevice;
  return length == name ? Node::kThere : Fails(path, found + name, error);
}

Node LookFor(const char* name, bool may_make, int* error = nullptr) {
  const char* const folder = Here().device_nodes;
  if (folder[0] == '\0') return Node::kThere;
  Text<160> path;
  path.Add(folder).Add('/').Add(name);
  Text<64> content;
  content.Add(kNodeContent).Add(name).Add('\n');
  const Node found = Look(path.c_str(), content.c_str(), error);
  if (found != Node::kMissing || !may_make) return found;
  MakeNode(path.c_str(), content.c_str());
  return Look(path.c_str(), content.c_str(), error);
}

// "580.159.04" -> 580.
int Branch(const char* version) {
  int branch = 0;
  for (; *version >= '0' && *version <= '9'; ++version) branch = branch * 10 + (*version - '0');
  return branch;
}

}  // namespace

Node ControlNode(int* error) { return LookFor("nvidiactl", /*may_make=*/true, error); }
Node MemoryNode() { return LookFor("nvidia-uvm", /*may_make=*/true); }

Node NodeCalled(const char* name) { return LookFor(name, /*may_make=*/false); }

int NodeNumber(int place) {
  uint8_t places[kMaxDevices];
  const auto count = static_cast<int>(Here().device_count);
  for (int i = 0; i < count; ++i) places[i] = static_cast<uint8_t>(i);
  SortByPci(Here(), places, count);
  int number = 0;
  while (number < count && places[number] != place) ++number;
  return number;
}

uint32_t DevicesThere(bool* gone) {
  uint32_t there = 0;
  for (uint32_t place = 0; place < Here().device_count; ++place) {
    Text<16> name;
    name.Add("nvidia").Decimal(NodeNumber(static_cast<int>(place)));
    int error = 0;
    if (LookFor(name.c_str(), /*may_make=*/true, &error) == Node::kThere) there |= 1u << place;
    if (gone != nullptr && (error == ENXIO || error == ENODEV)) *gone = true;
  }
  return there;
}

KernelModule TheKernelModule() {
  const World& world = Here();
  if (world.kernel_driver[0] == '\0' || Equal(world.kernel_driver, world.driver_version))
    return KernelModule::kSame;
  return Branch(world.kernel_driver) < Branch(world.driver_version) ? KernelModule::kOlderBranch
                                                                    : KernelModule::kOther;
}

}  // namespace gpustage::world
