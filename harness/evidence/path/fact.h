// What a loss stands on: the facts below its reason, from the one above to the last that was seen.
// harness/words makes sentences of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/evidence/path/reason.h"

namespace gpustage {

struct Fact {
  enum class Kind {
    kReason,     // subject: a library below, "" none; reasons: what is said of it
    kNode,       // subject: a path that a library asked the kernel for; error: what it said; 0: it
                 // was opened, and is no node of that name
    kPlace,      // where a path ends. subject: the component that refuses or is not there; other:
                 // the path that was asked for; error, mode, owner
    kLink,       // subject: a link; other: where it points; number: 1 where it is a program's, and
                 // what it leads to lies beside its libraries
    kMask,       // subject: a variable; other: its value
    kVersions,   // subject: the version of the library; other: that of the kernel's module
    kNowhere,    // subject: a library; other: who asks for it, "" the program or one that is told;
                 // number: the places where it was looked for
    kManifest,   // of a Vulkan driver. subject: manifests that were read, "" none; other: the
                 // directories that were listed for them; number: that were asked for
    kOpened,     // names: nodes that the library was given; number: 0 where it was refused none
    kAlso,       // names: other nodes of the same driver that would refuse; error; number: 1 where
                 // it is the error of the one that did
    kElsewhere,  // subject: where a library lies that was looked for in vain; other: its name;
                 // rule: "ld.so.cache" where that was asked; number: 1 where nobody's RUNPATH was
    kSibling,  // subject: a library of the same driver, which is there; other: the one that is not
    kRefused,  // subject: a path of no device that the scanner was refused, and of which it says
               // so; error
    kProgram,  // subject: a program that was looked for; number: the folders of PATH that were
               // asked for it, and have it not
    kVain,     // subject: a path that was asked for, and is not there; other: what has its name, on
               // the way to the library that nobody tried
    kNamed,    // subject: a library that the log names, and no process came to; other: where one of
               // that name lies, "" nowhere
    kCopy,  // subject: where the library lies, and nobody looked; other: where it was looked for;
            // number: 1 where that lacks its directory, too
    kUnversioned,  // subject: a library that was asked for by a name without its version; other:
                   // one of the same name with its version, of another folder
    kRunpath,  // subject: where a library lies that was looked for in vain; other: one that has a
               // RUNPATH to it, "" the program; names: who asked, and has none, and the file of
               // that name where it is a link
    kOtherCounts,  // subject: a function of NVML that counted where CUDA failed; number: devices
    kIgnored,    // subject: a variable that leads to a library that nobody took; other: its value;
                 // rule: the role of a process that was given another; names: that
    kToolkit,    // subject: a runtime of CUDA in another folder, which brings no driver
    kAdvised,    // subject: a variable that the log says to set; other: its value
    kDevice,     // subject: a device that was asked, as the call has it
    kContainer,  // subject: what shows that the program runs in one: a file that is there, or,
                 // where number is 1, a variable that is set; other: "CDI" where its devices
                 // came by a specification of that
    kAnswered,   // subject: a library; other: what answered for it; rule: that found it; names:
                 // the file that `other` ends at, where a link was followed. Of no subject: all
                 // drivers that were asked
    kShadowed,   // subject: another copy of the library, which was not taken; other: its version
    kCalled,     // subject: a function that failed before; number: its code; names: its
                 // arguments, where they are told
    kNothing,    // no fact below was seen
  };
  Kind kind = Kind::kNothing;
  std::string subject;
  std::string other;
  std::string rule;
  int64_t number = 0;
  int error = 0;      // errno
  int uid = 0;        // whom it befell
  unsigned mode = 0;  // of a component, with its type
  std::string owner;  // "root:root"
  int event = 0;      // that shows it; 0: the system was asked after the run
  std::vector<std::string> names = {};
  std::vector<Reason> reasons = {};
  friend bool operator==(const Fact&, const Fact&) = default;
};

}  // namespace gpustage
