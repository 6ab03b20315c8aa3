// The processors and GPUs that this process sees, once HSA has begun.
#pragma once

#include <cstring>

#include "fakes/amd/topology.h"
#include "fakes/hsa/types.h"

namespace gpustage::hsa {

struct Agent {
  amd::Node node;
  amd::Target target;  // as an override says; all 0 for a processor
  bool is_gpu;
  int order;  // HSA's own number of its node
};

// hsa_init of the first caller.
hsa_status_t FindAgents();
int AgentCount();
const Agent* AgentOf(hsa_agent_t handle);
hsa_agent_t HandleOf(int index);

// The targets of this release; a GPU of any other is left out.
bool IsKnown(const amd::Target& target);

// ROCR_VISIBLE_DEVICES: `ranks` receives the places of the chosen, in its order. Null: all.
int Choose(const char* mask, const amd::Node* const* gpus, int count,
           int (&chosen)[amd::kMaxNodes]);

// The answer to a question about one of them, or the system.
template <typename T>
hsa_status_t Put(void* to, T value) {
  memcpy(to, &value, sizeof(value));
  return HSA_STATUS_SUCCESS;
}

}  // namespace gpustage::hsa
