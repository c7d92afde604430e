# The library of `ebt serve`, where Boost is there: the only part that needs it, and only its headers.
find_package(Boost 1.74)
if(NOT Boost_FOUND)
  message(STATUS "Boost (Debian: libboost-dev) is not there: building without 'ebt serve'")
  return()
endif()

file(GLOB EBT_SERVE_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/ebt/serve/*.cpp)
list(FILTER EBT_SERVE_SOURCES EXCLUDE REGEX "_test\\.cpp$")

# The page becomes a part of the program.
set(web ${PROJECT_SOURCE_DIR}/web)
file(GLOB_RECURSE web_files CONFIGURE_DEPENDS RELATIVE ${web}
     ${web}/*.html ${web}/*.js ${web}/*.css ${web}/*.svg)
list(FILTER web_files EXCLUDE REGEX "(^|/)(tests|node_modules)/")
list(TRANSFORM web_files PREPEND ${web}/ OUTPUT_VARIABLE web_paths)
set(web_source ${PROJECT_BINARY_DIR}/web_files.cpp)
add_custom_command(OUTPUT ${web_source}
  COMMAND ${CMAKE_COMMAND} -DWEB=${web} "-DFILES=${web_files}" -DOUTPUT=${web_source}
          -P ${CMAKE_CURRENT_LIST_DIR}/embed_web.cmake
  DEPENDS ${web_paths} ${CMAKE_CURRENT_LIST_DIR}/embed_web.cmake VERBATIM)

add_library(ebt_serve STATIC ${EBT_SERVE_SOURCES} ${web_source})
target_precompile_headers(ebt_serve PRIVATE ${EBT_COMMON_HEADERS})
target_link_libraries(ebt_serve PUBLIC ebt PRIVATE Boost::headers ebt_options)
