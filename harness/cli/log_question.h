// A log as a question for the scenarios of the collection.
#pragma once

#include "harness/logs/read_log.h"
#include "harness/suite/find.h"

namespace gpustage {

// What the log says that went wrong, in its own words and in those of the causes that fit.
FindQuestion QuestionOfLog(const Knowledge& knowledge, const LogReading& log);

}  // namespace gpustage
