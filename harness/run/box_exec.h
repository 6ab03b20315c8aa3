// What a program is, before it is executed. Runs in the child of a box, where nothing may be
// allocated.
#pragma once

namespace gpustage {

enum class ProgramTrouble {
  kNone,  // the exec itself will say what is wrong, if anything is
  // The kernel would follow a magic link of /proc, such as /proc/self/exe, to the program, to its
  // ELF interpreter, or to what a script names behind "#!". As long as our own program is the one
  // that runs, that would lend it to the scanner.
  kMagicLink,
  k32Bit,  // a program for calls that the filter of a box kills
};

// Looked at before anybody else runs in the box, so that nothing changes before the exec, and with
// our rights, so that nothing is hidden from us.
ProgramTrouble LookAtProgram(const char* program);

}  // namespace gpustage
