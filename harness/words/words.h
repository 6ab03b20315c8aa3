// The one place where a fact becomes a sentence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

std::string ToString(const Event& event);  // "#118 pid 7 cuInit(flags=0) = 100"
std::string CallText(const Event& call);   // "cuInit(flags=0; fault: hang) did not return"
// What somebody asked for and was told an assumed value, one that stands on no recording and no
// published rule: "cuDeviceGetAttribute(device=0, attrib=13)", each once, in the order of the first
// call.
std::vector<std::string> AssumedReads(const Evidence& evidence);

// "cuInit gave 100 (CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected)"; "" for none.
std::string SentenceOf(const Reason& reason);
// "100 (CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected)"
std::string CodeText(std::string_view function, int64_t code);
// "by LD_LIBRARY_PATH[2]", "in a default directory"
std::string ByRule(const std::string& rule);
// "LD_LIBRARY_PATH 12, ld.so.cache 1, default directories 30".
std::string CountByRule(const std::vector<PlacesOfRule>& places);
// "/opt/libcudart.so.12 does not have cudaFree@libcudart.so.12 and 3 more, which
// /opt/libggml-cuda.so needs"
std::string GapText(const Gap& gap);
std::string OutsideText(Outside::What what);  // "a GPU library of this machine"
// What an event has besides its subject: "openat to write through /dev/fd:".
std::string DetailText(const Event& event);

// "/dev/nvidia-uvm could not be opened: No such file or directory (#399)"
std::string FactText(const Fact& fact);

// The reason of a loss with all that it stands on: "cuInit gave 999 (…), because …".
std::string ReasonText(const FunnelRow& row);

// The last fact of a chain, for a headline; "" when the reason itself is the last.
std::string LastFact(const FunnelRow& row);

// What to try on the machine, none of it proven: "chmod o+x /opt/models". Empty where no fact gives
// it.
std::vector<std::string> Suggestions(const FunnelRow& row);

// "The program ended with 127 before it did anything: …"; "" when it came to its end.
std::string EndText(const Evidence& evidence);

// " It ended with status 1 after "…" (#12).", of one that found no device; "": it ended well.
std::string LastLineText(const Evidence& evidence);

// Why devices of the machine are missing among those reported; "" when none is.
std::string MissingText(const Evidence& evidence);

// "cuCtxCreate_v2(flags=0) gave 46 (…) (#12)": calls that failed behind the count; "": none did.
std::string LateText(const Evidence& evidence);

}  // namespace gpustage
