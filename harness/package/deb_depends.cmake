# Read by cpack before it packs: Depends, as dpkg-shlibdeps finds it. CPack's own call of it would ask for the packages of the
# libraries that our fakes stand in for.
if(CPACK_GENERATOR STREQUAL DEB)
  find_program(shlibdeps dpkg-shlibdeps)
  if(NOT shlibdeps)
    message(FATAL_ERROR "no dpkg-shlibdeps here to find out what the package depends on: install dpkg-dev")
  endif()
  set(scratch ${CPACK_PACKAGE_DIRECTORY}/_CPack_Packages/depends)
  file(WRITE ${scratch}/debian/control "Source: gpustage\n\nPackage: gpustage\nArchitecture: any\n")  # it wants one
  execute_process(COMMAND ${shlibdeps} -O ${CPACK_GPUSTAGE_LINKED} WORKING_DIRECTORY ${scratch}
    OUTPUT_VARIABLE depends ERROR_VARIABLE said RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed OR NOT depends MATCHES "^shlibs:Depends=(.+)")
    message(FATAL_ERROR "dpkg-shlibdeps: ${said}")
  endif()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS ${CMAKE_MATCH_1})
endif()
