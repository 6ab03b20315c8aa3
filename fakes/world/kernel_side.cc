#include "fakes/world/kernel_side.h"

#include <fcntl.h>
#include <sys/stat.h>

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

Node Look(const char* path, const char* content) {
  const long file = Open(path, O_RDWR);
  if (file == -EACCES || file == -EPERM) return Node::kRefused;
  if (file == -ENOENT || file == -ENOTDIR || file == -ELOOP) return Node::kMissing;
  if (file < 0) return Node::kNotTheDevice;
  char found[64];
  const long length = SystemCall(SYS_read, file, reinterpret_cast<long>(found), sizeof(found));
  SystemCall(SYS_close, file);
  const bool is_node = length == static_cast<long>(strlen(content)) &&
                       memcmp(found, content, static_cast<size_t>(length)) == 0;
  return is_node ? Node::kThere : Node::kNotTheDevice;
}

Node LookFor(const char* name) {
  const char* const folder = Here().device_nodes;
  if (folder[0] == '\0') return Node::kThere;
  Text<160> path;
  path.Add(folder).Add('/').Add(name);
  Text<64> content;
  content.Add(kNodeContent).Add(name).Add('\n');
  const Node found = Look(path.c_str(), content.c_str());
  if (found != Node::kMissing) return found;
  MakeNode(path.c_str(), content.c_str());
  return Look(path.c_str(), content.c_str());
}

// "580.159.04" -> 580.
int Branch(const char* version) {
  int branch = 0;
  for (; *version >= '0' && *version <= '9'; ++version) branch = branch * 10 + (*version - '0');
  return branch;
}

}  // namespace

Node ControlNode() { return LookFor("nvidiactl"); }
Node MemoryNode() { return LookFor("nvidia-uvm"); }

Node NodeCalled(const char* name) { return LookFor(name); }

int NodeNumber(int place) {
  uint8_t places[kMaxDevices];
  const auto count = static_cast<int>(Here().device_count);
  for (int i = 0; i < count; ++i) places[i] = static_cast<uint8_t>(i);
  SortByPci(Here(), places, count);
  int number = 0;
  while (number < count && places[number] != place) ++number;
  return number;
}

uint32_t DevicesThere() {
  uint32_t there = 0;
  for (uint32_t place = 0; place < Here().device_count; ++place) {
    Text<16> name;
    name.Add("nvidia").Decimal(NodeNumber(static_cast<int>(place)));
    if (LookFor(name.c_str()) == Node::kThere) there |= 1u << place;
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
