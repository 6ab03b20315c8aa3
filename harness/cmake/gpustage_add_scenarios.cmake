# gpustage_add_scenarios(DIRECTORY [PREFIX text] [SCANNERS file…] [LABELS label…] [TIMEOUT seconds] [ENVIRONMENT NAME=value…])
#
# One ctest entry for each scenario file below DIRECTORY: its name is PREFIX and the path without its suffix, its labels are the
# folder of that name and LABELS. SCANNERS are definition files of your own; with them only runs of these scanners start. An
# entry of which every run was skipped is a skipped test, and its output says why. A file that is added is seen by the next build.
function(gpustage_add_scenarios directory)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX;TIMEOUT" "SCANNERS;LABELS;ENVIRONMENT")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "gpustage_add_scenarios: unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(scanners "")
  foreach(scanner IN LISTS arg_SCANNERS)
    cmake_path(ABSOLUTE_PATH scanner)
    list(APPEND scanners --scanner ${scanner})
  endforeach()
  cmake_path(ABSOLUTE_PATH directory)
  file(GLOB_RECURSE files RELATIVE ${directory} CONFIGURE_DEPENDS ${directory}/*.yaml ${directory}/*.yml)
  if(NOT files)
    message(FATAL_ERROR "gpustage_add_scenarios: no scenario file (*.yaml, *.yml) below ${directory}")
  endif()
  foreach(file IN LISTS files)
    set(name ${arg_PREFIX}${file})
    cmake_path(REMOVE_EXTENSION name LAST_ONLY)
    cmake_path(GET name PARENT_PATH folder)
    add_test(NAME ${name} COMMAND gpustage::program run --jobs 1 ${scanners} ${directory}/${file})
    set_tests_properties(${name} PROPERTIES
      TIMEOUT ${arg_TIMEOUT} LABELS "${folder};${arg_LABELS}" ENVIRONMENT "${arg_ENVIRONMENT}"
      SKIP_REGULAR_EXPRESSION "\n0 passed, 0 failed, [0-9]+ skipped in ")
  endforeach()
endfunction()
