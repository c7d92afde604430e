# Writes OUTPUT, a C++ file that holds the files FILES (a list of names in the folder WEB):
#   cmake -DWEB=... -DFILES=... -DOUTPUT=... -P embed_web.cmake
# A raw string may be 64 KiB in standard C++, so a longer file becomes several.
set(piece 30000)
set(entries "")
foreach(name ${FILES})
  file(READ ${WEB}/${name} text)
  file(SHA256 ${WEB}/${name} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(FIND "${text}" ")ebt_web\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${name} holds the delimiter of the string that is to hold it")
  endif()
  string(LENGTH "${text}" length)
  string(APPEND entries "    {\"${name}\", \"\\\"${hash}\\\"\",\n     std::string_view(")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} ${piece} part)
    string(APPEND entries "R\"ebt_web(${part})ebt_web\"\n")
    math(EXPR at "${at} + ${piece}")
  endwhile()
  if(length EQUAL 0)
    string(APPEND entries "\"\"")
  endif()
  string(APPEND entries ")},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"ebt/serve/web_files.h\"

namespace ebt {

std::span<const WebFile> web_files() {
  static constexpr WebFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace ebt
")
