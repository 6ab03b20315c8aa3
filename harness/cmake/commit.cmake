# cmake -P: writes OUTPUT, the file that says which version, commit and date a program is of. Only what git says, so that a
# second build of a commit is the same.
set(commit unknown)
set(date "date unknown")
execute_process(COMMAND git -C ${SOURCE} log -1 "--format=%h;%cs" OUTPUT_VARIABLE said ERROR_QUIET
  RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT failed AND said)
  list(GET said 0 commit)
  list(GET said 1 date)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include "harness/cli/version.h"
namespace gpustage {
const char kVersion[] = "@VERSION@";
const char kCommit[] = "@commit@";
const char kDate[] = "@date@";
}  // namespace gpustage
]])
