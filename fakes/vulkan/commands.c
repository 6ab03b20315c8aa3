// One weak function a command: the stub where no source defines it, and the table of all.
#include "fakes/vulkan/commands.h"

int32_t gpustage_vulkan_stub(const char* name);

// An alias has the function of what it is another name of.
#define COMMAND(name, function, since, of)  \
  __attribute__((weak)) int32_t name(void); \
  int32_t name(void) { return gpustage_vulkan_stub(#name); }
#include "fakes/vulkan/commands.inc"
#undef COMMAND

#define COMMAND(name, function, since, of) {#name, since, (void (*)(void))function, of},
const struct VulkanCommand gpustage_vulkan_commands[] = {
#include "fakes/vulkan/commands.inc"
};
const uint32_t gpustage_vulkan_command_count =
    sizeof(gpustage_vulkan_commands) / sizeof(gpustage_vulkan_commands[0]);
#undef COMMAND

// Their names once more, each with its NUL, in a section of their own: nothing of them is exported,
// and who checks a scenario's words reads them there (harness/scenario/catalog/functions.cc).
#define COMMAND(name, function, since, of) #name "\0"
__attribute__((used, retain, section(".gpustage_functions"))) static const char kFunctions[] =
#include "fakes/vulkan/commands.inc"
    ;
#undef COMMAND
