#include "harness/stage/library_image.h"

#include <cstring>

#include "fakes/world/format.h"
#include "harness/stage/world_file.h"

namespace gpustage {

bool StampImage(std::string& image, uint32_t instance, uint32_t mark, const std::string& world,
                const std::string& journal) {
  GPUSTAGE_CHECK(journal.size() < sizeof world::Stamp{}.journal);
  GPUSTAGE_CHECK(world.size() < sizeof world::Stamp{}.world);
  // The text in the read-only data of a program that merely mentions the magic is no slot: a slot
  // is followed by zeros.
  const std::string_view magic(world::kStampMagic, sizeof world::kStampMagic);
  bool stamped = false;
  for (size_t at = image.find(magic); at != std::string::npos;
       at = image.find(magic, at + magic.size())) {
    if (at + sizeof(world::Stamp) > image.size()) break;
    world::Stamp stamp;
    std::memcpy(&stamp, image.data() + at, sizeof stamp);
    if (stamp.instance != 0 || stamp.world[0] != '\0' || stamp.journal[0] != '\0') continue;
    stamp.instance = instance;
    stamp.mark = mark;
    std::memcpy(stamp.world, world.c_str(), world.size() + 1);
    std::memcpy(stamp.journal, journal.c_str(), journal.size() + 1);
    std::memcpy(image.data() + at, &stamp, sizeof stamp);
    stamped = true;
  }
  return stamped;
}

}  // namespace gpustage
