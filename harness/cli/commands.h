// What the verbs share: their exit statuses, and how they say what went wrong.
#pragma once

#include <string>

#include "harness/base/result.h"

namespace gpustage {

inline constexpr int kAsExpected = 0, kSomeBad = 1, kBadInput = 2, kCannotHere = 3,
                     kNothingRan = 77;
inline constexpr char kExitStatuses[] =
    "0 as expected (also when all was skipped), 1 some verdict is bad, 2 bad input or nothing "
    "matched, 3 this machine cannot do it, 77 nothing ran and --require asked for it, 128 "
    "and the signal when one ended it.";

// What is still to be written to standard output is; `status`, or kBadInput with a sentence where
// that failed.
int WithWritten(int status);

// To stderr, with the line and a caret where it is about a file.
int PrintError(const Error& error, int exit_status);

// How this program was called: "gpustage" by its name alone, a path otherwise, or what stands
// before a verb in harness/dev. Commands that are printed begin with it, so that they can be
// pasted.
const std::string& CalledAs();
void SetCalledAs(const char* word);
// Columns of the terminal that standard output is, or 100.
size_t WidthOfOutput();

}  // namespace gpustage
