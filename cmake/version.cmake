# What `ebt --version` says: build_info.h, which the program alone includes. The commit is asked for at
# every build; the header changes, and the program is built anew, only where the answer does.
pkg_check_modules(JPEG_TURBO QUIET libjpeg)  # FindJPEG only knows the version of the interface
set(EBT_LIBRARY_VERSIONS "")
foreach(entry
    "oneDNN=dnnl_VERSION" "fmt=fmt_VERSION" "nlohmann-json=nlohmann_json_VERSION"
    "CLI11=CLI11_VERSION" "libpng=PNG_VERSION_STRING" "libjpeg-turbo=JPEG_TURBO_VERSION" "Spectra=Spectra_VERSION"
    "Oniguruma=TEXT_oniguruma_VERSION" "utf8proc=TEXT_libutf8proc_VERSION"
    "zlib=ZLIB_VERSION_STRING" "Zstandard=ZSTD_VERSION" "SentencePiece=SENTENCEPIECE_VERSION" "MPI=MPI_CXX_VERSION" "Boost=Boost_VERSION")
  string(REPLACE "=" ";" entry ${entry})
  list(GET entry 0 name)
  list(GET entry 1 variable)
  if(${variable})
    string(APPEND EBT_LIBRARY_VERSIONS "    {\"${name}\", \"${${variable}}\"},\n")
  endif()
endforeach()
string(APPEND EBT_LIBRARY_VERSIONS "    {\"compiler ${CMAKE_CXX_COMPILER_ID}\", \"${CMAKE_CXX_COMPILER_VERSION}\"},")
list(TRANSFORM EBT_COMPILED_ISAS REPLACE "(.+)" "\"\\1\"" OUTPUT_VARIABLE EBT_ISA_STRINGS)
list(JOIN EBT_ISA_STRINGS ", " EBT_ISA_STRINGS)
configure_file(${CMAKE_CURRENT_LIST_DIR}/build_info.h.in ${PROJECT_BINARY_DIR}/build_info.h.in @ONLY)

find_package(Git QUIET)
add_custom_target(ebt_build_info
  COMMAND ${CMAKE_COMMAND} "-DGIT=${GIT_EXECUTABLE}" -DSOURCE=${PROJECT_SOURCE_DIR}
          -DTEMPLATE=${PROJECT_BINARY_DIR}/build_info.h.in
          -DOUTPUT=${PROJECT_BINARY_DIR}/build_info/build_info.h
          -P ${CMAKE_CURRENT_LIST_DIR}/build_info.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/build_info/build_info.h VERBATIM)
