// SIGINT, SIGTERM and SIGHUP: nothing more starts, and what runs is ended; what was done is told.
#pragma once

namespace gpustage {

// From now on the first of these signals is remembered; the second ends the process at once.
// One that was ignored when the program began, as nohup wants it, stays so.
void CatchInterrupts();

// The signal that came; 0: none.
int Interrupted();

// Readable once a signal has come; -1 where none is caught.
int InterruptFd();

// For the init of a box: what is sent to it is not meant for us.
void ForgetInterrupts();

}  // namespace gpustage
