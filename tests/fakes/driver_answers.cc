#include "tests/fakes/driver_answers.h"

#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/fakes/recording.h"

namespace gpustage::fakes_test {
namespace {

using nlohmann::json;
using world::Device;
using world::World;

std::string Uuid(const Device& device, bool upper) {
  std::string text;
  char hex[3];
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    snprintf(hex, sizeof(hex), "%02x", device.uuid[i]);
    text += hex;
  }
  for (char& c : text)
    if (upper) c = static_cast<char>(std::toupper(c));
  return "GPU-" + text;
}

// The recording keeps UUIDs out: "$uuid1 shortened to 8 characters" is what stood there.
std::string Substitute(std::string value, const World& machine) {
  for (uint32_t i = 0; i < machine.device_count; ++i) {
    const std::string n = std::to_string(i);
    const std::string uuid = Uuid(machine.devices[i], false);
    if (value == "$uuid" + n + " shortened to 8 characters") return uuid.substr(0, 8);
    if (value == "$uuid" + n + " without GPU-, 8 characters") return uuid.substr(4, 8);
    if (value == "$UUID" + n + "_UPPERCASE") return Uuid(machine.devices[i], true);
    for (size_t at; (at = value.find("$uuid" + n)) != std::string::npos;)
      value.replace(at, 6, uuid);
  }
  return value;
}

Condition ReadCondition(const json& when, const World& machine) {
  Condition condition;
  for (const auto& [key, value] : when.items()) {
    if (key == "env") {
      for (const auto& [name, text] : value.items())
        condition.environment.push_back({name, Substitute(text, machine)});
    } else if (key == "user") {
      condition.user = value;
    } else if (key == "not_the_device") {
      condition.not_the_device = value;
    } else if (key == "unreadable") {
      condition.unreadable = value;
    } else if (key == "libcuda") {
      condition.libcuda = value;
    } else if (key == "libnvidia_ml_is") {
      condition.libnvidia_ml = value;
    } else if (key == "note") {
      condition.note = value;
    } else {
      throw std::runtime_error("a condition that no test knows: " + key);
    }
  }
  return condition;
}

std::string FieldText(const std::string& key, const json& value) {
  if (key == "cuDeviceGetCount")
    return value["r"].dump() + " " + (value["count"].is_null() ? "-1" : value["count"].dump());
  if (key == "order") {
    std::string order;
    for (const json& device : value) order += device.dump() + ",";
    return order;
  }
  if (value.is_null()) return "none";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

World MachineNamed(const std::string& name) {
  return RecordedMachine(name == "h100-x1" ? kH100 : kTwoH200);
}

// A row is "- machine: NAME" and lines "  key: value", and every value is JSON or a bare number.
std::vector<DriverAnswer> ReadDriverAnswers() {
  std::vector<DriverAnswer> answers;
  for (std::string line : RecordedLines("driver-answers.yaml", "- machine", "")) {
    const bool begins = line[0] == '-';
    const size_t colon = line.find(": ");
    const std::string key = line.substr(2, colon - 2);
    const json value = json::parse(line.substr(colon + 2));
    if (begins)
      answers.push_back({value, {}, {}});
    else if (key == "when")
      answers.back().when = ReadCondition(value, MachineNamed(answers.back().machine));
    else
      answers.back().fields[key] = FieldText(key, value);
  }
  return answers;
}

}  // namespace gpustage::fakes_test
